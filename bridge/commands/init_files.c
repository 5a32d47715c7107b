#include "bridge/commands/init_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/memory.h"

struct init_files {
	uid_t owner; /* (uid_t)-1: whoever runs this */
	gid_t group;
	char **paths;
	size_t count;
};

struct init_files *
init_files_new(const char *owner)
{
	struct init_files *files = memory_allocate(sizeof(*files));
	const struct passwd *user = geteuid() == 0 ? getpwnam(owner) : NULL;

	files->owner = user != NULL ? user->pw_uid : (uid_t)-1;
	files->group = user != NULL ? user->pw_gid : (gid_t)-1;
	return files;
}

void
init_files_free(struct init_files *files)
{
	if (files == NULL)
		return;
	for (size_t i = 0; i < files->count; i++)
		free(files->paths[i]);
	free(files->paths);
	free(files);
}

static void
note(struct init_files *files, const char *path)
{
	files->paths = memory_resize_array(files->paths, files->count + 1, sizeof(*files->paths));
	files->paths[files->count++] = memory_copy_text(path, strlen(path));
}

bool
init_files_is_free(const char *path, struct error *error)
{
	struct stat status;

	if (lstat(path, &status) != 0)
		return errno == ENOENT || errno == ENOTDIR ||
		       error_set_errno(error, "cannot examine %s", path);
	return error_set(error,
			 "%s is there already and is not overwritten; move it away, or give "
			 "another --directory",
			 path);
}

/* Of what is made here the mode is `mode`, whatever the umask is. */
static bool
hand_over(const struct init_files *files, int descriptor, mode_t mode)
{
	return fchmod(descriptor, mode) == 0 &&
	       (files->owner == (uid_t)-1 || fchown(descriptor, files->owner, files->group) == 0);
}

bool
init_files_directory(struct init_files *files, const char *path, mode_t mode, struct error *error)
{
	int descriptor;
	bool done;

	if (mkdir(path, S_IRWXU) != 0)
		return errno == EEXIST ||
		       error_set_errno(error, "cannot make the directory %s", path);
	note(files, path);
	descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (descriptor < 0)
		return error_set_errno(error, "cannot open the directory %s", path);
	done = hand_over(files, descriptor, mode) ||
	       error_set_errno(error, "cannot set owner and mode of %s", path);
	(void)close(descriptor);
	return done;
}

static bool
write_all(int descriptor, struct slice content)
{
	while (content.length > 0) {
		ssize_t written = write(descriptor, content.bytes, content.length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		content.bytes += written;
		content.length -= (size_t)written;
	}
	return true;
}

bool
init_files_write(struct init_files *files, const char *path, mode_t mode, struct slice content,
		 struct error *error)
{
	int descriptor =
	    open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	bool done;

	if (descriptor < 0)
		return error_set_errno(error, "cannot make the file %s", path);
	note(files, path);
	done = (write_all(descriptor, content) && hand_over(files, descriptor, mode) &&
		fsync(descriptor) == 0) ||
	       error_set_errno(error, "cannot write %s", path);
	if (close(descriptor) != 0 && done)
		return error_set_errno(error, "cannot write %s", path);
	return done;
}

bool
init_files_act_as_owner(const struct init_files *files, struct error *error)
{
	if (files->owner == (uid_t)-1 || (setegid(files->group) == 0 && seteuid(files->owner) == 0))
		return true;
	return error_set_errno(error, "cannot act as uid %u", files->owner);
}

bool
init_files_act_as_root(const struct init_files *files, struct error *error)
{
	if (files->owner == (uid_t)-1 || (seteuid(0) == 0 && setegid(getgid()) == 0))
		return true;
	return error_set_errno(error, "cannot act as root again");
}

void
init_files_undo(struct init_files *files)
{
	while (files->count > 0) {
		char *path = files->paths[--files->count];

		if (unlink(path) != 0)
			(void)rmdir(path);
		free(path);
	}
}
