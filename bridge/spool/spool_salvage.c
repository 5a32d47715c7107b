/*
 * In transactions of BATCH rows.  The first one also takes over epoch, key and anchor
 * where the spool is empty: the same numbers then mean the same events, and cursors and
 * fingerprints stay what they are.
 */
#include "bridge/spool/spool_salvage.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/spool/spool_internal.h"
#include "bridge/spool/spool_note.h"
#include "bridge/spool/spool_verify.h"
#include "formats/memory.h"

enum { BATCH = 4096 };

struct salvage {
	struct spool *spool;
	struct database *from;
	struct database_statement *add_event, *add_prints, *add_rejected;
	struct spool_salvage_counts *counts;
	size_t pending; /* rows since BEGIN */
	bool is_fresh;  /* the spool was empty */
	struct error *error;
	bool failed;
};

static void
run(struct salvage *salvage, struct database_statement *statement)
{
	if (!salvage->failed && database_run(statement, salvage->error) != DATABASE_END)
		salvage->failed = true;
}

static void
step_batch(struct salvage *salvage)
{
	if (++salvage->pending < BATCH)
		return;
	run(salvage, salvage->spool->commit);
	if (!salvage->failed && !database_checkpoint(salvage->spool->database,
						     DATABASE_CHECKPOINT_RESTART, salvage->error))
		salvage->failed = true;
	run(salvage, salvage->spool->begin);
	salvage->pending = 0;
}

static struct slice
hash_slice(const unsigned char *hash)
{
	return (struct slice){(const char *)hash, SPOOL_HASH_LENGTH};
}

/* What the first row kept follows on. */
static void
set_anchor(struct salvage *salvage, const unsigned char *before)
{
	struct database_statement *set;

	if (before == NULL || salvage->failed)
		return;
	if (!database_prepare(salvage->spool->database, &set,
			      "INSERT OR REPLACE INTO meta VALUES('anchor', ?)", salvage->error)) {
		salvage->failed = true;
		return;
	}
	database_bind_bytes(set, 1, hash_slice(before));
	run(salvage, set);
	database_finalize(set);
}

static void
take_event(void *context, const struct spool_event *event, const unsigned char *hash,
	   const unsigned char *before)
{
	struct salvage *salvage = context;
	struct database_statement *add = salvage->add_event;

	if (salvage->failed)
		return;
	if (!event->intact) {
		salvage->counts->changed++;
		return;
	}
	if (salvage->counts->first == 0) {
		salvage->counts->first = event->sequence;
		if (salvage->is_fresh || event->sequence < salvage->spool->last)
			set_anchor(salvage, before);
	}
	database_bind_number(add, 1, (int64_t)event->sequence);
	database_bind_number(add, 2, event->received_at);
	database_bind_text(add, 3, event->source);
	database_bind_text(add, 4, event->id);
	database_bind_text(add, 5, event->type);
	database_bind_text(add, 6, event->resource);
	database_bind_text(add, 7, event->evidence);
	database_bind_bytes(add, 8, event->body);
	database_bind_bytes(add, 9, hash_slice(hash));
	database_bind_number(add, 10, event->flags);
	run(salvage, add);
	salvage->counts->events++;
	salvage->counts->last = event->sequence;
	step_batch(salvage);
}

/* Every row of a table that can be read, in its order, until damage ends it. */
static void
copy_rows(struct salvage *salvage, const char *sql, struct database_statement *add, int texts,
	  uint64_t *count)
{
	struct database_statement *rows;
	struct error ignored;

	if (salvage->failed || !database_prepare(salvage->from, &rows, sql, &ignored))
		return;
	while (!salvage->failed && database_step(rows, &ignored) == DATABASE_ROW) {
		database_bind_number(add, 1, database_number(rows, 0));
		database_bind_number(add, 2, database_number(rows, 1));
		for (int i = 0; i < texts; i++)
			database_bind_text(add, 3 + i, database_bytes(rows, 2 + i));
		database_bind_bytes(add, 3 + texts, database_bytes(rows, 2 + texts));
		if (texts > 0)
			database_bind_bytes(add, 4 + texts, database_bytes(rows, 3 + texts));
		run(salvage, add);
		(*count)++;
		step_batch(salvage);
	}
	database_finalize(rows);
}

