#include "bridge/receiver/verify_standard_webhooks.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base64.h"
#include "formats/memory.h"

enum {
	KEY_LEAST = 24, /* bytes, Standard Webhooks: 24 to 64 */
	KEY_MOST = 64,
	MAC_LENGTH = 32,
	ID_MOST = 255,
	SIGNATURES_MOST = 16,
	SIGNATURE_HEADER_MOST = 4096,
};

/* 9999-12-31 in seconds: what is later is no time but an attack on arithmetic. */
static const uint64_t timestamp_most = 253402300799;

struct verify_standard_webhooks {
	EVP_MAC_CTX *keyed; /* copied for each request, which saves the set-up of the key */
};

bool
verify_standard_webhooks_new(struct verify_standard_webhooks **out, struct slice secret,
			     struct error *error)
{
	static const char prefix[] = "whsec_";
	char digest[] = "SHA256";
	OSSL_PARAM parameters[2] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end()};
	struct verify_standard_webhooks *key;
	unsigned char bytes[KEY_MOST];
	size_t length;
	EVP_MAC *hmac;
	bool done;

	if (secret.length >= sizeof(prefix) - 1 &&
	    memcmp(secret.bytes, prefix, sizeof(prefix) - 1) == 0) {
		secret.bytes += sizeof(prefix) - 1;
		secret.length -= sizeof(prefix) - 1;
	}
	done = base64_decode(secret, bytes, sizeof(bytes), &length) && length >= KEY_LEAST;
	if (!done)
		return error_set(error,
				 "not a Standard Webhooks secret: it must be whsec_ and the Base64 "
				 "of %d to %d bytes",
				 KEY_LEAST, KEY_MOST);
	key = memory_allocate(sizeof(*key));
	hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	key->keyed = EVP_MAC_CTX_new(hmac);
	EVP_MAC_free(hmac);
	done = key->keyed != NULL && EVP_MAC_init(key->keyed, bytes, length, parameters) == 1;
	memory_wipe(bytes, sizeof(bytes));
	if (!done) {
		verify_standard_webhooks_free(key);
		return error_set(error, "this OpenSSL offers no HMAC-SHA256");
	}
	*out = key;
	return true;
}

void
verify_standard_webhooks_free(struct verify_standard_webhooks *key)
{
	if (key == NULL)
		return;
	EVP_MAC_CTX_free(key->keyed);
	free(key);
}

static void
authenticate(const struct verify_standard_webhooks *key, struct slice id, struct slice timestamp,
	     struct slice body, unsigned char mac[MAC_LENGTH])
{
	const struct slice dot = SLICE_LITERAL(".");
	const struct slice parts[] = {id, dot, timestamp, dot, body};
	EVP_MAC_CTX *context = EVP_MAC_CTX_dup(key->keyed);
	size_t length;

	if (context == NULL)
		memory_panic("out of memory: an HMAC context");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].length > 0 &&
		    EVP_MAC_update(context, (const unsigned char *)parts[i].bytes,
				   parts[i].length) != 1)
			memory_panic("HMAC-SHA256 failed");
	if (EVP_MAC_final(context, mac, &length, MAC_LENGTH) != 1)
		memory_panic("HMAC-SHA256 failed");
	EVP_MAC_CTX_free(context);
}

static bool
header_once(const struct verify_request *request, const char *name, struct slice *value,
	    struct error *error)
{
	size_t count = 0;

	*value = request->header(request->context, name, &count);
	if (count == 1)
		return true;
	return error_set(error, count == 0 ? "no %s header" : "more than one %s header", name);
}

bool
verify_standard_webhooks_is_id(struct slice id)
{
	if (id.length == 0 || id.length > ID_MOST)
		return false;
	for (size_t i = 0; i < id.length; i++) {
		char c = id.bytes[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '_' && c != '-')
			return false;
	}
	return true;
}

