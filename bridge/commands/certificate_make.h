/*
 * A key of P-256 and, for it, a certificate that it signed itself and a request to a
 * certificate authority: what an endpoint starts with (siembridge init).
 */
#ifndef CERTIFICATE_MAKE_H
#define CERTIFICATE_MAKE_H

#include "formats/error.h"
#include "formats/text.h"

enum { CERTIFICATE_MAKE_LENGTH = 4096 }; /* bytes that hold each of the three */

/*
 * Appends them as PEM, each to a text of CERTIFICATE_MAKE_LENGTH; the caller wipes
 * the key.  `host` is a DNS name or an address, valid for `days` from now.
 */
MUST_CHECK bool certificate_make(const char *host, int days, struct text *key,
				 struct text *certificate, struct text *request,
				 struct error *error);

#endif
