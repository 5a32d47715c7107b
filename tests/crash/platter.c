#include "tests/crash/platter.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "formats/memory.h"

enum { FILES = 128, NAME = 64, SECTOR = 512, PAGE = 4096 };

enum change_kind { CHANGE_WRITE, CHANGE_TRUNCATE };

/* Since the last sync of its file. */
struct change {
	enum change_kind kind;
	bool is_doomed; /* a sync of it has failed */
	size_t offset;  /* or the new length */
	size_t length;
	unsigned char *bytes;
};

struct content {
	unsigned char *bytes;
	size_t length;
};

struct platter_file {
	char name[NAME];       /* for those who look; empty: it was removed */
	char durable[NAME];    /* the name it has after a power cut; empty: none */
	uint64_t named;        /* by which operation it got its name or lost it */
	bool is_moved;         /* that was a rename */
	struct content synced; /* what is durable of it */
	struct change *changes;
	size_t count;
};

static struct {
	char directory[PATH_MAX];
	struct platter_file files[FILES];
	uint64_t operations; /* on names */
	uint64_t durable;    /* up to which they are */
} platter;

uint64_t
platter_random(uint64_t *random, uint64_t limit)
{
	uint64_t mixed;

	*random += 0x9e3779b97f4a7c15U; /* splitmix64 */
	mixed = (*random ^ (*random >> 30)) * 0xbf58476d1ce4e5b9U;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
	return (mixed ^ (mixed >> 31)) % limit;
}

/* ---- content ---- */

static void
content_write(struct content *content, size_t offset, const unsigned char *bytes, size_t length)
{
	if (offset + length > content->length) {
		content->bytes = memory_resize_array(content->bytes, offset + length, 1);
		memset(content->bytes + content->length, 0, offset + length - content->length);
		content->length = offset + length;
	}
	if (bytes != NULL)
		memcpy(content->bytes + offset, bytes, length);
}

static void
apply(struct content *content, const struct change *change)
{
	if (change->kind == CHANGE_WRITE)
		content_write(content, change->offset, change->bytes, change->length);
	else if (change->offset < content->length)
		content->length = change->offset;
	else
		content_write(content, change->offset, NULL, 0);
}

/* ---- files ---- */

static void
forget_changes(struct platter_file *file)
{
	for (size_t i = 0; i < file->count; i++)
		free(file->changes[i].bytes);
	free(file->changes);
	file->changes = NULL;
	file->count = 0;
}

static void
forget_file(struct platter_file *file)
{
	forget_changes(file);
	free(file->synced.bytes);
	memset(file, 0, sizeof(*file));
}

static struct platter_file *
find_file(const char *name)
{
	for (size_t i = 0; i < FILES; i++)
		if (strcmp(platter.files[i].name, name) == 0 &&
		    (name[0] != '\0' || platter.files[i].durable[0] == '\0'))
			return &platter.files[i];
	return NULL;
}

/* It has this name from now on, as far as no power is cut; empty: it is removed. */
static void
name_file(struct platter_file *file, const char *name, bool is_moved)
{
	if (strlen(name) >= NAME)
		memory_panic("no place for %s", name);
	(void)snprintf(file->name, NAME, "%s", name);
	file->named = platter.operations;
	file->is_moved = is_moved;
}

/* The name behind the watched directory; NULL: it is not in there. */
static const char *
name_of(const char *path)
{
	size_t length = strlen(platter.directory);

	if (path == NULL || length == 0 || strncmp(path, platter.directory, length) != 0 ||
	    path[length] != '/' || strchr(path + length + 1, '/') != NULL)
		return NULL;
	return path + length + 1;
}

struct platter_file *
platter_open(const char *path)
{
	const char *name = name_of(path);
	struct platter_file *file;

	if (name == NULL)
		return NULL;
	file = find_file(name);
	if (file == NULL) {
		file = find_file("");
		if (file == NULL)
			memory_panic("no place for %s", path);
		platter.operations++;
		name_file(file, name, false);
	}
	return file;
}

struct platter_file *
platter_find(const char *path)
{
	const char *name = name_of(path);

	return name != NULL ? find_file(name) : NULL;
}

const char *
platter_name(const struct platter_file *file)
{
	return file->name;
}

/* ---- changes ---- */

static void
add_change(struct platter_file *file, enum change_kind kind, size_t offset, const void *bytes,
	   size_t length)
{
	struct change *change;

	file->changes = memory_resize_array(file->changes, file->count + 1, sizeof(*change));
	change = &file->changes[file->count++];
	*change = (struct change){kind, false, offset, length, NULL};
	if (length > 0) {
		change->bytes = memory_allocate(length);
		memcpy(change->bytes, bytes, length);
	}
}

