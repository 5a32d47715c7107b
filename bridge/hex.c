#include "bridge/hex.h"

static int
value_of(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool
hex_decode(struct slice text, unsigned char *bytes, size_t capacity, size_t *length)
{
	*length = 0;
	if (text.length % 2 != 0 || text.length / 2 > capacity)
		return false;
	for (size_t i = 0; i < text.length; i += 2) {
		int high = value_of(text.bytes[i]), low = value_of(text.bytes[i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[(*length)++] = (unsigned char)(high * 16 + low);
	}
	return true;
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
