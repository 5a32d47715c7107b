/*
 * The loop.  A turn sends what the window has room for and then sees what has been
 * confirmed; only here is waited, tried again and given up.
 *
 * Order that matters: a dead letter is durable before the head passes it, so the
 * cursor cannot pass it earlier.  The window is filled with a whole batch before
 * its first byte is sent; a message is confirmed by the offset of its last byte, so
 * one that is still in our hands never is.
 */
#include "bridge/forwarder/destination.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "bridge/fault.h"
#include "bridge/forwarder/acks.h"
#include "bridge/forwarder/backoff.h"
#include "bridge/forwarder/batch.h"
#include "bridge/forwarder/feed.h"
#include "bridge/forwarder/mailbox.h"
#include "bridge/forwarder/render.h"
#include "bridge/forwarder/uplink.h"
#include "bridge/forwarder/window.h"
#include "bridge/log.h"
#include "bridge/spool/spool.h"
#include "bridge/wake.h"
#include "formats/memory.h"

/* The spool is looked at this often, milliseconds, even if a wake-up were lost. */
enum { IDLE_INTERVAL = 1000 };

struct destination {
	struct destination_settings settings;
	char object[128];       /* what the log says it is about */
	struct error complaint; /* that was logged last; empty: all is well */

	uint64_t failures; /* in a row */

	struct feed *feed;
	struct batch *batch;
	struct render *render;
	struct window *window;
	struct backoff backoff;
	struct uplink uplink;
	int64_t paused_until; /* deadline_now() before which nothing is sent; 0: no pause */
	struct position head; /* of the last item of the batch */
	struct position cursor;
	uint64_t doubted; /* live events up to here may have been delivered before */
	uint64_t buried;  /* highest sequence of a dead letter */

	int wake; /* raised by the main thread */
	atomic_bool stopping;
	atomic_bool finished;
	struct position_board board;
	struct mailbox mailbox;
	struct complaint_box complaints;
	pthread_t thread; /* the main thread's own, like the next */
	bool started;     /* and not yet joined */
};

/* ---- the connection ---- */

static bool
is_stopping(const struct destination *destination)
{
	return atomic_load(&destination->stopping);
}

static struct connect_patience
patience_of(const struct destination *destination)
{
	return (struct connect_patience){
	    .wake = destination->wake,
	    .stopping = &destination->stopping,
	};
}

/* For whoever looks: when it is tried again, in so many milliseconds; 0: it is well. */
static void
tell_retry(const struct destination *destination, int64_t pause, bool held)
{
	struct counters_destination *counters = destination->settings.counters;

	atomic_store_explicit(&counters->retry_at, pause > 0 ? deadline_wall() + pause : 0,
			      memory_order_relaxed);
	atomic_store_explicit(&counters->held, held, memory_order_relaxed);
}

static void
tell_connected(struct destination *destination, const char *how)
{
	const struct uplink *uplink = &destination->uplink;
	struct error said;

	/* a text of its own, so that the log takes "connected again" for no repetition of
	 * "connected" */
	error_set(&said, "%s to %s", how, uplink->kind->peer(uplink->connection));
	log_info(destination->object, "%s", said.text);
	destination->complaint.text[0] = '\0';
	if (destination->failures > 0)
		complaint_put(&destination->complaints, 0, &destination->complaint);
	destination->failures = 0;
	tell_retry(destination, 0, false);
}

/* A fresh connection goes on waiting for what an earlier one handed over. */
static void
recall(const struct destination *destination)
{
	const struct uplink *uplink = &destination->uplink;

	if (destination->settings.acks != NULL)
		uplink->kind->recall(uplink->connection, destination->settings.acks);
}

static bool
ensure_connection(struct destination *destination, struct error *error)
{
	const struct connect_patience patience = patience_of(destination);

	if (destination->uplink.connection != NULL)
		return true;
	if (!uplink_open(&destination->uplink, &patience, error))
		return false;
	recall(destination);
	tell_connected(destination,
		       destination->complaint.text[0] != '\0' ? "connected again" : "connected");
	return true;
}

/* What was handed over counts from the start of a connection: of the next one. */
static void
begin_stream(struct destination *destination)
{
	destination->paused_until = 0;
	destination->head = destination->cursor;
	batch_clear(destination->batch);
	destination->batch->offset = 0;
	window_clear(destination->window);
}

