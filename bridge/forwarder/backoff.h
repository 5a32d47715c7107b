/*
 * How long to wait before the next attempt: doubling from 100 ms to 30 s, with
 * jitter, so that bridges which lost the same collector do not come back as one.
 */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

enum { BACKOFF_SHORTEST = 100, BACKOFF_LONGEST = 30000 }; /* milliseconds */

struct backoff {
	int64_t ceiling; /* of the next pause, milliseconds */
	uint64_t random; /* state of the generator */
};

/* Any seed will do, as long as no two destinations share it. */
void backoff_start(struct backoff *backoff, uint64_t seed);

/* After confirmed progress: the next pause is a short one again. */
void backoff_reset(struct backoff *backoff);

/* No pause was made since. */
bool backoff_is_fresh(const struct backoff *backoff);

/* Milliseconds to wait now: between half the ceiling and the ceiling, which then doubles. */
int64_t backoff_next(struct backoff *backoff);

#endif
