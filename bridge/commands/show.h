/*
 * What people read: foreign text that leaves a terminal alone, and times.
 */
#ifndef SHOW_H
#define SHOW_H

#include <stdint.h>

#include "formats/text.h"

/*
 * Prints it on stdout.  What would end a line, move the cursor, hide itself or turn
 * text around, and what is no UTF-8, is written as \xHH; "-" where it is absent.
 */
void show_text(struct slice text);

/* The same over several lines: line ends and tabs stay. */
void show_lines(struct slice text);

/* "2026-10-01T12:00:00.000Z", "-" for 0. */
void show_time(int64_t milliseconds);

/* "5.4 MiB". */
void show_size(uint64_t bytes);

/* "2026-10-01T12:00:00Z", or "2h": so long before `now`; ms since 1970. */
MUST_CHECK bool show_parse_time(const char *text, int64_t now, int64_t *milliseconds,
				struct error *error);

/* The two ends of a range: as above each, and NULL leaves that end as it is. */
MUST_CHECK bool show_parse_range(const char *since, const char *until, int64_t now, int64_t *first,
				 int64_t *last, struct error *error);

#endif
