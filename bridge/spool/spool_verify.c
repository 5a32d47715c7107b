/*
 * What a row that does not fit means: the row before it is the one whose number is one
 * lower?  Then this row was edited, its own hash included.  Is a number left out?  Then
 * rows were taken out.  A number left out where the row fits nevertheless is the trace
 * of a lost end: the next number was set above what the head file and the cursors knew
 * (spool.c), and the chain goes on from what was left.
 *
 * Rows that cannot be read are passed one by one, each asked for by its number.
 */
#include "bridge/spool/spool_verify.h"

#include <limits.h>
#include <string.h>

#include "bridge/spool/migrate.h"
#include "bridge/spool/spool_chain.h"
#include "bridge/spool/spool_head.h"
#include "bridge/spool/spool_internal.h"
#include "formats/memory.h"

enum {
	CHUNK = 4096,          /* rows in one read transaction */
	DAMAGE_MOST = 4 << 20, /* numbers asked for one by one */
};

struct pass {
	struct database *database;
	struct database_statement *rows, *one, *anchor;
	struct spool_chain *chain;
	struct spool_head_mark head;
	const struct spool_verify_note *note;
	const struct spool_verify_calls *calls;
	struct spool_verify_report *report;

	uint64_t at;                           /* the row that `hash` belongs to */
	unsigned char hash[SPOOL_HASH_LENGTH]; /* as it is stored */
	bool hash_known;                       /* false: what comes next is taken as it is */
};

static void
find(struct pass *pass, enum spool_verify_kind kind, uint64_t first, uint64_t last)
{
	const struct spool_verify_finding finding = {kind, first, last};

	pass->report->events[kind] += last - first + 1;
	if (pass->calls->found != NULL)
		pass->calls->found(pass->calls->context, &finding);
}

/* Something could not be read: is it the file, or the disk? */
static void
note_failure(struct pass *pass)
{
	if (pass->database == NULL || database_disk_failed(pass->database))
		pass->report->disk_failed = true;
}

/* ---- a row ---- */

static void
read_row(struct database_statement *row, struct spool_event *event)
{
	*event = (struct spool_event){
	    .sequence = (uint64_t)database_number(row, 0),
	    .received_at = database_number(row, 1),
	    .source = database_bytes(row, 2),
	    .id = database_bytes(row, 3),
	    .type = database_bytes(row, 4),
	    .resource = database_bytes(row, 5),
	    .evidence = database_bytes(row, 6),
	    .body = database_bytes(row, 7),
	    .flags = (uint32_t)database_number(row, 9),
	};
}

/* The stored hash against what others know of it. */
static void
compare(struct pass *pass, uint64_t sequence)
{
	if (!pass->report->head_is_foreign && sequence == pass->head.sequence &&
	    memcmp(pass->hash, pass->head.hash, SPOOL_HASH_LENGTH) != 0)
		find(pass, SPOOL_VERIFY_HEAD, sequence, sequence);
	if (pass->note == NULL || sequence != pass->note->sequence)
		return;
	pass->report->noted = true;
	if (memcmp(pass->hash, pass->note->hash, SPOOL_HASH_LENGTH) != 0)
		find(pass, SPOOL_VERIFY_HEAD, sequence, sequence);
}

static bool
take_row(struct pass *pass, struct database_statement *row, struct error *error)
{
	struct slice stored = database_bytes(row, 8);
	struct spool_event event;
	uint64_t before = pass->at;
	unsigned char hash_before[SPOOL_HASH_LENGTH];
	bool is_before_known = pass->hash_known;
	bool fits = stored.length == SPOOL_HASH_LENGTH, compared = fits && pass->hash_known;

	memcpy(hash_before, pass->hash, sizeof(hash_before));
	read_row(row, &event);
	if (compared) {
		if (!spool_chain_extend(pass->chain, &event, pass->hash, error))
			return false;
		fits = memcmp(pass->hash, stored.bytes, SPOOL_HASH_LENGTH) == 0;
	}
	if (before > 0 && event.sequence > before + 1)
		find(pass, fits && compared ? SPOOL_VERIFY_GIVEN_UP : SPOOL_VERIFY_REMOVED,
		     before + 1, event.sequence - 1);
	else if (!fits)
		find(pass, SPOOL_VERIFY_EDITED, event.sequence, event.sequence);
	if (pass->report->first == 0)
		pass->report->first = event.sequence;
	pass->report->count++;
	pass->at = event.sequence;
	pass->hash_known = stored.length == SPOOL_HASH_LENGTH;
	if (pass->hash_known)
		memcpy(pass->hash, stored.bytes, SPOOL_HASH_LENGTH);
	compare(pass, event.sequence);
	event.intact = fits;
	if (pass->calls->event != NULL)
		pass->calls->event(pass->calls->context, &event, pass->hash,
				   is_before_known ? hash_before : NULL);
	return true;
}

