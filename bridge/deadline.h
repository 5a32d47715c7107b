/*
 * Time: the only file that asks the clock.  Deadlines are on the monotonic
 * clock, so that a step of the wall clock neither ends nor prolongs a wait.
 */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct deadline {
	int64_t at; /* monotonic milliseconds */
};

struct deadline deadline_after(int64_t milliseconds);

/* Milliseconds left, 0 when it has passed: fit for poll(2). */
int deadline_left(struct deadline deadline);
bool deadline_passed(struct deadline deadline);

/*
 * Milliseconds of the monotonic clock, since boot (asleep too), and of the wall clock
 * since 1970 UTC.
 */
int64_t deadline_now(void);
int64_t deadline_boot(void);
int64_t deadline_wall(void);

/*
 * For tests: from now on the wall clock is off by so much.  VARIANT=faults also adds the
 * number in the file that SIEMBRIDGE_CLOCK names, whenever it is asked.
 */
void deadline_shift_wall(int64_t milliseconds);

#endif
