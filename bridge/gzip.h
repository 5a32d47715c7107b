/*
 * gzip (RFC 1952) of a whole body: the only file that knows zlib.
 */
#ifndef GZIP_H
#define GZIP_H

#include "formats/text.h"

enum gzip_result {
	GZIP_DONE,
	GZIP_BROKEN,    /* not gzip, cut off, or its checksum is wrong */
	GZIP_TOO_LARGE, /* more than `limit` bytes come out */
};

/* The most bytes that gzip_compress() can make of `length`. */
size_t gzip_bound(size_t length);

/* Appends the compressed form; text->overflowed where gzip_bound() did not fit. */
void gzip_compress(struct slice plain, struct text *text);

/* A file that is read, gzip (one member or several) or plain: what it is, it shows. */
struct gzip_file;

/* Takes the descriptor.  Gives *file, closed with gzip_close(). */
struct gzip_file *gzip_open(int descriptor);
void gzip_close(struct gzip_file *file); /* NULL is fine */

/* Reads up to `capacity` bytes; *length 0: the end.  False: it cannot be read, or is cut. */
MUST_CHECK bool gzip_read(struct gzip_file *file, char *bytes, size_t capacity, size_t *length,
			  struct error *error);

/* Bytes of the file, as they stand in it, that were taken so far; 0 where that is not known. */
uint64_t gzip_offset(const struct gzip_file *file);

/*
 * All members, nothing behind them.  Where it is GZIP_DONE gives *bytes, freed with
 * free(), and their number.  Never takes more memory than twice the limit.
 */
MUST_CHECK enum gzip_result gzip_expand(struct slice packed, size_t limit, char **bytes,
					size_t *length);

#endif
