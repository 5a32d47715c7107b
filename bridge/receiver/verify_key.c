#include "bridge/receiver/verify_key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/base64.h"
#include "bridge/hex.h"
#include "bridge/secret.h"
#include "formats/memory.h"

enum {
	WHSEC_LEAST = 24, /* bytes, Standard Webhooks: 24 to 64 */
	WHSEC_MOST = 64,
	ENCODED_LEAST = 16, /* bytes of a key that is written in hex or Base64 */
	ENCODED_MOST = 1024,
	PUBLIC_LENGTH = 32, /* RFC 8032 */
	TOKEN_DIGEST = 32,
};

struct verify_key {
	EVP_MAC_CTX *keyed; /* each thread copies it, which saves the set-up of the key */
	uint64_t serial;    /* no other key ever had it; 0: no HMAC */
	EVP_PKEY *public;
	struct secret *token;
	unsigned char token_digest[TOKEN_DIGEST];
};

static const char *
digest_name(enum config_digest digest)
{
	static const char *const names[] = {
	    [CONFIG_DIGEST_SHA256] = "SHA256",
	    [CONFIG_DIGEST_SHA512] = "SHA512",
	    [CONFIG_DIGEST_SHA1] = "SHA1",
	};

	return names[digest];
}

/*
 * The context that a thread used last.  A copy for each request would cost as much as the
 * HMAC, and the threads would contend for the counters of references in it.
 */
struct own {
	uint64_t serial; /* of the key it is of */
	EVP_MAC_CTX *context;
};

static pthread_key_t own_key;
static pthread_once_t own_once = PTHREAD_ONCE_INIT;

static void
free_own(void *value)
{
	struct own *own = value;

	EVP_MAC_CTX_free(own->context);
	free(own);
}

/* A key that goes leaves nothing behind in the thread that frees it; others end before. */
static void
forget_own(const struct verify_key *key)
{
	struct own *own = key->serial != 0 ? pthread_getspecific(own_key) : NULL;

	if (own == NULL || own->serial != key->serial)
		return;
	(void)pthread_setspecific(own_key, NULL);
	free_own(own);
}

static void
make_own_key(void)
{
	if (pthread_key_create(&own_key, free_own) != 0)
		memory_panic("no place for a thread's HMAC context");
}

/* ---- secrets ---- */

static bool
set_hmac_key(struct verify_key *key, enum config_digest digest, struct slice bytes,
	     struct error *error)
{
	static _Atomic uint64_t serials;
	char name[8];
	OSSL_PARAM parameters[2] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	struct text text;

	text_start(&text, name, sizeof(name));
	text_append_string(&text, digest_name(digest));
	text_append_byte(&text, '\0');
	/* it takes the length of the name at once, so the name is there before */
	parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
	key->keyed = EVP_MAC_CTX_new(hmac);
	EVP_MAC_free(hmac);
	if (bytes.length == 0)
		return error_set(error, "the key is empty");
	if (key->keyed == NULL || EVP_MAC_init(key->keyed, (const unsigned char *)bytes.bytes,
					       bytes.length, parameters) != 1)
		return error_set(error, "this OpenSSL offers no HMAC with %s", digest_name(digest));
	if (pthread_once(&own_once, make_own_key) != 0)
		memory_panic("no place for a thread's HMAC context");
	key->serial = ++serials;
	return true;
}

static bool
begins_with(struct slice text, const char *prefix)
{
	return text.length >= strlen(prefix) && memcmp(text.bytes, prefix, strlen(prefix)) == 0;
}

/* Behind "whpk_". */
static bool
set_public_key(struct verify_key *key, struct slice text, struct error *error)
{
	unsigned char bytes[PUBLIC_LENGTH];
	size_t length;

	if (!base64_decode(text, bytes, sizeof(bytes), &length) || length != sizeof(bytes))
		return error_set(error,
				 "not a public key: it must be whpk_ and the Base64 of %d "
				 "bytes",
				 PUBLIC_LENGTH);
	key->public = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, bytes, sizeof(bytes));
	return key->public != NULL || error_set(error, "not a public key of ed25519");
}

static bool
set_whsec(struct verify_key *key, const struct verify_scheme *scheme, struct slice text,
	  struct error *error)
{
	unsigned char bytes[WHSEC_MOST];
	size_t length;
	bool done;