/* The spool takes on the identity of the file; where that cannot be read it keeps its own. */
static void
take_identity(struct salvage *salvage)
{
	static const char ask[] = "SELECT name, value FROM meta WHERE name IN ('key', 'clock')";
	struct database_statement *rows = NULL, *set = NULL;
	struct error ignored;
	int64_t epoch;

	if (!salvage->is_fresh ||
	    !database_query_number(salvage->from, "SELECT value FROM meta WHERE name='epoch'",
				   &epoch, &ignored) ||
	    epoch == 0 ||
	    !database_prepare(salvage->spool->database, &set,
			      "INSERT OR REPLACE INTO meta VALUES(?,?)", &ignored))
		return;
	database_bind_text(set, 1, SLICE_LITERAL("epoch"));
	database_bind_number(set, 2, epoch);
	run(salvage, set);
	salvage->spool->epoch = (uint64_t)epoch;
	if (database_prepare(salvage->from, &rows, ask, &ignored)) {
		while (database_step(rows, &ignored) == DATABASE_ROW) {
			struct slice value = database_bytes(rows, 1);

			database_bind_text(set, 1, database_bytes(rows, 0));
			database_bind_bytes(set, 2, value);
			if (text_slice_is(database_bytes(rows, 0), "key") &&
			    value.length == SPOOL_KEY_LENGTH)
				memcpy(salvage->spool->key, value.bytes, SPOOL_KEY_LENGTH);
			run(salvage, set);
		}
	}
	database_finalize(rows);
	database_finalize(set);
}

static bool
prepare(struct salvage *salvage, const char *path, struct error *error)
{
	struct database *into = salvage->spool->database;

	return database_open(&salvage->from, path, DATABASE_SALVAGE, error) &&
	       database_prepare(into, &salvage->add_event,
				"INSERT OR IGNORE INTO events VALUES(?,?,?,?,?,?,?,?,?,?)",
				error) &&
	       database_prepare(into, &salvage->add_prints,
				"INSERT OR IGNORE INTO fingerprints(first_seq, last_seq, prints)"
				" VALUES(?,?,?)",
				error) &&
	       database_prepare(into, &salvage->add_rejected,
				"INSERT OR IGNORE INTO rejected(received_at, times, source, reason,"
				" evidence, body, print) VALUES(?,?,?,?,?,?,?)",
				error);
}

bool
spool_salvage(struct spool *spool, const char *path, uint64_t after,
	      struct spool_salvage_counts *counts, struct error *error)
{
	struct salvage salvage = {
	    .spool = spool, .counts = counts, .error = error, .is_fresh = spool->last == 0};
	const struct spool_verify_calls calls = {.event = take_event, .context = &salvage};
	struct spool_verify_report report = {0};
	uint64_t prints = 0;
	bool done;

	memset(counts, 0, sizeof(*counts));
	done = prepare(&salvage, path, error);
	if (done) {
		run(&salvage, spool->begin);
		take_identity(&salvage);
		done = spool_verify_file(path, after, &calls, &report, error);
		counts->unreadable = report.events[SPOOL_VERIFY_UNREADABLE];
		copy_rows(&salvage, "SELECT first_seq, last_seq, prints FROM fingerprints",
			  salvage.add_prints, 0, &prints);
		copy_rows(&salvage,
			  "SELECT received_at, times, source, reason, evidence, body, print FROM"
			  " rejected",
			  salvage.add_rejected, 3, &counts->rejected);
		run(&salvage, spool->commit);
		if (salvage.failed) { /* or the next transaction could not begin */
			struct error ignored;

			(void)database_run(spool->rollback, &ignored);
		}
	}
	database_finalize(salvage.add_event);
	database_finalize(salvage.add_prints);
	database_finalize(salvage.add_rejected);
	database_close(salvage.from);
	return done && !salvage.failed;
}
