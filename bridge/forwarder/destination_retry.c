/*
 * A peer that is away, busy or silent: how long it is left alone, where else is tried,
 * and what is said of it to the log, to the counters and to who reports trouble.
 */
#include <string.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/destination_internal.h"
#include "bridge/log.h"

bool
destination_retry_is_paused(const struct destination *destination)
{
	return destination->paused_until > deadline_now();
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

void
destination_retry_over(struct destination *destination, const char *how)
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

/* Only a reason that is new is told; `what`: in front of it, NULL: nothing. */
static void
complain(struct destination *destination, const char *what, const struct error *error)
{
	atomic_fetch_add_explicit(&destination->settings.counters->breaks, 1, memory_order_relaxed);
	if (strcmp(destination->complaint.text, error->text) != 0 &&
	    !destination_is_stopping(destination)) {
		struct error told = *error;

		/* as one text: another reason is then told at once (log.c) */
		if (what != NULL)
			error_prefix(&told, "%s", what);
		log_warning(destination->object, "%s", told.text);
	}
	destination->complaint = *error;
	complaint_put(&destination->complaints, ++destination->failures, error);
}

void
destination_retry_pause(struct destination *destination, enum send_result result,
			const struct error *error)
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
	destination_connection_watch(destination, &watch);
	if (watch.not_before > destination->paused_until)
		destination->paused_until = watch.not_before;
}

void
destination_retry_anew(struct destination *destination, const struct error *error)
{
	atomic_fetch_add_explicit(&destination->settings.counters->breaks, 1, memory_order_relaxed);
	if (!destination_is_stopping(destination))
		log_warning(destination->object, "%s", error->text);
	if (destination->head.sequence > destination->doubted)
		destination->doubted = destination->head.sequence;
	destination_connection_begin(destination);
}

void
destination_retry_back_off(struct destination *destination, const struct error *error)
{
	struct send_watch watch = {.descriptor = -1};

	int64_t pause = backoff_next(&destination->backoff);

	complain(destination, NULL, error);
	tell_retry(destination, pause, false);
	watch.at = deadline_now() + pause;
	while (!destination_is_stopping(destination) && deadline_now() < watch.at)
		destination_wait(destination, &watch);
}

/*
 * At once where this is the first one since something was confirmed: where all of them
 * fail alike, each is tried after a pause.
 */
void
destination_retry_elsewhere(struct destination *destination, const struct error *error)
{
	bool at_once = backoff_is_fresh(&destination->backoff);

	uplink_shun(&destination->uplink);
	destination_connection_begin(destination);
	if (!at_once) {
		destination_retry_back_off(destination, error);
		return;
	}
	(void)backoff_next(&destination->backoff);
	complain(destination, NULL, error);
}
