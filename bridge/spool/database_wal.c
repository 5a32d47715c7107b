/*
 * The methods are those that SQLite's wal.c calls on a WAL: locks and shared memory belong
 * to the database's own file, which SQLite opens through us and gets unchanged.
 */
#include "bridge/spool/database_wal.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"

enum { DATABASE_WAL_GATHERED = 128 * 1024 /* bytes, 31 frames */ };

/* What SQLite takes for the file: behind it lies the one of its own VFS. */
struct wal_file {
	sqlite3_file base;
	sqlite3_file *real;
	char *bytes; /* gathered; NULL: nothing was ever written */
	int length;
	sqlite3_int64 offset; /* where the first of them belongs */
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;

static struct wal_file *
wal_of(sqlite3_file *file)
{
	return (struct wal_file *)file;
}

/* What cannot be written is forgotten: the transaction that it belongs to fails. */
static int
write_gathered(struct wal_file *wal)
{
	int length = wal->length;

	wal->length = 0;
	if (length == 0)
		return SQLITE_OK;
	return wal->real->pMethods->xWrite(wal->real, wal->bytes, length, wal->offset);
}

static int
on_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset)
{
	struct wal_file *wal = wal_of(file);

	if (offset != wal->offset + wal->length || length > DATABASE_WAL_GATHERED - wal->length) {
		int result = write_gathered(wal);

		if (result != SQLITE_OK)
			return result;
	}
	if (length > DATABASE_WAL_GATHERED)
		return wal->real->pMethods->xWrite(wal->real, bytes, length, offset);
	if (wal->bytes == NULL)
		wal->bytes = memory_allocate(DATABASE_WAL_GATHERED);
	if (wal->length == 0)
		wal->offset = offset;
	memcpy(wal->bytes + wal->length, bytes, (size_t)length);
	wal->length += length;
	return SQLITE_OK;
}

static int
on_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 offset)
{
	struct wal_file *wal = wal_of(file);
	int result = write_gathered(wal);

	if (result != SQLITE_OK)
		return result;
	return wal->real->pMethods->xRead(wal->real, bytes, length, offset);
}

static int
on_sync(sqlite3_file *file, int flags)
{
	struct wal_file *wal = wal_of(file);
	int result = write_gathered(wal);

	if (result != SQLITE_OK)
		return result;
	return wal->real->pMethods->xSync(wal->real, flags);
}

static int
on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct wal_file *wal = wal_of(file);
	int result = write_gathered(wal);

	if (result != SQLITE_OK)
		return result;
	return wal->real->pMethods->xTruncate(wal->real, size);
}

static int
on_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	struct wal_file *wal = wal_of(file);
	int result = write_gathered(wal);

	if (result != SQLITE_OK)
		return result;
	return wal->real->pMethods->xFileSize(wal->real, size);
}

static int
on_close(sqlite3_file *file)
{
	struct wal_file *wal = wal_of(file);
	int result = write_gathered(wal);
	int closed = wal->real->pMethods->xClose(wal->real);

	free(wal->bytes);
	return result != SQLITE_OK ? result : closed;
}

static int
on_lock(sqlite3_file *file, int kind)
{
	struct wal_file *wal = wal_of(file);

	return wal->real->pMethods->xLock(wal->real, kind);
}

static int
on_unlock(sqlite3_file *file, int kind)
{
	struct wal_file *wal = wal_of(file);

	return wal->real->pMethods->xUnlock(wal->real, kind);
}

static int
on_check_lock(sqlite3_file *file, int *is_locked)
{
	struct wal_file *wal = wal_of(file);

	return wal->real->pMethods->xCheckReservedLock(wal->real, is_locked);
}

static int
on_control(sqlite3_file *file, int operation, void *argument)
{
	struct wal_file *wal = wal_of(file);

	return wal->real->pMethods->xFileControl(wal->real, operation, argument);
}

static int
on_sector_size(sqlite3_file *file)
{
	struct wal_file *wal = wal_of(file);

	return wal->real->pMethods->xSectorSize(wal->real);
}

static int
on_characteristics(sqlite3_file *file)
{
	struct wal_file *wal = wal_of(file);

	return wal->real->pMethods->xDeviceCharacteristics(wal->real);
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_lock,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
};

/* On failure SQLite closes what has methods, so ours are set when all went well. */
static int
on_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *opened)
{
	struct wal_file *wal = wal_of(file);
	int result;

	(void)self;
	if ((flags & SQLITE_OPEN_WAL) == 0)
		return real_vfs->xOpen(real_vfs, name, file, flags, opened);
	memset(wal, 0, sizeof(*wal));
	wal->real = (sqlite3_file *)(wal + 1);
	result = real_vfs->xOpen(real_vfs, name, wal->real, flags, opened);
	if (result == SQLITE_OK)
		wal->base.pMethods = &methods;
	return result;
}

static void
make_vfs(void)
{
	real_vfs = sqlite3_vfs_find(NULL);
	if (real_vfs == NULL)
		memory_panic("SQLite has no VFS");
	vfs = *real_vfs;
	vfs.zName = "siembridge";
	vfs.szOsFile = (int)sizeof(struct wal_file) + real_vfs->szOsFile;
	vfs.xOpen = on_open;
	if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
		memory_panic("out of memory: a VFS of SQLite");
}

const char *
database_wal_vfs(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (pthread_once(&once, make_vfs) != 0)
		memory_panic("a VFS of SQLite cannot be made");
	return vfs.zName;
}
