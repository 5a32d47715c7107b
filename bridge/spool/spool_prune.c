/*
 * Retention, in small steps between commits.  Rows go from the front only, so the
 * chain stays whole from the first one kept; the hash of the last one that went is
 * kept as its anchor.  Fingerprints go by whole rows, when every event of theirs
 * is gone: a few stay known a little longer than their events.
 */
#include <string.h>

#include "bridge/fault.h"
#include "bridge/spool/spool_internal.h"

struct front {
	uint64_t last; /* to be removed up to here; 0: nothing */
	size_t count;
	unsigned char hash[SPOOL_HASH_LENGTH]; /* of `last` */
};

/* How far the oldest events may go. */
static bool
find_front(struct spool *spool, uint64_t delivered, int64_t received_before, size_t limit,
	   struct front *front, struct error *error)
{
	struct database_statement *oldest;
	enum database_step step;

	memset(front, 0, sizeof(*front));
	if (!database_prepare(spool->database, &oldest,
			      "SELECT seq, received_at, hash FROM events ORDER BY seq LIMIT ?",
			      error))
		return false;
	database_bind_number(oldest, 1, (int64_t)limit);
	while ((step = database_step(oldest, error)) == DATABASE_ROW) {
		uint64_t sequence = (uint64_t)database_number(oldest, 0);
		struct slice hash = database_bytes(oldest, 2);

		if (sequence > delivered || sequence >= spool->last ||
		    database_number(oldest, 1) >= received_before)
			break;
		front->last = sequence;
		front->count++;
		if (hash.length == SPOOL_HASH_LENGTH)
			memcpy(front->hash, hash.bytes, SPOOL_HASH_LENGTH);
	}
	database_finalize(oldest);
	return step == DATABASE_ROW || step == DATABASE_END;
}

/* Runs one statement with one or two parameters, the second of them bytes. */
static bool
change(struct spool *spool, const char *sql, int64_t number, struct slice bytes,
       struct error *error)
{
	struct database_statement *statement;
	bool done;

	if (!database_prepare(spool->database, &statement, sql, error))
		return false;
	if (bytes.bytes != NULL)
		database_bind_bytes(statement, 1, bytes);
	else
		database_bind_number(statement, 1, number);
	done = database_run(statement, error) == DATABASE_END;
	database_finalize(statement);
	return done;
}

/* A row of fingerprints is stale when the last event of its commit is gone. */
static bool
prune_prints(struct spool *spool, uint64_t last,
	     void (*forget)(void *context, const unsigned char *prints, size_t count),
	     void *context, struct error *error)
{
	struct database_statement *rows;
	enum database_step step;
	uint64_t before = 0;

	if (!database_prepare(
		spool->database, &rows,
		"SELECT first_seq, prints, last_seq FROM fingerprints ORDER BY first_seq", error))
		return false;
	while ((step = database_step(rows, error)) == DATABASE_ROW) {
		struct slice prints = database_bytes(rows, 1);
		size_t count = prints.length / SPOOL_FINGERPRINT_LENGTH;

		if ((uint64_t)database_number(rows, 2) > last)
			break;
		forget(context, (const unsigned char *)prints.bytes, count);
		before = (uint64_t)database_number(rows, 0);
	}
	database_finalize(rows);
	if (step != DATABASE_ROW && step != DATABASE_END)
		return false;
	return change(spool, "DELETE FROM fingerprints WHERE first_seq <= ?", (int64_t)before,
		      (struct slice){NULL, 0}, error);
}

bool
spool_prune(struct spool *spool, uint64_t delivered, int64_t received_before, size_t limit,
	    void (*forget)(void *context, const unsigned char *prints, size_t count), void *context,
	    size_t *removed, struct error *error)
{
	struct front front;
	struct slice hash = {(const char *)front.hash, SPOOL_HASH_LENGTH};

	*removed = 0;
	if (!find_front(spool, delivered, received_before, limit, &front, error))
		return false;
	if (front.count == 0)
		return true;
	if (database_run(spool->begin, error) != DATABASE_END ||
	    !change(spool, "INSERT OR REPLACE INTO meta VALUES('anchor', ?)", 0, hash, error) ||
	    !change(spool, "DELETE FROM events WHERE seq <= ?", (int64_t)front.last,
		    (struct slice){NULL, 0}, error) ||
	    !prune_prints(spool, front.last, forget, context, error))
		return false;
	fault_point("spool-before-prune");
	if (database_run(spool->commit, error) != DATABASE_END)
		return false;
	fault_point("spool-after-prune");
	*removed = front.count;
	return database_execute(spool->database, "PRAGMA incremental_vacuum(256)", error);
}
