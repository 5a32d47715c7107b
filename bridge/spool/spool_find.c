/*
 * The spool is looked through segment by segment, newest first: what the index does
 * not cover yet is one segment more, looked through row by row, and so is one whose
 * index cannot be read.
 */
#include "bridge/spool/spool_find.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/glob.h"
#include "bridge/spool/migrate.h"
#include "bridge/spool/spool_index.h"
#include "bridge/spool/spool_internal.h"
#include "formats/memory.h"

enum {
	CHUNK = 4096,    /* rows of one read transaction */
	MOST_HASHES = 64 /* types that a glob may stand for, to be looked up one by one */
};

#define COLUMNS "SELECT seq, received_at, source, id, type, resource FROM events WHERE "

struct spool_find {
	char *directory;
	struct database *database;
	struct database_statement *one, *down, *up, *range;
	struct spool_index_reader *index; /* NULL: there is none */
	uint64_t epoch;
	uint64_t *candidates; /* MOST_HASHES * SPOOL_INDEX_SEGMENT at most, as it grows */
	size_t capacity;
};

/* One search. */
struct search {
	struct spool_find *find;
	const struct spool_find_query *query;
	bool (*each)(void *context, const struct spool_event *event);
	void *context;
	bool keyed; /* the index knows one of the things that are asked for */
	enum spool_index_kind kind;
	uint32_t hashes[MOST_HASHES];
	size_t hash_count;
	bool over; /* `each` has enough */
};

struct spool_find_query
spool_find_everything(void)
{
	return (struct spool_find_query){.since = INT64_MIN, .until = INT64_MAX, .last = INT64_MAX};
}

bool
spool_find_open(struct spool_find **out, const char *directory, struct error *error)
{
	struct spool_find *find = memory_allocate(sizeof(*find));
	char path[PATH_MAX];
	int64_t epoch;

	if (spool_internal_path(path, directory, "spool.db", error) && access(path, F_OK) != 0) {
		spool_find_close(find);
		return error_set_errno(error, "spool: there is none yet: %s", path);
	}
	if (!spool_internal_path(path, directory, "spool.db", error) ||
	    !database_open(&find->database, path, DATABASE_READ_ONLY, error) ||
	    !migrate_check(find->database, "spool.db", SPOOL_VERSION, error) ||
	    !database_query_number(find->database, "SELECT value FROM meta WHERE name='epoch'",
				   &epoch, error) ||
	    !database_prepare(find->database, &find->one, COLUMNS "seq = ?", error) ||
	    !database_prepare(find->database, &find->down,
			      COLUMNS "seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT ?", error) ||
	    !database_prepare(find->database, &find->up,
			      COLUMNS "seq BETWEEN ? AND ? ORDER BY seq LIMIT ?", error) ||
	    !spool_internal_prepare_range(find->database, &find->range, error)) {
		spool_find_close(find);
		return false;
	}
	find->directory = memory_copy_text(directory, strlen(directory));
	find->epoch = (uint64_t)epoch;
	spool_index_reader_open(&find->index, directory, find->epoch);
	*out = find;
	return true;
}

void
spool_find_close(struct spool_find *find)
{
	if (find == NULL)
		return;
	database_finalize(find->one);
	database_finalize(find->down);
	database_finalize(find->up);
	database_finalize(find->range);
	spool_index_reader_close(find->index);
	database_close(find->database);
	free(find->directory);
	free(find->candidates);
	free(find);
}

uint64_t
spool_find_epoch(const struct spool_find *find)
{
	return find->epoch;
}

/* ---- rows ---- */

static bool
is_or_any(struct slice wanted, struct slice value)
{
	return wanted.bytes == NULL || text_slices_equal(wanted, value);
}

static bool
holds(const struct spool_find_query *query, const struct spool_event *event)
{
	return event->sequence >= query->first && event->sequence <= query->last &&
	       event->received_at >= query->since && event->received_at < query->until &&
	       is_or_any(query->id, event->id) && is_or_any(query->resource, event->resource) &&
	       is_or_any(query->source, event->source) &&
	       (query->type == NULL || glob_matches(query->type, event->type));
}

/* The row under the statement, to `each` if it is wanted. */
static void
offer(struct search *search, struct database_statement *row)
{
	struct spool_event event = {
	    .sequence = (uint64_t)database_number(row, 0),
	    .received_at = database_number(row, 1),
	    .source = database_bytes(row, 2),
	    .id = database_bytes(row, 3),
	    .type = database_bytes(row, 4),
	    .resource = database_bytes(row, 5),
	};

	if (holds(search->query, &event) && !search->each(search->context, &event))
		search->over = true;
}

