#include "formats/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/json_read.h"

static char bytes[65536];
static struct text text;

static void
assert_written(struct json_node *document, const char *expected)
{
	text_start(&text, bytes, sizeof(bytes) - 1);
	json_write_finish(document, &text);
	assert_false(text.overflowed);
	bytes[text.length] = '\0';
	assert_string_equal(bytes, expected);
}

static void
members_are_in_the_order_of_writing(void **state)
{
	struct json_node *object = json_write_object(), *inner = json_write_object();
	struct json_node *array = json_write_array();

	(void)state;
	json_write_text(object, "b", text_of("one"));
	json_write_number(object, "a", -42);
	json_write_boolean(object, "c", true);
	json_write_text(inner, "x", text_of(""));
	json_write_child(object, "inner", inner);
	json_write_element_text(array, text_of("first"));
	json_write_element(array, json_write_object());
	json_write_child(object, "list", array);
	assert_written(object, "{\"b\":\"one\",\"a\":-42,\"c\":true,\"inner\":{\"x\":\"\"},"
			       "\"list\":[\"first\",{}]}");
}

static void
what_is_absent_is_left_out(void **state)
{
	struct json_node *object = json_write_object(), *array = json_write_array();

	(void)state;
	json_write_text(object, "text", (struct slice){NULL, 0});
	json_write_decimal(object, "decimal", (struct slice){NULL, 0});
	json_write_child_unless_empty(object, "child", json_write_object());
	json_write_element_text(array, (struct slice){NULL, 0});
	json_write_child(object, "list", array);
	assert_written(object, "{\"list\":[]}");
}

static void
what_is_hidden_is_written_as_its_number(void **state)
{
	struct json_node *document = json_write_object();
	char written[256];
	struct text line;

	(void)state;
	json_write_text(
	    document, "n",
	    text_of("a\x7F\xC2\x85\xE2\x80\xA8\xE2\x81\xA6\xEF\xBB\xBF\xC3\xA9\xE2\x82\xAC"));
	text_start(&line, written, sizeof(written));
	text_append_string(&line, "\xE2\x80\xA8"); /* not ours */
	json_write_finish(document, &line);
	assert_true(text_slice_is(text_slice(&line),
				  "\xE2\x80\xA8{\"n\":\"a\\u007f\\u0085\\u2028\\u2066\\ufeff"
				  "\xC3\xA9\xE2\x82\xAC\"}"));
}

static void
decimals_keep_their_digits_and_what_is_none_is_text(void **state)
{
	static const struct {
		const char *digits, *expected;
	} rows[] = {
	    {"1790856000.000", "{\"n\":1790856000.000}"},
	    {"0", "{\"n\":0}"},
	    {"-0.10", "{\"n\":-0.10}"},
	    {"999999999999999", "{\"n\":999999999999999}"},
	    {"-12345678901234.5", "{\"n\":-12345678901234.5}"},
	    {"9999999999999999", "{\"n\":\"9999999999999999\"}"},
	    {"123456789012345678901234567890", "{\"n\":\"123456789012345678901234567890\"}"},
	    {"1e9", "{\"n\":\"1e9\"}"},
	    {"01", "{\"n\":\"01\"}"},
	    {"1.", "{\"n\":\"1.\"}"},
	    {".5", "{\"n\":\".5\"}"},
	    {"-", "{\"n\":\"-\"}"},
	    {"", "{\"n\":\"\"}"},
	    {"NaN", "{\"n\":\"NaN\"}"},
	    {"1,\"x\":2", "{\"n\":\"1,\\\"x\\\":2\"}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_node *object = json_write_object();

		json_write_decimal(object, "n", text_of(rows[i].digits));
		assert_written(object, rows[i].expected);
	}
}

static void
broken_text_comes_out_valid(void **state)
{
	static const struct {
		struct slice raw;
		const char *expected;
	} rows[] = {
	    {{"a\0b", 3},
	     "{\"t\":\"a\xEF\xBF\xBD"
	     "b\"}"},
	    {{"\xFF\xFE", 2}, "{\"t\":\"\xEF\xBF\xBD\xEF\xBF\xBD\"}"},
	    {{"gr\xC3\xBC\xC3", 5}, "{\"t\":\"gr\xC3\xBC\xEF\xBF\xBD\"}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_node *object = json_write_object();

		json_write_text(object, "t", rows[i].raw);
		assert_written(object, rows[i].expected);
	}
}

/* Every byte that can stand in a text comes back as it was. */
static void
a_strict_reader_reads_what_was_written(void **state)
{
	struct json_node *object = json_write_object();
	struct json_value *document;
	struct json_member member;
	struct error error;
	char all[127];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)(i + 1);
	json_write_text(object, "all", (struct slice){all, sizeof(all)});
	text_start(&text, bytes, sizeof(bytes));
	json_write_finish(object, &text);
	assert_null(memchr(bytes, '\n', text.length));
	assert_true(json_read(&document, text_slice(&text), &error));
	assert_true(json_read_first(document, &member));
	assert_true(
	    text_slices_equal(json_read_string(member.value), (struct slice){all, sizeof(all)}));
	json_read_free(document);
}

static void
what_does_not_fit_overflows_the_text(void **state)
{
	struct json_node *object = json_write_object();
	char small[8];

	(void)state;
	json_write_text(object, "name", text_of("value"));
	text_start(&text, small, sizeof(small));
	json_write_finish(object, &text);
	assert_true(text.overflowed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_are_in_the_order_of_writing),
	    cmocka_unit_test(what_is_absent_is_left_out),
	    cmocka_unit_test(what_is_hidden_is_written_as_its_number),
	    cmocka_unit_test(decimals_keep_their_digits_and_what_is_none_is_text),
	    cmocka_unit_test(broken_text_comes_out_valid),
	    cmocka_unit_test(a_strict_reader_reads_what_was_written),
	    cmocka_unit_test(what_does_not_fit_overflows_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
