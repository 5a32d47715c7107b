#include "bridge/spool/spool_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What is written of the parts. */
static void
assert_parts(const struct spool_parts *parts, const char *expected)
{
	char bytes[SPOOL_PARTS_TEXT + 1];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	spool_parts_write(parts, &text);
	text_append_byte(&text, '\0');
	assert_false(text.overflowed);
	assert_string_equal(bytes, expected);
}

static void
parts_that_touch_or_overlap_are_one(void **state)
{
	struct spool_parts parts = {.count = 0};

	(void)state;
	spool_parts_add(&parts, 5, 5);
	spool_parts_add(&parts, 6, 9);
	spool_parts_add(&parts, 8, 12);
	spool_parts_add(&parts, 7, 8);
	spool_parts_add(&parts, 14, INT64_MAX);
	spool_parts_add(&parts, 20, 30);
	assert_parts(&parts, "5 12\n14 9223372036854775807\n");
	assert_false(spool_parts_hold(&parts, 4));
	assert_true(spool_parts_hold(&parts, 5));
	assert_true(spool_parts_hold(&parts, 12));
	assert_false(spool_parts_hold(&parts, 13));
	assert_true(spool_parts_hold(&parts, INT64_MAX));
}

static void
without_a_place_the_last_one_grows(void **state)
{
	struct spool_parts parts = {.count = 0};

	(void)state;
	for (uint64_t i = 0; i < SPOOL_PARTS + 5; i++)
		spool_parts_add(&parts, 10 + 10 * i, 11 + 10 * i);
	assert_int_equal(parts.count, SPOOL_PARTS);
	assert_int_equal(parts.parts[SPOOL_PARTS - 1].first, 10 * SPOOL_PARTS);
	assert_int_equal(parts.parts[SPOOL_PARTS - 1].last, 11 + 10 * (SPOOL_PARTS + 4));
}

static void
only_what_is_within_is_added(void **state)
{
	struct spool_parts within = {.count = 0}, parts = {.count = 0};

	(void)state;
	spool_parts_add(&within, 10, 20);
	spool_parts_add(&within, 30, 40);
	spool_parts_add_within(&parts, 1, 9, &within);
	spool_parts_add_within(&parts, 15, 32, &within);
	spool_parts_add_within(&parts, 39, INT64_MAX, &within);
	assert_parts(&parts, "15 20\n30 32\n39 40\n");
}

static void
what_is_written_is_read_back(void **state)
{
	struct spool_parts parts = {.count = 0}, again;
	char bytes[SPOOL_PARTS_TEXT];
	struct text text;

	(void)state;
	for (uint64_t i = 0; i < SPOOL_PARTS; i++)
		spool_parts_add(&parts, INT64_MAX - 1000 + 3 * i, INT64_MAX - 999 + 3 * i);
	text_start(&text, bytes, sizeof(bytes));
	spool_parts_write(&parts, &text);
	assert_false(text.overflowed);
	assert_true(spool_parts_read(&again, text_slice(&text)));
	assert_int_equal(again.count, SPOOL_PARTS);
	assert_memory_equal(again.parts, parts.parts, sizeof(parts.parts));
	assert_true(spool_parts_read(&again, SLICE_LITERAL("")));
	assert_int_equal(again.count, 0);
}

static void
what_makes_no_sense_is_refused(void **state)
{
	static const char *const texts[] = {
	    "1",     "1 2",     "1 2 3\n",    "x 2\n",       "1 x\n",
	    "0 5\n", "5 4\n",   "5 9\n3 4\n", "5 9\n9 12\n", "-1 5\n",
	    "\n",    "1 2\n\n", " 1 2\n",     "1  2\n",      "1 9223372036854775808\n",
	};
	struct spool_parts parts;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (spool_parts_read(&parts, text_of(texts[i])))
			fail_msg("'%s' was read", texts[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parts_that_touch_or_overlap_are_one),
	    cmocka_unit_test(without_a_place_the_last_one_grows),
	    cmocka_unit_test(only_what_is_within_is_added),
	    cmocka_unit_test(what_is_written_is_read_back),
	    cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
