/*
 * What a collector holds, read once and kept small: for each id in its files a hash and
 * a line number in a temporary file without a name, and which message numbers there are.
 *
 * Memory: a bit for each number between the lowest and the highest.  Disk: 16 bytes an id.
 */
#ifndef HOLDING_H
#define HOLDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/error.h"
#include "formats/text.h"

struct holding;
struct progress;

struct holding_counts {
	uint64_t lines;
	uint64_t ids; /* of events; one that is there twice counts twice */
	uint64_t heartbeats;
	uint64_t without; /* lines in which no id was found */
	uint64_t numbers; /* different ones */
	uint64_t again;   /* numbers that were there before */
	uint64_t lowest;  /* number; 0: there are none */
	uint64_t highest;
	uint64_t absent; /* numbers between those two that are not there */
};

struct holding *holding_new(void);
void holding_free(struct holding *holding); /* NULL is fine */

/* Reads a file, gzip or not; "-": standard input. */
MUST_CHECK bool holding_read(struct holding *holding, const char *path, struct error *error);

/* From now on `progress` is shown KiB of the files; borrowed, NULL: nobody is. */
void holding_watch(struct holding *holding, struct progress *progress);

struct holding_counts holding_counts(const struct holding *holding);

/* The hash that stands for an id; those of two bodies under one id are equal. */
uint64_t holding_hash(struct slice id);

/* Calls `each` for every id, in the order in which they stand. */
MUST_CHECK bool holding_each(struct holding *holding,
			     void (*each)(void *context, uint64_t hash, uint64_t line),
			     void *context, struct error *error);

/* Calls `each` for the runs of numbers that are not there, rising, until it returns false. */
void holding_gaps(const struct holding *holding,
		  bool (*each)(void *context, uint64_t first, uint64_t last), void *context);

#endif
