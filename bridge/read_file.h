/*
 * A small regular file, read whole into the caller's buffer: configuration and
 * secrets.  No other copy of the bytes is made.
 */
#ifndef READ_FILE_H
#define READ_FILE_H

#include <stddef.h>
#include <sys/stat.h>

#include "formats/error.h"

/*
 * Reads `path` into `buffer`.  False, with an error that names the file: it cannot
 * be opened, is not a regular file, or holds more than `capacity` bytes.
 * *status is the opened file's; *length is in bytes.
 */
MUST_CHECK bool read_file(const char *path, char *buffer, size_t capacity, size_t *length,
			  struct stat *status, struct error *error);

#endif
