/*
 * All of OpenSSL's memory comes through here, and all but its record buffers goes
 * straight on to malloc().  A buffer may be given back by another thread than the one
 * that took it: it is any thread's.
 */
#include "bridge/receiver/tls_memory.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/crypto.h>

enum {
	BUFFER_LEAST = 16 * 1024, /* RFC 8446 5.2: a record, and what OpenSSL adds to it */
	BUFFER_SIZE = BUFFER_LEAST + 1024,
	BUFFER_SLACK = 64, /* malloc() may give that much more than it was asked for */
	BUFFERS = 16,      /* a thread; the most that one turn of a loop holds is a few */
	ALIGNED = 1024,    /* bytes: where a buffer begins, and little else */
};

static _Thread_local struct {
	void *buffers[BUFFERS];
	size_t count;
} kept;

static bool
is_buffer(size_t size)
{
	return size > BUFFER_LEAST && size <= BUFFER_SIZE;
}

static void *
allocate(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	if (size == 0) /* as OpenSSL's own */
		return NULL;
	if (!is_buffer(size))
		return malloc(size);
	if (kept.count > 0)
		return kept.buffers[--kept.count];
	return aligned_alloc(ALIGNED, BUFFER_SIZE);
}

/* Nearly all that is released fails the first test, which costs nothing. */
static bool
was_buffer(void *memory)
{
	size_t size;

	if ((uintptr_t)memory % ALIGNED != 0)
		return false;
	size = malloc_usable_size(memory);
	return size >= BUFFER_SIZE && size < BUFFER_SIZE + BUFFER_SLACK;
}

static void
release(void *memory, const char *file, int line)
{
	(void)file, (void)line;
	if (was_buffer(memory) && kept.count < BUFFERS)
		kept.buffers[kept.count++] = memory;
	else
		free(memory);
}

static void *
reallocate(void *memory, size_t size, const char *file, int line)
{
	if (size > 0)
		return realloc(memory, size);
	release(memory, file, line);
	return NULL;
}

void
tls_memory_use(void)
{
	(void)CRYPTO_set_mem_functions(allocate, reallocate, release);
}

void
tls_memory_release(void)
{
	while (kept.count > 0)
		free(kept.buffers[--kept.count]);
}
