#include "bridge/console/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct counters *counters;
static struct history *history;

static int
set_up(void **state)
{
	struct error error;

	(void)state;
	history = history_new(2);
	return counters_map(-1, &counters, &error) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	history_free(history);
	return 0;
}

/* Seconds in which so much came in and half of it went out to the second destination. */
static void
pass(int seconds, uint64_t in)
{
	for (int i = 0; i < seconds; i++) {
		counters_add(counters, COUNTER_ACCEPTED, in);
		atomic_fetch_add(&counters->destinations[1].sent, in / 2);
		history_add(history, counters);
	}
}

static void
nothing_is_known_at_first(void **state)
{
	uint64_t points[HISTORY_POINTS];

	(void)state;
	assert_int_equal(history_rate_in(history), 0);
	assert_int_equal(history_series_in(history, points), 0);
	history_add(history, counters);
	assert_int_equal(history_rate_in(history), 0);
	assert_int_equal(history_series_out(history, points), 0);
}

static void
a_rate_is_that_of_the_last_seconds(void **state)
{
	(void)state;
	history_add(history, counters);
	pass(3, 40);
	assert_int_equal(history_rate_in(history), 400);
	pass(HISTORY_RATE, 4);
	assert_int_equal(history_rate_in(history), 40);
	assert_int_equal(history_rate_out(history, 0), 0);
	assert_int_equal(history_rate_out(history, 1), 20);
	assert_int_equal(history_rate_out(history, 7), 0);
}

static void
a_series_ends_with_the_newest_and_is_no_longer_than_it_may(void **state)
{
	uint64_t points[HISTORY_POINTS];

	(void)state;
	history_add(history, counters);
	pass(HISTORY_POINT, 10);
	pass(HISTORY_POINT, 20);
	assert_int_equal(history_series_in(history, points), 2);
	assert_int_equal(points[0], 100);
	assert_int_equal(points[1], 200);
	assert_int_equal(history_series_out(history, points), 2);
	assert_int_equal(points[1], 100);
	pass(3 * HISTORY_SECONDS, 30);
	assert_int_equal(history_series_in(history, points), HISTORY_POINTS);
	assert_int_equal(points[0], 300);
}

static void
counters_that_begin_anew_are_not_taken_for_millions(void **state)
{
	(void)state;
	pass(5, 1000);
	memset((void *)counters, 0, sizeof(*counters));
	history_add(history, counters);
	assert_int_equal(history_rate_in(history), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(nothing_is_known_at_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_rate_is_that_of_the_last_seconds, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_series_ends_with_the_newest_and_is_no_longer_than_it_may, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(counters_that_begin_anew_are_not_taken_for_millions,
					    set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
