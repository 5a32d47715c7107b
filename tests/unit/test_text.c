#include "formats/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
overflow_stays_set_and_writes_nothing(void **state)
{
	char bytes[4];
	struct text text;

	(void)state;
	text_start(&text, bytes, sizeof(bytes));
	text_append_string(&text, "abc");
	text_append_string(&text, "de");
	assert_true(text.overflowed);
	assert_int_equal(text.length, 3);
	text_append_byte(&text, 'd');
	assert_true(text.overflowed);
	text_cut(&text, 1);
	assert_false(text.overflowed);
	assert_int_equal(text.length, 1);
}

static void
numbers_are_written_whole(void **state)
{
	char bytes[64];
	struct text text;

	(void)state;
	text_start(&text, bytes, sizeof(bytes));
	text_append_number(&text, INT64_MIN);
	text_append_byte(&text, ' ');
	text_append_unsigned(&text, UINT64_MAX);
	text_append_byte(&text, ' ');
	text_append_padded(&text, 7, 3);
	assert_true(
	    text_slice_is(text_slice(&text), "-9223372036854775808 18446744073709551615 007"));
}

static void
unsigned_is_read_up_to_its_border(void **state)
{
	static const struct {
		const char *digits;
		uint64_t maximum;
		bool fits;
	} cases[] = {
	    {"0", 0, true},
	    {"1", 0, false},
	    {"299", 300, true},
	    {"300", 300, true},
	    {"301", 300, false},
	    {"4294967296", UINT32_MAX, false},
	    {"18446744073709551615", UINT64_MAX, true},
	    {"18446744073709551616", UINT64_MAX, false},
	    {"", 10, false},
	    {"+1", 10, false},
	    {"-1", 10, false},
	    {"1 ", 10, false},
	    {"0x1", 10, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t number = 77;

		assert_int_equal(
		    text_parse_unsigned(text_of(cases[i].digits), cases[i].maximum, &number),
		    cases[i].fits);
		if (!cases[i].fits)
			assert_int_equal(number, 77);
	}
}

static void
absent_equals_only_absent(void **state)
{
	(void)state;
	assert_true(text_slices_equal(text_of(NULL), text_of(NULL)));
	assert_false(text_slices_equal(text_of(NULL), text_of("")));
	assert_false(text_slice_is(text_of("key"), "keys"));
}

static void
equal_in_any_case(void **state)
{
	static const struct slice absent = {NULL, 0};

	(void)state;
	assert_true(text_slices_equal_any_case(text_of("Webhook-Id"), text_of("wEBHOOK-iD")));
	assert_true(text_slices_equal_any_case(text_of(""), text_of("")));
	assert_true(text_slices_equal_any_case(absent, absent));
	assert_false(text_slices_equal_any_case(absent, text_of("")));
	assert_false(text_slices_equal_any_case(text_of("gzip"), text_of("gzi")));
	assert_false(text_slices_equal_any_case(text_of("gzip"), text_of("gzap")));
	/* bytes that differ in the bit of the case alone, and are no letters */
	assert_false(text_slices_equal_any_case(text_of("@a"), text_of("`a")));
	assert_false(text_slices_equal_any_case(text_of("a["), text_of("a{")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_in_any_case),
	    cmocka_unit_test(overflow_stays_set_and_writes_nothing),
	    cmocka_unit_test(numbers_are_written_whole),
	    cmocka_unit_test(unsigned_is_read_up_to_its_border),
	    cmocka_unit_test(absent_equals_only_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
