/*
 * The TLS certificate and its key as files: can they be served?  Only looked at
 * here; the receiver loads its own.
 */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

#include <stdint.h>

#include "formats/error.h"

struct certificate;

/*
 * Reads the first certificate of a PEM file of at most 1 MiB, and parses those
 * behind it.  Gives *certificate, freed with certificate_free().
 */
MUST_CHECK bool certificate_read(struct certificate **certificate, const char *path,
				 struct error *error);
void certificate_free(struct certificate *certificate); /* NULL is fine */

/*
 * Is it valid at `now` (seconds since 1970)?  False: not yet, or no longer.  *left
 * is the time until it expires, in seconds.
 */
MUST_CHECK bool certificate_is_valid(const struct certificate *certificate, int64_t now,
				     int64_t *left, struct error *error);

/*
 * Reads the private key of a PEM file: it has no passphrase, belongs to the
 * certificate and is strong enough for TLS (112 bits).
 */
MUST_CHECK bool certificate_fits(const struct certificate *certificate, const char *key_path,
				 struct error *error);

#endif
