/*
 * What a disk really holds.  For each file of the watched directory it knows what a sync
 * has made durable, and each page of a write and each truncation behind it: of those, a
 * power cut leaves any mix, each whole, not at all, or torn at its sectors.  A new name is
 * durable once its directory was synced; of renames before that, a power cut leaves the
 * first ones or none, each of them whole.  After a sync that failed, what it was for is
 * never made durable by a later one: the kernel has marked the pages clean.
 *
 * It is told what is done to the files, by disk.c, and does nothing to them.  One thread.
 */
#ifndef PLATTER_H
#define PLATTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct platter_file;

/* Watches this directory and no other (NULL: none); the files that are in it are durable. */
void platter_watch(const char *directory);

/* True: the watched directory is open behind it. */
bool platter_is_directory(int descriptor);

/* ---- what is done ---- */

/* The file behind a path; one that is new gets its place.  NULL: it is not watched. */
struct platter_file *platter_open(const char *path);

/* The same, of one that was there before; NULL: it was not, or is not watched. */
struct platter_file *platter_find(const char *path);

/* Behind the directory; empty: it was removed. */
const char *platter_name(const struct platter_file *file);

void platter_write(struct platter_file *file, size_t offset, const void *bytes, size_t length);
void platter_truncate(struct platter_file *file, size_t length);
void platter_move(struct platter_file *file, const char *to);
void platter_remove(struct platter_file *file);

/* All that no failed sync has doomed is durable. */
void platter_sync(struct platter_file *file);

/* A sync has failed. */
void platter_doom(struct platter_file *file);

/* Of the directory. */
void platter_sync_names(void);

/* ---- what is left ---- */

/*
 * Writes into the directory `to`, which is there, what a power cut at this moment could
 * leave.  `random` gives the mix.
 */
void platter_cut(const char *to, uint64_t *random);

struct platter_memory;

/*
 * Writes into `to` what a process that is killed at this moment leaves: all that it has
 * written, though it is not durable.  Gives what is not, for platter_thaw().
 */
struct platter_memory *platter_freeze(const char *to);

/* Watches the directory, which platter_freeze() wrote; takes the memory. */
void platter_thaw(struct platter_memory *memory, const char *directory);

/* A number below `limit`. */
uint64_t platter_random(uint64_t *random, uint64_t limit);

#endif
