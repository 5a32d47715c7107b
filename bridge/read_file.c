#include "bridge/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* One byte more than allowed is asked for at the end, to see a file that grows. */
static bool
read_all(int descriptor, const char *path, char *buffer, size_t capacity, size_t *length,
	 struct error *error)
{
	char beyond;

	*length = 0;
	for (;;) {
		bool full = *length == capacity;
		ssize_t got = read(descriptor, full ? &beyond : buffer + *length,
				   full ? 1 : capacity - *length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(error, "cannot read %s", path);
		if (got == 0)
			return true;
		if (full)
			return error_set(error, "%s is too big: at most %zu bytes are allowed",
					 path, capacity);
		*length += (size_t)got;
	}
}

bool
read_file(const char *path, char *buffer, size_t capacity, size_t *length, struct stat *status,
	  struct error *error)
{
	bool done = false;
	/* O_NONBLOCK: a FIFO must not hold us up before fstat() has told what it is */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (descriptor < 0)
		return error_set_errno(error, "cannot open %s", path);
	if (fstat(descriptor, status) != 0)
		error_set_errno(error, "cannot examine %s", path);
	else if (!S_ISREG(status->st_mode))
		error_set(error, "%s is not a regular file", path);
	else
		done = read_all(descriptor, path, buffer, capacity, length, error);
	(void)close(descriptor); /* only read from: nothing can be lost */
	return done;
}
