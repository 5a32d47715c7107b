/*
 * What an answer means for the event and for the destination.
 *
 *   done   it was taken: confirmed
 *   retry  not now: the same again after a pause, or after the answer's Retry-After
 *   hold   a setting is bad, here or there: all events wait, it is tried every hold_retry
 *   drop   this event is bad: it becomes a dead letter, the others go on
 *
 *   status            what all mean by it
 *   2xx               done
 *   3xx               hold: redirects are not followed
 *   400 422           drop
 *   401 403 404 410   hold
 *   408 425 429       retry
 *   413 414 431       drop: longer than it takes
 *   other 4xx         hold
 *   5xx and others    retry
 *
 * What a vendor means otherwise is in its own table (send_*.c) and goes before.
 */
#ifndef VENDOR_REPLY_H
#define VENDOR_REPLY_H

#include "formats/text.h"

struct vendor_notification;

enum vendor_action { VENDOR_DONE, VENDOR_RETRY, VENDOR_HOLD, VENDOR_DROP };

struct vendor_reply {
	int first, last;  /* status */
	const char *body; /* that stands in the body, in any case; NULL: whatever it is */
	enum vendor_action action;
	const char *meaning;
};

/* "done", "retry", "hold", "drop" */
const char *vendor_reply_action_name(enum vendor_action action);

/* The first row that fits, of `own` and then of those for all; never NULL. */
const struct vendor_reply *vendor_reply_find(const struct vendor_reply *own, size_t count,
					     int status, struct slice body);

/*
 * Appends ": " and the first `most` bytes of what an answer says, as far as it may be
 * shown: nothing of one that repeats a key, or a part of the address, which may be one.
 */
void vendor_reply_excerpt(struct slice body, size_t most,
			  const struct vendor_notification *notification, struct text *text);

#endif