/* The connection is gone, and with it all that it had not confirmed. */
static void
rewind_head(struct destination *destination)
{
	uplink_close(&destination->uplink);
	begin_stream(destination);
}

static bool
is_of_no_more_use(enum send_result result)
{
	return result == SEND_LATER || result == SEND_ELSEWHERE;
}

/* Nothing is under way: another connection would lose nothing. */
static bool
is_between_batches(const struct destination *destination)
{
	return batch_is_sent(destination->batch) && window_is_empty(destination->window);
}

static void
move_uplink(struct destination *destination)
{
	const struct connect_patience patience = patience_of(destination);

	if (!uplink_move(&destination->uplink, &patience))
		return;
	recall(destination);
	begin_stream(destination);
	tell_connected(destination, "moved");
}

/* Bytes handed over on this connection. */
static uint64_t
written(const struct destination *destination)
{
	return destination->batch->offset + destination->batch->sent;
}

/* ---- waiting ---- */

/* Until woken, until the watched descriptor says something, or until `at`. */
static void
wait_for(struct destination *destination, const struct send_watch *watch)
{
	struct pollfd waits[] = {
	    {.fd = destination->wake, .events = POLLIN},
	    {.fd = watch->descriptor, .events = watch->events},
	};
	int64_t left = watch->at - deadline_now();

	if (left < 0)
		left = 0;
	if (poll(waits, 2, left < IDLE_INTERVAL ? (int)left : IDLE_INTERVAL) < 0) {
		if (errno != EINTR)
			memory_panic("%s: poll: %m", destination->object);
		return;
	}
	/* Cleared before the spool is looked at: what comes after raises it anew. */
	if (waits[0].revents != 0)
		wake_clear(destination->wake);
}

static void
watch_uplink(const struct destination *destination, struct send_watch *watch)
{
	const struct uplink *uplink = &destination->uplink;

	uplink->kind->watch(uplink->connection, !batch_is_sent(destination->batch),
			    written(destination), watch);
}

/* Until when the peer is to be left alone; 0: no need. */
static int64_t
rests_until(const struct destination *destination)
{
	struct send_watch watch = {.descriptor = -1, .at = INT64_MAX};

	if (destination->uplink.connection == NULL)
		return 0;
	watch_uplink(destination, &watch);
	return watch.not_before > deadline_now() ? watch.not_before : 0;
}

static bool
is_paused(const struct destination *destination)
{
	return destination->paused_until > deadline_now();
}

/* The batch is gone, and there is room for another one, that may go out. */
static bool
wants_more(const struct destination *destination)
{
	return batch_is_sent(destination->batch) && rests_until(destination) == 0 &&
	       window_has_room(destination->window, destination->batch->events);
}

/* For the spool, the peer or the clock. */
static void
wait_for_news(struct destination *destination)
{
	struct send_watch watch = {.descriptor = -1, .at = INT64_MAX};

	int64_t due = feed_due(destination->feed, &destination->head);

	watch_uplink(destination, &watch);
	if (wants_more(destination) && due < watch.at)
		watch.at = due;
	if (is_paused(destination) && watch.at > destination->paused_until)
		watch.at = destination->paused_until;
	if (watch.not_before > deadline_now() && watch.at > watch.not_before)
		watch.at = watch.not_before;
	wait_for(destination, &watch);
}

/* Only a reason that is new is told; `what`: in front of it, NULL: nothing. */
static void
complain(struct destination *destination, const char *what, const struct error *error)
{
	atomic_fetch_add_explicit(&destination->settings.counters->breaks, 1, memory_order_relaxed);
	if (strcmp(destination->complaint.text, error->text) != 0 && !is_stopping(destination)) {
		struct error told = *error;

		/* as one text: another reason is then told at once (log.c) */
		if (what != NULL)
			error_prefix(&told, "%s", what);
		log_warning(destination->object, "%s", told.text);
	}
	destination->complaint = *error;
	complaint_put(&destination->complaints, ++destination->failures, error);
}

/* Nothing more is sent for a while; what was handed over is waited for meanwhile. */
static void
pause_sending(struct destination *destination, enum send_result result, const struct error *error)
{
	struct send_watch watch = {.descriptor = -1, .at = INT64_MAX};
	int64_t pause;

	if (result == SEND_HOLD) {
		complain(destination, "held, and nothing is dropped", error);
		pause = destination->settings.configuration->hold_retry;
	} else {
		complain(destination, NULL, error);
		pause = backoff_next(&destination->backoff);
	}
	tell_retry(destination, pause, result == SEND_HOLD);
	destination->paused_until = deadline_now() + pause;
	watch_uplink(destination, &watch);
	if (watch.not_before > destination->paused_until)
		destination->paused_until = watch.not_before;
}

