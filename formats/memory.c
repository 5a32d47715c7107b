#include "formats/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
memory_allocate(size_t size)
{
	return memory_allocate_array(1, size);
}

void *
memory_allocate_array(size_t count, size_t size)
{
	void *pointer = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

	if (pointer == NULL)
		memory_panic("out of memory: %zu times %zu bytes", count, size);
	return pointer;
}

void *
memory_resize_array(void *pointer, size_t count, size_t size)
{
	void *resized = reallocarray(pointer, count > 0 ? count : 1, size > 0 ? size : 1);

	if (resized == NULL)
		memory_panic("out of memory: %zu times %zu bytes", count, size);
	return resized;
}

char *
memory_copy_text(const char *text, size_t length)
{
	char *copy;

	if (length == SIZE_MAX)
		memory_panic("a text of %zu bytes", length);
	copy = memory_allocate(length + 1);
	if (length > 0)
		memcpy(copy, text, length);
	return copy;
}

void
memory_wipe(void *pointer, size_t size)
{
	if (size > 0)
		explicit_bzero(pointer, size);
}

void
memory_panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("siembridge: panic: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	abort();
}
