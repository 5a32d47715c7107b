/*
 * The loop, and the main thread's side of it.  A turn sends what the window has room
 * for and then sees what has been confirmed.  Only a destination waits, tries again and
 * gives up: here is when, in destination_retry.c and destination_bury.c how.
 *
 * Order that matters: a dead letter is durable before the head passes it, so the
 * cursor cannot pass it earlier.  The window is filled with a whole batch before
 * its first byte is sent; a message is confirmed by the offset of its last byte, so
 * one that is still in our hands never is.
 */
#include "bridge/forwarder/destination.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "bridge/fault.h"
#include "bridge/forwarder/acks.h"
#include "bridge/forwarder/destination_internal.h"
#include "bridge/wake.h"
#include "formats/memory.h"

bool
destination_is_stopping(const struct destination *destination)
{
	return atomic_load(&destination->stopping);
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

/* The batch is gone, and there is room for another one, that may go out. */
static bool
wants_more(const struct destination *destination)
{
	return batch_is_sent(destination->batch) && !destination_connection_rests(destination) &&
	       window_has_room(destination->window, destination->batch->events);
}

/* For the spool, the peer or the clock. */
static void
wait_for_news(struct destination *destination)
{
	int64_t due = feed_due(destination->feed, &destination->head);

	destination_wait_for_news(destination, wants_more(destination) ? due : INT64_MAX);
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
		destination_bury_dead(destination);
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

	if (batch_is_sent(batch) || destination_retry_is_paused(destination))
		return SEND_IDLE;
	fault_point("forwarder-before-send");
	result = destination->uplink.kind->send(destination->uplink.connection, batch, error);
	fault_point("forwarder-after-send");
	atomic_fetch_add_explicit(&destination->settings.counters->sent, batch->next - before,
				  memory_order_relaxed);
	if (result == SEND_PROGRESS && destination->paused_until > 0) {
		destination->paused_until = 0;
		backoff_reset(&destination->backoff);
		destination_retry_over(destination, "goes on");
	}
	return result;
}

/* All before the refused message, then its letter, and only then that message. */
static bool
pass_refused(struct destination *destination, uint64_t end, struct error *error)
{
	const struct error reason = *error;

	(void)window_confirm(destination->window, end - 1, &destination->cursor);
	return destination_bury_first(destination, &reason, error);
}

static enum send_result
confirm(struct destination *destination, struct error *error)
{
	const struct uplink *uplink = &destination->uplink;
	struct position before = destination->cursor;
	uint64_t confirmed = 0;
	enum send_result result = uplink->kind->confirm(
	    uplink->connection, destination_connection_written(destination), &confirmed, error);

	if (is_of_no_more_use(result))
		return result;
	if (result == SEND_REFUSED && !pass_refused(destination, confirmed, error))
		return SEND_LATER;
	if (result == SEND_AGAIN || result == SEND_HOLD)
		destination_retry_pause(destination, result, error);
	if (window_confirm(destination->window, confirmed, &destination->cursor))
		backoff_reset(&destination->backoff);
	if (result == SEND_ANEW)
		destination_retry_anew(destination, error);
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

	if (!destination_connection_open(destination, error))
		return SEND_LATER;
	/* Where a move is due, what is under way is waited for first. */
	if (uplink_is_due(&destination->uplink)) {
		if (is_between_batches(destination))
			destination_connection_move(destination);
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
		destination_retry_pause(destination, sent, error);
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
		destination_connection_watch(destination, &watch);
		if (watch.at > deadline.at)
			watch.at = deadline.at;
		destination_wait(destination, &watch);
	}
}

static void
loop(struct destination *destination)
{
	struct error error = {.text = ""};

	while (!destination_is_stopping(destination)) {
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
			destination_bury_refused(destination, &error);
			break;
		case SEND_LATER:
			destination_connection_close(destination);
			destination_retry_back_off(destination, &error);
			break;
		case SEND_ELSEWHERE:
			destination_retry_elsewhere(destination, &error);
			break;
		}
	}
	drain(destination);
	destination_connection_close(destination);
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
