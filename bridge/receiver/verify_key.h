/*
 * One secret made ready: an HMAC key with its set-up done, an ed25519 public key,
 * or a token.  Read-only after verify_key_new(), so that all loops may share it.
 * The only file of the receiver that computes signatures.
 */
#ifndef VERIFY_KEY_H
#define VERIFY_KEY_H

#include "bridge/receiver/verify_header.h"
#include "bridge/receiver/verify_scheme.h"

struct verify_key;

/* What stands where the parts of the row are; absent counts as empty. */
struct verify_signed {
	struct slice id;
	struct slice timestamp;
	struct slice body;
};

/*
 * Gives *key, freed with verify_key_free(); of the secret it keeps what it needs, in
 * memory that is wiped.  False: it is not written as the scheme wants it, or no
 * longer than an empty one; the error does not show it.
 */
MUST_CHECK bool verify_key_new(struct verify_key **key, const struct verify_scheme *scheme,
			       struct slice secret, struct error *error);
void verify_key_free(struct verify_key *key); /* NULL is fine */

/*
 * Does one of the header's signatures fit?  Every one is compared, whatever has
 * fitted before, in a time that does not depend on the bytes.
 */
bool verify_key_fits(const struct verify_key *key, const struct verify_scheme *scheme,
		     const struct verify_signed *what, const struct verify_header *header);

/*
 * Appends what its owner would write into the header: prefix and signature, or the
 * token.  False: a public key cannot sign.
 */
MUST_CHECK bool verify_key_sign(const struct verify_key *key, const struct verify_scheme *scheme,
				const struct verify_signed *what, struct text *value,
				struct error *error);

/* The HMAC of the text alone, verify_header_mac_length() bytes; false: it is no HMAC key. */
MUST_CHECK bool verify_key_authenticate(const struct verify_key *key, struct slice text,
					unsigned char mac[VERIFY_HEADER_MAC]);

#endif
