/*
 * Allocation that does not fail: out of memory aborts the process, because no
 * caller could do better, and the supervisor starts it anew.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

#define PANIC_LIKE __attribute__((format(printf, 1, 2), noreturn))

/* Gives `size` bytes, zeroed.  Freed with free(). */
void *memory_allocate(size_t size);

/* Gives count * size bytes, zeroed; a product that overflows aborts. */
void *memory_allocate_array(size_t count, size_t size);

/* As reallocarray(3); what is new is not zeroed. */
void *memory_resize_array(void *pointer, size_t count, size_t size);

/* Gives a copy of `length` bytes and a NUL behind them. */
char *memory_copy_text(const char *text, size_t length);

/* Overwrites with zeros in a way that the compiler may not leave out. */
void memory_wipe(void *pointer, size_t size);

/* A bug was found: says so on stderr and aborts.  Never for what a peer sent. */
void memory_panic(const char *format, ...) PANIC_LIKE;

#endif
