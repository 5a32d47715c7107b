#include "bridge/forwarder/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MINUTE = 60000, SPAN = 10 * MINUTE, MOST = 20000 };

/* Asks whenever it may, for ten minutes; the most of any minute. */
static int
most_in_a_minute(uint32_t rate, int *all)
{
	static int64_t times[MOST];
	struct pace pace;
	int count = 0, most = 0;
	int64_t now = 5000;

	pace_start(&pace, rate);
	while (now < SPAN && count < MOST) {
		times[count++] = now;
		pace_take(&pace, now);
		if (pace_next(&pace) > now)
			now = pace_next(&pace);
	}
	for (int first = 0, i = 0; i < count; i++) {
		while (times[i] - times[first] >= MINUTE)
			first++;
		if (i - first + 1 > most)
			most = i - first + 1;
	}
	*all = count;
	return most;
}

static void
no_minute_has_more_than_the_rate(void **state)
{
	static const uint32_t rates[] = {2, 3, 60, 120, 300, 1000};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		int all, most = most_in_a_minute(rates[i], &all);

		if (most > (int)rates[i] || all < (int)rates[i] * 10 / 3)
			fail_msg("%u a minute: %d in one, %d in ten", rates[i], most, all);
	}
}

static void
without_a_rate_nothing_waits(void **state)
{
	struct pace pace;

	(void)state;
	pace_start(&pace, 0);
	for (int i = 0; i < 1000; i++) {
		assert_true(pace_next(&pace) <= 7);
		pace_take(&pace, 7);
	}
}

static void
a_quiet_time_is_not_saved_up(void **state)
{
	struct pace pace;
	int at_once = 0;

	(void)state;
	pace_start(&pace, 60);
	for (int64_t now = 100 * MINUTE; pace_next(&pace) <= now; at_once++)
		pace_take(&pace, now);
	assert_int_equal(at_once, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_minute_has_more_than_the_rate),
	    cmocka_unit_test(without_a_rate_nothing_waits),
	    cmocka_unit_test(a_quiet_time_is_not_saved_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
