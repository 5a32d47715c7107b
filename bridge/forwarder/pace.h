/*
 * How fast a vendor may be asked: at most `rate` requests in any minute, a sixth of
 * them at once.
 */
#ifndef PACE_H
#define PACE_H

#include <stdint.h>

struct pace {
	int64_t interval; /* milliseconds between two; 0: no limit */
	int64_t ahead;    /* of the plan that a request may be, milliseconds */
	int64_t planned;  /* when the next one would be due, had none been early */
};

/* `rate` a minute; 0: no limit. */
void pace_start(struct pace *pace, uint32_t rate);

/* The time, on the clock of `now`, from which on one more may be made. */
int64_t pace_next(const struct pace *pace);

/* One is made now. */
void pace_take(struct pace *pace, int64_t now);

#endif
