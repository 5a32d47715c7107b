/*
 * Hexadecimal (RFC 4648 section 8): both cases are read, lower case is written.
 */
#ifndef HEX_H
#define HEX_H

#include "formats/error.h"
#include "formats/text.h"

/* Writes at most `capacity` bytes.  False: not hexadecimal, or longer than that. */
MUST_CHECK bool hex_decode(struct slice text, unsigned char *bytes, size_t capacity,
			   size_t *length);

void hex_encode(const unsigned char *bytes, size_t length, struct text *text);

#endif
