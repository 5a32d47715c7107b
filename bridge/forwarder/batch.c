#include "bridge/forwarder/batch.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/route.h"
#include "formats/memory.h"

struct batch *
batch_new(size_t capacity)
{
	return batch_new_of(capacity, BATCH_EVENTS, BATCH_BYTES);
}

struct batch *
batch_new_of(size_t capacity, size_t events, size_t bytes)
{
	struct batch *batch = memory_allocate(sizeof(*batch));
	/* a replay reads BATCH_EVENTS whatever the limit is */
	size_t places = events > BATCH_EVENTS ? events : BATCH_EVENTS;

	batch->events = events;
	batch->bytes = bytes;
	batch->arena = arena_new();
	batch->items = memory_allocate_array(places, sizeof(*batch->items));
	batch->messages = memory_allocate_array(places, sizeof(*batch->messages));
	text_start(&batch->output, memory_allocate(capacity), capacity);
	return batch;
}

void
batch_free(struct batch *batch)
{
	if (batch == NULL)
		return;
	arena_free(batch->arena);
	free(batch->items);
	free(batch->messages);
	free(batch->output.bytes);
	free(batch);
}

void
batch_clear(struct batch *batch)
{
	arena_clear(batch->arena);
	batch->offset += batch->output.length;
	text_cut(&batch->output, 0);
	batch->count = 0;
	batch->message_count = 0;
	batch->sent = 0;
	batch->next = 0;
	batch->lane = BATCH_LIVE;
}

bool
batch_read(struct batch *batch, struct spool_reader *reader, uint64_t after, size_t limit,
	   struct error *error)
{
	struct spool_event *stored = NULL;
	size_t count = 0;

	batch_clear(batch);
	if (!spool_reader_next(reader, after, limit, batch->bytes, batch->arena, &stored, &count,
			       error))
		return false;
	for (size_t i = 0; i < count; i++) {
		batch->items[i].stored = &stored[i];
		batch->items[i].fate = BATCH_WANTED;
	}
	batch->count = count;
	return true;
}

/* People are not called for what they were called for before. */
static bool
is_old_news(const struct config_destination *destination, const struct batch *batch,
	    const struct spool_event *stored)
{
	bool again =
	    batch->lane == BATCH_REPLAY && destination->http != NULL && !destination->http->replays;

	return again ||
	       (config_is_on_call(destination) && (stored->flags & SPOOL_FLAG_REPLAY) != 0);
}

/*
 * By the type that the receiver stored, before the body is read at all.  A row that
 * was changed on disk may hold any type: every destination hears of it.
 */
void
batch_route(struct batch *batch, const struct config_destination *destination,
	    const struct profiles *profiles)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_item *item = &batch->items[i];

		if (item->fate != BATCH_WANTED)
			continue;
		if (!item->stored->intact && item->stored->id.bytes == NULL)
			batch_kill(
			    batch, i,
			    "its row in the spool cannot be read: the file is damaged there");
		else if (!item->stored->intact)
			batch_kill(
			    batch, i,
			    "its row in the spool was changed: it does not fit the hash chain");
		else if (!route_wants(destination, item->stored->source, item->stored->type,
				      profiles_type(profiles, item->stored)) ||
			 is_old_news(destination, batch, item->stored))
			item->fate = BATCH_UNWANTED;
	}
}

/*
 * A SIEM that drops what it has by its id must not drop an event whose id another one
 * with another body had before: that one leaves with its sequence number behind it.
 */
static struct slice
id_of(const struct batch *batch, const struct spool_event *stored)
{
	size_t capacity = stored->id.length + sizeof("~18446744073709551615");
	struct text text;

	if ((stored->flags & SPOOL_FLAG_CONFLICT) == 0)
		return stored->id;
	text_start(&text, arena_allocate(batch->arena, capacity), capacity);
	text_append_slice(&text, stored->id);
	text_append_byte(&text, '~');
	text_append_unsigned(&text, stored->sequence);
	return text_slice(&text);
}

void
batch_normalise(struct batch *batch, const struct profiles *profiles)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_item *item = &batch->items[i];
		const struct spool_event *stored = item->stored;
		struct error error = {.text = ""};

		if (item->fate != BATCH_WANTED)
			continue;
		memset(&item->event, 0, sizeof(item->event));
		item->event.source = stored->source;
		item->event.id = id_of(batch, stored);
		item->event.received_at = stored->received_at;
		item->event.sequence = stored->sequence;
		item->event.headers = stored->evidence;
		item->event.replayed = batch->lane == BATCH_REPLAY;
		if (!normalise_event(profiles_of(profiles, stored->source), stored->body,
				     batch->arena, &item->event, &error))
			batch_kill(batch, i, error.text);
	}
}

void
batch_select(struct batch *batch, const struct config_destination *destination)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct batch_item *item = &batch->items[i];

		if (item->fate == BATCH_WANTED && !route_wants_event(destination, &item->event))
			item->fate = BATCH_UNWANTED;
	}
}

void
batch_kill(struct batch *batch, size_t item, const char *reason)
{
	size_t length = strlen(reason);

	batch->items[item].fate = BATCH_DEAD;
	batch->items[item].reason =
	    (struct slice){arena_copy_text(batch->arena, reason, length), length};
}

void
batch_cut(struct batch *batch, size_t count)
{
	batch->count = count;
}

void
batch_add_message(struct batch *batch, size_t item, uint64_t number)
{
	struct batch_message *message = &batch->messages[batch->message_count++];

	message->item = item;
	message->number = number;
	message->end = batch->output.length;
}

void
batch_advance(struct batch *batch, size_t bytes)
{
	batch->sent += bytes;
	while (batch->next < batch->message_count &&
	       batch->messages[batch->next].end <= batch->sent)
		batch->next++;
}

bool
batch_is_sent(const struct batch *batch)
{
	return batch->sent == batch->output.length;
}
