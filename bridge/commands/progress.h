/*
 * How far a long command is: one line on stderr with a bar, the rate and the time
 * left, written over and over.  Only on a terminal: elsewhere nothing is written.
 *
 *   verify  [############............]  51 %  510,000 of 1,000,000  48,200/s  10 s left
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "formats/text.h"

struct progress;

/*
 * Gives *progress, for progress_end().  `what` is borrowed until then; `total` 0: not
 * known, and there is no bar.
 */
struct progress *progress_start(const char *what, uint64_t total);

/* So many are done by now; cheap: the line is written at most ten times a second. */
void progress_show(struct progress *progress, uint64_t done);

/* Wipes the line, so that what is printed next stands alone; the next one comes again. */
void progress_wipe(struct progress *progress);

/* The same, and frees. */
void progress_end(struct progress *progress);

/*
 * Appends the line as it is after `elapsed` milliseconds, at most `columns` wide.
 * The rate is that of the whole time.
 */
void progress_write(struct text *text, const char *what, uint64_t done, uint64_t total,
		    int64_t elapsed, size_t columns);

/* "1,234,567"; "3 h 5 min", "12 s" of milliseconds. */
void progress_write_number(struct text *text, uint64_t number);
void progress_write_duration(struct text *text, int64_t milliseconds);

#endif
