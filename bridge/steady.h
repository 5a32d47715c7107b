/*
 * Time that a step of the wall clock does not move.
 *
 * The wall clock is wrong at boot, is set by hand, jumps a year and comes back.  Two
 * things must not believe it:
 *
 *   how old is what we keep?  Counted in `progress`: time in which this machine was up,
 *   also across restarts of ours; over a reboot at most STEADY_CREDIT of what the wall
 *   clock claims.  So a jump forward prunes nothing that is young, and after a long
 *   absence things are rather kept too long.  Marks say how far the spool was when.
 *
 *   is what a sender signed of this time?  `line` is the wall clock as it was when it
 *   last agreed with a sender's signed time, carried on by the time since boot.  What
 *   agrees with the line is of this time, whatever the clock says now; and a clock that
 *   went back behind the line is not believed, or requests of a year ago would be fresh
 *   again.
 *
 * One thread owns it and saves it in the spool; steady_line() may be asked from any.
 */
#ifndef STEADY_H
#define STEADY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "formats/text.h"

enum { STEADY_MARKS = 64, STEADY_CREDIT = 24 * 60 * 60 * 1000 /* ms */ };

struct steady_mark {
	int64_t progress;
	uint64_t sequence; /* the last one that was there by then */
};

/* What is saved, byte by byte, by the machine that reads it again. */
struct steady_state {
	char boot[40];    /* the boot that the next one counts from */
	int64_t boot_at;  /* ms since that boot */
	int64_t wall;     /* ms since 1970 */
	int64_t progress; /* ms */
	int64_t line;     /* ms since 1970; 0: it never agreed with a sender */
	uint64_t count;   /* of marks */
	struct steady_mark marks[STEADY_MARKS];
};

struct steady {
	struct steady_state state;
	_Atomic int64_t line_offset; /* line minus ms since boot; 0: there is none */
};

/* Goes on from what was saved; absent, or of another version: begins anew. */
void steady_start(struct steady *steady, struct slice saved);

/*
 * Takes the time and, when it is due, a mark that the spool is at `last`; true where
 * there is something new to be saved.
 */
bool steady_advance(struct steady *steady, uint64_t last, int64_t retention);

/* What is not above it has been kept for at least `retention` ms; 0: nothing has. */
uint64_t steady_aged(const struct steady *steady, int64_t retention);

/* What is to be saved; borrowed until the next call. */
struct slice steady_save(struct steady *steady);

/* Any thread: the time now, by the line, ms since 1970; 0: there is none. */
int64_t steady_line(const struct steady *steady);

/* Any thread: a sender's signed time agreed with the wall clock, which said `wall`. */
void steady_agree(struct steady *steady, int64_t wall);

#endif