/* ---- rows that cannot be read ---- */

/*
 * The rows behind pass->at are damaged: each number up to `last` is asked for until one
 * can be read or is not there.  *over: nothing was left.  A `last` out of damaged bytes may
 * be anything, so that no more than DAMAGE_MOST numbers are asked for.
 */
static bool
pass_damage(struct pass *pass, uint64_t last, bool *over, struct error *error)
{
	uint64_t first = pass->at + 1, next = first;
	enum database_step step = DATABASE_DAMAGED;

	for (; next <= last && next - first < DAMAGE_MOST && step == DATABASE_DAMAGED; next++) {
		database_bind_number(pass->one, 1, (int64_t)next);
		step = database_step(pass->one, error);
		if (step == DATABASE_ROW) {
			if (next > first)
				find(pass, SPOOL_VERIFY_UNREADABLE, first, next - 1);
			pass->at = next - 1;
			pass->hash_known = false;
			if (!take_row(pass, pass->one, error))
				step = DATABASE_FAILED;
		} else if (step == DATABASE_END) {
			step = DATABASE_DAMAGED;
		} else {
			note_failure(pass);
		}
		database_reset(pass->one);
	}
	*over = step == DATABASE_DAMAGED;
	if (*over && last >= first) {
		find(pass, SPOOL_VERIFY_UNREADABLE, first, last);
		pass->at = last;
	}
	return step == DATABASE_ROW || step == DATABASE_DAMAGED;
}

/* ---- a chunk ---- */

/* What the first row kept follows on: the anchor where something was pruned, else nothing. */
static bool
take_anchor(struct pass *pass, struct error *error)
{
	enum database_step step = database_step(pass->anchor, error);

	if (step == DATABASE_ROW) {
		uint64_t lowest = (uint64_t)database_number(pass->anchor, 0);
		struct slice anchor = database_bytes(pass->anchor, 1);

		if (pass->at == 0 || lowest > pass->at) {
			pass->at = 0;
			pass->hash_known = true;
			memset(pass->hash, 0, sizeof(pass->hash));
			if (anchor.length == SPOOL_HASH_LENGTH)
				memcpy(pass->hash, anchor.bytes, SPOOL_HASH_LENGTH);
		}
	}
	database_reset(pass->anchor);
	return step == DATABASE_ROW || step == DATABASE_DAMAGED;
}

/* The rows of a snapshot behind pass->at; *count: how many.  Damage ends it early. */
static bool
take_rows(struct pass *pass, size_t *count, bool *damaged, struct error *error)
{
	enum database_step step;

	*count = 0;
	database_bind_number(pass->rows, 1, (int64_t)pass->at);
	while ((step = database_step(pass->rows, error)) == DATABASE_ROW) {
		/* a damaged tree may give any row for the next */
		if ((uint64_t)database_number(pass->rows, 0) <= pass->at) {
			step = DATABASE_DAMAGED;
			break;
		}
		if (!take_row(pass, pass->rows, error)) {
			step = DATABASE_FAILED;
			break;
		}
		(*count)++;
	}
	if (step != DATABASE_END)
		note_failure(pass);
	database_reset(pass->rows);
	*damaged = step == DATABASE_DAMAGED;
	return *damaged || step == DATABASE_END;
}

static bool
take_chunk(struct pass *pass, size_t *count, bool *damaged, struct error *error)
{
	struct error ignored;
	bool done;

	if (!database_execute(pass->database, "BEGIN", error))
		return false;
	done = take_anchor(pass, error) && take_rows(pass, count, damaged, error);
	/* a read transaction: there is nothing that its end could lose */
	if (!database_execute(pass->database, "COMMIT", &ignored))
		ignored.text[0] = '\0';
	return done;
}

/* The last number there may be: damage may hide the table's own end. */
static uint64_t
highest(struct pass *pass)
{
	struct error ignored;
	int64_t last = 0;

	if (!database_query_number(pass->database, "SELECT max(seq) FROM events", &last, &ignored))
		last = 0;
	if (!pass->report->head_is_foreign && pass->head.sequence > (uint64_t)last)
		return pass->head.sequence;
	return (uint64_t)last;
}

