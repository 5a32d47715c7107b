/*
 * One sentence for the operator, by value.
 *
 * A function that can fail returns bool and fills a struct error of its caller.
 * The text is written once, where the failure is first seen; the next frame may
 * put one "where: " in front of it.  It ends in a log line, an HTTP body, a dead
 * letter or on stderr, so it never holds a secret or the content of an event.
 */
#ifndef ERROR_H
#define ERROR_H

#include <stdbool.h>

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(a, b) __attribute__((format(printf, a, b)))

struct error {
	char text[512]; /* NUL-terminated; cut with "..." when it would not fit */
};

/* Each returns false, so that a caller can write `return error_set(...)`. */
bool error_set(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* As error_set(), and ": " and the text of errno behind it.  Keeps errno. */
bool error_set_errno(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts "where: " in front of the text that is there. */
bool error_prefix(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
