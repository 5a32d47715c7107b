#include "tests/crash/disk.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

struct file {
	char name[NAME];       /* for those who look; empty: it was removed */
	char durable[NAME];    /* the name it has after a power cut; empty: none */
	uint64_t named;        /* by which operation it got its name or lost it */
	bool is_moved;         /* that was a rename */
	struct content synced; /* what is durable of it */
	struct change *changes;
	size_t count;
};

/* What SQLite holds. */
struct handle {
	sqlite3_file base;
	struct file *file;    /* NULL: not watched */
	bool names_directory; /* its first sync is one of the directory as well */
	sqlite3_file *real;
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	char directory[PATH_MAX];
	struct file files[FILES];
	uint64_t operations; /* on names */
	uint64_t durable;    /* up to which they are */
	void (*call)(void *context, bool is_sync);
	void *context;
	enum disk_fault fault;
	uint64_t nth; /* calls until the failure; 0: none is planned */
	enum disk_span span;
	bool has_failed;
} disk;

uint64_t
disk_random(uint64_t *random, uint64_t limit)
{
	uint64_t mixed;

	*random += 0x9e3779b97f4a7c15U; /* splitmix64 */
	mixed = (*random ^ (*random >> 30)) * 0xbf58476d1ce4e5b9U;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
	return (mixed ^ (mixed >> 31)) % limit;
}

/* ---- what is known of a file ---- */

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

static void
forget_changes(struct file *file)
{
	for (size_t i = 0; i < file->count; i++)
		free(file->changes[i].bytes);
	free(file->changes);
	file->changes = NULL;
	file->count = 0;
}

static void
forget_file(struct file *file)
{
	forget_changes(file);
	free(file->synced.bytes);
	memset(file, 0, sizeof(*file));
}

static struct file *
find_file(const char *name)
{
	for (size_t i = 0; i < FILES; i++)
		if (strcmp(disk.files[i].name, name) == 0 &&
		    (name[0] != '\0' || disk.files[i].durable[0] == '\0'))
			return &disk.files[i];
	return NULL;
}

/* It has this name from now on, as far as no power is cut; empty: it is removed. */
static void
name_file(struct file *file, const char *name, bool is_moved)
{
	if (strlen(name) >= NAME)
		memory_panic("no place for %s", name);
	(void)snprintf(file->name, NAME, "%s", name);
	file->named = disk.operations;
	file->is_moved = is_moved;
}

/* The name behind the watched directory; NULL: it is not in there. */
static const char *
name_of(const char *path)
{
	size_t length = strlen(disk.directory);

	if (path == NULL || length == 0 || strncmp(path, disk.directory, length) != 0 ||
	    path[length] != '/' || strchr(path + length + 1, '/') != NULL)
		return NULL;
	return path + length + 1;
}

/* The file behind a path; one that is new gets its place.  NULL: not watched. */
static struct file *
file_of(const char *path)
{
	const char *name = name_of(path);
	struct file *file;

	if (name == NULL)
		return NULL;
	file = find_file(name);
	if (file == NULL) {
		file = find_file("");
		if (file == NULL)
			memory_panic("no place for %s", path);
		disk.operations++;
		name_file(file, name, false);
	}
	return file;
}

