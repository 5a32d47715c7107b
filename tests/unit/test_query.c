#include "bridge/console/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/arena_fixture.h"

static void
a_parameter_is_found_by_its_whole_name(void **state)
{
	const struct slice query = SLICE_LITERAL("xid=1&id=msg_1&type=key.*&id=2&empty=&last");

	(void)state;
	assert_string_equal(query_find(query, "id", arena), "msg_1");
	assert_string_equal(query_find(query, "type", arena), "key.*");
	assert_null(query_find(query, "i", arena));
	assert_null(query_find(query, "empty", arena));
	assert_null(query_find(query, "last", arena));
	assert_null(query_find((struct slice){NULL, 0}, "id", arena));
	assert_null(query_find(SLICE_LITERAL("&&=&id"), "id", arena));
}

static void
percent_and_plus_are_decoded_and_what_is_broken_stays(void **state)
{
	static const struct {
		const char *written, *meant;
	} rows[] = {
	    {"id=a%20b", "a b"}, {"id=a+b", "a b"},   {"id=%C3%a4", "\xC3\xA4"},
	    {"id=100%", "100%"}, {"id=%zz", "%zz"},   {"id=%4", "%4"},
	    {"id=%41", "A"},     {"id=%26%3D", "&="}, {"id==", "="},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(query_find(text_of(rows[i].written), "id", arena),
				    rows[i].meant);
	assert_null(query_find(SLICE_LITERAL("id=a%00b"), "id", arena));
	assert_string_equal(query_decode(SLICE_LITERAL("a+b%2Fc"), false, arena), "a+b/c");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_parameter_is_found_by_its_whole_name, make_arena,
					    free_arena),
	    cmocka_unit_test_setup_teardown(percent_and_plus_are_decoded_and_what_is_broken_stays,
					    make_arena, free_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
