/*
 * Searching the ledger: what spool_find.h can, and by where an event stands.
 *
 *   search_open(), then set what of `query` and `limit` is wanted, then search as often
 *   as needed: each takes a snapshot's cursors, see standing_refresh().
 */
#ifndef SEARCH_H
#define SEARCH_H

#include "bridge/deadline.h"
#include "bridge/spool/standing.h"

struct search {
	struct standing *standing;     /* borrowed */
	struct spool_find_query query; /* finds everything at first; its pointers are borrowed */
	uint64_t limit;                /* 0: all */
	struct deadline end;           /* when to give up; at 0: never */

	uint64_t *sequences; /* what was found */
	size_t count;
	uint64_t reached; /* where it gave up: this one was looked at; 0: it did not */

	bool by_destination;
	bool by_status;
	enum standing_status status;
	size_t from, to; /* the destinations that are asked of */
	size_t capacity;
	uint64_t *dead; /* of the query */
};

/*
 * destination NULL: at any; else, without a status, what is routed there.  status NULL:
 * any; else one of standing_name().  Frees with search_close(), also where it failed.
 */
MUST_CHECK bool search_open(struct search *search, struct standing *standing,
			    const char *destination, const char *status, struct error *error);
void search_close(struct search *search);

/* From the newest to the oldest, falling; or from the oldest to the newest. */
MUST_CHECK bool search_backwards(struct search *search, struct error *error);
MUST_CHECK bool search_forwards(struct search *search, struct error *error);

#endif
