/*
 * How a destination waits: for the main thread, for the peer and for the clock, whichever
 * comes first.  Whatever it waits for, a wake-up is heard, and the caller looks anew.
 */
#include <errno.h>
#include <poll.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/destination_internal.h"
#include "bridge/wake.h"
#include "formats/memory.h"

/* The spool is looked at this often, milliseconds, even if a wake-up were lost. */
enum { IDLE_INTERVAL = 1000 };

void
destination_wait(struct destination *destination, const struct send_watch *watch)
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

void
destination_wait_for_news(struct destination *destination, int64_t at)
{
	struct send_watch watch = {.descriptor = -1, .at = INT64_MAX};

	destination_connection_watch(destination, &watch);
	if (at < watch.at)
		watch.at = at;
	if (destination_retry_is_paused(destination) && watch.at > destination->paused_until)
		watch.at = destination->paused_until;
	if (watch.not_before > deadline_now() && watch.at > watch.not_before)
		watch.at = watch.not_before;
	destination_wait(destination, &watch);
}
