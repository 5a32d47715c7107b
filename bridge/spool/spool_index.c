#include "bridge/spool/spool_index.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/spool/migrate.h"
#include "bridge/spool/spool_index_internal.h"
#include "bridge/spool/spool_internal.h"
#include "formats/memory.h"

enum {
	WAL_DUE = 8 * 1024 * 1024, /* bytes */
	CHUNK = 2048,              /* events read at a time; divides a segment */
};

static const char *const schema[SPOOL_INDEX_VERSION] = {
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE segments(first INTEGER PRIMARY KEY, last INTEGER NOT NULL,"
    "  oldest_at INTEGER NOT NULL, newest_at INTEGER NOT NULL);"
    "CREATE TABLE postings(kind INTEGER NOT NULL, bucket INTEGER NOT NULL,"
    "  first INTEGER NOT NULL, entries BLOB NOT NULL, PRIMARY KEY(kind, bucket, first))"
    "  WITHOUT ROWID;"
    "CREATE TABLE types(name TEXT PRIMARY KEY) WITHOUT ROWID;",
};

struct entry {
	uint32_t hash;
	uint16_t offset; /* sequence less the first of the segment */
};

/* The segment being made. */
struct making {
	struct spool_index_segment segment;
	struct entry *entries[SPOOL_INDEX_KINDS];
	size_t counts[SPOOL_INDEX_KINDS];
	size_t events;
};

struct spool_index {
	struct database *database;
	struct database *spool;
	struct database_statement *read, *range;
	struct database_statement *begin, *commit, *rollback;
	struct database_statement *add_segment, *add_posting, *add_type;
	struct database_statement *forget_segment, *forget_posting;
	uint64_t last;   /* indexed up to here */
	uint64_t wanted; /* before the spool has come to there no segment is whole */
	struct making making;
	unsigned char *bytes; /* of one row of postings */
};

uint32_t
spool_index_hash(struct slice value)
{
	uint64_t hash = 14695981039346656037U;

	/* FNV-1a: what an attacker makes collide is looked up in the spool and costs time */
	for (size_t i = 0; i < value.length; i++)
		hash = (hash ^ (unsigned char)value.bytes[i]) * 1099511628211U;
	return (uint32_t)(hash ^ hash >> 32);
}

/* ---- opening ---- */

static void
remove_files(const char *directory)
{
	static const char *const names[] = {"index.db", "index.db-wal", "index.db-shm"};
	struct error ignored;
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (spool_internal_path(path, directory, names[i], &ignored))
			(void)unlink(path);
}

static bool
open_spool(struct spool_index *index, const char *directory, int64_t *epoch, struct error *error)
{
	char path[PATH_MAX];

	return spool_internal_path(path, directory, "spool.db", error) &&
	       database_open(&index->spool, path, DATABASE_READ_ONLY, error) &&
	       migrate_check(index->spool, "spool.db", SPOOL_VERSION, error) &&
	       database_query_number(index->spool, "SELECT value FROM meta WHERE name='epoch'",
				     epoch, error) &&
	       database_prepare(index->spool, &index->read,
				"SELECT seq, received_at, id, resource, type FROM events"
				" WHERE seq > ? ORDER BY seq LIMIT ?",
				error) &&
	       spool_internal_prepare_range(index->spool, &index->range, error);
}

static bool
prepare_all(struct spool_index *index, struct error *error)
{
	const struct {
		struct database_statement **statement;
		const char *sql;
	} rows[] = {
	    {&index->begin, "BEGIN IMMEDIATE"},
	    {&index->commit, "COMMIT"},
	    {&index->rollback, "ROLLBACK"},
	    {&index->add_segment, "INSERT INTO segments VALUES(?,?,?,?)"},
	    {&index->add_posting, "INSERT INTO postings VALUES(?,?,?,?)"},
	    {&index->add_type, "INSERT OR IGNORE INTO types VALUES(?)"},
	    {&index->forget_segment, "DELETE FROM segments WHERE first <= ?"},
	    {&index->forget_posting, "DELETE FROM postings WHERE kind=? AND bucket=? AND first<=?"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!database_prepare(index->database, rows[i].statement, rows[i].sql, error))
			return false;
	return true;
}

static bool
set_epoch(struct spool_index *index, int64_t epoch, struct error *error)
{
	struct database_statement *set;
	bool done;

	if (!database_prepare(index->database, &set,
			      "INSERT OR REPLACE INTO meta VALUES('epoch', ?)", error))
		return false;
	database_bind_number(set, 1, epoch);
	done = database_run(set, error) == DATABASE_END;
	database_finalize(set);
	return done;
}

/* Opens the file; *stale: it is of another spool. */
static bool
open_file(struct spool_index *index, const char *directory, int64_t epoch, bool *stale,
	  struct error *error)
{
	char path[PATH_MAX];
	int64_t known = 0, last = 0;

	if (!spool_internal_path(path, directory, "index.db", error) ||
	    !database_open(&index->database, path, DATABASE_READ_WRITE, error) ||
	    !migrate_run(index->database, "index.db", schema, SPOOL_INDEX_VERSION, error) ||
	    !database_query_number(
		index->database, "SELECT coalesce((SELECT value FROM meta WHERE name='epoch'), 0)",
		&known, error) ||
	    !database_query_number(index->database, "SELECT max(last) FROM segments", &last, error))
		return false;
	*stale = known != 0 && known != epoch;
	index->last = (uint64_t)last;
	index->wanted = index->last + SPOOL_INDEX_SEGMENT;
	if (*stale || known == epoch)
		return true;
	return set_epoch(index, epoch, error);
}

bool
spool_index_open(struct spool_index **out, const char *directory, bool afresh, struct error *error)
{
	struct spool_index *index = memory_allocate(sizeof(*index));
	int64_t epoch = 0;
	bool stale = false;

	if (!open_spool(index, directory, &epoch, error))
		goto fail;
	if (afresh)
		remove_files(directory);
	if (!open_file(index, directory, epoch, &stale, error) || stale) {
		database_close(index->database);
		index->database = NULL;
		remove_files(directory);
		if (!open_file(index, directory, epoch, &stale, error))
			goto fail;
	}
	if (!prepare_all(index, error))
		goto fail;
	for (size_t i = 0; i < SPOOL_INDEX_KINDS; i++)
		index->making.entries[i] =
		    memory_allocate_array(SPOOL_INDEX_SEGMENT, sizeof(struct entry));
	index->bytes = memory_allocate_array(SPOOL_INDEX_SEGMENT, SPOOL_INDEX_ENTRY);
	*out = index;
	return true;
fail:
	spool_index_close(index);
	return false;
}

void
spool_index_close(struct spool_index *index)
{
	if (index == NULL)
		return;
	database_finalize(index->read);
	database_finalize(index->range);
	database_finalize(index->begin);
	database_finalize(index->commit);
	database_finalize(index->rollback);
	database_finalize(index->add_segment);
	database_finalize(index->add_posting);
	database_finalize(index->add_type);
	database_finalize(index->forget_segment);
	database_finalize(index->forget_posting);
	database_close(index->spool);
	database_close(index->database);
	for (size_t i = 0; i < SPOOL_INDEX_KINDS; i++)
		free(index->making.entries[i]);
	free(index->bytes);
	free(index);
}

/* ---- making a segment ---- */

static void
note(struct making *making, enum spool_index_kind kind, struct slice value, uint64_t sequence)
{
	struct entry *entry = &making->entries[kind][making->counts[kind]];

	if (value.length == 0)
		return;
	entry->hash = spool_index_hash(value);
	entry->offset = (uint16_t)(sequence - making->segment.first);
	making->counts[kind]++;
}

/* The row under the statement; false where it belongs to the next segment. */
static bool
take_row(struct making *making, struct database_statement *row)
{
	struct spool_index_segment *segment = &making->segment;
	uint64_t sequence = (uint64_t)database_number(row, 0);
	int64_t at = database_number(row, 1);

	if (making->events == 0)
		*segment = (struct spool_index_segment){sequence, sequence, at, at};
	else if (sequence - segment->first > SPOOL_INDEX_SPAN)
		return false;
	segment->last = sequence;
	if (at < segment->oldest_at)
		segment->oldest_at = at;
	if (at > segment->newest_at)
		segment->newest_at = at;
	note(making, SPOOL_INDEX_ID, database_bytes(row, 2), sequence);
	note(making, SPOOL_INDEX_RESOURCE, database_bytes(row, 3), sequence);
	note(making, SPOOL_INDEX_TYPE, database_bytes(row, 4), sequence);
	making->events++;
	return true;
}

static bool
add_type(struct spool_index *index, struct slice type, struct error *error)
{
	database_bind_text(index->add_type, 1, type);
	return database_run(index->add_type, error) == DATABASE_END;
}

/* One row into the segment; the same type again and again needs no asking. */
static bool
note_row(struct spool_index *index, uint32_t *last_type, bool *gap, struct error *error)
{
	struct making *making = &index->making;
	size_t types = making->counts[SPOOL_INDEX_TYPE];
	uint32_t type;

	*gap = !take_row(making, index->read);
	if (*gap || types == making->counts[SPOOL_INDEX_TYPE])
		return true;
	type = making->entries[SPOOL_INDEX_TYPE][types].hash;
	if (type == *last_type)
		return true;
	*last_type = type;
	return add_type(index, database_bytes(index->read, 4), error);
}

/*
 * Reads the events behind index->last, inside of a transaction for their types and in
 * short ones of the spool, for whose checkpoints a reader is a hindrance.  *whole:
 * they are a segment.
 */
static bool
gather(struct spool_index *index, bool *whole, struct error *error)
{
	struct making *making = &index->making;
	uint32_t last_type = 0;
	enum database_step step = DATABASE_ROW;
	bool gap = false;

	making->events = 0;
	memset(making->counts, 0, sizeof(making->counts));
	making->segment.last = index->last;
	while (step == DATABASE_ROW && !gap && making->events < SPOOL_INDEX_SEGMENT) {
		database_bind_number(index->read, 1, (int64_t)making->segment.last);
		database_bind_number(index->read, 2, CHUNK);
		for (size_t i = 0; i < CHUNK && !gap; i++) {
			step = database_step(index->read, error);
			if (step != DATABASE_ROW)
				break;
			if (!note_row(index, &last_type, &gap, error)) {
				step = DATABASE_FAILED;
				break;
			}
		}
		database_reset(index->read);
	}
	*whole = gap || making->events == SPOOL_INDEX_SEGMENT;
	return step == DATABASE_ROW || step == DATABASE_END;
}

static int
compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static void
put_entry(unsigned char *bytes, const struct entry *entry)
{
	bytes[0] = (unsigned char)(entry->hash >> 24);
	bytes[1] = (unsigned char)(entry->hash >> 16);
	bytes[2] = (unsigned char)(entry->hash >> 8);
	bytes[3] = (unsigned char)entry->hash;
	bytes[4] = (unsigned char)(entry->offset >> 8);
	bytes[5] = (unsigned char)entry->offset;
}

/* The entries of one kind, a row for each bucket that has any. */
static bool
write_kind(struct spool_index *index, size_t kind, struct error *error)
{
	struct entry *entries = index->making.entries[kind];
	size_t count = index->making.counts[kind], at = 0;

	qsort(entries, count, sizeof(*entries), compare);
	while (at < count) {
		uint32_t bucket = entries[at].hash >> SPOOL_INDEX_BUCKET_SHIFT;
		size_t length = 0;

		for (; at < count && entries[at].hash >> SPOOL_INDEX_BUCKET_SHIFT == bucket; at++) {
			put_entry(index->bytes + length, &entries[at]);
			length += SPOOL_INDEX_ENTRY;
		}
		database_bind_number(index->add_posting, 1, (int64_t)kind);
		database_bind_number(index->add_posting, 2, bucket);
		database_bind_number(index->add_posting, 3, (int64_t)index->making.segment.first);
		database_bind_bytes(index->add_posting, 4,
				    (struct slice){(const char *)index->bytes, length});
		if (database_run(index->add_posting, error) != DATABASE_END)
			return false;
	}
	return true;
}

static bool
write_segment(struct spool_index *index, struct error *error)
{
	const struct spool_index_segment *segment = &index->making.segment;

	for (size_t kind = 0; kind < SPOOL_INDEX_KINDS; kind++)
		if (!write_kind(index, kind, error))
			return false;
	database_bind_number(index->add_segment, 1, (int64_t)segment->first);
	database_bind_number(index->add_segment, 2, (int64_t)segment->last);
	database_bind_number(index->add_segment, 3, segment->oldest_at);
	database_bind_number(index->add_segment, 4, segment->newest_at);
	return database_run(index->add_segment, error) == DATABASE_END;
}

/* ---- forgetting ---- */

/* The first of the last segment that was pruned whole; 0: none was. */
static bool
find_stale(struct spool_index *index, uint64_t first_kept, uint64_t *stale, struct error *error)
{
	struct database_statement *find;
	enum database_step step;

	if (!database_prepare(index->database, &find,
			      "SELECT max(first) FROM segments WHERE last < ?", error))
		return false;
	database_bind_number(find, 1, (int64_t)first_kept);
	step = database_step(find, error);
	*stale = step == DATABASE_ROW ? (uint64_t)database_number(find, 0) : 0;
	database_finalize(find);
	return step == DATABASE_ROW;
}

static bool
forget(struct spool_index *index, uint64_t stale, struct error *error)
{
	for (int kind = 0; kind < SPOOL_INDEX_KINDS; kind++)
		for (int bucket = 0; bucket < SPOOL_INDEX_BUCKETS; bucket++) {
			database_bind_number(index->forget_posting, 1, kind);
			database_bind_number(index->forget_posting, 2, bucket);
			database_bind_number(index->forget_posting, 3, (int64_t)stale);
			if (database_run(index->forget_posting, error) != DATABASE_END)
				return false;
		}
	database_bind_number(index->forget_segment, 1, (int64_t)stale);
	return database_run(index->forget_segment, error) == DATABASE_END;
}

/* ---- a step ---- */

/* Between BEGIN and COMMIT. */
static bool
change(struct spool_index *index, uint64_t stale, bool *whole, struct error *error)
{
	if (!gather(index, whole, error) || (*whole && !write_segment(index, error)))
		return false;
	return stale == 0 || forget(index, stale, error);
}

bool
spool_index_extend(struct spool_index *index, bool *more, struct error *error)
{
	uint64_t first, last, stale;
	struct error ignored;

	*more = false;
	if (!spool_internal_range(index->range, &first, &last, error) ||
	    !find_stale(index, first, &stale, error))
		return false;
	if (last < index->wanted && stale == 0)
		return true;
	if (database_run(index->begin, error) != DATABASE_END)
		return false;
	if (!change(index, stale, more, error) ||
	    database_run(index->commit, error) != DATABASE_END) {
		(void)database_run(index->rollback, &ignored);
		return false;
	}
	if (*more)
		index->last = index->making.segment.last;
	index->wanted =
	    index->making.segment.last + SPOOL_INDEX_SEGMENT - (*more ? 0 : index->making.events);
	if (database_wal_size(index->database) < WAL_DUE)
		return true;
	return database_checkpoint(index->database, DATABASE_CHECKPOINT_RESTART, error) &&
	       database_execute(index->database, "PRAGMA incremental_vacuum(256)", error);
}
