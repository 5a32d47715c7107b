/*
 * A list of blocks, the newest first; only the newest has room.  A piece larger
 * than a block gets a block of its own.  Clearing keeps the first block, so that
 * memory falls back after one oversized batch.
 */
#include "formats/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"

enum { ARENA_BLOCK = 256 * 1024, ARENA_KEEP = 1024 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t used;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct arena_block *newest;
	void *kept; /* NULL: nothing was asked for */
	void (*end)(void *kept);
};

static struct arena_block *
block_new(size_t size)
{
	struct arena_block *block;

	if (size > SIZE_MAX / 2)
		memory_panic("an arena block of %zu bytes", size);
	/* malloc and not calloc: a block is written before it is read */
	block = malloc(sizeof(*block) + size);
	if (block == NULL)
		memory_panic("out of memory: an arena block of %zu bytes", size);
	block->next = NULL;
	block->size = size;
	block->used = 0;
	return block;
}

struct arena *
arena_new(void)
{
	return memory_allocate(sizeof(struct arena));
}

void
arena_free(struct arena *arena)
{
	struct arena_block *next;

	if (arena == NULL)
		return;
	if (arena->kept != NULL)
		arena->end(arena->kept);
	for (struct arena_block *block = arena->newest; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

void *
arena_allocate(struct arena *arena, size_t size)
{
	const size_t alignment = alignof(max_align_t);
	struct arena_block *block = arena->newest;
	void *piece;

	if (size > SIZE_MAX / 2)
		memory_panic("a piece of %zu bytes from an arena", size);
	size = (size + alignment - 1) / alignment * alignment;
	if (block == NULL || size > block->size - block->used) {
		block = block_new(size > ARENA_BLOCK ? size : ARENA_BLOCK);
		block->next = arena->newest;
		arena->newest = block;
	}
	piece = block->bytes + block->used;
	block->used += size;
	return piece;
}

char *
arena_copy_text(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_allocate(arena, length + 1);

	if (length > 0)
		memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

void *
arena_keep(struct arena *arena, void *(*make)(void), void (*end)(void *kept))
{
	if (arena->kept == NULL) {
		arena->kept = make();
		arena->end = end;
	}
	return arena->kept;
}

void
arena_clear(struct arena *arena)
{
	struct arena_block *kept = NULL, *next;
	size_t size = 0;

	for (struct arena_block *block = arena->newest; block != NULL; block = next) {
		next = block->next;
		if (block->size > ARENA_KEEP - size) {
			free(block);
			continue;
		}
		size += block->size;
		block->used = 0;
		block->next = kept;
		kept = block;
	}
	/*
	 * Only the newest block is ever given from, so of several kept ones all
	 * but one would lie idle: join them into one of their size.
	 */
	if (kept != NULL && kept->next != NULL) {
		for (; kept != NULL; kept = next) {
			next = kept->next;
			free(kept);
		}
		kept = block_new(size);
	}
	arena->newest = kept;
}
