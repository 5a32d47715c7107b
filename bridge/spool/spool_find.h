/*
 * Finding events for people: by id, by resource, by type, by time, newest first.
 *
 * Read-only, from one thread, whether the daemon runs or not.  index.db is used as far
 * as it reaches and never needed (spool_index.h).  No read transaction lasts longer
 * than a few thousand rows, so that a long search hinders no checkpoint.
 */
#ifndef SPOOL_FIND_H
#define SPOOL_FIND_H

#include "bridge/spool/spool.h"

/* What is looked for; all that is named must hold.  Pointers are borrowed. */
struct spool_find_query {
	struct slice id; /* absent: any; the same for the next two */
	struct slice resource;
	struct slice source;
	const char *type; /* glob; NULL: any */
	int64_t since;    /* received at or after it, ms since 1970 */
	int64_t until;    /* and before it */
	uint64_t first;   /* sequences first..last */
	uint64_t last;
	const uint64_t *sequences; /* only these, rising; NULL: any */
	size_t sequence_count;
};

struct spool_find;

/* What finds everything: a start for a query. */
struct spool_find_query spool_find_everything(void);

/* Gives *find, closed with spool_find_close(). */
MUST_CHECK bool spool_find_open(struct spool_find **find, const char *directory,
				struct error *error);
void spool_find_close(struct spool_find *find);

/*
 * Calls `each` for every event that the query holds for, from the newest to the
 * oldest, until it returns false.  The event has neither evidence nor body, and
 * `intact` says nothing; it is borrowed until `each` returns.
 */
MUST_CHECK bool spool_find_backwards(struct spool_find *find, const struct spool_find_query *query,
				     bool (*each)(void *context, const struct spool_event *event),
				     void *context, struct error *error);

/* The same from the oldest to the newest, without any help of the index. */
MUST_CHECK bool spool_find_forwards(struct spool_find *find, const struct spool_find_query *query,
				    bool (*each)(void *context, const struct spool_event *event),
				    void *context, struct error *error);

/* Rejected bodies; evidence and body too; borrowed until `each` returns.  number 0: all. */
MUST_CHECK bool spool_find_rejected(struct spool_find *find, uint64_t number,
				    bool (*each)(void *context,
						 const struct spool_rejected *rejected),
				    void *context, struct error *error);

/* The lowest and highest sequence kept, and how many bodies were rejected. */
MUST_CHECK bool spool_find_range(struct spool_find *find, uint64_t *first, uint64_t *last,
				 struct error *error);
MUST_CHECK bool spool_find_rejected_count(struct spool_find *find, uint64_t *count,
					  struct error *error);

/* When the event of that sequence came, or the first one behind it; 0: there is none. */
MUST_CHECK bool spool_find_received_at(struct spool_find *find, uint64_t sequence, int64_t *at,
				       struct error *error);

/* The identity of the file. */
uint64_t spool_find_epoch(const struct spool_find *find);

#endif
