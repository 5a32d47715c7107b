#include "bridge/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
what_was_encoded_is_decoded(void **state)
{
	unsigned char bytes[256], decoded[256];
	char encoded[512];
	struct text text;
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	text_start(&text, encoded, sizeof(encoded));
	hex_encode(bytes, sizeof(bytes), &text);
	assert_false(text.overflowed);
	assert_memory_equal(encoded, "000102", 6);
	assert_true(hex_decode(text_slice(&text), decoded, sizeof(decoded), &length));
	assert_int_equal(length, sizeof(bytes));
	assert_memory_equal(bytes, decoded, sizeof(bytes));
}

static void
both_cases_are_read(void **state)
{
	unsigned char bytes[3];
	size_t length;

	(void)state;
	assert_true(hex_decode(SLICE_LITERAL("aAfF0b"), bytes, sizeof(bytes), &length));
	assert_memory_equal(bytes, "\xAA\xFF\x0B", 3);
	assert_true(hex_decode(SLICE_LITERAL(""), bytes, 0, &length));
	assert_int_equal(length, 0);
}

static void
what_is_not_hexadecimal_is_refused(void **state)
{
	static const char *const texts[] = {"0",  "0g", "g0",       " 0",
					    "0x", "+1", "\xff\xff", "000000"};
	unsigned char bytes[2];
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (hex_decode(text_of(texts[i]), bytes, sizeof(bytes), &length))
			fail_msg("'%s' was read", texts[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_encoded_is_decoded),
	    cmocka_unit_test(both_cases_are_read),
	    cmocka_unit_test(what_is_not_hexadecimal_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