/* The peer has not confirmed in time what it has: it may come to be there twice. */
static void
begin_anew(struct destination *destination, const struct error *error)
{
	atomic_fetch_add_explicit(&destination->settings.counters->breaks, 1, memory_order_relaxed);
	if (!is_stopping(destination))
		log_warning(destination->object, "%s", error->text);
	if (destination->head.sequence > destination->doubted)
		destination->doubted = destination->head.sequence;
	begin_stream(destination);
}

/* Before the next attempt. */
static void
back_off(struct destination *destination, const struct error *error)
{
	struct send_watch watch = {.descriptor = -1};

	int64_t pause = backoff_next(&destination->backoff);

	complain(destination, NULL, error);
	tell_retry(destination, pause, false);
	watch.at = deadline_now() + pause;
	while (!is_stopping(destination) && deadline_now() < watch.at)
		wait_for(destination, &watch);
}

/*
 * Another address gets the next attempt, and at once where this is the first one since
 * something was confirmed: where all of them fail alike, each is tried after a pause.
 */
static void
go_elsewhere(struct destination *destination, const struct error *error)
{
	bool at_once = backoff_is_fresh(&destination->backoff);

	uplink_shun(&destination->uplink);
	begin_stream(destination);
	if (!at_once) {
		back_off(destination, error);
		return;
	}
	(void)backoff_next(&destination->backoff);
	complain(destination, NULL, error);
}

/* ---- dead letters ---- */

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
		wait_for(destination, &watch);
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
 * Those of the batch that were not buried before a break already.  What dies in a
 * replay dies anew each time.
 */
static void
bury_dead(struct destination *destination)
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

/* The peer can never take message batch->next: the others go on without it. */
static void
bury_refused(struct destination *destination, const struct error *error)
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
 * The peer refused the first message of the window, whose batch may be long gone:
 * what the letter says of it is read from the spool once more.
 */
static bool
bury_first(struct destination *destination, const struct error *reason, struct error *error)
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

/* ---- a turn ---- */

/* Where the head is when the lane of the batch has come to that sequence. */
static void
move_head(struct destination *destination, uint64_t sequence)
{
	switch (destination->batch->lane) {
	case BATCH_LIVE:
		destination->head.sequence = sequence;
		break;
	case BATCH_REPLAY:
		destination->head.replayed = sequence;
		break;
	case BATCH_HEARTBEAT:
		break;
	}
}

/* Renders the batch and puts it in the window; the head is behind it. */
static void
load(struct destination *destination)
{
	struct batch *batch = destination->batch;
	uint64_t passed = batch->passed;
	size_t read = batch->count;

	for (size_t i = 0; batch->lane == BATCH_LIVE && i < batch->count; i++)
		batch->items[i].event.doubted =
		    batch->items[i].stored->sequence <= destination->doubted;
	(void)render_batch(destination->render, batch, destination->head.number);
	if (batch->count < read)
		passed = batch->items[batch->count - 1].stored->sequence;
	if (batch->lane != BATCH_HEARTBEAT)
		bury_dead(destination);
	for (size_t i = 0; i < batch->message_count; i++) {
		const struct batch_message *message = &batch->messages[i];

		destination->head.event = batch->items[message->item].stored->sequence;
		destination->head.number = message->number;
		move_head(destination, destination->head.event);
		window_push(destination->window, destination->head, batch->offset + message->end);
	}
	move_head(destination, passed);
	feed_count(destination->feed, batch);
}

/* The next batch: read, routed, normalised, rendered, and in the window. */
static enum send_result
fill(struct destination *destination, struct error *error)
{
	struct batch *batch = destination->batch;
	enum send_result result = feed_next(destination->feed, batch, &destination->head, error);

	if (result == SEND_PROGRESS)
		load(destination);
	return result;
}

