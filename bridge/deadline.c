#include "bridge/deadline.h"

#include <limits.h>
#include <stdatomic.h>
#ifdef FAULTS
#include <stdlib.h>
#include <sys/stat.h>
#endif
#include <time.h>

#ifdef FAULTS
#include "bridge/read_file.h"
#include "formats/error.h"
#include "formats/text.h"
#endif
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
deadline_boot(void)
{
	return milliseconds(CLOCK_BOOTTIME);
}

static _Atomic int64_t shift;

void
deadline_shift_wall(int64_t milliseconds_off)
{
	atomic_store(&shift, milliseconds_off);
}

#ifdef FAULTS
static int64_t
shift_of_file(void)
{
	const char *path = getenv("SIEMBRIDGE_CLOCK");
	char bytes[32];
	struct stat status;
	struct error ignored;
	uint64_t amount;
	size_t length;
	bool back;

	if (path == NULL || !read_file(path, bytes, sizeof(bytes), &length, &status, &ignored))
		return 0;
	back = length > 0 && bytes[0] == '-';
	if (!text_parse_unsigned((struct slice){bytes + back, length - back}, INT64_MAX, &amount))
		return 0;
	return back ? -(int64_t)amount : (int64_t)amount;
}
#else
static int64_t
shift_of_file(void)
{
	return 0;
}
#endif

int64_t
deadline_wall(void)
{
	return milliseconds(CLOCK_REALTIME) + atomic_load_explicit(&shift, memory_order_relaxed) +
	       shift_of_file();
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
