#include "formats/json_split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The pieces of `text` with a bar behind each, and what came at the end. */
static void
assert_pieces(const char *text, const char *expected, bool is_array)
{
	struct slice rest = text_of(text), piece;
	enum json_split_step step;
	struct json_split split;
	char bytes[256];
	struct text pieces;

	text_start(&pieces, bytes, sizeof(bytes));
	if (is_array && !json_split_array(&split, rest)) {
		text_append_string(&pieces, "none");
	} else {
		while ((step = is_array ? json_split_element(&split, &piece)
					: json_split_next(&rest, &piece)) == JSON_SPLIT_VALUE)
			text_append_format(&pieces, "%.*s|", (int)piece.length, piece.bytes);
		text_append_string(&pieces, step == JSON_SPLIT_END ? "end" : "wrong");
		if (is_array && step == JSON_SPLIT_END)
			text_append_slice(&pieces, split.rest);
	}
	if (!text_slice_is(text_slice(&pieces), expected))
		fail_msg("%s: %.*s", text, (int)pieces.length, bytes);
}

static void
values_may_stand_one_after_another(void **state)
{
	(void)state;
	assert_pieces("{\"event\":\"a\"}{\"event\":\"b\"}",
		      "{\"event\":\"a\"}|{\"event\":\"b\"}|end", false); /* H2 */
	assert_pieces(" {\"a\":\"}\\\"{\"}\r\n[1,[2]] 7 \"x\"true",      /* brackets in strings */
		      "{\"a\":\"}\\\"{\"}|[1,[2]]|7|\"x\"|true|end", false);
	assert_pieces("", "end", false);
	assert_pieces(" \n", "end", false);
	assert_pieces("{\"a\":1", "wrong", false);
	assert_pieces("{}{\"a", "{}|wrong", false);
	assert_pieces("{},{}", "{}|wrong", false);
	assert_pieces("\"a\\", "wrong", false);
	assert_pieces("]", "wrong", false);
}

static void
an_array_is_gone_through(void **state)
{
	(void)state;
	assert_pieces("[]", "end", true); /* X5 */
	assert_pieces(" [ ] x", "end x", true);
	assert_pieces("[{\"a\":[1,2]} , {}\n]", "{\"a\":[1,2]}|{}|end", true);
	assert_pieces("[1,\"]\",[3]]tail", "1|\"]\"|[3]|endtail", true);
	assert_pieces("[1,]", "1|wrong", true);
	assert_pieces("[,1]", "wrong", true);
	assert_pieces("[1 2]", "1|wrong", true);
	assert_pieces("[1", "1|wrong", true);
	assert_pieces("[", "wrong", true);
	assert_pieces("{}", "none", true);
	assert_pieces("", "none", true);
}

static void
assert_member(const char *object, const char *name, const char *expected)
{
	struct slice value = json_split_member(text_of(object), name);

	if (!text_slices_equal(value, text_of(expected)))
		fail_msg("%s: %.*s", object, (int)value.length, value.bytes);
}

static void
a_member_is_found_by_its_name(void **state)
{
	(void)state;
	assert_member("{\"stream\":\"s\",\"events\":[1, 2]}", "events", "[1, 2]");
	assert_member(" { \"a\" : {\"events\":1} , \"events\" : [ ] } ", "events", "[ ]");
	assert_member("{\"a\":{\"events\":1}}", "events", NULL);
	assert_member("{\"events\":1,\"events\":2}", "events", "1");
	assert_member("{}", "events", NULL);
	assert_member("[]", "events", NULL);
	assert_member("{\"a\"}", "a", NULL);
	assert_member("{\"a\":}", "a", NULL);
	assert_member("{a:1}", "a", NULL);
	assert_member("{\"b\":1 \"a\":1}", "a", NULL);
	assert_member("{\"\":1}", "", "1");
	assert_member("", "a", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_may_stand_one_after_another),
	    cmocka_unit_test(an_array_is_gone_through),
	    cmocka_unit_test(a_member_is_found_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
