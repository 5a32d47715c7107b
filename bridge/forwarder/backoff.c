#include "bridge/forwarder/backoff.h"

enum { CEILING_FIRST = 2 * BACKOFF_SHORTEST };

/* SplitMix64 (Steele, Lea, Flood 2014): good enough to spread, and needs no more than a number. */
static uint64_t
next_random(struct backoff *backoff)
{
	uint64_t mixed = backoff->random += 0x9e3779b97f4a7c15U;

	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
	return mixed ^ (mixed >> 31);
}

void
backoff_start(struct backoff *backoff, uint64_t seed)
{
	backoff->random = seed;
	backoff_reset(backoff);
}

void
backoff_reset(struct backoff *backoff)
{
	backoff->ceiling = CEILING_FIRST;
}

bool
backoff_is_fresh(const struct backoff *backoff)
{
	return backoff->ceiling == CEILING_FIRST;
}

int64_t
backoff_next(struct backoff *backoff)
{
	int64_t half = backoff->ceiling / 2;
	int64_t pause = half + (int64_t)(next_random(backoff) % (uint64_t)(half + 1));

	backoff->ceiling *= 2;
	if (backoff->ceiling > BACKOFF_LONGEST)
		backoff->ceiling = BACKOFF_LONGEST;
	return pause;
}
