/*
 * Dead letters: events that this destination can never take.  The main thread alone
 * writes them, so the destination hands them over and waits until they are on disk; only
 * then may the head pass them.
 */
#include "bridge/deadline.h"
#include "bridge/forwarder/destination_internal.h"
#include "bridge/log.h"
#include "bridge/wake.h"
#include "formats/memory.h"

/* Returns when the letters are durable, whatever else is asked of us meanwhile. */
static void
bury(struct destination *destination, const struct delivery_dead *letters, size_t count)
{
	const struct send_watch watch = {.descriptor = -1, .at = INT64_MAX};

	if (count == 0)
		return;
	mailbox_put(&destination->mailbox, letters, count);
	wake_raise(destination->settings.attention);
	while (!mailbox_is_empty(&destination->mailbox))
		destination_wait(destination, &watch);
	if (letters[count - 1].sequence > destination->buried)
		destination->buried = letters[count - 1].sequence;
	atomic_fetch_add_explicit(&destination->settings.counters->dead, count,
				  memory_order_relaxed);
	log_error(destination->object,
		  "%zu event(s) can never be delivered and are dead letters; the first one, %llu: "
		  "%.*s",
		  count, (unsigned long long)letters[0].sequence, (int)letters[0].reason.length,
		  letters[0].reason.bytes);
}

static struct slice
present(struct slice slice)
{
	return slice.bytes != NULL ? slice : SLICE_LITERAL("");
}

static struct delivery_dead
letter_of(const struct destination *destination, const struct spool_event *stored,
	  struct slice reason)
{
	return (struct delivery_dead){
	    .destination = destination->settings.configuration->name,
	    .sequence = stored->sequence,
	    .died_at = deadline_wall(),
	    .id = present(stored->id),
	    .type = present(stored->type),
	    .reason = present(reason),
	};
}

/*
 * Not what was buried before a break already.  What dies in a replay dies anew each time.
 */
void
destination_bury_dead(struct destination *destination)
{
	const struct batch *batch = destination->batch;
	struct delivery_dead *letters =
	    arena_allocate(batch->arena, (batch->count + 1) * sizeof(*letters));
	uint64_t buried = batch->lane == BATCH_REPLAY ? 0 : destination->buried;
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++)
		if (batch->items[i].fate == BATCH_DEAD && batch->items[i].stored->sequence > buried)
			letters[count++] =
			    letter_of(destination, batch->items[i].stored, batch->items[i].reason);
	bury(destination, letters, count);
}

void
destination_bury_refused(struct destination *destination, const struct error *error)
{
	struct batch *batch = destination->batch;
	const struct batch_message *message = &batch->messages[batch->next];
	struct delivery_dead letter;

	batch_kill(batch, message->item, error->text);
	letter = letter_of(destination, batch->items[message->item].stored, text_of(error->text));
	bury(destination, &letter, batch->lane != BATCH_HEARTBEAT ? 1 : 0);
	batch_advance(batch, message->end - batch->sent);
}

/*
 * The batch of the message may be long gone: what the letter says of it is read from the
 * spool once more.
 */
bool
destination_bury_first(struct destination *destination, const struct error *reason,
		       struct error *error)
{
	struct position position;
	struct spool_event *stored = NULL;
	struct delivery_dead letter;
	struct arena *arena;
	bool done;

	if (!window_first(destination->window, &position))
		memory_panic("%s: refused what was never sent", destination->object);
	if (position.event == 0)
		return true;
	arena = arena_new();
	done = feed_find(destination->feed, position.event, arena, &stored, error);
	if (done) {
		letter = letter_of(destination, stored, text_of(reason->text));
		bury(destination, &letter, 1);
	}
	arena_free(arena);
	return done;
}
