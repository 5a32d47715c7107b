/*
 * A secret: read from a file, locked into memory, wiped when freed.  Its bytes
 * are in no log and no error text; those name the file.
 */
#ifndef SECRET_H
#define SECRET_H

#include "formats/error.h"
#include "formats/text.h"

struct secret;

/*
 * Reads a file of at most 64 KiB; one newline at its end is not part of the
 * secret.  Refused: empty, shorter than 16 bytes, readable by others than owner
 * and group.  A path without a slash is looked up in $CREDENTIALS_DIRECTORY.
 * Gives *secret, freed with secret_free().
 */
MUST_CHECK bool secret_read(struct secret **secret, const char *path, struct error *error);

/* As above, of any length: what somebody else chose to let us in. */
MUST_CHECK bool secret_read_password(struct secret **secret, const char *path, struct error *error);

/*
 * As secret_read_password(), of at most 4 KiB of printable ASCII without a space: what
 * goes into a header or an address, and cannot leave its place there.
 */
MUST_CHECK bool secret_read_token(struct secret **secret, const char *path, struct error *error);

/* Gives a secret that holds a copy of the bytes; `path` is what errors call it. */
struct secret *secret_from_bytes(const char *path, struct slice bytes);

void secret_free(struct secret *secret); /* NULL is fine */

struct slice secret_bytes(const struct secret *secret); /* borrowed */
const char *secret_path(const struct secret *secret);   /* borrowed */

#endif
