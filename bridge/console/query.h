/*
 * The parameters of a query: name=value&name=value, percent-encoded.
 */
#ifndef QUERY_H
#define QUERY_H

#include "formats/arena.h"
#include "formats/text.h"

/*
 * The value of the first parameter of that name, decoded, NUL-terminated in the arena;
 * NULL where it is absent, empty, or holds a NUL.
 */
const char *query_find(struct slice query, const char *name, struct arena *arena);

/* Percent-decoded, NUL-terminated in the arena; NULL where it holds a NUL. */
const char *query_decode(struct slice text, bool plus_is_space, struct arena *arena);

#endif
