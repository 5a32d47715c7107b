#include "bridge/forwarder/settle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { OPEN = 65536, SHUT = 4096 }; /* windows */

static void
a_byte_is_confirmed_settle_after_its_acknowledgement(void **state)
{
	struct settle settle;

	(void)state;
	settle_start(&settle, 1000);
	settle_note(&settle, 0, OPEN, 5000);
	assert_true(settle_next(&settle, 0, 5000) == INT64_MAX);
	settle_note(&settle, 100, OPEN, 5000);
	assert_int_equal(settle_confirm(&settle, 5999), 0);
	assert_int_equal(settle_next(&settle, 100, 5999), 6000);
	assert_int_equal(settle_confirm(&settle, 6000), 100);
	assert_true(settle_next(&settle, 100, 6000) == INT64_MAX);
}

static void
what_came_later_is_not_confirmed_with_what_came_before(void **state)
{
	struct settle settle;

	(void)state;
	settle_start(&settle, 1000);
	settle_note(&settle, 100, OPEN, 5000);
	settle_note(&settle, 200, OPEN, 5001); /* too near: waits for the next look */
	assert_true(settle_next(&settle, 200, 5001) <= 5001 + settle.interval);
	settle_note(&settle, 200, OPEN, 5500);
	assert_int_equal(settle_confirm(&settle, 6000), 100);
	assert_int_equal(settle_confirm(&settle, 6499), 100);
	assert_int_equal(settle_confirm(&settle, 6500), 200);
}

static void
a_steady_stream_is_never_late_by_more_than_a_step(void **state)
{
	static const int64_t durations[] = {0, 1, 50, 200, 1000, 60000};

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		int64_t duration = durations[i];
		struct settle settle;

		settle_start(&settle, duration);
		/* One byte is acknowledged each millisecond: offset == time. */
		for (int64_t now = 1; now < 3 * duration + 100; now++) {
			uint64_t confirmed;

			settle_note(&settle, (uint64_t)now, OPEN, now);
			confirmed = settle_confirm(&settle, now);
			assert_true((int64_t)confirmed <= now - duration || confirmed == 0);
			if (now > duration + 2 * settle.interval)
				assert_true((int64_t)confirmed >= now - duration - settle.interval);
		}
	}
}

static void
what_a_slow_collector_may_not_have_read_is_held_back(void **state)
{
	struct settle settle;

	(void)state;
	settle_start(&settle, 1000);
	settle_note(&settle, 1000, OPEN, 5000);
	settle_note(&settle, 50000, OPEN / 2 - 1, 5500);
	assert_int_equal(settle_confirm(&settle, 7000), 0);
	assert_true(settle_next(&settle, 50000, 7000) > 7000);
	/* Two windows on, the first bytes must have been read. */
	settle_note(&settle, 1000 + 2 * OPEN, 0, 7100);
	assert_int_equal(settle_confirm(&settle, 7100), 1000);
	/* All of it was read: the window is open again. */
	settle_note(&settle, 1000 + 2 * OPEN, OPEN / 2, 7200);
	assert_int_equal(settle_confirm(&settle, 7200), 50000);
	assert_int_equal(settle_confirm(&settle, 8100), 1000 + 2 * OPEN);
}

static void
a_window_that_never_opens_again_does_not_hold_for_ever(void **state)
{
	struct settle settle;

	(void)state;
	settle_start(&settle, 1000);
	settle_note(&settle, 1000, OPEN, 5000);
	settle_note(&settle, 1000, 1, 5100);
	assert_int_equal(settle_confirm(&settle, 6000 + SETTLE_LAG - 1), 0);
	assert_int_equal(settle_confirm(&settle, 6000 + SETTLE_LAG), 1000);
}

static void
what_lies_two_windows_behind_is_read(void **state)
{
	struct settle settle;

	(void)state;
	settle_start(&settle, 1000);
	assert_true(settle_is_read(&settle));
	settle_note(&settle, 1000, OPEN, 5000);
	assert_true(settle_is_read(&settle)); /* of nothing that is confirmed */
	assert_int_equal(settle_confirm(&settle, 6000), 1000);
	assert_false(settle_is_read(&settle));
	settle_note(&settle, 1000 + 2 * OPEN - 1, 1, 6100);
	assert_false(settle_is_read(&settle));
	settle_note(&settle, 1000 + 2 * OPEN, 0, 6200);
	assert_true(settle_is_read(&settle));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_byte_is_confirmed_settle_after_its_acknowledgement),
	    cmocka_unit_test(what_came_later_is_not_confirmed_with_what_came_before),
	    cmocka_unit_test(a_steady_stream_is_never_late_by_more_than_a_step),
	    cmocka_unit_test(what_a_slow_collector_may_not_have_read_is_held_back),
	    cmocka_unit_test(what_lies_two_windows_behind_is_read),
	    cmocka_unit_test(a_window_that_never_opens_again_does_not_hold_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
