#include "tests/crash/disk.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/memory.h"
#include "tests/crash/platter.h"

/* What SQLite holds. */
struct handle {
	sqlite3_file base;
	struct platter_file *file; /* NULL: not watched */
	bool names_directory;      /* its first sync is one of the directory as well */
	sqlite3_file *real;
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	void (*call)(void *context, bool is_sync);
	void *context;
	enum disk_fault fault;
	uint64_t nth; /* calls until the failure; 0: none is planned */
	enum disk_span span;
	bool has_failed;
} disk;

/* ---- failures and those who look ---- */

static bool
is_of_spool(const struct platter_file *file)
{
	static const char name[] = "spool.db";

	return strncmp(platter_name(file), name, strlen(name)) == 0 &&
	       strstr(platter_name(file), "owed") == NULL;
}

static bool
fails(const struct platter_file *file, enum disk_fault first, enum disk_fault last)
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
is_aside(const struct platter_file *file)
{
	return strstr(platter_name(file), ".damaged-") != NULL;
}

static bool
write_fails(const struct platter_file *file)
{
	return fails(file, DISK_WRITE_EIO, DISK_WRITE_SHORT);
}

static void
tell(const struct platter_file *file, bool is_sync)
{
	if (file != NULL && disk.call != NULL)
		disk.call(disk.context, is_sync);
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

static struct platter_file *
file_of_descriptor(int descriptor)
{
	char link[64], path[PATH_MAX];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return NULL;
	path[length] = '\0';
	return platter_open(path);
}

ssize_t
__wrap_pwrite(int descriptor, const void *bytes, size_t length, off_t offset)
{
	struct platter_file *file = file_of_descriptor(descriptor);

	tell(file, false);
	if (file != NULL && write_fails(file)) {
		errno = disk.fault == DISK_WRITE_EIO ? EIO : ENOSPC;
		if (disk.fault != DISK_WRITE_SHORT)
			return -1;
		length /= 2;
	}
	if (file != NULL)
		platter_write(file, (size_t)offset, bytes, length);
	return __real_pwrite(descriptor, bytes, length, offset);
}

int
__wrap_fdatasync(int descriptor)
{
	struct platter_file *file = file_of_descriptor(descriptor);

	tell(file, true);
	if (file == NULL)
		return __real_fdatasync(descriptor);
	if (fails(file, DISK_SYNC_EIO, DISK_SYNC_EIO)) {
		platter_doom(file);
		errno = EIO;
		return -1;
	}
	platter_sync(file);
	return 0;
}

/* Ours is one of a directory: fdatasync() is what files get. */
int
__wrap_fsync(int descriptor)
{
	if (platter_is_directory(descriptor))
		platter_sync_names();
	return __real_fsync(descriptor);
}

int
__wrap_rename(const char *from, const char *to)
{
	struct platter_file *file = platter_find(from);
	int result;

	tell(file, false);
	result = __real_rename(from, to);
	if (result != 0 || file == NULL)
		return result;
	platter_move(file, to);
	tell(file, false);
	return result;
}

int
__wrap_unlink(const char *path)
{
	struct platter_file *file = platter_find(path);
	int result;

	tell(file, false);
	result = __real_unlink(path);
	if (result == 0 && file != NULL)
		platter_remove(file);
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
		platter_write(handle->file, (size_t)offset, bytes, (size_t)length);
	written = handle->real->pMethods->xWrite(handle->real, bytes, length, offset);
	return result != SQLITE_OK ? result : written;
}

static int
on_truncate(sqlite3_file *file, sqlite3_int64 length)
{
	struct handle *handle = handle_of(file);

	tell(handle->file, false);
	if (handle->file != NULL)
		platter_truncate(handle->file, (size_t)length);
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
		platter_doom(handle->file);
		return SQLITE_IOERR_FSYNC;
	}
	platter_sync(handle->file);
	if (handle->names_directory)
		platter_sync_names();
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
	handle->file = platter_open(name);
	handle->names_directory = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
	handle->base.pMethods = &methods;
	return SQLITE_OK;
}

static int
on_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
	struct platter_file *file = platter_open(name);
	int result = disk.real->xDelete(disk.real, name, sync_directory);

	(void)vfs;
	if (file != NULL) {
		platter_remove(file);
		if (sync_directory)
			platter_sync_names();
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