	if (scheme->public_prefix != NULL && begins_with(text, "whpk_"))
		return set_public_key(key, (struct slice){text.bytes + 5, text.length - 5}, error);
	if (begins_with(text, "whsk_"))
		return error_set(error, "this is the sender's private key; give the public one, "
					"whpk_...");
	if (begins_with(text, "whsec_"))
		text = (struct slice){text.bytes + 6, text.length - 6};
	done = base64_decode(text, bytes, sizeof(bytes), &length) && length >= WHSEC_LEAST &&
	       set_hmac_key(key, scheme->digest, (struct slice){(char *)bytes, length}, error);
	memory_wipe(bytes, sizeof(bytes));
	return done || error_set(error,
				 "not a Standard Webhooks secret: it must be whsec_ and the Base64 "
				 "of %d to %d bytes",
				 WHSEC_LEAST, WHSEC_MOST);
}

static bool
set_encoded(struct verify_key *key, const struct verify_scheme *scheme, struct slice text,
	    struct error *error)
{
	bool is_hex = scheme->secret_form == CONFIG_SECRET_HEX;
	unsigned char bytes[ENCODED_MOST];
	size_t length;
	bool done = is_hex ? hex_decode(text, bytes, sizeof(bytes), &length)
			   : base64_decode(text, bytes, sizeof(bytes), &length);

	done = done && length >= ENCODED_LEAST &&
	       set_hmac_key(key, scheme->digest, (struct slice){(char *)bytes, length}, error);
	memory_wipe(bytes, sizeof(bytes));
	return done || error_set(error, "not the %s of %d to %d bytes",
				 is_hex ? "hexadecimal" : "Base64", ENCODED_LEAST, ENCODED_MOST);
}

static void
digest_token(struct slice token, unsigned char digest[TOKEN_DIGEST])
{
	if (EVP_Q_digest(NULL, "SHA256", NULL, token.bytes != NULL ? token.bytes : "", token.length,
			 digest, NULL) != 1)
		memory_panic("SHA-256 failed");
}

/* What no header can carry would never be accepted (RFC 9110 5.5). */
static bool
set_token(struct verify_key *key, struct slice text, struct error *error)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.bytes[i] <= ' ' || text.bytes[i] > '~')
			return error_set(error, "a token is printable ASCII without spaces");
	if (text.length == 0)
		return error_set(error, "the token is empty");
	key->token = secret_from_bytes("token", text);
	digest_token(text, key->token_digest);
	return true;
}

static bool
set_key(struct verify_key *key, const struct verify_scheme *scheme, struct slice secret,
	struct error *error)
{
	if (scheme->method == VERIFY_TOKEN)
		return set_token(key, secret, error);
	switch (scheme->secret_form) {
	case CONFIG_SECRET_WHSEC:
		return set_whsec(key, scheme, secret, error);
	case CONFIG_SECRET_HEX:
	case CONFIG_SECRET_BASE64:
		return set_encoded(key, scheme, secret, error);
	case CONFIG_SECRET_LITERAL:
		break;
	}
	return set_hmac_key(key, scheme->digest, secret, error);
}

bool
verify_key_new(struct verify_key **out, const struct verify_scheme *scheme, struct slice secret,
	       struct error *error)
{
	struct verify_key *key = memory_allocate(sizeof(*key));

	if (!set_key(key, scheme, secret, error)) {
		verify_key_free(key);
		return false;
	}
	*out = key;
	return true;
}

void
verify_key_free(struct verify_key *key)
{
	if (key == NULL)
		return;
	forget_own(key);
	EVP_MAC_CTX_free(key->keyed);
	EVP_PKEY_free(key->public);
	secret_free(key->token);
	memory_wipe(key->token_digest, sizeof(key->token_digest));
	free(key);
}

/* ---- what is signed ---- */

static struct slice
bytes_of(const struct verify_part *part, const struct verify_signed *what)
{
	switch (part->kind) {
	case CONFIG_PART_ID:
		return what->id;
	case CONFIG_PART_TIMESTAMP:
		return what->timestamp;
	case CONFIG_PART_BODY:
		return what->body;
	case CONFIG_PART_TEXT:
		break;
	}
	return text_of(part->text);
}

/* Ready for a new message. */
static EVP_MAC_CTX *
own_context(const struct verify_key *key)
{
	struct own *own = pthread_getspecific(own_key);

	if (own == NULL) {
		own = memory_allocate(sizeof(*own));
		if (pthread_setspecific(own_key, own) != 0)
			memory_panic("out of memory: a thread's HMAC context");
	}
	if (own->serial == key->serial) {
		if (EVP_MAC_init(own->context, NULL, 0, NULL) != 1)
			memory_panic("HMAC failed");
		return own->context;
	}
	EVP_MAC_CTX_free(own->context);
	own->serial = key->serial;
	own->context = EVP_MAC_CTX_dup(key->keyed);
	if (own->context == NULL)
		memory_panic("out of memory: an HMAC context");
	return own->context;
}

