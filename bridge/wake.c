#include "bridge/wake.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "formats/memory.h"

bool
wake_open(int *descriptor, struct error *error)
{
	*descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (*descriptor < 0)
		return error_set_errno(error, "a wake-up cannot be made");
	return true;
}

void
wake_raise(int descriptor)
{
	const uint64_t one = 1;

	while (descriptor >= 0 && write(descriptor, &one, sizeof(one)) < 0) {
		if (errno == EAGAIN) /* at its highest count: raised more than enough */
			return;
		if (errno != EINTR)
			memory_panic("wake-up %d cannot be raised: %m", descriptor);
	}
}

void
wake_clear(int descriptor)
{
	uint64_t count;

	while (descriptor >= 0 && read(descriptor, &count, sizeof(count)) < 0) {
		if (errno == EAGAIN) /* was not raised */
			return;
		if (errno != EINTR)
			memory_panic("wake-up %d cannot be cleared: %m", descriptor);
	}
}
