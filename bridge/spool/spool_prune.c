/*
 * Retention, in small steps between commits.  Rows go from the front only, so the
 * chain stays whole from the first one kept; the hash of the last one that went is
 * kept as its anchor.  Fingerprints go by whole rows, when every event of theirs
 * is gone: a few stay known a little longer than their events.
 *
 * Free pages are given back beyond what the next events will use again anyway: giving
 * back a page means moving another one.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/fault.h"
#include "bridge/spool/spool_internal.h"
#include "formats/memory.h"

enum { SLACK = 256 /* pages */, SLACK_SHARE = 64, VACUUM_STEP = 1024 /* pages */ };

struct front {
	uint64_t last; /* to be removed up to here; 0: nothing */
	size_t count;
	unsigned char hash[SPOOL_HASH_LENGTH]; /* of `last` */
};

/* The fingerprints that go. */
struct gone {
	unsigned char *prints;
	size_t count;
	uint64_t first; /* of the last row of them */
};

/* How far the oldest events may go. */
static enum database_step
find_front(struct spool *spool, uint64_t up_to, size_t limit, struct front *front,
	   struct error *error)
{
	struct database_statement *oldest;
	enum database_step step;

	memset(front, 0, sizeof(*front));
	if (!database_prepare(spool->database, &oldest,
			      "SELECT seq, hash FROM events ORDER BY seq LIMIT ?", error))
		return DATABASE_FAILED;
	database_bind_number(oldest, 1, (int64_t)limit);
	while ((step = database_step(oldest, error)) == DATABASE_ROW) {
		uint64_t sequence = (uint64_t)database_number(oldest, 0);
		struct slice hash = database_bytes(oldest, 1);

		if (sequence > up_to || sequence >= spool->last)
			break;
		front->last = sequence;
		front->count++;
		if (hash.length == SPOOL_HASH_LENGTH)
			memcpy(front->hash, hash.bytes, SPOOL_HASH_LENGTH);
	}
	database_finalize(oldest);
	return step == DATABASE_ROW ? DATABASE_END : step;
}

/* Runs one statement with one parameter: the bytes, or the number where they are absent. */
static enum database_step
change(struct spool *spool, const char *sql, int64_t number, struct slice bytes,
       struct error *error)
{
	struct database_statement *statement;
	enum database_step step;

	if (!database_prepare(spool->database, &statement, sql, error))
		return DATABASE_FAILED;
	if (bytes.bytes != NULL)
		database_bind_bytes(statement, 1, bytes);
	else
		database_bind_number(statement, 1, number);
	step = database_run(statement, error);
	database_finalize(statement);
	return step;
}

/* A row of fingerprints is stale when the last event of its commit is gone. */
static enum database_step
find_prints(struct spool *spool, uint64_t last, struct gone *gone, struct error *error)
{
	struct database_statement *rows;
	enum database_step step;

	if (!database_prepare(
		spool->database, &rows,
		"SELECT first_seq, prints, last_seq FROM fingerprints ORDER BY first_seq", error))
		return DATABASE_FAILED;
	while ((step = database_step(rows, error)) == DATABASE_ROW) {
		struct slice prints = database_bytes(rows, 1);
		size_t count = prints.length / SPOOL_FINGERPRINT_LENGTH;

		if ((uint64_t)database_number(rows, 2) > last)
			break;
		gone->prints = memory_resize_array(gone->prints, gone->count + count + 1,
						   SPOOL_FINGERPRINT_LENGTH);
		memcpy(gone->prints + gone->count * SPOOL_FINGERPRINT_LENGTH, prints.bytes,
		       count * SPOOL_FINGERPRINT_LENGTH);
		gone->count += count;
		gone->first = (uint64_t)database_number(rows, 0);
	}
	database_finalize(rows);
	return step == DATABASE_ROW ? DATABASE_END : step;
}

static enum database_step
remove_front(struct spool *spool, const struct front *front, struct gone *gone, struct error *error)
{
	const struct slice hash = {(const char *)front->hash, SPOOL_HASH_LENGTH};
	const struct slice none = {NULL, 0};
	enum database_step step = database_run(spool->begin, error);

	if (step == DATABASE_END)
		step = change(spool, "INSERT OR REPLACE INTO meta VALUES('anchor', ?)", 0, hash,
			      error);
	if (step == DATABASE_END)
		step = change(spool, "DELETE FROM events WHERE seq <= ?", (int64_t)front->last,
			      none, error);
	if (step == DATABASE_END)
		step = find_prints(spool, front->last, gone, error);
	if (step == DATABASE_END)
		step = change(spool, "DELETE FROM fingerprints WHERE first_seq <= ?",
			      (int64_t)gone->first, none, error);
	fault_point("spool-before-prune");
	if (step == DATABASE_END)
		step = database_run(spool->commit, error);
	fault_point("spool-after-prune");
	return step;
}

static bool
count_free(struct spool *spool, int64_t *pages, int64_t *unused, struct error *error)
{
	return database_query_number(spool->database, "PRAGMA page_count", pages, error) &&
	       database_query_number(spool->database, "PRAGMA freelist_count", unused, error);
}

/* *more: there are still more free pages than are left for what comes. */
static bool
give_back(struct spool *spool, bool *more, struct error *error)
{
	int64_t pages, unused, left, keep;

	*more = false;
	if (!count_free(spool, &pages, &unused, error))
		return false;
	keep = SLACK + pages / SLACK_SHARE;
	if (unused <= keep)
		return true;
	if (!database_vacuum(spool->database,
			     unused - keep > VACUUM_STEP ? VACUUM_STEP : (unsigned)(unused - keep),
			     error) ||
	    !count_free(spool, &pages, &left, error))
		return false;
	/* one that was made without auto_vacuum gives nothing back, however often it is asked */
	*more = left > keep && left < unused;
	return true;
}

enum spool_result
spool_prune(struct spool *spool, uint64_t up_to, size_t limit,
	    void (*forget)(void *context, const unsigned char *prints, size_t count), void *context,
	    bool *more, struct error *error)
{
	struct front front;
	struct gone gone = {NULL, 0, 0};
	enum spool_result result = SPOOL_DONE;
	enum database_step step;
	bool full = false;

	*more = false;
	step = find_front(spool, up_to, limit, &front, error);
	if (step == DATABASE_END && front.count > 0)
		step = remove_front(spool, &front, &gone, error);
	if (step != DATABASE_END)
		result = spool_internal_abandon(spool, step, error);
	else if (gone.count > 0)
		forget(context, gone.prints, gone.count);
	free(gone.prints);
	if (result != SPOOL_DONE)
		return result;
	if (!give_back(spool, &full, error))
		return SPOOL_BROKEN;
	*more = full || front.count == limit;
	return SPOOL_DONE;
}
