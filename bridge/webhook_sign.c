#include "bridge/webhook_sign.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base64.h"
#include "formats/memory.h"

enum { KEY_LEAST = 24, KEY_MOST = 64, MAC = 32, AROUND = 64 };

static const char prefix[] = "whsec_";

static bool
read_key(struct slice secret, unsigned char key[KEY_MOST], size_t *length, struct error *error)
{
	size_t skip = sizeof(prefix) - 1;

	if (secret.length > skip && memcmp(secret.bytes, prefix, skip) == 0)
		secret = (struct slice){secret.bytes + skip, secret.length - skip};
	return (base64_decode(secret, key, KEY_MOST, length) && *length >= KEY_LEAST) ||
	       error_set(error,
			 "not a Standard Webhooks secret: it must be whsec_ and the Base64 of %d "
			 "to %d bytes",
			 KEY_LEAST, KEY_MOST);
}

bool
webhook_sign(struct slice secret, struct slice id, int64_t now, struct slice body,
	     struct text *headers, struct error *error)
{
	size_t capacity = id.length + body.length + AROUND, key_length = 0, mac_length = 0;
	unsigned char key[KEY_MOST], mac[MAC];
	char *bytes;
	struct text text;

	if (!read_key(secret, key, &key_length, error)) {
		memory_wipe(key, sizeof(key));
		return false;
	}
	bytes = memory_allocate(capacity);
	text_start(&text, bytes, capacity);
	text_append_slice(&text, id);
	text_append_format(&text, ".%" PRId64 ".", now);
	text_append_slice(&text, body);
	if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, key_length,
		      (const unsigned char *)bytes, text.length, mac, sizeof(mac),
		      &mac_length) == NULL)
		memory_panic("HMAC with SHA-256 failed");
	text_append_format(headers, "webhook-timestamp: %" PRId64 "\nwebhook-signature: v1,", now);
	base64_encode(mac, mac_length, headers);
	text_append_byte(headers, '\n');
	memory_wipe(key, sizeof(key));
	free(bytes);
	return true;
}
