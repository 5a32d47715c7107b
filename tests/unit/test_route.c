#include "bridge/forwarder/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
an_event_goes_where_a_glob_wants_it(void **state)
{
	char keys[] = "key.*";
	char alerts[] = "security.alert";
	char *events[] = {keys, alerts};
	const struct config_destination some = {.events = events, .events_count = 2};
	const struct config_destination none = {.events = events, .events_count = 0};

	(void)state;
	assert_true(route_wants(&some, SLICE_LITERAL("key.created")));
	assert_true(route_wants(&some, SLICE_LITERAL("security.alert")));
	assert_false(route_wants(&some, SLICE_LITERAL("security.alerts")));
	assert_false(route_wants(&some, SLICE_LITERAL("member.joined")));
	assert_false(route_wants(&none, SLICE_LITERAL("key.created")));
}

static void
the_sequence_id_wraps_to_1(void **state)
{
	static const struct {
		uint64_t number;
		uint32_t sequence_id;
	} cases[] = {
	    {1, 1},          {2, 2},          {2147483646, 2147483646}, {2147483647, 2147483647},
	    {2147483648, 1}, {2147483649, 2}, {4294967294, 2147483647}, {4294967295, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(route_sequence_id(cases[i].number), cases[i].sequence_id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_event_goes_where_a_glob_wants_it),
	    cmocka_unit_test(the_sequence_id_wraps_to_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
