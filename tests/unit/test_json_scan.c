#include "formats/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/vectors.h"

static size_t cases;

static void
check_record(const struct vector *vector)
{
	for (size_t i = 1; i < vector->count; i++, cases++) {
		bool expected = strcmp(vector->keys[i], "refuse") != 0;
		struct slice value = vector->values[i];
		struct json_scan scan;
		struct error error = {.text = ""};
		/* a copy of the exact size, so that ASan sees a byte too far */
		char *exact = malloc(value.length > 0 ? value.length : 1);

		assert_non_null(exact);
		memcpy(exact, value.bytes, value.length);
		if (json_scan((struct slice){exact, value.length}, &scan, &error) != expected)
			fail_msg("%s: %s (%s)", vector->keys[i], value.bytes, error.text);
		assert_int_equal(error.text[0] == '\0', expected);
		free(exact);
	}
}

static void
vectors_are_let_through_or_refused(void **state)
{
	(void)state;
	vectors_each("tests/vectors/json.txt", check_record);
	assert_true(cases > 100);
}

/* '[' * depth, or one name in each of '{' * depth. */
static bool
nested(const char *open, const char *close, size_t depth)
{
	char bytes[1024];
	struct text text;
	struct json_scan scan;
	struct error error;

	text_start(&text, bytes, sizeof(bytes));
	for (size_t i = 0; i < depth; i++)
		text_append_string(&text, open);
	text_append_string(&text, "1");
	for (size_t i = 0; i < depth; i++)
		text_append_string(&text, close);
	assert_false(text.overflowed);
	return json_scan(text_slice(&text), &scan, &error);
}

static void
depth_ends_at_32(void **state)
{
	(void)state;
	assert_true(nested("[", "]", 32));
	assert_false(nested("[", "]", 33));
	assert_true(nested("{\"a\":", "}", 32));
	assert_false(nested("{\"a\":", "}", 33));
	assert_false(nested("[{\"a\":", "}]", 17));
}

static void
values_end_at_10000(void **state)
{
	static char bytes[32768];
	struct json_scan scan;
	struct error error;
	struct text text;

	(void)state;
	text_start(&text, bytes, sizeof(bytes));
	text_append_string(&text, "[0");
	for (int i = 0; i < 9998; i++)
		text_append_string(&text, ",0");
	text_append_string(&text, "]");
	assert_true(json_scan(text_slice(&text), &scan, &error));
	assert_int_equal(scan.values, 10000);
	text_cut(&text, text.length - 1);
	text_append_string(&text, ",0]");
	assert_false(json_scan(text_slice(&text), &scan, &error));
}

static void
errors_say_where_and_not_what(void **state)
{
	struct json_scan scan;
	struct error error;

	(void)state;
	assert_false(json_scan(text_of("{\"secret\":sk-1}"), &scan, &error));
	assert_string_equal(error.text, "not JSON: a value is missing at byte 11");
}

static void
what_ends_too_early_is_told_from_what_is_wrong(void **state)
{
	static const char *const early[] = {"{", "{\"a\"", "{\"a\":", "{\"a\":[1,",
					    "[", "\n{\n",  "\"a"};
	static const char *const wrong[] = {"{]", "{\"a\" 1", "[1 2", "{} {", "nul", "{\"a\":1}x"};
	struct json_scan scan;
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
		assert_false(json_scan(text_of(early[i]), &scan, &error));
		assert_true(scan.cut_off);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(json_scan(text_of(wrong[i]), &scan, &error));
		assert_false(scan.cut_off);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_are_let_through_or_refused),
	    cmocka_unit_test(depth_ends_at_32),
	    cmocka_unit_test(values_end_at_10000),
	    cmocka_unit_test(what_ends_too_early_is_told_from_what_is_wrong),
	    cmocka_unit_test(errors_say_where_and_not_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
