#include "bridge/watch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bridge/config.h"
#include "formats/memory.h"

/* What tells one content of a file from the next; all zeros: it is not there. */
struct look {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct watched {
	char *path;
	struct look told, last;
};

struct watch {
	struct watched *files;
	size_t count;
};

static struct look
look_at(const char *path)
{
	struct look look = {0};
	struct stat status;

	/* through links, since the name of an authority's client is one */
	if (stat(path, &status) == 0)
		look = (struct look){status.st_dev, status.st_ino, status.st_size, status.st_mtim};
	return look;
}

static bool
are_same(const struct look *one, const struct look *other)
{
	return one->device == other->device && one->inode == other->inode &&
	       one->size == other->size && one->changed.tv_sec == other->changed.tv_sec &&
	       one->changed.tv_nsec == other->changed.tv_nsec;
}

static void
add(struct watch *watch, const char *path)
{
	struct watched *file;

	if (path == NULL)
		return;
	file = &watch->files[watch->count++];
	file->path = memory_copy_text(path, strlen(path));
	file->told = file->last = look_at(path);
}

struct watch *
watch_new(const struct config *config)
{
	struct watch *watch = memory_allocate(sizeof(*watch));

	watch->files = memory_allocate_array(3 + config->sources_count, sizeof(*watch->files));
	add(watch, config->listen.certificate);
	add(watch, config->listen.private_key);
	add(watch, config->listen.ocsp_response);
	for (unsigned i = 0; i < config->sources_count; i++)
		add(watch, config->sources[i].client_ca_file);
	return watch;
}

void
watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	for (size_t i = 0; i < watch->count; i++)
		free(watch->files[i].path);
	free(watch->files);
	free(watch);
}

const char *
watch_look(struct watch *watch)
{
	const char *changed = NULL;
	bool rests = true;

	for (size_t i = 0; i < watch->count; i++) {
		struct watched *file = &watch->files[i];
		struct look now = look_at(file->path);

		if (!are_same(&now, &file->last))
			rests = false;
		if (!are_same(&now, &file->told))
			changed = file->path;
		file->last = now;
	}
	if (!rests || changed == NULL)
		return NULL;
	for (size_t i = 0; i < watch->count; i++)
		watch->files[i].told = watch->files[i].last;
	return changed;
}
