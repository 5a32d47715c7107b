#include "bridge/deadline.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <poll.h>

#include <cmocka.h>

static void
a_deadline_in_the_past_has_passed(void **state)
{
	(void)state;
	assert_true(deadline_passed(deadline_after(0)));
	assert_true(deadline_passed(deadline_after(-1)));
	assert_int_equal(deadline_left(deadline_after(-100000)), 0);
}

static void
a_deadline_ahead_says_what_is_left_of_it(void **state)
{
	struct deadline deadline = deadline_after(60000);

	(void)state;
	assert_false(deadline_passed(deadline));
	assert_in_range(deadline_left(deadline), 50000, 60000);
}

static void
a_deadline_beyond_an_int_is_cut_to_it(void **state)
{
	(void)state;
	assert_int_equal(deadline_left(deadline_after((int64_t)INT_MAX * 10)), INT_MAX);
	assert_int_equal(deadline_left(deadline_after(INT64_MAX)), INT_MAX);
}

static void
a_wait_of_what_is_left_ends_with_the_deadline(void **state)
{
	struct deadline deadline = deadline_after(20);
	int64_t began = deadline_now();

	(void)state;
	while (!deadline_passed(deadline))
		assert_int_equal(poll(NULL, 0, deadline_left(deadline)), 0);
	assert_in_range(deadline_now() - began, 19, 10000);
}

static void
the_wall_clock_is_in_milliseconds_since_1970(void **state)
{
	(void)state;
	assert_in_range(deadline_wall(), 1700000000000, 4000000000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_deadline_in_the_past_has_passed),
	    cmocka_unit_test(a_deadline_ahead_says_what_is_left_of_it),
	    cmocka_unit_test(a_deadline_beyond_an_int_is_cut_to_it),
	    cmocka_unit_test(a_wait_of_what_is_left_ends_with_the_deadline),
	    cmocka_unit_test(the_wall_clock_is_in_milliseconds_since_1970),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
