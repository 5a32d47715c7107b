#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/spool/migrate.h"
#include "bridge/spool/spool_index_internal.h"
#include "bridge/spool/spool_internal.h"
#include "formats/memory.h"

struct spool_index_reader {
	struct database *database;
	struct database_statement *find;
	struct spool_index_segment *segments;
	size_t count;
};

static bool
read_segments(struct spool_index_reader *reader, struct error *error)
{
	struct database_statement *rows;
	enum database_step step;
	size_t capacity = 0;

	if (!database_prepare(reader->database, &rows,
			      "SELECT first, last, oldest_at, newest_at FROM segments"
			      " ORDER BY first",
			      error))
		return false;
	while ((step = database_step(rows, error)) == DATABASE_ROW) {
		if (reader->count == capacity) {
			capacity = capacity * 2 + 64;
			reader->segments = memory_resize_array(reader->segments, capacity,
							       sizeof(*reader->segments));
		}
		reader->segments[reader->count++] = (struct spool_index_segment){
		    (uint64_t)database_number(rows, 0),
		    (uint64_t)database_number(rows, 1),
		    database_number(rows, 2),
		    database_number(rows, 3),
		};
	}
	database_finalize(rows);
	return step == DATABASE_END;
}

void
spool_index_reader_open(struct spool_index_reader **out, const char *directory, uint64_t epoch)
{
	struct spool_index_reader *reader = memory_allocate(sizeof(*reader));
	struct error ignored;
	char path[PATH_MAX];
	int64_t known = 0;

	*out = NULL;
	if (!spool_internal_path(path, directory, "index.db", &ignored) ||
	    access(path, F_OK) != 0 ||
	    !database_open(&reader->database, path, DATABASE_READ_ONLY, &ignored) ||
	    !migrate_check(reader->database, "index.db", SPOOL_INDEX_VERSION, &ignored) ||
	    !database_query_number(reader->database, "SELECT value FROM meta WHERE name='epoch'",
				   &known, &ignored) ||
	    (uint64_t)known != epoch ||
	    !database_prepare(reader->database, &reader->find,
			      "SELECT entries FROM postings WHERE kind=? AND bucket=? AND first=?",
			      &ignored) ||
	    !read_segments(reader, &ignored)) {
		spool_index_reader_close(reader);
		return;
	}
	*out = reader;
}

void
spool_index_reader_close(struct spool_index_reader *reader)
{
	if (reader == NULL)
		return;
	database_finalize(reader->find);
	database_close(reader->database);
	free(reader->segments);
	free(reader);
}

const struct spool_index_segment *
spool_index_reader_segments(const struct spool_index_reader *reader, size_t *count)
{
	*count = reader->count;
	return reader->segments;
}

bool
spool_index_reader_types(struct spool_index_reader *reader,
			 void (*each)(void *context, struct slice type), void *context,
			 struct error *error)
{
	struct database_statement *rows;
	enum database_step step;

	if (!database_prepare(reader->database, &rows, "SELECT name FROM types", error))
		return false;
	while ((step = database_step(rows, error)) == DATABASE_ROW)
		each(context, database_bytes(rows, 0));
	database_finalize(rows);
	return step == DATABASE_END;
}

static uint32_t
hash_at(struct slice entries, size_t i)
{
	const unsigned char *bytes = (const unsigned char *)entries.bytes + i * SPOOL_INDEX_ENTRY;

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static uint64_t
offset_at(struct slice entries, size_t i)
{
	const unsigned char *bytes = (const unsigned char *)entries.bytes + i * SPOOL_INDEX_ENTRY;

	return (uint64_t)bytes[4] << 8 | bytes[5];
}

/* The first entry whose hash is not below. */
static size_t
lower_bound(struct slice entries, size_t count, uint32_t hash)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (hash_at(entries, middle) < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
spool_index_reader_find(struct spool_index_reader *reader,
			const struct spool_index_segment *segment, enum spool_index_kind kind,
			uint32_t hash, uint64_t *sequences, size_t *count, struct error *error)
{
	enum database_step step;

	*count = 0;
	database_bind_number(reader->find, 1, kind);
	database_bind_number(reader->find, 2, hash >> SPOOL_INDEX_BUCKET_SHIFT);
	database_bind_number(reader->find, 3, (int64_t)segment->first);
	step = database_step(reader->find, error);
	if (step == DATABASE_ROW) {
		struct slice entries = database_bytes(reader->find, 0);
		size_t total = entries.length / SPOOL_INDEX_ENTRY;

		for (size_t i = lower_bound(entries, total, hash);
		     i < total && hash_at(entries, i) == hash && *count < SPOOL_INDEX_SEGMENT; i++)
			sequences[(*count)++] = segment->first + offset_at(entries, i);
	}
	database_reset(reader->find);
	return step == DATABASE_ROW || step == DATABASE_END;
}
