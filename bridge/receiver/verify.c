#include "bridge/receiver/verify.h"

#include <stdlib.h>

#include "bridge/receiver/verify_standard_webhooks.h"
#include "bridge/secret.h"
#include "formats/memory.h"

struct verify {
	enum config_signature signature;
	int64_t tolerance; /* ms */
	struct verify_standard_webhooks **keys;
	size_t count;
};

/* What each scheme's signature rests on: kept as evidence. */
static const char *const evidence_headers[] = {"webhook-id", "webhook-timestamp",
					       "webhook-signature"};

bool
verify_new(struct verify **out, const struct config_source *source, struct error *error)
{
	struct verify *verify = memory_allocate(sizeof(*verify));
	struct secret *secret;
	bool done = true;

	verify->signature = source->signature;
	verify->tolerance = source->tolerance;
	verify->keys =
	    memory_allocate_array(source->secrets_count, sizeof(struct verify_standard_webhooks *));
	for (unsigned i = 0; done && i < source->secrets_count; i++) {
		done = secret_read(&secret, source->secrets[i], error);
		if (!done)
			break;
		done = verify_standard_webhooks_new(&verify->keys[i], secret_bytes(secret), error);
		if (done)
			verify->count++;
		else
			error_prefix(error, "%s", source->secrets[i]);
		secret_free(secret);
	}
	/* fail closed: a scheme without a key would let nobody in, or worse, everybody */
	if (done && verify->signature != CONFIG_SIGNATURE_NONE && verify->count == 0)
		done = error_set(error, "source %s has no secrets", source->name);
	if (!done) {
		verify_free(verify);
		return false;
	}
	*out = verify;
	return true;
}

void
verify_free(struct verify *verify)
{
	if (verify == NULL)
		return;
	for (size_t i = 0; i < verify->count; i++)
		verify_standard_webhooks_free(verify->keys[i]);
	free(verify->keys);
	free(verify);
}

/* Nobody vouches for it, but it is still what tells two deliveries apart. */
static struct slice
unsigned_id(const struct verify_request *request)
{
	size_t count = 0;
	struct slice id = request->header(request->context, "webhook-id", &count);

	if (count == 1 && verify_standard_webhooks_is_id(id))
		return id;
	return (struct slice){NULL, 0};
}

bool
verify_check(const struct verify *verify, const struct verify_request *request,
	     struct verify_outcome *outcome, struct error *error)
{
	outcome->delivery_id = (struct slice){NULL, 0};
	switch (verify->signature) {
	case CONFIG_SIGNATURE_NONE:
		outcome->delivery_id = unsigned_id(request);
		return true;
	case CONFIG_SIGNATURE_STANDARD_WEBHOOKS:
		return verify_standard_webhooks_check(verify->keys, verify->count,
						      verify->tolerance, request, outcome, error);
	}
	memory_panic("signature scheme %d", (int)verify->signature);
}

void
verify_evidence(const struct verify *verify, const struct verify_request *request,
		struct text *text)
{
	if (verify->signature == CONFIG_SIGNATURE_NONE)
		return;
	for (size_t i = 0; i < sizeof(evidence_headers) / sizeof(evidence_headers[0]); i++) {
		size_t count = 0;
		struct slice value = request->header(request->context, evidence_headers[i], &count);

		if (count == 0)
			continue;
		text_append_string(text, evidence_headers[i]);
		text_append_string(text, ": ");
		text_append_slice(text, value);
		text_append_byte(text, '\n');
	}
}

bool
verify_sign(const struct verify *verify, struct slice delivery_id, int64_t now, struct slice body,
	    struct text *headers, struct error *error)
{
	if (verify->signature == CONFIG_SIGNATURE_NONE)
		return true;
	return verify_standard_webhooks_sign(verify->keys[0], delivery_id, now, body, headers,
					     error);
}
