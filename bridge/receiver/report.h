/*
 * Requests that nobody vouched for, as events of the bridge's own: for each source
 * that wants it at most one webhook.signature_invalid a minute, with the count of
 * what it stands for.  Never anything of the body or of the signature.
 *
 * One `struct report` is shared by all loops, without a lock; a `struct
 * report_note` belongs to one loop and one source.
 */
#ifndef REPORT_H
#define REPORT_H

#include "bridge/receiver/verify.h"
#include "bridge/spool/spool.h"

enum {
	REPORT_PERIOD = 60 * 1000, /* ms between two events of one source */
	REPORT_BODY = 1024,        /* bytes that an event's body may take */
	REPORT_ID = 128,
	REPORT_PEER = 48,
};

struct report;

/* Gives one for `count` sources, freed with report_free(). */
struct report *report_new(size_t count);
void report_free(struct report *report); /* NULL is fine */

/* The last one that this loop saw and no event tells of. */
struct report_note {
	bool is_set;
	enum verify_reason reason;
	char peer[REPORT_PEER]; /* its address; NUL-terminated */
};

/* One more of source `index`; `peer` may be NULL. */
void report_add(struct report *report, size_t index, const char *peer, enum verify_reason reason,
		struct report_note *note);

/*
 * Takes what is to be told now: how many since the last event; 0: nothing yet, or
 * another loop has told it.  `at_once`: the loop ends, and with it its chance.
 */
uint64_t report_take(struct report *report, size_t index, int64_t now, bool at_once,
		     struct report_note *note);

/*
 * Fills an event of CONFIG_SOURCE_OWN about `count` requests for the source of that
 * name; its id and body are appended to the texts and borrowed from them.
 */
void report_fill(struct spool_event *event, const char *source, uint64_t count,
		 const struct report_note *note, int64_t now, struct text *id, struct text *body);

#endif
