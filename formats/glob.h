/*
 * Globs over event types: `*` matches any run of bytes, dots too; everything
 * else matches itself.  "key.*", "*", "security.*.failed".
 */
#ifndef GLOB_H
#define GLOB_H

#include <stdbool.h>

#include "formats/text.h"

bool glob_matches(const char *pattern, struct slice type);

/* True where any of `count` patterns matches; none of them: false. */
bool glob_any(char *const *patterns, size_t count, struct slice type);

#endif