static enum send_result
transmit(struct destination *destination, struct error *error)
{
	struct batch *batch = destination->batch;
	size_t before = batch->next;
	enum send_result result;

	if (batch_is_sent(batch) || is_paused(destination))
		return SEND_IDLE;
	fault_point("forwarder-before-send");
	result = destination->uplink.kind->send(destination->uplink.connection, batch, error);
	fault_point("forwarder-after-send");
	atomic_fetch_add_explicit(&destination->settings.counters->sent, batch->next - before,
				  memory_order_relaxed);
	if (result == SEND_PROGRESS && destination->paused_until > 0) {
		destination->paused_until = 0;
		backoff_reset(&destination->backoff);
		tell_connected(destination, "goes on");
	}
	return result;
}

/* All before the refused message, then its letter, and only then that message. */
static bool
pass_refused(struct destination *destination, uint64_t end, struct error *error)
{
	const struct error reason = *error;

	(void)window_confirm(destination->window, end - 1, &destination->cursor);
	return bury_first(destination, &reason, error);
}

static enum send_result
confirm(struct destination *destination, struct error *error)
{
	const struct uplink *uplink = &destination->uplink;
	struct position before = destination->cursor;
	uint64_t confirmed = 0;
	enum send_result result =
	    uplink->kind->confirm(uplink->connection, written(destination), &confirmed, error);

	if (is_of_no_more_use(result))
		return result;
	if (result == SEND_REFUSED && !pass_refused(destination, confirmed, error))
		return SEND_LATER;
	if (result == SEND_AGAIN || result == SEND_HOLD)
		pause_sending(destination, result, error);
	if (window_confirm(destination->window, confirmed, &destination->cursor))
		backoff_reset(&destination->backoff);
	if (result == SEND_ANEW)
		begin_anew(destination, error);
	/* Behind the last message there may be events that go nowhere from here. */
	if (window_is_empty(destination->window))
		destination->cursor = destination->head;
	if (position_equals(&destination->cursor, &before))
		return SEND_IDLE;
	feed_confirm(destination->feed, &destination->cursor);
	atomic_store_explicit(&destination->settings.counters->confirmed,
			      destination->cursor.sequence, memory_order_relaxed);
	if (position_publish(&destination->board, destination->cursor))
		wake_raise(destination->settings.attention);
	return SEND_PROGRESS;
}

/* The main thread keeps them on disk. */
static void
tell_acks(const struct destination *destination)
{
	if (destination->settings.acks != NULL && acks_has_news(destination->settings.acks))
		wake_raise(destination->settings.attention);
}

/* Sends what the window has room for, then sees what has been confirmed. */
static enum send_result
step(struct destination *destination, struct error *error)
{
	enum send_result filled = SEND_IDLE;
	enum send_result sent;
	enum send_result confirmed;

	if (!ensure_connection(destination, error))
		return SEND_LATER;
	/* Where a move is due, what is under way is waited for first. */
	if (uplink_is_due(&destination->uplink)) {
		if (is_between_batches(destination))
			move_uplink(destination);
	} else if (wants_more(destination)) {
		filled = fill(destination, error);
		if (filled == SEND_LATER)
			return filled;
	}
	sent = transmit(destination, error);
	tell_acks(destination);
	if (sent == SEND_REFUSED || is_of_no_more_use(sent))
		return sent;
	if (sent == SEND_AGAIN || sent == SEND_HOLD) {
		pause_sending(destination, sent, error);
		sent = SEND_IDLE;
	}
	confirmed = confirm(destination, error);
	tell_acks(destination);
	if (confirmed != SEND_IDLE)
		return confirmed;
	return filled == SEND_PROGRESS ? filled : sent;
}

/* At the end: the rest of the batch, and what can be confirmed in the time there is. */
static void
drain(struct destination *destination)
{
	struct deadline deadline = deadline_after(DESTINATION_DRAIN);
	struct error ignored;

	while (destination->uplink.connection != NULL && !deadline_passed(deadline)) {
		enum send_result result = transmit(destination, &ignored);
		struct send_watch watch = {.descriptor = -1, .at = INT64_MAX};

		if ((result != SEND_PROGRESS && result != SEND_IDLE) ||
		    is_of_no_more_use(confirm(destination, &ignored)) ||
		    is_between_batches(destination))
			break;
		watch_uplink(destination, &watch);
		if (watch.at > deadline.at)
			watch.at = deadline.at;
		wait_for(destination, &watch);
	}
}

