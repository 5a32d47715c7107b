/*
 * Base64 (RFC 4648 section 4), strict: no white space, no other alphabet, and no
 * bits left over that an encoder would not have written.  Padding may be there or
 * not, because secrets come both ways.
 */
#ifndef BASE64_H
#define BASE64_H

#include "formats/error.h"
#include "formats/text.h"

/* Writes at most `capacity` bytes.  False: not Base64, or longer than that. */
MUST_CHECK bool base64_decode(struct slice text, unsigned char *bytes, size_t capacity,
			      size_t *length);

/* Appends the padded form. */
void base64_encode(const unsigned char *bytes, size_t length, struct text *text);

#endif
