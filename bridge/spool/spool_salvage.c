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
	struct database_statement *add_event, *add_prints, *add_rejected, *find_hash;
	const struct spool_parts *wanted;
	struct spool_salvage_counts *counts;
	struct spool_parts *left;              /* or NULL */
	size_t pending;                        /* rows since BEGIN */
	bool is_fresh;                         /* the spool was empty */
	uint64_t lowest;                       /* in the spool before; 0: none */
	uint64_t last;                         /* in the spool now */
	unsigned char hash[SPOOL_HASH_LENGTH]; /* of that */
	uint64_t kept;                         /* of that, as it was last committed */
	uint64_t kept_events;                  /* of the counts, likewise */
	uint64_t epoch;                        /* and of the identity */
	unsigned char key[SPOOL_KEY_LENGTH];
	uint64_t reached;                  /* in the file */
	struct spool_verify_report report; /* of that */
	struct error *error;
	bool failed;
	bool is_full; /* that is all that failed */
};

static void
run(struct salvage *salvage, struct database_statement *statement)
{
	enum database_step step;

	if (salvage->failed)
		return;
	step = database_run(statement, salvage->error);
	if (step == DATABASE_DAMAGED)
		spool_internal_suspect(salvage->spool);
	salvage->failed = step != DATABASE_END;
	salvage->is_full = step == DATABASE_FULL;
}

static void
commit(struct salvage *salvage)
{
	run(salvage, salvage->spool->commit);
	if (salvage->failed)
		return;
	salvage->epoch = salvage->spool->epoch;
	memcpy(salvage->key, salvage->spool->key, SPOOL_KEY_LENGTH);
	salvage->kept = salvage->last;
	salvage->kept_events = salvage->counts->events;
	salvage->spool->last = salvage->last;
	memcpy(salvage->spool->hash, salvage->hash, SPOOL_HASH_LENGTH);
}