/* A page at a time: the kernel writes each back when it likes. */
void
platter_write(struct platter_file *file, size_t offset, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	while (length > 0) {
		size_t piece = PAGE - offset % PAGE;

		piece = piece < length ? piece : length;
		add_change(file, CHANGE_WRITE, offset, at, piece);
		offset += piece;
		at += piece;
		length -= piece;
	}
}

void
platter_truncate(struct platter_file *file, size_t length)
{
	add_change(file, CHANGE_TRUNCATE, length, NULL, 0);
}

/* A later write to one of its pages makes the whole page dirty again, and good. */
static bool
is_rescued(const struct platter_file *file, size_t index)
{
	const struct change *change = &file->changes[index];
	size_t end = change->offset + change->length;

	for (size_t i = index + 1; i < file->count; i++) {
		const struct change *later = &file->changes[i];

		if (later->is_doomed)
			continue;
		if (later->kind == CHANGE_TRUNCATE && later->offset < end)
			return true;
		if (later->kind == CHANGE_WRITE && later->offset / PAGE <= (end - 1) / PAGE &&
		    change->offset / PAGE <= (later->offset + later->length - 1) / PAGE)
			return true;
	}
	return false;
}

/* The doomed stay behind, as they lie. */
void
platter_sync(struct platter_file *file)
{
	size_t kept = 0;

	for (size_t i = 0; i < file->count; i++) {
		if (file->changes[i].is_doomed && !is_rescued(file, i)) {
			file->changes[kept++] = file->changes[i];
			continue;
		}
		apply(&file->synced, &file->changes[i]);
		free(file->changes[i].bytes);
	}
	file->count = kept;
}

/* A new length is not a page: the next sync, or the journal of the file system, brings it. */
void
platter_doom(struct platter_file *file)
{
	for (size_t i = 0; i < file->count; i++)
		file->changes[i].is_doomed = file->changes[i].kind == CHANGE_WRITE;
}

/* ---- names ---- */

void
platter_sync_names(void)
{
	for (size_t i = 0; i < FILES; i++) {
		if (platter.files[i].name[0] == '\0')
			forget_file(&platter.files[i]);
		memcpy(platter.files[i].durable, platter.files[i].name, NAME);
	}
	platter.durable = platter.operations;
}

/* Until its directory is synced, a power cut may bring it back as it was durable. */
static void
remove_file(struct platter_file *file, bool is_moved)
{
	forget_changes(file);
	name_file(file, "", is_moved);
	if (file->durable[0] == '\0')
		forget_file(file);
}

void
platter_remove(struct platter_file *file)
{
	platter.operations++;
	remove_file(file, false);
}

void
platter_move(struct platter_file *file, const char *to)
{
	const char *name = name_of(to);
	struct platter_file *replaced = name != NULL ? find_file(name) : NULL;

	if (name == NULL)
		memory_panic("%s is not watched", to);
	platter.operations++;
	if (replaced != NULL)
		remove_file(replaced, true);
	name_file(file, name, true);
}

/* ---- the directory ---- */

bool
platter_is_directory(int descriptor)
{
	struct stat asked, watched;

	return fstat(descriptor, &asked) == 0 && stat(platter.directory, &watched) == 0 &&
	       asked.st_ino == watched.st_ino && asked.st_dev == watched.st_dev;
}

static bool
is_content(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && (length < 4 || strcmp(name + length - 4, "-shm") != 0);
}

static void
take_file(const char *name)
{
	char path[PATH_MAX + NAME];
	unsigned char bytes[65536];
	struct platter_file *file;
	FILE *stream;
	size_t length;

	(void)snprintf(path, sizeof(path), "%s/%s", platter.directory, name);
	file = platter_open(path);
	memcpy(file->durable, file->name, NAME);
	stream = fopen(path, "rb");
	if (stream == NULL)
		memory_panic("%s: %m", path);
	while ((length = fread(bytes, 1, sizeof(bytes), stream)) > 0)
		content_write(&file->synced, file->synced.length, bytes, length);
	(void)fclose(stream);
}

void
platter_watch(const char *directory)
{
	const struct dirent *entry;
	DIR *stream;

	for (size_t i = 0; i < FILES; i++)
		forget_file(&platter.files[i]);
	platter.directory[0] = '\0';
	if (directory == NULL)
		return;
	(void)snprintf(platter.directory, sizeof(platter.directory), "%s", directory);
	stream = opendir(directory);
	if (stream == NULL)
		memory_panic("%s: %m", directory);
	while ((entry = readdir(stream)) != NULL)
		if (is_content(entry->d_name))
			take_file(entry->d_name);
	(void)closedir(stream);
}