static bool
offer_one(struct search *search, uint64_t sequence, struct error *error)
{
	struct database_statement *one = search->find->one;
	enum database_step step;

	database_bind_number(one, 1, (int64_t)sequence);
	step = database_step(one, error);
	if (step == DATABASE_ROW)
		offer(search, one);
	database_reset(one);
	return step == DATABASE_ROW || step == DATABASE_END;
}

/* The rows first..last one by one, in short transactions. */
static bool
scan(struct search *search, struct database_statement *rows, uint64_t first, uint64_t last,
     struct error *error)
{
	bool down = rows == search->find->down;
	size_t count = CHUNK;

	while (count == CHUNK && !search->over && first <= last) {
		enum database_step step;

		database_bind_number(rows, 1, (int64_t)first);
		database_bind_number(rows, 2, (int64_t)last);
		database_bind_number(rows, 3, CHUNK);
		for (count = 0;
		     !search->over && (step = database_step(rows, error)) != DATABASE_END;
		     count++) {
			if (step != DATABASE_ROW) {
				database_reset(rows);
				return false;
			}
			offer(search, rows);
			if (down)
				last = (uint64_t)database_number(rows, 0) - 1;
			else
				first = (uint64_t)database_number(rows, 0) + 1;
		}
		database_reset(rows);
	}
	return true;
}

/* ---- segments ---- */

static int
compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* What the index says of a segment, rising; false: it cannot be read. */
static bool
look_up(struct search *search, const struct spool_index_segment *segment, size_t *count)
{
	struct spool_find *find = search->find;
	struct error ignored;

	*count = 0;
	for (size_t i = 0; i < search->hash_count; i++) {
		size_t found;

		if (find->capacity < *count + SPOOL_INDEX_SEGMENT) {
			find->capacity = *count + SPOOL_INDEX_SEGMENT;
			find->candidates = memory_resize_array(find->candidates, find->capacity,
							       sizeof(*find->candidates));
		}
		if (!spool_index_reader_find(find->index, segment, search->kind, search->hashes[i],
					     find->candidates + *count, &found, &ignored))
			return false;
		*count += found;
	}
	if (search->hash_count > 1)
		qsort(find->candidates, *count, sizeof(*find->candidates), compare);
	return true;
}

static bool
search_segment(struct search *search, const struct spool_index_segment *segment,
	       struct error *error)
{
	const struct spool_find_query *query = search->query;
	uint64_t first = segment->first > query->first ? segment->first : query->first;
	uint64_t last = segment->last < query->last ? segment->last : query->last;
	size_t count;

	if (first > last || segment->newest_at < query->since || segment->oldest_at >= query->until)
		return true;
	if (!search->keyed || !look_up(search, segment, &count))
		return scan(search, search->find->down, first, last, error);
	for (; count > 0 && !search->over; count--) {
		uint64_t sequence = search->find->candidates[count - 1];

		if (sequence >= first && sequence <= last && !offer_one(search, sequence, error))
			return false;
	}
	return true;
}

static bool
search_sequences(struct search *search, struct error *error)
{
	for (size_t i = search->query->sequence_count; i > 0 && !search->over; i--)
		if (!offer_one(search, search->query->sequences[i - 1], error))
			return false;
	return true;
}

/* ---- what the index can help with ---- */

static void
note_type(void *context, struct slice type)
{
	struct search *search = context;

	if (!glob_matches(search->query->type, type))
		return;
	if (search->hash_count < MOST_HASHES)
		search->hashes[search->hash_count] = spool_index_hash(type);
	search->hash_count++;
}

static void
use_key(struct search *search, enum spool_index_kind kind, struct slice value)
{
	search->keyed = true;
	search->kind = kind;
	search->hashes[0] = spool_index_hash(value);
	search->hash_count = 1;
}

static void
choose_key(struct search *search)
{
	const struct spool_find_query *query = search->query;
	struct error ignored;

	if (search->find->index == NULL)
		return;
	if (query->id.bytes != NULL) {
		use_key(search, SPOOL_INDEX_ID, query->id);
	} else if (query->resource.bytes != NULL) {
		use_key(search, SPOOL_INDEX_RESOURCE, query->resource);
	} else if (query->type != NULL) {
		search->kind = SPOOL_INDEX_TYPE;
		search->keyed =
		    spool_index_reader_types(search->find->index, note_type, search, &ignored) &&
		    search->hash_count <= MOST_HASHES;
	}
}

