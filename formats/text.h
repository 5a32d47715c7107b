/*
 * Bounded text, built front to back.
 *
 * The caller lends the bytes; what does not fit is not written, and `overflowed`
 * stays set, so that a builder of many steps is checked once, at its end.  Never
 * NUL-terminated: the length is the truth.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/error.h"

struct text {
	char *bytes;     /* borrowed */
	size_t capacity; /* bytes */
	size_t length;   /* bytes written so far, <= capacity */
	bool overflowed; /* something did not fit; the text is then not to be used */
};

/* A run of bytes that somebody else owns. */
struct slice {
	const char *bytes; /* NULL: absent */
	size_t length;     /* bytes */
};

#define SLICE_LITERAL(literal) ((struct slice){(literal), sizeof(literal) - 1})

/* Borrows `bytes` for as long as the text is used. */
void text_start(struct text *text, char *bytes, size_t capacity);

void text_append(struct text *text, const char *bytes, size_t length);
void text_append_slice(struct text *text, struct slice slice);
void text_append_string(struct text *text, const char *string); /* NUL-terminated */
void text_append_byte(struct text *text, char byte);
void text_append_number(struct text *text, int64_t number);    /* decimal */
void text_append_unsigned(struct text *text, uint64_t number); /* decimal */
/* At least `digits` of them, zeros in front; digits at most 20. */
void text_append_padded(struct text *text, uint64_t number, int digits);
void text_append_format(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);

/* Back to an earlier length; an overflow after it is forgotten. */
void text_cut(struct text *text, size_t length);

struct slice text_slice(const struct text *text);

/* Bytes, exactly: absent equals only absent. */
bool text_slices_equal(struct slice left, struct slice right);
bool text_slice_is(struct slice slice, const char *string); /* NUL-terminated */
/* ASCII letters in either case; absent equals only absent, here too. */
bool text_slices_equal_any_case(struct slice left, struct slice right);
struct slice text_of(const char *string); /* NUL-terminated, or NULL: absent */

/* 0 to 15, of either case; -1: it is no hexadecimal digit. */
int text_hex_digit(char byte);

/*
 * Digits only, no sign, at most `maximum`: the one place where lengths and
 * numbers from outside become numbers.  False leaves *number as it was.
 */
MUST_CHECK bool text_parse_unsigned(struct slice digits, uint64_t maximum, uint64_t *number);

#endif
