/* An arena for all tests of a program, or for each; these are the set-up and the tear-down. */
#ifndef ARENA_FIXTURE_H
#define ARENA_FIXTURE_H

#include "formats/arena.h"

static struct arena *arena;

static inline int
make_arena(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static inline int
free_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

#endif