static bool
run(struct pass *pass, struct error *error)
{
	bool damaged, over = false;
	size_t count;

	do {
		if (!take_chunk(pass, &count, &damaged, error) ||
		    (damaged && !pass_damage(pass, highest(pass), &over, error)))
			return false;
	} while ((count == CHUNK || damaged) && !over);
	pass->report->last = pass->at;
	if (pass->hash_known)
		memcpy(pass->report->hash, pass->hash, SPOOL_HASH_LENGTH);
	if (!pass->report->head_is_foreign && pass->head.sequence > pass->at)
		find(pass, SPOOL_VERIFY_MISSING, pass->at + 1, pass->head.sequence);
	return true;
}

/* ---- the whole ---- */

static bool
open_pass(struct pass *pass, const char *path, enum database_mode mode, struct error *error)
{
	static const char columns[] = "SELECT seq, received_at, source, id, type, resource,"
				      " evidence, body, hash, flags FROM events WHERE";
	char rows[256], one[256];
	struct text text;
	int64_t epoch;

	text_start(&text, rows, sizeof(rows));
	text_append_format(&text, "%s seq > ? ORDER BY seq LIMIT %d", columns, CHUNK);
	text_append_byte(&text, '\0');
	text_start(&text, one, sizeof(one));
	text_append_format(&text, "%s seq = ?", columns);
	text_append_byte(&text, '\0');
	if (!database_open(&pass->database, path, mode, error) ||
	    !migrate_check(pass->database, "spool.db", SPOOL_VERSION, error) ||
	    !database_query_number(pass->database, "SELECT value FROM meta WHERE name='epoch'",
				   &epoch, error) ||
	    !database_prepare(pass->database, &pass->rows, rows, error) ||
	    !database_prepare(pass->database, &pass->one, one, error) ||
	    !database_prepare(pass->database, &pass->anchor,
			      "SELECT (SELECT min(seq) FROM events),"
			      " (SELECT value FROM meta WHERE name='anchor')",
			      error) ||
	    !spool_chain_new(&pass->chain, error))
		return false;
	pass->report->epoch = (uint64_t)epoch;
	return true;
}

static void
close_pass(struct pass *pass)
{
	database_finalize(pass->rows);
	database_finalize(pass->one);
	database_finalize(pass->anchor);
	spool_chain_free(pass->chain);
	database_close(pass->database);
}

bool
spool_verify(const char *directory, const struct spool_verify_note *note,
	     const struct spool_verify_calls *calls, struct spool_verify_report *report,
	     struct error *error)
{
	struct pass pass = {.note = note, .calls = calls, .report = report};
	char path[PATH_MAX];
	bool done;

	memset(report, 0, sizeof(*report));
	/* before the rows: a head that is read later may be ahead of the snapshot */
	(void)spool_head_peek(directory, &pass.head);
	done = spool_internal_path(path, directory, "spool.db", error) &&
	       open_pass(&pass, path, DATABASE_READ_ONLY, error);
	if (done) {
		report->head = pass.head.sequence;
		report->head_is_foreign =
		    pass.head.sequence > 0 && pass.head.epoch != report->epoch;
		done = run(&pass, error);
	}
	close_pass(&pass);
	return done;
}

/* Goes on behind that event, whose hash is what the next one follows on. */
static bool
skip_to(struct pass *pass, uint64_t after, struct error *error)
{
	enum database_step step;

	if (after == 0)
		return true;
	database_bind_number(pass->one, 1, (int64_t)after);
	step = database_step(pass->one, error);
	if (step == DATABASE_ROW) {
		struct slice hash = database_bytes(pass->one, 8);

		pass->hash_known = hash.length == SPOOL_HASH_LENGTH;
		if (pass->hash_known)
			memcpy(pass->hash, hash.bytes, SPOOL_HASH_LENGTH);
	}
	database_reset(pass->one);
	pass->at = after;
	return step != DATABASE_FAILED;
}

bool
spool_verify_file(const char *path, uint64_t after, const struct spool_verify_calls *calls,
		  struct spool_verify_report *report, struct error *error)
{
	struct pass pass = {.calls = calls, .report = report};
	bool done;

	memset(report, 0, sizeof(*report));
	done = open_pass(&pass, path, DATABASE_SALVAGE, error) && skip_to(&pass, after, error) &&
	       run(&pass, error);
	if (!done)
		note_failure(&pass);
	close_pass(&pass);
	return done;
}

bool
spool_verify_is_whole(const struct spool_verify_report *report)
{
	for (size_t i = 0; i < SPOOL_VERIFY_KINDS; i++)
		if (report->events[i] > 0)
			return false;
	return true;
}
