/*
 * The fingerprints of what is kept: all of them are read at the start, so they must be
 * few rows.  A commit writes a row of its own; where commits are small, rows are brought
 * together later.  Fingerprints are pruned by whole rows, so a long one keeps a few known
 * a little longer than their events.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/log.h"
#include "bridge/spool/spool_internal.h"
#include "formats/memory.h"

enum {
	SHORT = 8 * 1024,   /* bytes of a row: below it, it is brought together with others */
	ENOUGH = 64 * 1024, /* bytes for one row of them */
	MOST_ROWS = 4096,   /* looked at in one step: a commit waits behind it */
	LEAST_EVENT = 256,  /* bytes of the file that an event takes, at the very least */
};

bool
spool_fingerprints_expected(struct spool *spool, uint64_t *count, struct error *error)
{
	int64_t range, pages;

	if (!database_query_number(spool->database,
				   "SELECT coalesce((SELECT max(seq) FROM events) -"
				   " (SELECT min(seq) FROM events) + 1, 0)",
				   &range, error) ||
	    !database_query_number(spool->database, "PRAGMA page_count", &pages, error))
		return false;
	/* numbers that were left out are no events */
	*count = (uint64_t)pages * (SPOOL_PAGE / LEAST_EVENT);
	if ((uint64_t)range < *count)
		*count = (uint64_t)range;
	return true;
}

/* ---- reading ---- */

struct reading {
	struct spool *spool;
	void (*each)(void *context, const unsigned char *prints, size_t count);
	void *context;
};

/* What is short behind the first short row is what there may be to bring together. */
static void
note_row(struct spool *spool, uint64_t first, size_t length)
{
	if (length >= SHORT)
		return;
	if (spool->loose_bytes == 0)
		spool->loose = first;
	spool->loose_bytes += length;
}

/* In the order of the query, up to its end or to damage; *damaged: which of both. */
static bool
read_prints(const struct reading *reading, const char *sql, bool *damaged, struct error *error)
{
	struct database_statement *statement;
	enum database_step step;

	if (!database_prepare(reading->spool->database, &statement, sql, error))
		return false;
	while ((step = database_step(statement, error)) == DATABASE_ROW) {
		struct slice prints = database_bytes(statement, 1);

		note_row(reading->spool, (uint64_t)database_number(statement, 0), prints.length);
		reading->each(reading->context, (const unsigned char *)prints.bytes,
			      prints.length / SPOOL_FINGERPRINT_LENGTH);
	}
	database_finalize(statement);
	*damaged = step == DATABASE_DAMAGED;
	return *damaged || step == DATABASE_END;
}

bool
spool_fingerprints(struct spool *spool,
		   void (*each)(void *context, const unsigned char *prints, size_t count),
		   void *context, struct error *error)
{
	const struct reading reading = {spool, each, context};
	bool damaged, done;

	spool->loose = spool->next;
	spool->loose_bytes = 0;
	if (!read_prints(&reading, "SELECT first_seq, prints FROM fingerprints ORDER BY first_seq",
			 &damaged, error))
		return false;
	if (!damaged)
		return true;
	log_error("spool",
		  "some fingerprints cannot be read: what they stand for is stored once more if "
		  "its sender sends it again; see siembridge spool check");
	/* from the other side, up to the same place */
	done = read_prints(&reading,
			   "SELECT first_seq, prints FROM fingerprints ORDER BY first_seq DESC",
			   &damaged, error);
	/* what is there stays as it is */
	spool->loose = spool->next;
	spool->loose_bytes = 0;
	return done;
}

/* ---- bringing together ---- */

/* Short rows that follow on each other. */
struct run {
	uint64_t first;      /* first_seq of the first */
	uint64_t last_first; /* and of the last one */
	uint64_t last;       /* last_seq of that */
	size_t rows;
	unsigned char *prints; /* MOST of them */
	size_t length;
	bool whole; /* it is enough, or nothing can be added to it any more */
};

