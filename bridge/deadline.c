#include "bridge/deadline.h"

#include <limits.h>
#include <time.h>

#include "formats/memory.h"

static int64_t
milliseconds(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		memory_panic("clock %d cannot be read: %m", (int)clock);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
deadline_now(void)
{
	return milliseconds(CLOCK_MONOTONIC);
}

int64_t
deadline_wall(void)
{
	return milliseconds(CLOCK_REALTIME);
}

struct deadline
deadline_after(int64_t milliseconds_from_now)
{
	int64_t now = deadline_now();

	if (milliseconds_from_now > INT64_MAX - now)
		return (struct deadline){INT64_MAX};
	return (struct deadline){now + milliseconds_from_now};
}

int
deadline_left(struct deadline deadline)
{
	int64_t now = deadline_now();

	if (deadline.at <= now)
		return 0;
	return deadline.at - now > INT_MAX ? INT_MAX : (int)(deadline.at - now);
}

bool
deadline_passed(struct deadline deadline)
{
	return deadline_left(deadline) == 0;
}