static void
authenticate(const struct verify_key *key, const struct slice *parts, size_t count,
	     unsigned char mac[VERIFY_HEADER_MAC])
{
	EVP_MAC_CTX *context = own_context(key);
	size_t length;

	for (size_t i = 0; i < count; i++)
		if (parts[i].length > 0 &&
		    EVP_MAC_update(context, (const unsigned char *)parts[i].bytes,
				   parts[i].length) != 1)
			memory_panic("HMAC failed");
	if (EVP_MAC_final(context, mac, &length, VERIFY_HEADER_MAC) != 1)
		memory_panic("HMAC failed");
}

static void
collect(const struct verify_scheme *scheme, const struct verify_signed *what,
	struct slice parts[CONFIG_PARTS])
{
	for (size_t i = 0; i < scheme->part_count; i++)
		parts[i] = bytes_of(&scheme->parts[i], what);
}

static bool
mac_fits(const struct verify_key *key, const struct verify_scheme *scheme,
	 const struct verify_signed *what, const struct verify_header *header)
{
	size_t length = verify_header_mac_length(scheme->digest);
	unsigned char mac[VERIFY_HEADER_MAC];
	struct slice parts[CONFIG_PARTS];
	int fitting = 0;

	collect(scheme, what, parts);
	authenticate(key, parts, scheme->part_count, mac);
	for (size_t i = 0; i < header->mac_count; i++)
		fitting |= CRYPTO_memcmp(mac, header->macs[i], length) == 0;
	return fitting != 0;
}

/* ed25519 wants what is signed in one piece (RFC 8032 5.1: PureEdDSA). */
static bool
public_fits(const struct verify_key *key, const struct verify_scheme *scheme,
	    const struct verify_signed *what, const struct verify_header *header)
{
	struct slice parts[CONFIG_PARTS];
	size_t length = 0;
	struct text message;
	bool fits = false;

	collect(scheme, what, parts);
	for (size_t i = 0; i < scheme->part_count; i++)
		length += parts[i].length;
	text_start(&message, memory_allocate(length + 1), length);
	for (size_t i = 0; i < scheme->part_count; i++)
		text_append_slice(&message, parts[i]);
	for (size_t i = 0; i < header->public_count; i++) {
		EVP_MD_CTX *context = EVP_MD_CTX_new();

		if (context == NULL || EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL,
							       key->public, NULL) != 1)
			memory_panic("ed25519 failed");
		if (EVP_DigestVerify(context, header->publics[i], VERIFY_HEADER_PUBLIC_LENGTH,
				     (const unsigned char *)message.bytes, message.length) == 1)
			fits = true;
		EVP_MD_CTX_free(context);
	}
	free(message.bytes);
	return fits;
}

/* By their hashes: the time tells neither the bytes nor how many there are. */
static bool
token_fits(const struct verify_key *key, const struct verify_header *header)
{
	unsigned char digest[TOKEN_DIGEST];

	digest_token(header->token, digest);
	return CRYPTO_memcmp(digest, key->token_digest, sizeof(digest)) == 0;
}

bool
verify_key_fits(const struct verify_key *key, const struct verify_scheme *scheme,
		const struct verify_signed *what, const struct verify_header *header)
{
	if (key->token != NULL)
		return token_fits(key, header);
	if (key->public != NULL)
		return public_fits(key, scheme, what, header);
	return mac_fits(key, scheme, what, header);
}

bool
verify_key_sign(const struct verify_key *key, const struct verify_scheme *scheme,
		const struct verify_signed *what, struct text *value, struct error *error)
{
	size_t length = verify_header_mac_length(scheme->digest);
	unsigned char mac[VERIFY_HEADER_MAC];
	struct slice parts[CONFIG_PARTS];

	text_append_string(value, scheme->prefix);
	if (key->token != NULL) {
		text_append_slice(value, secret_bytes(key->token));
		return true;
	}
	if (key->keyed == NULL)
		return error_set(error, "a public key cannot sign; its owner's private one can");
	collect(scheme, what, parts);
	authenticate(key, parts, scheme->part_count, mac);
	if (scheme->encoding == CONFIG_ENCODING_HEX)
		hex_encode(mac, length, value);
	else
		base64_encode(mac, length, value);
	return true;
}

bool
verify_key_authenticate(const struct verify_key *key, struct slice text,
			unsigned char mac[VERIFY_HEADER_MAC])
{
	if (key->keyed == NULL)
		return false;
	authenticate(key, &text, 1, mac);
	return true;
}
