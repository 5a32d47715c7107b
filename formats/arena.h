/*
 * Memory that lives as long as a batch: taken piece by piece, given back all at
 * once by arena_clear().  After the first batches a turn of the forwarder's loop
 * allocates nothing from the system.  One thread at a time.
 */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

struct arena;

/* Gives an empty arena; freed with arena_free(). */
struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* Gives `size` bytes, not zeroed, aligned for any type; valid until arena_clear(). */
void *arena_allocate(struct arena *arena, size_t size);

/* Gives a copy of `length` bytes and a NUL behind them, valid until arena_clear(). */
char *arena_copy_text(struct arena *arena, const char *text, size_t length);

/*
 * One thing that is made when it is first asked for and lives until arena_free(), which
 * gives it to `end`: what is dear to make and used by each piece of work.  An arena keeps
 * one, so `make` and `end` are the same each time.
 */
void *arena_keep(struct arena *arena, void *(*make)(void), void (*end)(void *kept));

/* Takes all of it back.  Keeps at most 1 MiB for the next batch. */
void arena_clear(struct arena *arena);

#endif
