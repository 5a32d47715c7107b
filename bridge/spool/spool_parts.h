/*
 * Some of the sequences: parts, rising and apart from each other.  Bounded: where there
 * is no place for one more, the last one grows over what lies between.
 */
#ifndef SPOOL_PARTS_H
#define SPOOL_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/text.h"

enum { SPOOL_PARTS = 64, SPOOL_PARTS_TEXT = 64 * 40 /* bytes, at most */ };

struct spool_part {
	uint64_t first, last;
};

struct spool_parts {
	struct spool_part parts[SPOOL_PARTS];
	size_t count;
};

/* One more, which does not begin before the last one does. */
void spool_parts_add(struct spool_parts *parts, uint64_t first, uint64_t last);

/* Of `first` to `last`, those that are in `within` as well. */
void spool_parts_add_within(struct spool_parts *parts, uint64_t first, uint64_t last,
			    const struct spool_parts *within);

bool spool_parts_hold(const struct spool_parts *parts, uint64_t sequence);

/* A line "first last" each. */
void spool_parts_write(const struct spool_parts *parts, struct text *text);

/* Fills *parts; false: that is not what spool_parts_write() writes. */
MUST_CHECK bool spool_parts_read(struct spool_parts *parts, struct slice text);

#endif