static void
step_batch(struct salvage *salvage)
{
	if (++salvage->pending < BATCH)
		return;
	commit(salvage);
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

/* Has the spool this event under its sequence? */
static bool
is_there(struct salvage *salvage, uint64_t sequence, const unsigned char *hash)
{
	bool found = false;
	enum database_step step;

	database_bind_number(salvage->find_hash, 1, (int64_t)sequence);
	step = database_step(salvage->find_hash, salvage->error);
	if (step == DATABASE_ROW) {
		struct slice stored = database_bytes(salvage->find_hash, 0);

		found = stored.length == SPOOL_HASH_LENGTH &&
			memcmp(stored.bytes, hash, SPOOL_HASH_LENGTH) == 0;
	}
	if (step == DATABASE_DAMAGED)
		spool_internal_suspect(salvage->spool);
	if (step != DATABASE_ROW && step != DATABASE_END)
		salvage->failed = true;
	database_reset(salvage->find_hash);
	return found;
}

/*
 * Not behind what was numbered since, where the destinations would never see it; nor
 * right behind an event that it does not follow on, which would look like an edit.  Nor
 * behind one that the disk does not give: the chain would be broken there.
 */
static bool
can_keep_sequence(struct salvage *salvage, uint64_t sequence, const unsigned char *hash,
		  const unsigned char *before)
{
	if (sequence <= salvage->last)
		return is_there(salvage, sequence, hash);
	if (before != NULL && memcmp(before, salvage->hash, SPOOL_HASH_LENGTH) == 0)
		return true;
	if (sequence == salvage->last + 1)
		return before == NULL;
	return !salvage->report.disk_failed;
}

static void
add_event(struct salvage *salvage, const struct spool_event *event, const unsigned char *hash)
{
	struct database_statement *add = salvage->add_event;

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
	if (event->sequence <= salvage->last)
		return;
	salvage->last = event->sequence;
	memcpy(salvage->hash, hash, SPOOL_HASH_LENGTH);
}

static void
take_finding(void *context, const struct spool_verify_finding *finding)
{
	struct salvage *salvage = context;

	if (finding->kind != SPOOL_VERIFY_UNREADABLE)
		return;
	salvage->reached = finding->last;
	if (salvage->left != NULL && salvage->report.disk_failed)
		spool_parts_add_within(salvage->left, finding->first, finding->last,
				       salvage->wanted);
}

static void
take_event(void *context, const struct spool_event *event, const unsigned char *hash,
	   const unsigned char *before)
{
	struct salvage *salvage = context;

	salvage->reached = event->sequence;
	if (salvage->failed || !spool_parts_hold(salvage->wanted, event->sequence))
		return;
	if (!event->intact) {
		salvage->counts->changed++;
		return;
	}
	if (salvage->left != NULL && !can_keep_sequence(salvage, event->sequence, hash, before)) {
		spool_parts_add(salvage->left, event->sequence, event->sequence);
		return;
	}
	if (salvage->counts->first == 0) {
		salvage->counts->first = event->sequence;
		if (salvage->is_fresh || event->sequence < salvage->lowest)
			set_anchor(salvage, before);
	}
	add_event(salvage, event, hash);
	salvage->counts->events++;
	salvage->counts->last = event->sequence;
	step_batch(salvage);
}

/* Every row of a table that can be read, in its order, until damage ends it. */
static void
copy_rows(struct salvage *salvage, const char *sql, struct database_statement *add, int texts,
	  uint64_t *count)
{
	struct database_statement *rows = NULL;
	enum database_step step = DATABASE_END;
	struct error ignored;

	if (salvage->failed)
		return;
	if (!database_prepare(salvage->from, &rows, sql, &ignored))
		step = DATABASE_DAMAGED;
	while (!salvage->failed && rows != NULL &&
	       (step = database_step(rows, &ignored)) == DATABASE_ROW) {
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
	if (step != DATABASE_END && database_disk_failed(salvage->from))
		salvage->counts->disk_failed = true;
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
prepare(struct salvage *salvage, struct error *error)
{
	struct database *into = salvage->spool->database;
	int64_t lowest = 0;

	if (!database_query_number(into, "SELECT coalesce(min(seq), 0) FROM events", &lowest,
				   error))
		return false;
	salvage->lowest = (uint64_t)lowest;
	return database_prepare(into, &salvage->add_event,
				"INSERT OR IGNORE INTO events VALUES(?,?,?,?,?,?,?,?,?,?)",
				error) &&
	       database_prepare(into, &salvage->find_hash, "SELECT hash FROM events WHERE seq=?",
				error) &&
	       database_prepare(into, &salvage->add_prints,
				"INSERT OR IGNORE INTO fingerprints(first_seq, last_seq, prints)"
				" VALUES(?,?,?)",
				error) &&
	       /* those of before version 4 have no print that would tell them apart */
	       database_prepare(
		   into, &salvage->add_rejected,
		   "INSERT OR IGNORE INTO rejected(received_at, times, source, reason,"
		   " evidence, body, print) SELECT ?1,?2,?3,?4,?5,?6,?7 WHERE ?7 IS"
		   " NOT NULL OR NOT EXISTS (SELECT 1 FROM rejected WHERE print IS NULL"
		   " AND received_at=?1 AND source=?3 AND body=?6)",
		   error);
}

/* False: the file could not be read to its end. */
static bool
copy(struct salvage *salvage, const char *path, struct error *error)
{
	const struct spool_verify_calls calls = {
	    .found = take_finding, .event = take_event, .context = salvage};
	uint64_t prints = 0;
	uint64_t after = salvage->wanted->count > 0 ? salvage->wanted->parts[0].first - 1 : 0;
	bool done = spool_verify_file(path, after, &calls, &salvage->report, error);

	salvage->counts->unreadable = salvage->report.events[SPOOL_VERIFY_UNREADABLE];
	salvage->counts->disk_failed = salvage->report.disk_failed;
	/* where it ends is not known either */
	if (salvage->left != NULL && salvage->report.disk_failed)
		spool_parts_add_within(salvage->left, salvage->reached + 1, INT64_MAX,
				       salvage->wanted);
	copy_rows(salvage, "SELECT first_seq, last_seq, prints FROM fingerprints",
		  salvage->add_prints, 0, &prints);
	copy_rows(salvage,
		  "SELECT received_at, times, source, reason, evidence, body, print FROM rejected",
		  salvage->add_rejected, 3, &salvage->counts->rejected);
	return done;
}

/* There was no room for what is behind the last commit: it is left. */
static void
leave_the_rest(struct salvage *salvage)
{
	struct spool_parts late;

	salvage->spool->epoch = salvage->epoch;
	memcpy(salvage->spool->key, salvage->key, SPOOL_KEY_LENGTH);
	salvage->counts->disk_failed = true;
	salvage->counts->events = salvage->kept_events;
	if (salvage->left == NULL)
		return;
	late = *salvage->left;
	salvage->left->count = 0;
	for (size_t i = 0; i < late.count && late.parts[i].first <= salvage->kept; i++) {
		const struct spool_part *part = &late.parts[i];

		spool_parts_add(salvage->left, part->first,
				part->last < salvage->kept ? part->last : salvage->kept);
	}
	spool_parts_add_within(salvage->left, salvage->kept + 1, INT64_MAX, salvage->wanted);
}

/* False: the spool cannot be written to any more. */
static bool
finish(struct salvage *salvage)
{
	struct spool *spool = salvage->spool;
	struct error ignored;

	commit(salvage);
	if (!salvage->failed)
		return true;
	if (salvage->is_full &&
	    spool_internal_abandon(spool, DATABASE_FULL, &ignored) == SPOOL_FULL) {
		leave_the_rest(salvage);
		return true;
	}
	(void)database_run(spool->rollback, &ignored); /* or the next transaction could not begin */
	return false;
}

enum spool_salvage_result
spool_salvage(struct spool *spool, const char *path, const struct spool_parts *wanted,
	      struct spool_salvage_counts *counts, struct spool_parts *left, struct error *error)
{
	struct error why;
	struct salvage salvage = {.spool = spool,
				  .wanted = wanted,
				  .counts = counts,
				  .left = left,
				  .is_fresh = spool->last == 0,
				  .last = spool->last,
				  .kept = spool->last,
				  .epoch = spool->epoch,
				  .error = &why};
	enum spool_salvage_result result = SPOOL_SALVAGE_DONE;

	memset(counts, 0, sizeof(*counts));
	memcpy(salvage.hash, spool->hash, SPOOL_HASH_LENGTH);
	memcpy(salvage.key, spool->key, SPOOL_KEY_LENGTH);
	if (left != NULL)
		left->count = 0;
	if (!database_open(&salvage.from, path, DATABASE_SALVAGE, error)) {
		counts->disk_failed = true;
		if (left != NULL)
			*left = *wanted;
		return SPOOL_SALVAGE_ENDED;
	}
	salvage.failed = !prepare(&salvage, &why);
	run(&salvage, spool->begin);
	if (!salvage.failed) {
		take_identity(&salvage);
		if (!copy(&salvage, path, error))
			result = SPOOL_SALVAGE_ENDED;
	}
	if (!finish(&salvage))
		result = SPOOL_SALVAGE_BROKEN;
	else if (salvage.failed)
		result = SPOOL_SALVAGE_ENDED;
	if (salvage.failed)
		*error = why;
	database_finalize(salvage.add_event);
	database_finalize(salvage.add_prints);
	database_finalize(salvage.add_rejected);
	database_finalize(salvage.find_hash);
	database_close(salvage.from);
	return result;
}
