#include "bridge/spool/spool_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "bridge/log.h"
#include "bridge/spool/spool_internal.h"

static bool
join(char *path, const char *left, const char *right, struct error *error)
{
	struct text text;

	text_start(&text, path, PATH_MAX);
	text_append_string(&text, left);
	text_append_string(&text, right);
	text_append_byte(&text, '\0');
	return !text.overflowed || error_set(error, "spool: the path of %s is too long", left);
}

bool
spool_aside_sync(const char *directory, struct error *error)
{
	int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = descriptor >= 0 && fsync(descriptor) == 0;

	if (!done)
		error_set_errno(error, "spool: fsync of %s", directory);
	if (descriptor >= 0)
		close(descriptor);
	return done;
}

/* A name beside `path` that nothing has, and no WAL either. */
static bool
find_name(const char *path, char *aside, struct error *error)
{
	char wal[PATH_MAX];
	struct stat status;
	struct text text;

	for (int64_t at = deadline_wall();; at++) {
		text_start(&text, aside, PATH_MAX);
		text_append_string(&text, path);
		text_append_string(&text, ".damaged-");
		text_append_number(&text, at);
		text_append_byte(&text, '\0');
		if (text.overflowed)
			return error_set(error, "spool: the path of %s is too long", path);
		if (!join(wal, aside, "-wal", error))
			return false;
		if (lstat(aside, &status) != 0 && lstat(wal, &status) != 0)
			return true;
	}
}

static bool
move(const char *from, const char *to, struct error *error)
{
	if (rename(from, to) == 0 || errno == ENOENT)
		return true;
	return error_set_errno(error, "spool: %s cannot be put aside", from);
}

bool
spool_aside_clear(const char *directory, const char *name, struct error *error)
{
	char path[PATH_MAX], aside[PATH_MAX];
	struct stat status;

	if (!spool_internal_path(path, directory, name, error))
		return false;
	if (lstat(path, &status) != 0)
		return errno == ENOENT || error_set_errno(error, "spool: %s", path);
	if (S_ISREG(status.st_mode)) {
		if ((status.st_mode & (S_IRUSR | S_IWUSR)) == (S_IRUSR | S_IWUSR) ||
		    status.st_uid != geteuid())
			return true;
		log_warning("spool", "%s had mode %o; it is 600 now", path,
			    (unsigned)(status.st_mode & 07777));
		return chmod(path, S_IRUSR | S_IWUSR) == 0 ||
		       error_set_errno(error, "spool: the mode of %s", path);
	}
	if (!find_name(path, aside, error) || !move(path, aside, error))
		return false;
	log_error("spool", "%s is no regular file; it is put aside as %s", path, aside);
	return spool_aside_sync(directory, error);
}

bool
spool_aside_clear_database(const char *directory, const char *name, struct error *error)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char file[NAME_MAX];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		struct text text;

		text_start(&text, file, sizeof(file));
		text_append_string(&text, name);
		text_append_string(&text, suffixes[i]);
		text_append_byte(&text, '\0');
		if (!spool_aside_clear(directory, file, error))
			return false;
	}
	return true;
}

bool
spool_aside_name(const char *directory, const char *name, char *aside, struct error *error)
{
	char path[PATH_MAX];

	return spool_internal_path(path, directory, name, error) && find_name(path, aside, error);
}

bool
spool_aside_move(const char *directory, const char *name, const char *aside, struct error *error)
{
	char path[PATH_MAX];

	return spool_internal_path(path, directory, name, error) && move(path, aside, error) &&
	       spool_aside_sync(directory, error);
}

bool
spool_aside_move_wal(const char *directory, const char *name, const char *aside,
		     struct error *error)
{
	char path[PATH_MAX], from[PATH_MAX], to[PATH_MAX];

	return spool_internal_path(path, directory, name, error) &&
	       join(from, path, "-wal", error) && join(to, aside, "-wal", error) &&
	       move(from, to, error) && join(from, path, "-shm", error) &&
	       (unlink(from) == 0 || errno == ENOENT ||
		error_set_errno(error, "spool: %s", from)) &&
	       spool_aside_sync(directory, error);
}

bool
spool_aside_put(const char *directory, const char *name, char *aside, struct error *error)
{
	/* the WAL first: alone it would be taken for that of the file that comes next */
	return spool_aside_name(directory, name, aside, error) &&
	       spool_aside_move_wal(directory, name, aside, error) &&
	       spool_aside_move(directory, name, aside, error);
}