static void
loop(struct destination *destination)
{
	struct error error = {.text = ""};

	while (!is_stopping(destination)) {
		switch (step(destination, &error)) {
		case SEND_PROGRESS:
			break;
		case SEND_ANEW: /* confirm() has begun it */
		case SEND_IDLE:
		case SEND_AGAIN: /* step() has made a pause of these two */
		case SEND_HOLD:
			wait_for_news(destination);
			break;
		case SEND_REFUSED:
			bury_refused(destination, &error);
			break;
		case SEND_LATER:
			rewind_head(destination);
			back_off(destination, &error);
			break;
		case SEND_ELSEWHERE:
			go_elsewhere(destination, &error);
			break;
		}
	}
	drain(destination);
	rewind_head(destination);
}

static void *
run(void *context)
{
	struct destination *destination = context;

	loop(destination);
	atomic_store(&destination->finished, true);
	wake_raise(destination->settings.attention);
	return NULL;
}

/* ---- the main thread's side ---- */

static uint64_t
any_seed(void)
{
	uint64_t seed;

	/* Nothing secret: without entropy yet, the time will do. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = (uint64_t)deadline_wall();
	return seed;
}

/* What goes out in one request is read at once. */
static size_t
events_of(const struct config_destination *configuration)
{
	return configuration->splunk_hec != NULL ? configuration->splunk_hec->batch_events
						 : BATCH_EVENTS;
}

bool
destination_new(struct destination **out, const struct destination_settings *settings,
		struct error *error)
{
	struct destination *destination = memory_allocate(sizeof(*destination));
	struct text object;

	destination->settings = *settings;
	uplink_start(&destination->uplink, settings->configuration);
	text_start(&object, destination->object, sizeof(destination->object) - 1);
	text_append_string(&object, "destination=");
	text_append_string(&object, settings->configuration->name);
	destination->feed = feed_new(settings->configuration, settings->profiles,
				     settings->spool_directory, &settings->start);
	destination->render = render_new(settings->configuration);
	destination->batch =
	    batch_new_of(render_capacity(destination->render), events_of(settings->configuration),
			 render_bytes(destination->render));
	destination->window = window_new();
	destination->head = settings->start;
	destination->cursor = settings->start;
	backoff_start(&destination->backoff, any_seed());
	position_start(&destination->board, settings->start);
	mailbox_start(&destination->mailbox);
	complaint_start(&destination->complaints);
	atomic_store(&settings->counters->confirmed, settings->start.sequence);
	if (!wake_open(&destination->wake, error)) {
		destination->wake = -1;
		destination_free(destination);
		return false;
	}
	*out = destination;
	return true;
}

void
destination_free(struct destination *destination)
{
	if (destination == NULL)
		return;
	if (destination->wake >= 0)
		close(destination->wake);
	feed_free(destination->feed);
	acks_free(destination->settings.acks);
	free(complaint_take(&destination->complaints));
	batch_free(destination->batch);
	render_free(destination->render);
	window_free(destination->window);
	free(destination);
}

bool
destination_start(struct destination *destination, struct error *error)
{
	int code = pthread_create(&destination->thread, NULL, run, destination);

	destination->started = code == 0;
	if (destination->started)
		return true;
	errno = code;
	return error_set_errno(error, "%s: its thread cannot be started", destination->object);
}

void
destination_wake(struct destination *destination)
{
	wake_raise(destination->wake);
}

void
destination_stop(struct destination *destination)
{
	atomic_store(&destination->stopping, true);
	wake_raise(destination->wake);
}

bool
destination_has_finished(struct destination *destination)
{
	if (!destination->started)
		return true;
	if (!atomic_load(&destination->finished))
		return false;
	(void)pthread_join(destination->thread, NULL);
	destination->started = false;
	return true;
}

bool
destination_take_cursor(struct destination *destination, struct position *cursor)
{
	return position_take(&destination->board, cursor);
}

const struct delivery_dead *
destination_dead(const struct destination *destination, size_t *count)
{
	return mailbox_look(&destination->mailbox, count);
}

void
destination_buried(struct destination *destination)
{
	mailbox_done(&destination->mailbox);
	wake_raise(destination->wake);
}

void
destination_replay(struct destination *destination, const struct delivery_replay *replay)
{
	feed_offer(destination->feed, replay);
	wake_raise(destination->wake);
}

struct complaint *
destination_take_complaint(struct destination *destination)
{
	return complaint_take(&destination->complaints);
}

struct acks *
destination_acks(const struct destination *destination)
{
	return destination->settings.acks;
}

const char *
destination_name(const struct destination *destination)
{
	return destination->settings.configuration->name;
}