static void
add_change(struct file *file, enum change_kind kind, size_t offset, const void *bytes,
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

/* A later write to one of its pages makes the whole page dirty again, and good. */
static bool
is_rescued(const struct file *file, size_t index)
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

/* All that no failed sync has doomed is durable; the doomed stay behind, as they lie. */
static void
make_durable(struct file *file)
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
static void
doom(struct file *file)
{
	for (size_t i = 0; i < file->count; i++)
		file->changes[i].is_doomed = file->changes[i].kind == CHANGE_WRITE;
}

static void
make_names_durable(void)
{
	for (size_t i = 0; i < FILES; i++) {
		if (disk.files[i].name[0] == '\0')
			forget_file(&disk.files[i]);
		memcpy(disk.files[i].durable, disk.files[i].name, NAME);
	}
	disk.durable = disk.operations;
}

/* Until its directory is synced, a power cut may bring it back as it was durable. */
static void
remove_file(struct file *file, bool is_moved)
{
	forget_changes(file);
	name_file(file, "", is_moved);
	if (file->durable[0] == '\0')
		forget_file(file);
}

/* ---- failures and those who look ---- */

static bool
is_of_spool(const struct file *file)
{
	static const char name[] = "spool.db";

	return strncmp(file->name, name, strlen(name)) == 0 && strstr(file->name, "owed") == NULL;
}

static bool
fails(const struct file *file, enum disk_fault first, enum disk_fault last)
{
	if (disk.nth == 0 || disk.fault < first || disk.fault > last ||
	    (disk.span == DISK_FROM_THEN_ON_IN_SPOOL && !is_of_spool(file)))
		return false;
	if (disk.nth > 1) {
		disk.nth--;
		return false;
	}
	disk.has_failed = true;
	disk.nth = disk.span == DISK_ONCE ? 0 : 1;
	return true;
}

static bool
is_aside(const struct file *file)
{
	return strstr(file->name, ".damaged-") != NULL;
}

static bool
write_fails(const struct file *file)
{
	return fails(file, DISK_WRITE_EIO, DISK_WRITE_SHORT);
}

static void
tell(const struct file *file, bool is_sync)
{
	if (file != NULL && disk.call != NULL)
		disk.call(disk.context, is_sync);
}

/* ---- our own writes: the head file, and what is said of files put aside ---- */

/* NOLINTBEGIN(bugprone-reserved-identifier): the names are those of the linker's --wrap */
ssize_t __real_pwrite(int descriptor, const void *bytes, size_t length, off_t offset);
int __real_fdatasync(int descriptor);
int __real_fsync(int descriptor);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
ssize_t __wrap_pwrite(int descriptor, const void *bytes, size_t length, off_t offset);
int __wrap_fdatasync(int descriptor);
int __wrap_fsync(int descriptor);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
/* NOLINTEND(bugprone-reserved-identifier) */

static struct file *
file_of_descriptor(int descriptor)
{
	char link[64], path[PATH_MAX];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return NULL;
	path[length] = '\0';
	return file_of(path);
}

ssize_t
__wrap_pwrite(int descriptor, const void *bytes, size_t length, off_t offset)
{
	struct file *file = file_of_descriptor(descriptor);

	tell(file, false);
	if (file != NULL && write_fails(file)) {
		errno = disk.fault == DISK_WRITE_EIO ? EIO : ENOSPC;
		if (disk.fault != DISK_WRITE_SHORT)
			return -1;
		length /= 2;
	}
	if (file != NULL)
		add_change(file, CHANGE_WRITE, (size_t)offset, bytes, length);
	return __real_pwrite(descriptor, bytes, length, offset);
}

int
__wrap_fdatasync(int descriptor)
{
	struct file *file = file_of_descriptor(descriptor);

	tell(file, true);
	if (file == NULL)
		return __real_fdatasync(descriptor);
	if (fails(file, DISK_SYNC_EIO, DISK_SYNC_EIO)) {
		doom(file);
		errno = EIO;
		return -1;
	}
	make_durable(file);
	return 0;
}

/* Ours is one of a directory: fdatasync() is what files get. */
int
__wrap_fsync(int descriptor)
{
	struct stat asked, watched;

	if (fstat(descriptor, &asked) == 0 && stat(disk.directory, &watched) == 0 &&
	    asked.st_ino == watched.st_ino && asked.st_dev == watched.st_dev)
		make_names_durable();
	return __real_fsync(descriptor);
}

int
__wrap_rename(const char *from, const char *to)
{
	const char *name = name_of(from), *new_name = name_of(to);
	struct file *file, *replaced;
	int result;

	if (name == NULL || new_name == NULL)
		return __real_rename(from, to);
	file = find_file(name);
	tell(file, false);
	result = __real_rename(from, to);
	if (result != 0 || file == NULL)
		return result;
	disk.operations++;
	replaced = find_file(new_name);
	if (replaced != NULL)
		remove_file(replaced, true);
	name_file(file, new_name, true);
	tell(file, false);
	return result;
}

int
__wrap_unlink(const char *path)
{
	const char *name = name_of(path);
	struct file *file = name != NULL ? find_file(name) : NULL;
	int result;

	tell(file, false);
	result = __real_unlink(path);
	if (result == 0 && file != NULL) {
		disk.operations++;
		remove_file(file, false);
	}
	return result;
}

/* ---- the methods of a file ---- */

static struct handle *
handle_of(sqlite3_file *file)
{
	return (struct handle *)file;
}

static int
on_close(sqlite3_file *file)
{
	sqlite3_file *real = handle_of(file)->real;
	int result = real->pMethods->xClose(real);

	free(real);
	return result;
}

static int
on_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 offset)
{
	struct handle *handle = handle_of(file);

	if (handle->file != NULL &&
	    fails(handle->file, DISK_READ_EIO,
		  is_aside(handle->file) ? DISK_READ_ASIDE_EIO : DISK_READ_EIO))
		return SQLITE_IOERR_READ;
	return handle->real->pMethods->xRead(handle->real, bytes, length, offset);
}