static bool
is_fresh(struct slice timestamp, int64_t now, int64_t tolerance, struct error *error)
{
	uint64_t seconds;
	int64_t away;

	if (!text_parse_unsigned(timestamp, timestamp_most, &seconds))
		return error_set(error, "webhook-timestamp is not a number of seconds");
	away = now / 1000 - (int64_t)seconds;
	if (away < 0)
		away = -away;
	if (away > tolerance / 1000)
		return error_set(error, "webhook-timestamp is %lld s away from this clock",
				 (long long)away);
	return true;
}

/* The next space-separated entry; false at the end. */
static bool
next_entry(struct slice *list, struct slice *entry)
{
	const char *space;

	while (list->length > 0 && list->bytes[0] == ' ') {
		list->bytes++;
		list->length--;
	}
	if (list->length == 0)
		return false;
	space = memchr(list->bytes, ' ', list->length);
	*entry = *list;
	if (space != NULL)
		entry->length = (size_t)(space - list->bytes);
	list->bytes += entry->length;
	list->length -= entry->length;
	return true;
}

/*
 * Decodes the v1 entries; others are versions that we do not know and skip.  The
 * count is bounded, because each one costs a comparison with each key.
 */
static size_t
read_signatures(struct slice list, unsigned char signatures[SIGNATURES_MOST][MAC_LENGTH])
{
	size_t count = 0, length;
	struct slice entry;

	if (list.length > SIGNATURE_HEADER_MOST)
		return 0;
	while (count < SIGNATURES_MOST && next_entry(&list, &entry)) {
		if (entry.length < 3 || memcmp(entry.bytes, "v1,", 3) != 0)
			continue;
		entry.bytes += 3;
		entry.length -= 3;
		if (base64_decode(entry, signatures[count], MAC_LENGTH, &length) &&
		    length == MAC_LENGTH)
			count++;
	}
	return count;
}

bool
verify_standard_webhooks_check(struct verify_standard_webhooks *const *keys, size_t count,
			       int64_t tolerance, const struct verify_request *request,
			       struct verify_outcome *outcome, struct error *error)
{
	unsigned char signatures[SIGNATURES_MOST][MAC_LENGTH], mac[MAC_LENGTH];
	struct slice id, timestamp, list;
	size_t signature_count;
	int matches = 0;

	if (!header_once(request, "webhook-id", &id, error) ||
	    !header_once(request, "webhook-timestamp", &timestamp, error) ||
	    !header_once(request, "webhook-signature", &list, error))
		return false;
	if (!verify_standard_webhooks_is_id(id))
		return error_set(error, "webhook-id is not 1 to %d of A-Z a-z 0-9 _ -", ID_MOST);
	if (!is_fresh(timestamp, request->now, tolerance, error))
		return false;
	signature_count = read_signatures(list, signatures);
	/* every key and every signature, whatever has matched before: time tells nothing */
	for (size_t k = 0; k < count; k++) {
		authenticate(keys[k], id, timestamp, request->body, mac);
		for (size_t s = 0; s < signature_count; s++)
			matches |= CRYPTO_memcmp(mac, signatures[s], MAC_LENGTH) == 0;
	}
	if (matches == 0)
		return error_set(error, "no signature fits (%zu of v1 in the header, %zu secrets)",
				 signature_count, count);
	outcome->delivery_id = id;
	return true;
}

bool
verify_standard_webhooks_sign(const struct verify_standard_webhooks *key, struct slice id,
			      int64_t now, struct slice body, struct text *headers,
			      struct error *error)
{
	unsigned char mac[MAC_LENGTH];
	char digits[24];
	struct text timestamp;

	if (!verify_standard_webhooks_is_id(id))
		return error_set(error, "the id is not 1 to %d of A-Z a-z 0-9 _ -", ID_MOST);
	text_start(&timestamp, digits, sizeof(digits));
	text_append_number(&timestamp, now / 1000);
	authenticate(key, id, text_slice(&timestamp), body, mac);
	text_append_string(headers, "webhook-id: ");
	text_append_slice(headers, id);
	text_append_string(headers, "\nwebhook-timestamp: ");
	text_append_slice(headers, text_slice(&timestamp));
	text_append_string(headers, "\nwebhook-signature: v1,");
	base64_encode(mac, sizeof(mac), headers);
	text_append_byte(headers, '\n');
	return true;
}
