/*
 * A disk that can lose its power, and one that fails: a SQLite VFS over the usual one,
 * and pwrite(), fsync(), fdatasync(), rename() and unlink() of our own code (the linker's
 * --wrap).
 *
 * Files of the watched directory are really written, so that SQLite's locks and shared
 * memory are the real ones.  Beside that, for each file, what a sync has made durable is
 * kept, and each write and truncation behind it: of those, a power cut leaves any mix,
 * each whole, not at all, or torn at its sectors.  A new name is durable once its
 * directory was synced; of renames before that, a power cut leaves the first ones or none,
 * each of them whole.  After a sync that failed, what it was for is never made durable
 * by a later one: the kernel has marked the pages clean.
 *
 * One thread.
 */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stdint.h>

/* Registers the VFS as the one that SQLite uses from now on. */
void disk_start(void);

/* Watches this directory and no other (NULL: none); the files that are in it are durable. */
void disk_watch(const char *directory);

/* Called before each write, truncation and sync; NULL: nobody is. */
void disk_tell(void (*call)(void *context, bool is_sync), void *context);

/*
 * Writes into the directory `to`, which is there, what a power cut at this moment could
 * leave.  `random` gives the mix.
 */
void disk_cut(const char *to, uint64_t *random);

struct disk_memory;

/*
 * Writes into `to` what a process that is killed at this moment leaves: all that it has
 * written, though it is not durable.  Gives what is not, for disk_thaw().
 */
struct disk_memory *disk_freeze(const char *to);

/* Watches the directory, which disk_freeze() wrote; takes the memory. */
void disk_thaw(struct disk_memory *memory, const char *directory);

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

/* A number below `limit`. */
uint64_t disk_random(uint64_t *random, uint64_t limit);

#endif
