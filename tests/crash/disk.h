/*
 * A disk that can lose its power, and one that fails: a SQLite VFS over the usual one,
 * and pwrite(), fsync(), fdatasync(), rename() and unlink() of our own code (the linker's
 * --wrap).
 *
 * Files of the directory that platter.h watches are really written, so that SQLite's locks
 * and shared memory are the real ones; beside that the platter is told of it.
 *
 * One thread.
 */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stdint.h>

/* Registers the VFS as the one that SQLite uses from now on. */
void disk_start(void);

/* Called before each write, truncation and sync; NULL: nobody is. */
void disk_tell(void (*call)(void *context, bool is_sync), void *context);

enum disk_fault {
	DISK_WRITE_EIO,
	DISK_WRITE_ENOSPC,
	DISK_WRITE_SHORT, /* half of it, as before a full disk */
	DISK_SYNC_EIO,
	DISK_READ_EIO,
	DISK_READ_ASIDE_EIO, /* the same, of files that were put aside alone */
	DISK_FAULTS
};

enum disk_span {
	DISK_ONCE,
	DISK_FROM_THEN_ON,
	DISK_FROM_THEN_ON_IN_SPOOL, /* spool.db and those put aside; what else there is works */
	DISK_SPANS
};

/* The n-th call of its kind from now on fails, and perhaps each one after it. */
void disk_fail(enum disk_fault fault, uint64_t nth, enum disk_span span);

/* No more failures.  True: there was one. */
bool disk_heal(void);

#endif
