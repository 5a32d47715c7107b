#include "formats/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The bytes of a code point, as RFC 3629 section 3 has it. */
static size_t
encode(uint32_t code, char bytes[4])
{
	if (code < 0x80) {
		bytes[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		bytes[0] = (char)(0xC0 | code >> 6);
		bytes[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		bytes[0] = (char)(0xE0 | code >> 12);
		bytes[1] = (char)(0x80 | (code >> 6 & 0x3F));
		bytes[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	bytes[0] = (char)(0xF0 | code >> 18);
	bytes[1] = (char)(0x80 | (code >> 12 & 0x3F));
	bytes[2] = (char)(0x80 | (code >> 6 & 0x3F));
	bytes[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

static bool
must_be_hidden(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code <= 0x9F) ||
	       (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
	       code == 0xFEFF;
}

static void
every_code_point_is_judged(void **state)
{
	char bytes[4];

	(void)state;
	for (uint32_t code = 0; code < 0x110000; code++) {
		bool surrogate = code >= 0xD800 && code <= 0xDFFF;
		size_t length = encode(code, bytes);

		if (utf8_sequence(bytes, length) != (surrogate ? 0 : length))
			fail_msg("U+%04X", code);
		if (length > 1)
			assert_int_equal(utf8_sequence(bytes, length - 1), 0);
		if (!surrogate && utf8_hidden(bytes, length) != (must_be_hidden(code) ? length : 0))
			fail_msg("U+%04X", code);
	}
}

/* Of all pairs of bytes, as many are valid as there are such texts. */
static void
every_pair_of_bytes_is_judged(void **state)
{
	char bytes[2];
	int valid = 0;

	(void)state;
	for (int first = 0; first < 256; first++) {
		for (int second = 0; second < 256; second++) {
			bytes[0] = (char)first;
			bytes[1] = (char)second;
			valid += utf8_valid((struct slice){bytes, 2}) ? 1 : 0;
		}
	}
	assert_int_equal(valid, 128 * 128 + (0x800 - 0x80));
}

static void
cuts_fall_between_sequences(void **state)
{
	struct slice text = text_of("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
	static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};

	(void)state;
	for (size_t maximum = 0; maximum < 12; maximum++)
		assert_int_equal(utf8_cut(text, maximum).length, expected[maximum]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_code_point_is_judged),
	    cmocka_unit_test(every_pair_of_bytes_is_judged),
	    cmocka_unit_test(cuts_fall_between_sequences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
