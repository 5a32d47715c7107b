/*
 * Signing as a sender of Standard Webhooks does (standards.md 11.1), for what we send.
 */
#ifndef WEBHOOK_SIGN_H
#define WEBHOOK_SIGN_H

#include "formats/error.h"
#include "formats/text.h"

/*
 * Appends the header lines webhook-timestamp and webhook-signature, each with its LF, of
 * a message that was given that id.  `secret` is "whsec_" and the Base64 of 24 to 64
 * bytes, the prefix may be missing; `now` is in seconds since 1970.  False: the secret
 * is not written so; the error does not show it.
 */
MUST_CHECK bool webhook_sign(struct slice secret, struct slice id, int64_t now, struct slice body,
			     struct text *headers, struct error *error);

#endif
