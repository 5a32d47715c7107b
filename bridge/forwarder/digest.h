/*
 * Several events in one message: gathered until the first of them has waited for the
 * interval, or there is no more room.
 *
 * What is gathered is remembered with the offset of its end on the connection, so that
 * it can be confirmed as a whole, or one by one where a server takes the whole for
 * what it will not have.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include "formats/event.h"

enum { DIGEST_EVENTS = 200, DIGEST_BYTES = 256 * 1024 };

struct digest_part {
	uint64_t end; /* offset on the connection */
	uint64_t sequence;
	enum severity severity;
	struct slice subject; /* these two are in the digest's own bytes */
	struct slice text;
};

struct digest {
	struct digest_part parts[DIGEST_EVENTS];
	size_t count;
	struct text bytes;
};

struct digest *digest_new(void);
void digest_free(struct digest *digest); /* NULL is fine */

void digest_clear(struct digest *digest);

/* Copies subject and text of the part.  False: there is no room for it. */
bool digest_add(struct digest *digest, const struct digest_part *part);

/* "[high] 12 events: Invoice overdue: in_2026_10 (Acme), and 11 more"; of one: its own. */
void digest_write_subject(const struct digest *digest, struct text *text);

/* The list of subjects, then each text under its subject; of one event: its text. */
void digest_write_text(const struct digest *digest, struct text *text);

#endif
