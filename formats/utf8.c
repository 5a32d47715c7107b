#include "formats/utf8.h"

/*
 * RFC 3629 section 4: what the first byte demands of the second; all that
 * follow are 80..BF.
 */
static const struct lead {
	unsigned char first, last; /* of the first byte */
	unsigned char low, high;   /* of the second byte */
	unsigned char length;
} leads[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

static bool
continues(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

size_t
utf8_sequence(const char *bytes, size_t left)
{
	const unsigned char *byte = (const unsigned char *)bytes;

	if (left == 0)
		return 0;
	if (byte[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		const struct lead *lead = &leads[i];

		if (byte[0] < lead->first || byte[0] > lead->last)
			continue;
		if (left < lead->length || byte[1] < lead->low || byte[1] > lead->high)
			return 0;
		for (size_t j = 2; j < lead->length; j++)
			if (!continues(byte[j]))
				return 0;
		return lead->length;
	}
	return 0;
}

bool
utf8_valid(struct slice text)
{
	size_t length;

	for (size_t i = 0; i < text.length; i += length) {
		length = utf8_sequence(text.bytes + i, text.length - i);
		if (length == 0)
			return false;
	}
	return true;
}

struct slice
utf8_cut(struct slice text, size_t maximum)
{
	if (text.length <= maximum)
		return text;
	while (maximum > 0 && continues((unsigned char)text.bytes[maximum]))
		maximum--;
	return (struct slice){text.bytes, maximum};
}

/* U+2028-202E and U+2066-2069, from the two bytes behind E2. */
static bool
hidden_punctuation(unsigned char second, unsigned char third)
{
	if (second == 0x80)
		return third >= 0xA8 && third <= 0xAE;
	return second == 0x81 && third >= 0xA6 && third <= 0xA9;
}

size_t
utf8_hidden(const char *bytes, size_t left)
{
	const unsigned char *byte = (const unsigned char *)bytes;

	switch (byte[0]) {
	case 0x7F:
		return 1;
	case 0xC2:
		return left >= 2 && byte[1] <= 0x9F ? 2 : 0;
	case 0xE2:
		return left >= 3 && hidden_punctuation(byte[1], byte[2]) ? 3 : 0;
	case 0xEF:
		return left >= 3 && byte[1] == 0xBB && byte[2] == 0xBF ? 3 : 0;
	default:
		return byte[0] < 0x20 ? 1 : 0;
	}
}
