#include "formats/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/json_scan.h"
#include "tests/unit/vectors.h"

static void
check_record(const struct vector *vector)
{
	for (size_t i = 1; i < vector->count; i++) {
		struct slice value = vector->values[i];
		bool expected = strcmp(vector->keys[i], "read") == 0;
		struct json_value *document;
		struct json_scan scan;
		struct error error = {.text = ""};

		/* of what the scan accepts, every object */
		if (strcmp(vector->keys[i], "accept") == 0)
			expected = json_scan(value, &scan, &error) && scan.outermost == '{';
		if (json_read(&document, value, &error) != expected)
			fail_msg("%s: %s (%s)", vector->keys[i], value.bytes, error.text);
		if (expected)
			json_read_free(document);
	}
}

static void
vectors_are_read_or_refused(void **state)
{
	(void)state;
	vectors_each("tests/vectors/json.txt", check_record);
}

static void
ten_thousand_names_are_compared(void **state)
{
	static char bytes[200000];
	struct json_value *document;
	struct error error;
	struct text text;

	(void)state;
	text_start(&text, bytes, sizeof(bytes));
	text_append_string(&text, "{\"n\":0");
	for (uint64_t i = 0; i < 9998; i++) {
		text_append_string(&text, ",\"n");
		text_append_unsigned(&text, i);
		text_append_string(&text, "\":0");
	}
	text_append_string(&text, "}");
	assert_true(json_read(&document, text_slice(&text), &error));
	json_read_free(document);
	bytes[2] = 'm'; /* and now the last but one is there twice */
	bytes[3] = '"';
	text_cut(&text, text.length - strlen("\"n9997\":0}"));
	text_append_string(&text, "\"m\":0}");
	assert_false(json_read(&document, text_slice(&text), &error));
	assert_string_equal(error.text, "the same name twice in one JSON object");
}

static void
scalars_become_text(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
	    {"{\"a\":\"x\"}", "x"},
	    {"{\"a\":\"\"}", ""},
	    {"{\"a\":\"\\ud800\"}", "\xEF\xBF\xBD"},
	    {"{\"a\":\"a\\u0000b\\u0000\"}", "a b "},
	    {"{\"a\":true}", "true"},
	    {"{\"a\":false}", "false"},
	    {"{\"a\":0}", "0"},
	    {"{\"a\":-9223372036854775807}", "-9223372036854775807"},
	    {"{\"a\":9223372036854775807}", "9223372036854775807"},
	    {"{\"a\":18446744073709551614}", "18446744073709551614"},
	    {"{\"a\":18446744073709551616}", "18446744073709551616"},
	    {"{\"a\":-9223372036854775809}", "-9223372036854775809"},
	    {"{\"a\":1000000000000000000}", "1000000000000000000"},
	    {"{\"a\":-999999999999999999}", "-999999999999999999"},
	    {"{\"a\":123456789012345678901234567890}", "123456789012345678901234567890"},
	    {"{\"a\":0.1234567890123456789012345}", "0.1234567890123456789012345"},
	    {"{\"a\":12345678901234567890.50}", "12345678901234567890.50"},
	    {"{\"a\":\"\\\"1000000000000000000000\"}", "\"1000000000000000000000"},
	    {"{\"a\":49.90}", "49.90"},
	    {"{\"a\":1e2}", "1e2"},
	    {"{\"a\":1e400}", "1e400"},
	    {"{\"a\":null}", NULL},
	    {"{\"a\":[1]}", NULL},
	    {"{\"a\":{}}", NULL},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_value *document;
		struct json_member member;
		struct error error;

		assert_true(json_read(&document, text_of(cases[i].json), &error));
		assert_true(json_read_first(document, &member));
		assert_true(text_slice_is(member.name, "a"));
		assert_true(text_slice_is(json_read_text(member.value, arena), cases[i].text));
		assert_false(json_read_next(&member));
		json_read_free(document);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_are_read_or_refused),
	    cmocka_unit_test(ten_thousand_names_are_compared),
	    cmocka_unit_test(scalars_become_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
