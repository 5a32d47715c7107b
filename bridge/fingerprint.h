/*
 * Certificate fingerprints as RFC 5425 4.2.2 writes them: the name of the hash, a
 * colon, and over the DER of the certificate upper-case hex pairs with colons.
 *
 *     sha-256:AB:CD:...   sha-1:E1:2D:...
 */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include <openssl/x509.h>

#include "formats/error.h"
#include "formats/text.h"

enum { FINGERPRINT_LONGEST = 103 }; /* bytes: of sha-256 */

/* Brings one that was typed by hand into that form, in place.  False: it is none. */
MUST_CHECK bool fingerprint_fold(char *fingerprint, struct error *error);

/* Appends the SHA-256 fingerprint of a certificate. */
void fingerprint_append(const X509 *certificate, struct text *text);

/* Is this folded fingerprint that of the certificate? */
bool fingerprint_matches(const char *fingerprint, const X509 *certificate);

#endif
