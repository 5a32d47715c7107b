/*
 * The header that holds the signatures, read as its scheme's row says: bytes from
 * the internet in, signatures of the right length out.  Pure; what it does not
 * understand it skips, and it never reads more than its limits.
 */
#ifndef VERIFY_HEADER_H
#define VERIFY_HEADER_H

#include "bridge/receiver/verify_scheme.h"
#include "formats/text.h"

enum {
	VERIFY_HEADER_LENGTH = 4096,     /* bytes; of a longer value nothing is read */
	VERIFY_HEADER_SIGNATURES = 16,   /* each costs a comparison with each key */
	VERIFY_HEADER_PUBLIC = 4,        /* each costs a verification with each public key */
	VERIFY_HEADER_MAC = 64,          /* bytes of the longest */
	VERIFY_HEADER_PUBLIC_LENGTH = 64 /* of an ed25519 signature */
};

struct verify_header {
	unsigned char macs[VERIFY_HEADER_SIGNATURES][VERIFY_HEADER_MAC];
	size_t mac_count;
	unsigned char publics[VERIFY_HEADER_PUBLIC][VERIFY_HEADER_PUBLIC_LENGTH];
	size_t public_count;
	struct slice timestamp; /* of the list; absent where it has none */
	size_t timestamp_count;
	struct slice token; /* behind its prefix; borrowed; absent where it is not there */
};

/* Bytes of the scheme's signatures: 32, 64 or 20. */
size_t verify_header_mac_length(enum config_digest digest);

/* `value` is absent where the request has no such header. */
void verify_header_read(struct verify_header *header, const struct verify_scheme *scheme,
			struct slice value);

#endif
