/*
 * Vectors as data: files under tests/vectors of records "key: value", an empty line
 * between records, "#" comments.  In a value \xNN is a byte; every other backslash
 * is one.  A test calls vectors_each() once a file; a failing record is named.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/text.h"

enum { VECTOR_KEYS = 32, VECTOR_LINE = 16384 };

struct vector {
	size_t count;
	const char *keys[VECTOR_KEYS];
	struct slice values[VECTOR_KEYS]; /* NUL behind each */
};

static inline int
vector_hex(char digit)
{
	const char *found = strchr("0123456789ABCDEF0123456789abcdef", digit);

	return found == NULL || digit == '\0'
		   ? -1
		   : (int)(found - "0123456789ABCDEF0123456789abcdef") % 16;
}

static inline struct slice
vector_decode(const char *line)
{
	char *bytes = calloc(1, strlen(line) + 1);
	size_t length = 0;

	assert_non_null(bytes);
	while (*line != '\0') {
		if (line[0] == '\\' && line[1] == 'x' && vector_hex(line[2]) >= 0 &&
		    vector_hex(line[3]) >= 0) {
			bytes[length++] = (char)(vector_hex(line[2]) * 16 + vector_hex(line[3]));
			line += 4;
		} else {
			bytes[length++] = *line++;
		}
	}
	return (struct slice){bytes, length};
}

/* The value of a key, absent where the record has none. */
static inline struct slice
vector_get(const struct vector *vector, const char *key)
{
	for (size_t i = 0; i < vector->count; i++)
		if (strcmp(vector->keys[i], key) == 0)
			return vector->values[i];
	return (struct slice){NULL, 0};
}

static inline void
vector_clear(struct vector *vector)
{
	for (size_t i = 0; i < vector->count; i++) {
		free((char *)(uintptr_t)vector->keys[i]);
		free((char *)(uintptr_t)vector->values[i].bytes);
	}
	vector->count = 0;
}

/* Calls `each` for every record; returns how many there were, never 0. */
static inline size_t
vectors_each(const char *path, void (*each)(const struct vector *vector))
{
	static char line[VECTOR_LINE];
	struct vector vector = {.count = 0};
	FILE *file = fopen(path, "r");
	size_t records = 0;
	bool more;

	if (file == NULL)
		fail_msg("%s cannot be opened: run the test from the top of the tree", path);
	do {
		char *colon;

		more = fgets(line, sizeof(line), file) != NULL;
		if (more)
			line[strcspn(line, "\n")] = '\0';
		if (more && line[0] == '#')
			continue;
		if (!more || line[0] == '\0') {
			if (vector.count > 0) {
				print_message("   %s\n", vector.values[0].bytes);
				each(&vector);
				records++;
			}
			vector_clear(&vector);
			continue;
		}
		colon = strstr(line, ":");
		if (colon == NULL || vector.count == VECTOR_KEYS)
			fail_msg("%s: '%s' is no 'key: value'", path, line);
		*colon = '\0';
		vector.keys[vector.count] = strdup(line);
		vector.values[vector.count++] = vector_decode(colon + 1 + (colon[1] == ' '));
	} while (more);
	fclose(file);
	assert_true(records > 0);
	return records;
}

#endif