static void
extend(struct run *run, uint64_t first, uint64_t last, struct slice prints)
{
	if (run->rows == 0) {
		run->first = first;
		run->length = 0;
	}
	memcpy(run->prints + run->length, prints.bytes, prints.length);
	run->length += prints.length;
	run->last_first = first;
	run->last = last;
	run->rows++;
	run->whole = run->length >= ENOUGH;
}

/* From spool->loose on; *next is behind what was looked at. */
static enum database_step
find_run(struct spool *spool, struct run *run, uint64_t *next, struct error *error)
{
	struct database_statement *rows;
	enum database_step step;
	size_t seen = 0;

	*next = spool->loose;
	if (!database_prepare(spool->database, &rows,
			      "SELECT first_seq, length(prints) < ?1,"
			      " CASE WHEN length(prints) < ?1 THEN last_seq END,"
			      " CASE WHEN length(prints) < ?1 THEN prints END"
			      " FROM fingerprints WHERE first_seq >= ?2 ORDER BY first_seq",
			      error))
		return DATABASE_FAILED;
	database_bind_number(rows, 1, SHORT);
	database_bind_number(rows, 2, (int64_t)spool->loose);
	while (!run->whole && (step = database_step(rows, error)) == DATABASE_ROW) {
		uint64_t first = (uint64_t)database_number(rows, 0);

		if (database_number(rows, 1) != 0)
			extend(run, first, (uint64_t)database_number(rows, 2),
			       database_bytes(rows, 3));
		else if (run->rows > 1)
			run->whole = true;
		else
			run->rows = 0; /* one between two long ones stays as it is */
		*next = first + 1;
		if (++seen == MOST_ROWS)
			run->whole = true;
	}
	database_finalize(rows);
	return run->whole ? DATABASE_END : step;
}

static enum database_step
replace(struct spool *spool, const struct run *run, struct error *error)
{
	struct database_statement *forget;
	enum database_step step;

	if (!database_prepare(spool->database, &forget,
			      "DELETE FROM fingerprints WHERE first_seq BETWEEN ? AND ?", error))
		return DATABASE_FAILED;
	step = database_run(spool->begin, error);
	database_bind_number(forget, 1, (int64_t)run->first);
	database_bind_number(forget, 2, (int64_t)run->last_first);
	if (step == DATABASE_END)
		step = database_run(forget, error);
	database_finalize(forget);
	database_bind_number(spool->insert_prints, 1, (int64_t)run->first);
	database_bind_bytes(spool->insert_prints, 2,
			    (struct slice){(const char *)run->prints, run->length});
	database_bind_number(spool->insert_prints, 3, (int64_t)run->last);
	if (step == DATABASE_END)
		step = database_run(spool->insert_prints, error);
	if (step == DATABASE_END)
		step = database_run(spool->commit, error);
	return step;
}

enum spool_result
spool_fingerprints_gather(struct spool *spool, bool *more, struct error *error)
{
	struct run run = {0};
	enum spool_result result = SPOOL_DONE;
	enum database_step step;
	uint64_t next;

	*more = false;
	if (spool->loose_bytes < ENOUGH)
		return SPOOL_DONE;
	run.prints = memory_allocate(ENOUGH + SHORT);
	step = find_run(spool, &run, &next, error);
	if (step == DATABASE_END && run.whole && run.rows > 1)
		step = replace(spool, &run, error);
	if (step != DATABASE_END) {
		result = spool_internal_abandon(spool, step, error);
	} else if (run.whole) {
		spool->loose = next;
		spool->loose_bytes -=
		    run.length < spool->loose_bytes ? run.length : spool->loose_bytes;
		*more = spool->loose_bytes >= ENOUGH;
	} else {
		/* what was counted and not stored, or has been pruned since */
		spool->loose = run.rows > 0 ? run.first : next;
		spool->loose_bytes = run.rows > 0 ? run.length : 0;
	}
	free(run.prints);
	return result;
}