/* The last sequence that is indexed. */
static uint64_t
indexed(const struct spool_find *find)
{
	const struct spool_index_segment *segments;
	size_t count = 0;

	if (find->index == NULL)
		return 0;
	segments = spool_index_reader_segments(find->index, &count);
	return count > 0 ? segments[count - 1].last : 0;
}

/*
 * One who stays open for days would look through all that came since row by row: when
 * that is a segment, there is more of the index.
 */
static bool
renew_index(struct spool_find *find, struct error *error)
{
	uint64_t first, last;

	if (!spool_find_range(find, &first, &last, error))
		return false;
	if (last < indexed(find) + SPOOL_INDEX_SEGMENT)
		return true;
	spool_index_reader_close(find->index);
	spool_index_reader_open(&find->index, find->directory, find->epoch);
	return true;
}

bool
spool_find_backwards(struct spool_find *find, const struct spool_find_query *query,
		     bool (*each)(void *context, const struct spool_event *event), void *context,
		     struct error *error)
{
	struct search search = {.find = find, .query = query, .each = each, .context = context};
	const struct spool_index_segment *segments = NULL;
	struct spool_index_segment rest = {
	    .first = 0, .last = INT64_MAX, .oldest_at = INT64_MIN, .newest_at = INT64_MAX};
	size_t count = 0;

	if (query->sequences != NULL)
		return search_sequences(&search, error);
	if (!renew_index(find, error))
		return false;
	if (find->index != NULL)
		segments = spool_index_reader_segments(find->index, &count);
	if (count > 0)
		rest.first = segments[count - 1].last + 1;
	if (!search_segment(&search, &rest, error))
		return false;
	choose_key(&search);
	for (; count > 0 && !search.over; count--)
		if (!search_segment(&search, &segments[count - 1], error))
			return false;
	return true;
}

bool
spool_find_forwards(struct spool_find *find, const struct spool_find_query *query,
		    bool (*each)(void *context, const struct spool_event *event), void *context,
		    struct error *error)
{
	struct search search = {.find = find, .query = query, .each = each, .context = context};

	return scan(&search, find->up, query->first, query->last, error);
}

/* ---- the rest ---- */

bool
spool_find_rejected(struct spool_find *find, uint64_t number,
		    bool (*each)(void *context, const struct spool_rejected *rejected),
		    void *context, struct error *error)
{
	struct database_statement *rows;
	enum database_step step;
	bool more = true;

	if (!database_prepare(find->database, &rows,
			      "SELECT number, received_at, source, reason, evidence, body, times"
			      " FROM rejected WHERE ?1 = 0 OR number = ?1 ORDER BY number",
			      error))
		return false;
	database_bind_number(rows, 1, (int64_t)number);
	while (more && (step = database_step(rows, error)) == DATABASE_ROW) {
		struct spool_rejected rejected = {
		    .number = (uint64_t)database_number(rows, 0),
		    .received_at = database_number(rows, 1),
		    .source = database_bytes(rows, 2),
		    .reason = database_bytes(rows, 3),
		    .evidence = database_bytes(rows, 4),
		    .body = database_bytes(rows, 5),
		    .times = (uint64_t)database_number(rows, 6),
		};

		more = each(context, &rejected);
	}
	database_finalize(rows);
	return !more || step == DATABASE_END;
}

bool
spool_find_rejected_count(struct spool_find *find, uint64_t *count, struct error *error)
{
	int64_t number = 0;

	if (!database_query_number(find->database, "SELECT count(*) FROM rejected", &number, error))
		return false;
	*count = (uint64_t)number;
	return true;
}

bool
spool_find_range(struct spool_find *find, uint64_t *first, uint64_t *last, struct error *error)
{
	return spool_internal_range(find->range, first, last, error);
}

static bool
note_time(void *context, const struct spool_event *event)
{
	*(int64_t *)context = event->received_at;
	return false;
}

bool
spool_find_received_at(struct spool_find *find, uint64_t sequence, int64_t *at, struct error *error)
{
	struct spool_find_query query = spool_find_everything();

	*at = 0;
	query.first = sequence;
	return spool_find_forwards(find, &query, note_time, at, error);
}
