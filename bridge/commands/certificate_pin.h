/*
 * The name of a public key, as curl's --pinnedpubkey wants it: whoever holds the
 * certificate's key is believed, whoever signed it and whatever it is called.
 */
#ifndef CERTIFICATE_PIN_H
#define CERTIFICATE_PIN_H

#include "formats/error.h"

enum { CERTIFICATE_PIN_LENGTH = 64 }; /* bytes, NUL included: "sha256//" and 44 of Base64 */

/*
 * Writes "sha256//" and the Base64 of the SHA-256 of the SubjectPublicKeyInfo
 * (RFC 7469 2.4) of the first certificate in a PEM file.
 */
MUST_CHECK bool certificate_pin(const char *path, char pin[CERTIFICATE_PIN_LENGTH],
				struct error *error);

#endif
