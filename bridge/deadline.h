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

/* Milliseconds of the monotonic clock, and of the wall clock since 1970 UTC. */
int64_t deadline_now(void);
int64_t deadline_wall(void);

#endif
