/*
 * Own code and not EVP_DecodeBlock(): that one takes white space, counts padding
 * as bytes and does not look at the bits left over.
 */
#include "bridge/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

/* The value of each digit and one more; 0: it is none.  Without branches, as in hex.c. */
static const unsigned char values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

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
		unsigned value = values[(unsigned char)text.bytes[i]];

		if (value == 0)
			return false;
		group = group << 6 | (value - 1);
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
