#include "formats/json_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "formats/memory.h"
#include "tests/unit/arena_fixture.h"
#include "tests/unit/json_same.h"
#include "tests/unit/vectors.h"

/* Copied to the byte, so that ASan sees a look behind the end. */
static void
must_be_same(struct slice text)
{
	char *copy = memory_allocate(text.length + 1);
	char *exact = copy + 1;

	if (text.length > 0)
		memcpy(exact, text.bytes, text.length);
	if (!json_same((struct slice){exact, text.length}, arena))
		fail_msg("read otherwise than json-c reads it: %.*s", (int)text.length, exact);
	free(copy);
	arena_clear(arena);
}

static void
check_record(const struct vector *vector)
{
	for (size_t i = 1; i < vector->count; i++)
		must_be_same(vector->values[i]);
}

static void
vectors_are_read_as_json_c_reads_them(void **state)
{
	(void)state;
	vectors_each("tests/vectors/json.txt", check_record);
}

static void
texts_are_what_the_sender_wrote(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
	    {"{\"a\":\"x\"}", "x"},
	    {"{\"a\":\"\"}", ""},
	    {" { \"a\" : \"x\" } ", "x"},
	    {"{\"\\u0061\":\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\"}",
	     "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
	    {"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t"},
	    {"{\"a\":\"\\\\\"}", "\\"},
	    {"{\"a\":\"\\ud800\"}", "\xEF\xBF\xBD"},
	    {"{\"a\":\"\\udc00\\ud800x\"}", "\xEF\xBF\xBD\xEF\xBF\xBDx"},
	    {"{\"a\":\"\\ud800\\ud800\\udc00\"}", "\xEF\xBF\xBD\xF0\x90\x80\x80"},
	    {"{\"a\":\"\\ud800\\n\"}", "\xEF\xBF\xBD\n"},
	    {"{\"a\":\"a\\u0000b\\u0000\"}", "a b "},
	    {"{\"a\":true}", "true"},
	    {"{\"a\":false}", "false"},
	    {"{\"a\":-0}", "-0"},
	    {"{\"a\":123456789012345678901234567890}", "123456789012345678901234567890"},
	    {"{\"a\":12345678901234567890.50E+7}", "12345678901234567890.50E+7"},
	    {"{\"a\":49.90 }", "49.90"},
	    {"{\"a\":null}", NULL},
	    {"{\"a\":[1]}", NULL},
	    {"{\"a\":{}}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct json_item *object;
		struct error error;

		assert_true(json_tree_read(&object, text_of(cases[i].json), arena, &error));
		assert_int_equal(object->kind, JSON_OBJECT);
		assert_null(object->next);
		assert_true(text_slice_is(object->first->name, "a"));
		if (!text_slice_is(object->first->text, cases[i].text))
			fail_msg("%s: %.*s", cases[i].json, (int)object->first->text.length,
				 object->first->text.bytes);
		assert_null(object->first->next);
		must_be_same(text_of(cases[i].json));
	}
}

static void
what_is_in_what_is_seen(void **state)
{
	static const char *const texts[] = {
	    "{}",
	    "{\"a\":[]}",
	    "{\"a\":{}}",
	    "{\"a\":[[],{},[{}],{\"b\":[]}],\"c\":1}",
	    "{\"a\":{\"b\":{\"c\":[1,[2,[3]],4]}},\"d\":[true,null,\"]}\"]}",
	    "{\"a\":{\"b\":1},\"b\":{\"b\":2},\"c\":[{\"b\":3},{\"b\":4}]}",
	    "{\"a\":{\"b\":1,\"b\":2}}",
	    "{\"a\":1,\"b\":{},\"\\u0061\":2}",
	    "{\"a\":[{\"b\":1,\"c\":{},\"b\":2}]}",
	    "[1]",
	    "\"a\"",
	    "{\"a\":1}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		must_be_same(text_of(texts[i]));
}

/* Objects of one member in each other, and arrays, down to `depth`. */
static struct slice
nested(struct text *text, char *bytes, size_t capacity, int depth)
{
	text_start(text, bytes, capacity);
	for (int i = 0; i < depth; i++)
		text_append_string(text, i % 2 == 0 ? "{\"a\":" : "[");
	text_append_string(text, "1");
	for (int i = depth - 1; i >= 0; i--)
		text_append_string(text, i % 2 == 0 ? "}" : "]");
	return text_slice(text);
}

static void
the_deepest_document_is_read(void **state)
{
	char bytes[512];
	struct text text;

	(void)state;
	for (int depth = 1; depth <= 33; depth++)
		must_be_same(nested(&text, bytes, sizeof(bytes), depth));
}

/* `count` names, all different, or the last of them the same as the name `same`. */
static struct slice
names(struct text *text, char *bytes, size_t capacity, uint64_t count, uint64_t same)
{
	text_start(text, bytes, capacity);
	text_append_byte(text, '{');
	for (uint64_t i = 0; i < count; i++) {
		text_append_string(text, i > 0 ? ",\"n" : "\"n");
		text_append_unsigned(text, i + 1 < count ? i : same);
		text_append_string(text, "\":0");
	}
	text_append_byte(text, '}');
	return text_slice(text);
}

static void
any_number_of_names_is_compared(void **state)
{
	static const uint64_t counts[] = {2, 23, 24, 25, 26, 511, 512, 513, 9999};
	static char bytes[200000];
	const struct json_item *object;
	struct error error;
	struct text text;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint64_t count = counts[i];

		must_be_same(names(&text, bytes, sizeof(bytes), count, count));
		must_be_same(names(&text, bytes, sizeof(bytes), count, 0));
		must_be_same(names(&text, bytes, sizeof(bytes), count, count - 2));
		assert_false(json_tree_read(&object, text_slice(&text), arena, &error));
		assert_string_equal(error.text, "the same name twice in one JSON object");
	}
}

/* What one document left in the reader is not seen by the next. */
static void
one_reader_reads_many_documents(void **state)
{
	static const char *const texts[] = {"{\"a\":{\"b\":[1,2,3]}}", "{\"a\":", "[1]",
					    "{\"a\":1,\"a\":2}", "{\"b\":\"one\"}"};
	const struct json_item *object;
	struct error error;

	(void)state;
	for (int turn = 0; turn < 3; turn++) {
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			assert_int_equal(json_tree_read(&object, text_of(texts[i]), arena, &error),
					 i == 0 || i == 4);
		assert_true(json_tree_read(&object, text_of(texts[0]), arena, &error));
		assert_true(text_slice_is(object->first->first->name, "b"));
		assert_true(text_slice_is(object->first->first->first->next->next->text, "3"));
		assert_null(object->first->first->first->next->next->next);
		if (turn == 1)
			arena_clear(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_are_read_as_json_c_reads_them),
	    cmocka_unit_test(texts_are_what_the_sender_wrote),
	    cmocka_unit_test(what_is_in_what_is_seen),
	    cmocka_unit_test(the_deepest_document_is_read),
	    cmocka_unit_test(any_number_of_names_is_compared),
	    cmocka_unit_test(one_reader_reads_many_documents),
	};

	return cmocka_run_group_tests(tests, make_arena, free_arena);
}
