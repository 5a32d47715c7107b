/*
 * index.db: where in the spool an id, a resource or a type stands, for people who
 * ask.  It may be lost at any time: what it does not cover is looked through in the
 * spool itself, and what it says is looked up there, so it can make an answer slow
 * and never wrong.
 *
 * Events are indexed in segments of SPOOL_INDEX_SEGMENT, whole ones only: of each the
 * hashes are sorted once and written in a few rows, at a thirtieth of the price of an
 * index of SQLite's.  Written by one low-priority thread of the forwarder alone, far
 * from the way of an event; everybody else opens it read-only.
 */
#ifndef SPOOL_INDEX_H
#define SPOOL_INDEX_H

#include "bridge/spool/spool.h"

enum { SPOOL_INDEX_SEGMENT = 16384 /* events */ };

enum spool_index_kind { SPOOL_INDEX_ID, SPOOL_INDEX_RESOURCE, SPOOL_INDEX_TYPE };

/* ---- the writer ---- */

struct spool_index;

/*
 * Opens index.db beside the spool, or makes it anew where it is damaged, belongs to
 * another spool, or `afresh` is said, for what failed in the middle of it may do so
 * again.  Gives *index, closed with spool_index_close().
 */
MUST_CHECK bool spool_index_open(struct spool_index **index, const char *directory, bool afresh,
				 struct error *error);
void spool_index_close(struct spool_index *index);

/*
 * Indexes the next segment, if the spool has all of it, and forgets those that were
 * pruned.  *more: there may be another one.  False: close it, and open it again later.
 */
MUST_CHECK bool spool_index_extend(struct spool_index *index, bool *more, struct error *error);

/* ---- readers ---- */

/* A run of events, sequences first..last, received at oldest_at..newest_at. */
struct spool_index_segment {
	uint64_t first;
	uint64_t last;
	int64_t oldest_at; /* milliseconds since 1970 */
	int64_t newest_at;
};

struct spool_index_reader;

/*
 * Gives *reader, closed with spool_index_reader_close(); NULL where there is no index
 * of the spool of that epoch that can be read.
 */
void spool_index_reader_open(struct spool_index_reader **reader, const char *directory,
			     uint64_t epoch);
void spool_index_reader_close(struct spool_index_reader *reader); /* NULL is fine */

/* The segments, oldest first; borrowed from the reader. */
const struct spool_index_segment *spool_index_reader_segments(
    const struct spool_index_reader *reader, size_t *count);

/*
 * Calls `each` for every type that was indexed; borrowed until it returns.
 */
MUST_CHECK bool spool_index_reader_types(struct spool_index_reader *reader,
					 void (*each)(void *context, struct slice type),
					 void *context, struct error *error);

/* What is looked up: the hash of an id, a resource or a type. */
uint32_t spool_index_hash(struct slice value);

/*
 * Writes the sequences of the segment whose value may be one with that hash to
 * `sequences`, which has room for SPOOL_INDEX_SEGMENT, rising.
 */
MUST_CHECK bool spool_index_reader_find(struct spool_index_reader *reader,
					const struct spool_index_segment *segment,
					enum spool_index_kind kind, uint32_t hash,
					uint64_t *sequences, size_t *count, struct error *error);

#endif
