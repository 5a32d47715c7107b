/*
 * What other senders call the events of the catalogue.  The table is data: a user's
 * own lines come before it (vocabulary.h).
 */
#ifndef ALIASES_H
#define ALIASES_H

#include <stddef.h>

struct alias {
	const char *from; /* the sender's event type, or a glob of them */
	const char *to;   /* ours: 1..127 of [A-Za-z0-9._-] */
};

/* The i-th row, or NULL behind the last.  Of those that fit, an exact one counts first. */
const struct alias *aliases_at(size_t i);

#endif
