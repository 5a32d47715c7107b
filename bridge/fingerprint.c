#include "bridge/fingerprint.h"

#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

/* RFC 5425 demands sha-1; a fingerprint is no signature, so that is good enough here. */
static const struct hash {
	const char *prefix;
	size_t length; /* bytes of the digest */
	const EVP_MD *(*algorithm)(void);
} hashes[] = {
    {"sha-256:", 32, EVP_sha256},
    {"sha-1:", 20, EVP_sha1},
};

/* The hash that the text begins with, in whatever case; NULL: none of ours. */
static const struct hash *
hash_of(const char *fingerprint)
{
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (strncasecmp(fingerprint, hashes[i].prefix, strlen(hashes[i].prefix)) == 0)
			return &hashes[i];
	return NULL;
}

static bool
is_hex(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F');
}

static void
fold(char *text, char first, char last)
{
	for (; *text != '\0'; text++)
		if (*text >= first && *text <= last)
			*text = (char)(*text ^ ('a' ^ 'A'));
}

/* "AB:CD", of `pairs` pairs and nothing behind them. */
static bool
is_pairs(const char *text, size_t pairs)
{
	if (strlen(text) != pairs * 3 - 1)
		return false;
	for (size_t i = 0; i < pairs * 3 - 1; i++)
		if (i % 3 == 2 ? text[i] != ':' : !is_hex(text[i]))
			return false;
	return true;
}

bool
fingerprint_fold(char *fingerprint, struct error *error)
{
	const struct hash *hash = hash_of(fingerprint);
	char *pairs;

	if (hash == NULL)
		return error_set(
		    error,
		    "'%.20s' names no hash that is known here; write sha-256:AB:CD:... "
		    "or sha-1:AB:CD:...",
		    fingerprint);
	memcpy(fingerprint, hash->prefix, strlen(hash->prefix));
	pairs = fingerprint + strlen(hash->prefix);
	fold(pairs, 'a', 'f');
	if (is_pairs(pairs, hash->length))
		return true;
	return error_set(error, "'%.120s' must be %zu hex pairs with colons between them behind %s",
			 fingerprint, hash->length, hash->prefix);
}

static void
append(const struct hash *hash, const X509 *certificate, struct text *text)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (X509_digest(certificate, hash->algorithm(), digest, &length) != 1)
		length = 0; /* out of memory: then it matches nothing */
	text_append_string(text, hash->prefix);
	for (unsigned i = 0; i < length; i++) {
		if (i > 0)
			text_append_byte(text, ':');
		text_append_byte(text, digits[digest[i] >> 4]);
		text_append_byte(text, digits[digest[i] & 15]);
	}
}

void
fingerprint_append(const X509 *certificate, struct text *text)
{
	append(&hashes[0], certificate, text);
}

bool
fingerprint_matches(const char *fingerprint, const X509 *certificate)
{
	const struct hash *hash = hash_of(fingerprint);
	char bytes[FINGERPRINT_LONGEST];
	struct text text;

	if (hash == NULL)
		return false;
	text_start(&text, bytes, sizeof(bytes));
	append(hash, certificate, &text);
	return !text.overflowed && text_slice_is(text_slice(&text), fingerprint);
}
