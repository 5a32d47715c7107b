/*
 * Reading from a cursor.  Each row is checked against the hash chain while it is
 * read, not only by `verify`: SQLite has no checksums of its own over the file.
 * The hash of the row before is remembered between calls, so a reader that goes
 * straight on asks for it once.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/spool/migrate.h"
#include "bridge/spool/spool_chain.h"
#include "bridge/spool/spool_head.h"
#include "bridge/spool/spool_internal.h"
#include "formats/memory.h"

struct spool_reader {
	struct database *database;
	struct database_statement *after, *one, *before, *range;
	struct spool_chain *chain;
	char *directory;
	uint64_t epoch;
	uint64_t sequence; /* the row that `hash` belongs to */
	unsigned char hash[SPOOL_HASH_LENGTH];
	bool hash_known; /* false: there is no row before; what comes first is taken as it is */
};

bool
spool_reader_open(struct spool_reader **out, const char *directory, struct error *error)
{
	struct spool_reader *reader = memory_allocate(sizeof(*reader));
	char path[PATH_MAX];
	int64_t epoch;
	bool is_filling;

	reader->directory = memory_copy_text(directory, strlen(directory));
	if (!spool_internal_path(path, directory, "spool.db", error) ||
	    !database_open(&reader->database, path, DATABASE_READ_ONLY, error) ||
	    !migrate_check(reader->database, "spool.db", SPOOL_VERSION, error) ||
	    !spool_internal_filling(reader->database, &is_filling, error))
		goto fail;
	if (is_filling) {
		error_set(error, "spool: spool.db is just being filled; try again");
		goto fail;
	}
	if (!database_query_number(reader->database, "SELECT value FROM meta WHERE name='epoch'",
				   &epoch, error) ||
	    !database_prepare(reader->database, &reader->after,
			      "SELECT seq, received_at, source, id, type, resource, evidence, body,"
			      " hash, flags FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
			      error) ||
	    !database_prepare(reader->database, &reader->one,
			      "SELECT seq, received_at, source, id, type, resource, evidence, body,"
			      " hash, flags FROM events WHERE seq = ?",
			      error) ||
	    !database_prepare(reader->database, &reader->before,
			      "SELECT coalesce((SELECT hash FROM events WHERE seq <= ? ORDER BY seq"
			      " DESC LIMIT 1), (SELECT value FROM meta WHERE name='anchor'))",
			      error) ||
	    !database_prepare(reader->database, &reader->range,
			      "SELECT (SELECT min(seq) FROM events), (SELECT max(seq) FROM events)",
			      error) ||
	    !spool_chain_new(&reader->chain, error))
		goto fail;
	reader->epoch = (uint64_t)epoch;
	reader->sequence = UINT64_MAX;
	*out = reader;
	return true;
fail:
	spool_reader_close(reader);
	return false;
}

void
spool_reader_close(struct spool_reader *reader)
{
	if (reader == NULL)
		return;
	database_finalize(reader->after);
	database_finalize(reader->one);
	database_finalize(reader->before);
	database_finalize(reader->range);
	spool_chain_free(reader->chain);
	database_close(reader->database);
	free(reader->directory);
	free(reader);
}

uint64_t
spool_reader_epoch(const struct spool_reader *reader)
{
	return reader->epoch;
}

/* Makes reader->hash that of the last row up to `sequence`. */
static bool
position(struct spool_reader *reader, uint64_t sequence, struct error *error)
{
	enum database_step step;

	if (reader->sequence == sequence)
		return true;
	database_bind_number(reader->before, 1, (int64_t)sequence);
	step = database_step(reader->before, error);
	reader->hash_known = false;
	if (step == DATABASE_ROW) {
		struct slice hash = database_bytes(reader->before, 0);

		reader->hash_known = hash.length == SPOOL_HASH_LENGTH;
		if (reader->hash_known)
			memcpy(reader->hash, hash.bytes, SPOOL_HASH_LENGTH);
	}
	database_reset(reader->before);
	reader->sequence = sequence;
	return step == DATABASE_ROW || step == DATABASE_END || step == DATABASE_DAMAGED;
}

static struct slice
copy(struct arena *arena, struct slice bytes)
{
	if (bytes.bytes != NULL)
		bytes.bytes = arena_copy_text(arena, bytes.bytes, bytes.length);
	return bytes;
}

/* The row under the statement, and whether it fits the chain. */
static bool
take_row(struct spool_reader *reader, struct database_statement *row, struct arena *arena,
	 struct spool_event *event, struct error *error)
{
	struct slice hash = database_bytes(row, 8);

