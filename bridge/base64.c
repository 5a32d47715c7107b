/*
 * Own code and not EVP_DecodeBlock(): that one takes white space, counts padding
 * as bytes and does not look at the bits left over.
 */
#include "bridge/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

static int
value_of(char digit)
{
	if (digit >= 'A' && digit <= 'Z')
		return digit - 'A';
	if (digit >= 'a' && digit <= 'z')
		return digit - 'a' + 26;
	if (digit >= '0' && digit <= '9')
		return digit - '0' + 52;
	if (digit == '+')
		return 62;
	return digit == '/' ? 63 : -1;
}

/* Takes the padding off; false where there is more or less than belongs there. */
static bool
strip_padding(struct slice *text)
{
	size_t padding = 0;

	while (text->length > 0 && text->bytes[text->length - 1] == '=') {
		text->length--;
		padding++;
	}
	return padding == 0 || (padding <= 2 && (text->length + padding) % 4 == 0);
}

bool
base64_decode(struct slice text, unsigned char *bytes, size_t capacity, size_t *length)
{
	uint32_t group = 0;
	int bits = 0;

	*length = 0;
	if (!strip_padding(&text) || text.length % 4 == 1)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		int value = value_of(text.bytes[i]);

		if (value < 0)
			return false;
		group = group << 6 | (uint32_t)value;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (*length == capacity)
			return false;
		bytes[(*length)++] = (unsigned char)(group >> bits & 0xff);
	}
	return (group & ((1U << bits) - 1)) == 0;
}

void
base64_encode(const unsigned char *bytes, size_t length, struct text *text)
{
	const uint32_t padding = 64; /* its place in the alphabet */

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t group = (uint32_t)bytes[i] << 16;

		if (left > 1)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (left > 2)
			group |= bytes[i + 2];
		text_append_byte(text, alphabet[group >> 18]);
		text_append_byte(text, alphabet[group >> 12 & 63]);
		text_append_byte(text, alphabet[left > 1 ? group >> 6 & 63 : padding]);
		text_append_byte(text, alphabet[left > 2 ? group & 63 : padding]);
	}
}