static int
on_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset)
{
	struct handle *handle = handle_of(file);
	int result = SQLITE_OK, written;

	tell(handle->file, false);
	if (handle->file != NULL && write_fails(handle->file)) {
		if (disk.fault != DISK_WRITE_SHORT)
			return disk.fault == DISK_WRITE_EIO ? SQLITE_IOERR_WRITE : SQLITE_FULL;
		result = SQLITE_FULL;
		length /= 2;
	}
	if (handle->file != NULL && length > 0)
		add_change(handle->file, CHANGE_WRITE, (size_t)offset, bytes, (size_t)length);
	written = handle->real->pMethods->xWrite(handle->real, bytes, length, offset);
	return result != SQLITE_OK ? result : written;
}

static int
on_truncate(sqlite3_file *file, sqlite3_int64 length)
{
	struct handle *handle = handle_of(file);

	tell(handle->file, false);
	if (handle->file != NULL)
		add_change(handle->file, CHANGE_TRUNCATE, (size_t)length, NULL, 0);
	return handle->real->pMethods->xTruncate(handle->real, length);
}

static int
on_sync(sqlite3_file *file, int flags)
{
	struct handle *handle = handle_of(file);

	(void)flags;
	tell(handle->file, true);
	if (handle->file == NULL)
		return SQLITE_OK;
	if (fails(handle->file, DISK_SYNC_EIO, DISK_SYNC_EIO)) {
		doom(handle->file);
		return SQLITE_IOERR_FSYNC;
	}
	make_durable(handle->file);
	if (handle->names_directory)
		make_names_durable();
	handle->names_directory = false;
	return SQLITE_OK;
}

static int
on_size(sqlite3_file *file, sqlite3_int64 *length)
{
	sqlite3_file *real = handle_of(file)->real;

	return real->pMethods->xFileSize(real, length);
}

static int
on_lock(sqlite3_file *file, int lock)
{
	sqlite3_file *real = handle_of(file)->real;

	return real->pMethods->xLock(real, lock);
}

static int
on_unlock(sqlite3_file *file, int lock)
{
	sqlite3_file *real = handle_of(file)->real;

	return real->pMethods->xUnlock(real, lock);
}

static int
on_check_lock(sqlite3_file *file, int *locked)
{
	sqlite3_file *real = handle_of(file)->real;

	return real->pMethods->xCheckReservedLock(real, locked);
}

static int
on_control(sqlite3_file *file, int operation, void *argument)
{
	sqlite3_file *real = handle_of(file)->real;

	/* SQLite offers a size to grow to, which would be a write that nobody sees */
	if (operation == SQLITE_FCNTL_SIZE_HINT || operation == SQLITE_FCNTL_CHUNK_SIZE)
		return SQLITE_OK;
	return real->pMethods->xFileControl(real, operation, argument);
}

static int
on_sector(sqlite3_file *file)
{
	sqlite3_file *real = handle_of(file)->real;

	return real->pMethods->xSectorSize(real);
}

static int
on_characteristics(sqlite3_file *file)
{
	sqlite3_file *real = handle_of(file)->real;

	return real->pMethods->xDeviceCharacteristics(real);
}

static int
on_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
	sqlite3_file *real = handle_of(file)->real;

	return real->pMethods->xShmMap(real, page, size, extend, memory);
}

static int
on_shared_lock(sqlite3_file *file, int offset, int count, int flags)
{
	sqlite3_file *real = handle_of(file)->real;

	return real->pMethods->xShmLock(real, offset, count, flags);
}

static void
on_barrier(sqlite3_file *file)
{
	sqlite3_file *real = handle_of(file)->real;

	real->pMethods->xShmBarrier(real);
}

static int
on_unmap(sqlite3_file *file, int away)
{
	sqlite3_file *real = handle_of(file)->real;

	return real->pMethods->xShmUnmap(real, away);
}

static const sqlite3_io_methods methods = {
    2,
    on_close,
    on_read,
    on_write,
    on_truncate,
    on_sync,
    on_size,
    on_lock,
    on_unlock,
    on_check_lock,
    on_control,
    on_sector,
    on_characteristics,
    on_map,
    on_shared_lock,
    on_barrier,
    on_unmap,
    NULL,
    NULL,
};

/* ---- the file system ---- */

