/*
 * The generic cell rate algorithm.  In a minute there can be the burst, and what the
 * interval lets through: together the rate, so the interval is that of the rest.
 */
#include "bridge/forwarder/pace.h"

enum { MINUTE = 60 * 1000, BURST_SHARE = 6 };

void
pace_start(struct pace *pace, uint32_t rate)
{
	int64_t burst = rate / BURST_SHARE > 0 ? rate / BURST_SHARE : 1;
	int64_t rest = rate > burst ? rate - burst : 1;

	*pace = (struct pace){0};
	if (rate == 0)
		return;
	pace->interval = (MINUTE + rest - 1) / rest;
	pace->ahead = (burst - 1) * pace->interval;
}

int64_t
pace_next(const struct pace *pace)
{
	return pace->planned - pace->ahead;
}

void
pace_take(struct pace *pace, int64_t now)
{
	if (pace->planned < now)
		pace->planned = now;
	pace->planned += pace->interval;
}
