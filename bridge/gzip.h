/*
 * gzip (RFC 1952) of a whole body: the only file that knows zlib.
 */
#ifndef GZIP_H
#define GZIP_H

#include "formats/text.h"

/* The most bytes that gzip_compress() can make of `length`. */
size_t gzip_bound(size_t length);

/* Appends the compressed form; text->overflowed where gzip_bound() did not fit. */
void gzip_compress(struct slice plain, struct text *text);

#endif
