#include "bridge/receiver/verify_header.h"

#include <string.h>
#include <strings.h>

#include "bridge/base64.h"
#include "bridge/hex.h"

size_t
verify_header_mac_length(enum config_digest digest)
{
	static const size_t lengths[] = {
	    [CONFIG_DIGEST_SHA256] = 32,
	    [CONFIG_DIGEST_SHA512] = 64,
	    [CONFIG_DIGEST_SHA1] = 20,
	};

	return lengths[digest];
}

/* The next entry of the list, without the spaces around it; false at the end. */
static bool
next_entry(struct slice *list, char delimiter, struct slice *entry)
{
	const char *end;

	if (list->bytes == NULL)
		return false;
	*entry = *list;
	end = delimiter != '\0' ? memchr(list->bytes, delimiter, list->length) : NULL;
	if (end == NULL) {
		list->bytes = NULL;
	} else {
		entry->length = (size_t)(end - list->bytes);
		list->bytes = end + 1;
		list->length -= entry->length + 1;
	}
	while (entry->length > 0 && entry->bytes[0] == ' ') {
		entry->bytes++;
		entry->length--;
	}
	while (entry->length > 0 && entry->bytes[entry->length - 1] == ' ')
		entry->length--;
	return true;
}

/* What stands behind the prefix; false: it does not begin so. */
static bool
behind(struct slice entry, const char *prefix, struct slice *rest)
{
	size_t length = prefix != NULL ? strlen(prefix) : 0;

	if (prefix == NULL || entry.length < length || memcmp(entry.bytes, prefix, length) != 0)
		return false;
	*rest = (struct slice){entry.bytes + length, entry.length - length};
	return true;
}

static bool
decode(enum config_encoding encoding, struct slice text, unsigned char *bytes, size_t length)
{
	size_t decoded;
	bool done = encoding == CONFIG_ENCODING_HEX ? hex_decode(text, bytes, length, &decoded)
						    : base64_decode(text, bytes, length, &decoded);

	return done && decoded == length;
}

static void
read_entry(struct verify_header *header, const struct verify_scheme *scheme, struct slice entry)
{
	size_t length = verify_header_mac_length(scheme->digest);
	struct slice rest;

	if (behind(entry, scheme->timestamp_prefix, &rest)) {
		header->timestamp = rest;
		header->timestamp_count++;
	} else if (behind(entry, scheme->public_prefix, &rest)) {
		if (header->public_count < VERIFY_HEADER_PUBLIC &&
		    decode(CONFIG_ENCODING_BASE64, rest, header->publics[header->public_count],
			   VERIFY_HEADER_PUBLIC_LENGTH))
			header->public_count++;
	} else if (behind(entry, scheme->prefix, &rest)) {
		if (header->mac_count < VERIFY_HEADER_SIGNATURES &&
		    decode(scheme->encoding, rest, header->macs[header->mac_count], length))
			header->mac_count++;
	}
}

/* The name of an authentication scheme has no case (RFC 9110 11.1), nor has any prefix here. */
static void
read_token(struct verify_header *header, const struct verify_scheme *scheme, struct slice value)
{
	size_t length = strlen(scheme->prefix);

	if (value.length >= length && strncasecmp(value.bytes, scheme->prefix, length) == 0)
		header->token = (struct slice){value.bytes + length, value.length - length};
}

void
verify_header_read(struct verify_header *header, const struct verify_scheme *scheme,
		   struct slice value)
{
	struct slice entry;

	header->mac_count = header->public_count = header->timestamp_count = 0;
	header->timestamp = header->token = (struct slice){NULL, 0};
	if (value.bytes == NULL || value.length > VERIFY_HEADER_LENGTH)
		return;
	if (scheme->method == VERIFY_TOKEN)
		read_token(header, scheme, value);
	else if (scheme->method == VERIFY_HMAC)
		while (next_entry(&value, scheme->delimiter, &entry))
			read_entry(header, scheme, entry);
}