static int
on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	struct handle *handle = handle_of(file);
	int result;

	(void)vfs;
	memset(handle, 0, sizeof(*handle));
	handle->real = memory_allocate((size_t)disk.real->szOsFile);
	result = disk.real->xOpen(disk.real, name, handle->real, flags, out_flags);
	if (result != SQLITE_OK) {
		free(handle->real);
		return result;
	}
	handle->file = file_of(name);
	handle->names_directory = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
	handle->base.pMethods = &methods;
	return SQLITE_OK;
}

static int
on_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
	struct file *file = file_of(name);
	int result = disk.real->xDelete(disk.real, name, sync_directory);

	(void)vfs;
	if (file != NULL) {
		disk.operations++;
		remove_file(file, false);
		if (sync_directory)
			make_names_durable();
	}
	return result;
}

void
disk_start(void)
{
	disk.real = sqlite3_vfs_find(NULL);
	if (disk.real == NULL)
		memory_panic("SQLite has no VFS");
	disk.vfs = *disk.real;
	disk.vfs.pNext = NULL;
	disk.vfs.zName = "disk";
	disk.vfs.szOsFile = (int)sizeof(struct handle);
	disk.vfs.xOpen = on_open;
	disk.vfs.xDelete = on_delete;
	if (sqlite3_vfs_register(&disk.vfs, 1) != SQLITE_OK)
		memory_panic("SQLite takes no VFS");
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
	struct file *file;
	FILE *stream;
	size_t length;

	(void)snprintf(path, sizeof(path), "%s/%s", disk.directory, name);
	file = file_of(path);
	memcpy(file->durable, file->name, NAME);
	stream = fopen(path, "rb");
	if (stream == NULL)
		memory_panic("%s: %m", path);
	while ((length = fread(bytes, 1, sizeof(bytes), stream)) > 0)
		content_write(&file->synced, file->synced.length, bytes, length);
	(void)fclose(stream);
}

void
disk_watch(const char *directory)
{
	const struct dirent *entry;
	DIR *stream;

	for (size_t i = 0; i < FILES; i++)
		forget_file(&disk.files[i]);
	(void)disk_heal();
	disk.directory[0] = '\0';
	if (directory == NULL)
		return;
	(void)snprintf(disk.directory, sizeof(disk.directory), "%s", directory);
	stream = opendir(directory);
	if (stream == NULL)
		memory_panic("%s: %m", directory);
	while ((entry = readdir(stream)) != NULL)
		if (is_content(entry->d_name))
			take_file(entry->d_name);
	(void)closedir(stream);
}

void
disk_tell(void (*call)(void *context, bool is_sync), void *context)
{
	disk.call = call;
	disk.context = context;
}

void
disk_fail(enum disk_fault fault, uint64_t nth, enum disk_span span)
{
	disk.fault = fault;
	disk.nth = nth;
	disk.span = span;
	disk.has_failed = false;
}

bool
disk_heal(void)
{
	disk.nth = 0;
	return disk.has_failed;
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
	if (end > content->length && disk_random(random, 2) == 0)
		content_write(content, end, NULL, 0);
	for (size_t at = change->offset; at < end;) {
		size_t next = (at / SECTOR + 1) * SECTOR;

		if (next > end)
			next = end;
		if (disk_random(random, 2) == 0)
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
		return disk_random(random, 2) == 0;
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
cut_file(const struct file *file, struct content *content, uint64_t *random)
{
	enum mix mix = (enum mix)disk_random(random, MIXES);
	size_t chosen = file->count > 0 ? disk_random(random, file->count) : 0;

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
name_left(const struct file *file, uint64_t last, uint64_t *random)
{
	bool is_new = file->is_moved ? file->named <= last : disk_random(random, 2) == 0;

	return strcmp(file->name, file->durable) == 0 || is_new ? file->name : file->durable;
}

void
disk_cut(const char *to, uint64_t *random)
{
	uint64_t last = disk.durable + disk_random(random, disk.operations - disk.durable + 1);

	for (size_t i = 0; i < FILES; i++) {
		const struct file *file = &disk.files[i];
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

struct disk_memory {
	struct file files[FILES];
};

struct disk_memory *
disk_freeze(const char *to)
{
	struct disk_memory *memory = memory_allocate(sizeof(*memory));

	for (size_t i = 0; i < FILES; i++) {
		const struct file *file = &disk.files[i];
		struct file *copy = &memory->files[i];
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
disk_thaw(struct disk_memory *memory, const char *directory)
{
	disk_watch(NULL);
	memcpy(disk.files, memory->files, sizeof(disk.files));
	(void)snprintf(disk.directory, sizeof(disk.directory), "%s", directory);
	free(memory);
}
