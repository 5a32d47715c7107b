/*
 * A file, one event a line, or the daemon's standard output ("-").
 *
 * A regular file is confirmed by fdatasync(2).  When it was rotated away, the rest
 * goes to a new one.  A line that a full disk cut in the middle is ended before
 * anything else is written, so that no half of a line joins the next one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/forwarder/send.h"
#include "formats/memory.h"

struct output {
	int descriptor;
	const char *path;   /* of a file that may be rotated; else NULL */
	bool regular;       /* what is written can be made durable */
	uint64_t durable;   /* bytes */
	struct stat opened; /* as it was opened */
};

/* A line that was cut in the middle gets its end. */
static bool
end_line(const struct output *output, struct error *error)
{
	char last = '\n';

	if (output->opened.st_size > 0 &&
	    pread(output->descriptor, &last, 1, output->opened.st_size - 1) != 1)
		return error_set_errno(error, "cannot read %s", output->path);
	if (last != '\n' && write(output->descriptor, "\n", 1) != 1)
		return error_set_errno(error, "cannot write %s", output->path);
	return true;
}

/* A new one may be read by its group: an agent that ships it is seldom the bridge's user. */
static int
open_or_create(const char *path)
{
	enum { FLAGS = O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, MODE = 0640 };
	int descriptor = open(path, FLAGS | O_CREAT | O_EXCL, MODE);

	if (descriptor < 0)
		return errno == EEXIST ? open(path, FLAGS) : -1;
	if (fchmod(descriptor, MODE) == 0)
		return descriptor;
	close(descriptor);
	return -1;
}

static bool
open_path(struct output *output, struct error *error)
{
	output->descriptor = open_or_create(output->path);
	if (output->descriptor < 0)
		return error_set_errno(error, "cannot open %s", output->path);
	if (fstat(output->descriptor, &output->opened) != 0) {
		error_set_errno(error, "cannot look at %s", output->path);
		goto fail;
	}
	output->regular = S_ISREG(output->opened.st_mode);
	if (!output->regular || end_line(output, error))
		return true;
fail:
	close(output->descriptor);
	return false;
}

static bool
file_open(void **connection, const struct config_destination *destination, const char *address,
	  const struct connect_patience *patience, struct error *error)
{
	struct output *output = memory_allocate(sizeof(*output));

	(void)address;
	(void)patience;
	if (strcmp(destination->file->path, "-") == 0) {
		output->descriptor = STDOUT_FILENO;
	} else {
		output->path = destination->file->path;
		if (!open_path(output, error)) {
			free(output);
			return false;
		}
	}
	*connection = output;
	return true;
}

static const char *
file_peer(const void *connection)
{
	const struct output *output = connection;

	return output->path != NULL ? output->path : "standard output";
}

static bool
make_durable(const struct output *output, struct error *error)
{
	if (output->regular && fdatasync(output->descriptor) != 0)
		return error_set_errno(error, "cannot write %s", file_peer(output));
	return true;
}

static bool
was_rotated(const struct output *output)
{
	struct stat now;

	if (output->path == NULL)
		return false;
	return lstat(output->path, &now) != 0 || now.st_ino != output->opened.st_ino ||
	       now.st_dev != output->opened.st_dev;
}

/* The old file is made durable first: its part of the count is then confirmed. */
static bool
reopen(struct output *output, struct error *error)
{
	struct output fresh = *output;

	if (!make_durable(output, error) || !open_path(&fresh, error))
		return false;
	close(output->descriptor);
	*output = fresh;
	return true;
}

/*
 * Standard output is shared with others, so it is not made non-blocking: as much
 * as a pipe takes when poll(2) says that it takes anything (pipe(7)).
 */
static size_t
room(const struct output *output, size_t wanted)
{
	struct pollfd wait = {.fd = output->descriptor, .events = POLLOUT};

	if (output->regular)
		return wanted;
	if (poll(&wait, 1, 0) <= 0)
		return 0;
	return wanted < PIPE_BUF ? wanted : PIPE_BUF;
}

static enum send_result
file_send(void *connection, struct batch *batch, struct error *error)
{
	struct output *output = connection;
	size_t length;
	ssize_t written;

	if (batch->sent == 0 && was_rotated(output) && !reopen(output, error))
		return SEND_LATER;
	length = room(output, batch->output.length - batch->sent);
	if (length == 0)
		return SEND_IDLE;
	written = write(output->descriptor, batch->output.bytes + batch->sent, length);
	if (written >= 0) {
		batch_advance(batch, (size_t)written);
		return SEND_PROGRESS;
	}
	if (errno == EAGAIN || errno == EINTR)
		return SEND_IDLE;
	error_set_errno(error, "cannot write %s", file_peer(output));
	return SEND_LATER;
}

static enum send_result
file_confirm(void *connection, uint64_t written, uint64_t *confirmed, struct error *error)
{
	struct output *output = connection;

	if (written > output->durable) {
		if (!make_durable(output, error))
			return SEND_LATER;
		output->durable = written;
	}
	*confirmed = output->durable;
	return SEND_IDLE;
}

static void
file_watch(const void *connection, bool blocked, uint64_t written, struct send_watch *watch)
{
	const struct output *output = connection;

	(void)written;
	watch->descriptor = blocked ? output->descriptor : -1;
	watch->events = POLLOUT;
	watch->at = INT64_MAX;
}

static void
file_close(void *connection)
{
	struct output *output = connection;

	if (output->path != NULL)
		close(output->descriptor);
	free(output);
}

const struct send_kind send_file = {
    .name = "file",
    .open = file_open,
    .peer = file_peer,
    .send = file_send,
    .confirm = file_confirm,
    .watch = file_watch,
    .close = file_close,
};
