/*
 * A file and no shared mapping: whoever cuts a mapped file makes all who map it fault,
 * and the counters of the children stay in their sealed memfd.
 */
#include "bridge/counters_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "formats/text.h"

static const char magic[8] = "sbcount1";

static bool
path_of(char path[PATH_MAX], const char *directory, struct error *error)
{
	struct text text;

	text_start(&text, path, PATH_MAX);
	text_append_format(&text, "%s/counters", directory);
	text_append_byte(&text, '\0');
	return !text.overflowed || error_set(error, "the path of %s is too long", directory);
}

bool
counters_file_open(int *descriptor, const char *directory, struct error *error)
{
	char path[PATH_MAX];

	if (!path_of(path, directory, error))
		return false;
	*descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return *descriptor >= 0 || error_set_errno(error, "cannot write %s", path);
}

void
counters_file_write(int descriptor, const struct counters *counters)
{
	struct counters_file file = {
	    .size = sizeof(file),
	    .written_at = deadline_wall(),
	    .written_beat = deadline_now(),
	};

	memcpy(file.magic, magic, sizeof(magic));
	/* a moment that never was is good enough: counters.h */
	memcpy(&file.counters, (const void *)counters, sizeof(file.counters));
	(void)!pwrite(descriptor, &file, sizeof(file), 0);
}

bool
counters_file_read(const char *directory, struct counters_file *file, bool *found,
		   struct error *error)
{
	char path[PATH_MAX];
	ssize_t got;
	int descriptor;

	*found = false;
	if (!path_of(path, directory, error))
		return false;
	descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (descriptor < 0)
		return errno == ENOENT || error_set_errno(error, "cannot read %s", path);
	got = pread(descriptor, file, sizeof(*file), 0);
	(void)close(descriptor);
	if (got < 0)
		return error_set_errno(error, "cannot read %s", path);
	*found = got == (ssize_t)sizeof(*file) && file->size == sizeof(*file) &&
		 memcmp(file->magic, magic, sizeof(magic)) == 0;
	return true;
}
