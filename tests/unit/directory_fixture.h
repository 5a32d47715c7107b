/*
 * A directory for each test, /tmp/PROGRAM.PID, which its tear-down removes.  What a
 * process that was killed has left is told by its number; the next one takes it away.
 */
#ifndef DIRECTORY_FIXTURE_H
#define DIRECTORY_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/text.h"

enum { DIRECTORY_PATH = 256 };

static char directory[48];

/* Of a name in it; good until the call after the next. */
static inline const char *
path_of(const char *name)
{
	static char paths[2][DIRECTORY_PATH];
	static unsigned turn;
	char *path = paths[turn++ % 2];

	assert_in_range(snprintf(path, DIRECTORY_PATH, "%s/%s", directory, name), 1,
			DIRECTORY_PATH - 1);
	return path;
}

static inline int
directory_remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

/* With all that is in it. */
static inline int
directory_remove_all(const char *path)
{
	return nftw(path, directory_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* With these files, the last of which is NULL; any other in it is a failure. */
static inline int
directory_remove(const char *const *names)
{
	for (; *names != NULL; names++)
		(void)unlink(path_of(*names));
	return rmdir(directory);
}

/* One of this program, whose process has ended or is this one. */
static inline bool
directory_is_left(const char *name)
{
	size_t length = strlen(program_invocation_short_name);
	uint64_t number;

	if (strncmp(name, program_invocation_short_name, length) != 0 || name[length] != '.' ||
	    !text_parse_unsigned(text_of(name + length + 1), INT_MAX, &number))
		return false;
	return (pid_t)number == getpid() || (kill((pid_t)number, 0) != 0 && errno == ESRCH);
}

static inline void
directory_remove_left(void)
{
	DIR *entries = opendir("/tmp");
	const struct dirent *entry;
	char path[DIRECTORY_PATH * 2];

	assert_non_null(entries);
	while ((entry = readdir(entries)) != NULL) {
		(void)snprintf(path, sizeof(path), "/tmp/%s", entry->d_name);
		/* another run may be about it as well, or it is another user's */
		if (directory_is_left(entry->d_name))
			(void)directory_remove_all(path);
	}
	(void)closedir(entries);
}

static inline int
directory_make(void)
{
	directory_remove_left();
	assert_in_range(snprintf(directory, sizeof(directory), "/tmp/%s.%d",
				 program_invocation_short_name, (int)getpid()),
			1, sizeof(directory) - 1);
	return mkdir(directory, 0700);
}

static inline int
directory_set_up(void **state)
{
	(void)state;
	return directory_make();
}

#endif