	memset(event, 0, sizeof(*event));
	event->sequence = (uint64_t)database_number(row, 0);
	event->received_at = database_number(row, 1);
	event->source = copy(arena, database_bytes(row, 2));
	event->id = copy(arena, database_bytes(row, 3));
	event->type = copy(arena, database_bytes(row, 4));
	event->resource = copy(arena, database_bytes(row, 5));
	event->evidence = copy(arena, database_bytes(row, 6));
	event->body = copy(arena, database_bytes(row, 7));
	event->flags = (uint32_t)database_number(row, 9);
	event->intact = hash.length == SPOOL_HASH_LENGTH;
	if (reader->hash_known) {
		if (!spool_chain_extend(reader->chain, event, reader->hash, error))
			return false;
		event->intact =
		    event->intact && memcmp(reader->hash, hash.bytes, SPOOL_HASH_LENGTH) == 0;
	}
	/*
	 * A row that does not fit must not condemn those behind it; but where its hash is
	 * no hash, the next is held against what it should have been, or two edits would
	 * pass where one does not.
	 */
	if (hash.length == SPOOL_HASH_LENGTH) {
		memcpy(reader->hash, hash.bytes, SPOOL_HASH_LENGTH);
		reader->hash_known = true;
	}
	reader->sequence = event->sequence;
	return true;
}

/* The last number there may be: damage may hide the table's own end. */
static uint64_t
highest(struct spool_reader *reader)
{
	struct spool_head_mark mark;
	struct error ignored;
	uint64_t first, last = 0;

	if (!spool_reader_range(reader, &first, &last, &ignored))
		last = 0;
	if (spool_head_peek(reader->directory, &mark) && mark.epoch == reader->epoch &&
	    mark.sequence > last)
		last = mark.sequence;
	return last;
}

/*
 * The rows behind `after` are damaged: each is asked for by its number, and given as one
 * that has nothing but that where it cannot be read, up to the first that can.
 */
static bool
read_damaged(struct spool_reader *reader, uint64_t after, size_t limit, struct arena *arena,
	     struct spool_event *events, size_t *count, struct error *error)
{
	uint64_t last = highest(reader);
	enum database_step step = DATABASE_DAMAGED;

	reader->hash_known = false;
	for (uint64_t next = after + 1;
	     next <= last && *count < limit && step != DATABASE_ROW && step != DATABASE_FAILED;
	     next++) {
		struct spool_event *event = &events[*count];

		database_bind_number(reader->one, 1, (int64_t)next);
		step = database_step(reader->one, error);
		if (step == DATABASE_DAMAGED)
			*event = (struct spool_event){.sequence = next};
		else if (step == DATABASE_ROW &&
			 !take_row(reader, reader->one, arena, event, error))
			step = DATABASE_FAILED;
		if (step == DATABASE_DAMAGED || step == DATABASE_ROW)
			(*count)++;
		database_reset(reader->one);
	}
	if (*count > 0)
		reader->sequence = events[*count - 1].sequence;
	return step != DATABASE_FAILED;
}

bool
spool_reader_next(struct spool_reader *reader, uint64_t after, size_t limit, size_t bytes,
		  struct arena *arena, struct spool_event **events, size_t *count,
		  struct error *error)
{
	enum database_step step = DATABASE_ROW;
	uint64_t before = after;
	size_t read = 0;

	*count = 0;
	if (!position(reader, after, error))
		return false;
	*events = arena_allocate(arena, limit * sizeof(**events));
	database_bind_number(reader->after, 1, (int64_t)after);
	database_bind_number(reader->after, 2, (int64_t)limit);
	while (*count < limit && read < bytes &&
	       (step = database_step(reader->after, error)) == DATABASE_ROW) {
		/* a damaged tree may give any row for the next: going back would never end */
		if ((uint64_t)database_number(reader->after, 0) <= before) {
			step = DATABASE_DAMAGED;
			break;
		}
		if (!take_row(reader, reader->after, arena, &(*events)[*count], error)) {
			step = DATABASE_FAILED;
			break;
		}
		before = (*events)[*count].sequence;
		read += (*events)[*count].body.length;
		(*count)++;
	}
	/* ends the read transaction: a checkpoint must not wait for a slow destination */
	database_reset(reader->after);
	if (step == DATABASE_DAMAGED && *count == 0 &&
	    !read_damaged(reader, after, limit, arena, *events, count, error))
		step = DATABASE_FAILED;
	if (step != DATABASE_FAILED && step != DATABASE_FULL)
		return true;
	reader->sequence = UINT64_MAX;
	return false;
}

bool
spool_reader_range(struct spool_reader *reader, uint64_t *first, uint64_t *last,
		   struct error *error)
{
	bool done = database_step(reader->range, error) == DATABASE_ROW;

	if (done) {
		*first = (uint64_t)database_number(reader->range, 0);
		*last = (uint64_t)database_number(reader->range, 1);
	}
	database_reset(reader->range);
	return done;
}
