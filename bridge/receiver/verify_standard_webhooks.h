/*
 * Standard Webhooks v1: HMAC-SHA256 over "id.timestamp.body", Base64, in a list of
 * "v1,<signature>" entries (standards.md section 11.1).  The part of the secret
 * behind "whsec_" is Base64 of the key.
 */
#ifndef VERIFY_STANDARD_WEBHOOKS_H
#define VERIFY_STANDARD_WEBHOOKS_H

#include "bridge/receiver/verify.h"

struct verify_standard_webhooks;

/* One key; the secret's bytes are not kept.  Gives *key. */
MUST_CHECK bool verify_standard_webhooks_new(struct verify_standard_webhooks **key,
					     struct slice secret, struct error *error);
void verify_standard_webhooks_free(struct verify_standard_webhooks *key);

/* True where one of `count` keys made one of the signatures, within the tolerance (ms). */
MUST_CHECK bool verify_standard_webhooks_check(struct verify_standard_webhooks *const *keys,
					       size_t count, int64_t tolerance,
					       const struct verify_request *request,
					       struct verify_outcome *outcome, struct error *error);

/*
 * 1 to 255 of A-Z a-z 0-9 _ -: a dot in the id would move the border between the
 * signed parts.
 */
bool verify_standard_webhooks_is_id(struct slice id);

/* Appends the three headers, a "name: value\n" each. */
MUST_CHECK bool verify_standard_webhooks_sign(const struct verify_standard_webhooks *key,
					      struct slice id, int64_t now, struct slice body,
					      struct text *headers, struct error *error);

#endif
