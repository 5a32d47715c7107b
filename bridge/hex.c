#include "bridge/hex.h"

/* The value of each digit and one more; 0: it is none.  Without branches: see verify.h. */
static const unsigned char values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

bool
hex_decode(struct slice text, unsigned char *bytes, size_t capacity, size_t *length)
{
	bool good = true;

	*length = 0;
	if (text.length % 2 != 0 || text.length / 2 > capacity)
		return false;
	for (size_t i = 0; i < text.length; i += 2) {
		unsigned high = values[(unsigned char)text.bytes[i]];
		unsigned low = values[(unsigned char)text.bytes[i + 1]];

		good &= high != 0 && low != 0;
		bytes[(*length)++] = (unsigned char)((high - 1) << 4 | ((low - 1) & 15));
	}
	return good;
}

void
hex_encode(const unsigned char *bytes, size_t length, struct text *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		text_append_byte(text, digits[bytes[i] >> 4]);
		text_append_byte(text, digits[bytes[i] & 15]);
	}
}
