#include "bridge/steady.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/deadline.h"

#define YEAR (INT64_C(365) * 24 * 60 * 60 * 1000)
#define DAY  (INT64_C(24) * 60 * 60 * 1000)

static int
tear_down(void **state)
{
	(void)state;
	deadline_shift_wall(0);
	return 0;
}

/* As if so much had passed since the last time that it was asked. */
static void
pass(struct steady *steady, int64_t milliseconds)
{
	steady->state.boot_at -= milliseconds;
}

static void
what_is_kept_ages_by_the_time_that_passes_and_not_by_the_clock(void **state)
{
	struct steady steady;

	(void)state;
	steady_start(&steady, (struct slice){NULL, 0});
	assert_true(steady_advance(&steady, 10, DAY));
	assert_false(steady_advance(&steady, 11, DAY));
	deadline_shift_wall(YEAR);
	(void)steady_advance(&steady, 11, DAY);
	assert_int_equal(steady_aged(&steady, DAY), 0);
	deadline_shift_wall(-YEAR);
	pass(&steady, DAY / 2);
	assert_true(steady_advance(&steady, 20, DAY));
	assert_int_equal(steady_aged(&steady, DAY), 0);
	pass(&steady, DAY / 2);
	assert_true(steady_advance(&steady, 30, DAY));
	assert_int_equal(steady_aged(&steady, DAY), 10);
	pass(&steady, DAY / 2);
	assert_true(steady_advance(&steady, 40, DAY));
	assert_int_equal(steady_aged(&steady, DAY), 20);
}

static void
marks_are_enough_for_any_retention(void **state)
{
	struct steady steady;
	uint64_t last = 0;

	(void)state;
	steady_start(&steady, (struct slice){NULL, 0});
	for (unsigned i = 0; i < 100000; i++) {
		pass(&steady, 30000);
		(void)steady_advance(&steady, ++last, 7 * DAY);
		assert_in_range(steady.state.count, 1, STEADY_MARKS);
	}
	/* 7 days are 20160 of these turns; a mark is every sixtieth part of them */
	assert_in_range(last - steady_aged(&steady, 7 * DAY), 20160, 20160 + 20160 / 50);
}

static void
a_restart_goes_on_and_a_reboot_credits_no_more_than_a_day(void **state)
{
	struct steady first, second;

	(void)state;
	steady_start(&first, (struct slice){NULL, 0});
	assert_true(steady_advance(&first, 10, DAY));
	pass(&first, DAY / 2);
	assert_true(steady_advance(&first, 20, DAY));
	/* the same boot: what passed while nothing ran, whatever the clock says */
	pass(&first, DAY);
	deadline_shift_wall(-YEAR);
	steady_start(&second, steady_save(&first));
	assert_in_range(second.state.progress - first.state.progress, DAY, DAY + 1000);
	/* another boot, and a clock a year ahead */
	deadline_shift_wall(YEAR);
	first.state.boot[0] ^= 1;
	steady_start(&second, steady_save(&first));
	assert_int_equal(second.state.progress - first.state.progress, STEADY_CREDIT);
	deadline_shift_wall(-YEAR);
	steady_start(&second, steady_save(&first));
	assert_int_equal(second.state.progress, first.state.progress);
	/* what is no state begins anew */
	steady_start(&second, SLICE_LITERAL("?"));
	assert_int_equal(second.state.progress, 0);
}

static void
the_line_follows_what_agreed_and_not_the_clock(void **state)
{
	struct steady steady, next;
	int64_t now = deadline_wall();

	(void)state;
	steady_start(&steady, (struct slice){NULL, 0});
	assert_int_equal(steady_line(&steady), 0);
	steady_agree(&steady, now);
	deadline_shift_wall(YEAR);
	assert_in_range(steady_line(&steady), now, now + 10000);
	deadline_shift_wall(-YEAR);
	assert_in_range(steady_line(&steady), now, now + 10000);
	/* never back */
	steady_agree(&steady, now - YEAR);
	assert_in_range(steady_line(&steady), now, now + 10000);
	steady_start(&next, steady_save(&steady));
	assert_in_range(steady_line(&next), now, now + 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(
		what_is_kept_ages_by_the_time_that_passes_and_not_by_the_clock, tear_down),
	    cmocka_unit_test_teardown(marks_are_enough_for_any_retention, tear_down),
	    cmocka_unit_test_teardown(a_restart_goes_on_and_a_reboot_credits_no_more_than_a_day,
				      tear_down),
	    cmocka_unit_test_teardown(the_line_follows_what_agreed_and_not_the_clock, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