/* ---- a power cut ---- */

/* How a cut treats what was not synced. */
enum mix { MIX_NOTHING, MIX_ALL, MIX_ANY, MIX_ALL_BUT_ONE, MIX_ONLY_ONE, MIX_TORN, MIXES };

/* Of a write, any of its sectors; beyond the end of the file perhaps only the length. */
static void
apply_torn(struct content *content, const struct change *change, uint64_t *random)
{
	size_t end = change->offset + change->length;

	if (change->kind == CHANGE_TRUNCATE) {
		apply(content, change);
		return;
	}
	if (end > content->length && platter_random(random, 2) == 0)
		content_write(content, end, NULL, 0);
	for (size_t at = change->offset; at < end;) {
		size_t next = (at / SECTOR + 1) * SECTOR;

		if (next > end)
			next = end;
		if (platter_random(random, 2) == 0)
			content_write(content, at, change->bytes + (at - change->offset),
				      next - at);
		at = next;
	}
}

static bool
is_kept(enum mix mix, size_t index, size_t chosen, uint64_t *random)
{
	switch (mix) {
	case MIX_ALL:
		return true;
	case MIX_ANY:
	case MIX_TORN:
		return platter_random(random, 2) == 0;
	case MIX_ALL_BUT_ONE:
		return index != chosen;
	case MIX_ONLY_ONE:
		return index == chosen;
	case MIX_NOTHING:
	case MIXES:
		break;
	}
	return false;
}

static void
cut_file(const struct platter_file *file, struct content *content, uint64_t *random)
{
	enum mix mix = (enum mix)platter_random(random, MIXES);
	size_t chosen = file->count > 0 ? platter_random(random, file->count) : 0;

	content_write(content, 0, file->synced.bytes, file->synced.length);
	for (size_t i = 0; i < file->count; i++) {
		if (!is_kept(mix, i, chosen, random))
			continue;
		if (mix == MIX_TORN)
			apply_torn(content, &file->changes[i], random);
		else
			apply(content, &file->changes[i]);
	}
}

static void
put_file(const char *to, const char *name, const struct content *content)
{
	char path[PATH_MAX];
	FILE *stream;

	(void)snprintf(path, sizeof(path), "%s/%s", to, name);
	stream = fopen(path, "wb");
	if (stream == NULL ||
	    (content->length > 0 && fwrite(content->bytes, content->length, 1, stream) != 1) ||
	    fclose(stream) != 0)
		memory_panic("%s: %m", path);
}

/* The name that a file has after the cut; `last` is the last rename that it has not undone. */
static const char *
name_left(const struct platter_file *file, uint64_t last, uint64_t *random)
{
	bool is_new = file->is_moved ? file->named <= last : platter_random(random, 2) == 0;

	return strcmp(file->name, file->durable) == 0 || is_new ? file->name : file->durable;
}

void
platter_cut(const char *to, uint64_t *random)
{
	uint64_t last =
	    platter.durable + platter_random(random, platter.operations - platter.durable + 1);

	for (size_t i = 0; i < FILES; i++) {
		const struct platter_file *file = &platter.files[i];
		const char *name = name_left(file, last, random);
		struct content content = {NULL, 0};

		if (name[0] == '\0')
			continue;
		cut_file(file, &content, random);
		put_file(to, name, &content);
		free(content.bytes);
	}
}

/* ---- a kill ---- */

struct platter_memory {
	struct platter_file files[FILES];
};

struct platter_memory *
platter_freeze(const char *to)
{
	struct platter_memory *memory = memory_allocate(sizeof(*memory));

	for (size_t i = 0; i < FILES; i++) {
		const struct platter_file *file = &platter.files[i];
		struct platter_file *copy = &memory->files[i];
		struct content content = {NULL, 0};

		memcpy(copy->name, file->name, NAME);
		memcpy(copy->durable, file->durable, NAME);
		copy->named = file->named;
		copy->is_moved = file->is_moved;
		content_write(&copy->synced, 0, file->synced.bytes, file->synced.length);
		content_write(&content, 0, file->synced.bytes, file->synced.length);
		for (size_t k = 0; k < file->count; k++) {
			const struct change *change = &file->changes[k];

			add_change(copy, change->kind, change->offset, change->bytes,
				   change->length);
			apply(&content, change);
		}
		if (file->name[0] != '\0')
			put_file(to, file->name, &content);
		free(content.bytes);
	}
	return memory;
}

void
platter_thaw(struct platter_memory *memory, const char *directory)
{
	platter_watch(NULL);
	memcpy(platter.files, memory->files, sizeof(platter.files));
	(void)snprintf(platter.directory, sizeof(platter.directory), "%s", directory);
	free(memory);
}
