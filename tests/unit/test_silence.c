/*
 * When a source counts as silent after a start; that it is told, and once, is shown
 * from outside (test_silence.py).
 */
#include "bridge/receiver/silence.c" /* NOLINT(bugprone-suspicious-include) */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static struct config_source source = {.silence = DAY, .silence_text = (char[]){"24h"}};

/* How much of the silence has passed by `began`. */
static int64_t
passed_after(int64_t received_at, bool told, uint64_t told_at, struct watched *watched)
{
	const int64_t began = 1000000000;
	const struct found last = {.sequence = received_at != 0 ? 7 : 0,
				   .received_at = received_at};
	const struct found said = {.sequence = told_at, .silent = told};

	*watched = (struct watched){.source = &source};
	atomic_init(&watched->heard_at, began);
	resume(watched, &last, &said, began);
	return began - atomic_load(&watched->heard_at);
}

static void
the_time_goes_on_from_the_last_event(void **state)
{
	struct watched watched;
	int64_t passed = passed_after(deadline_wall() - HOUR, false, 0, &watched);

	(void)state;
	assert_true(passed >= HOUR && passed < HOUR + MINUTE);
	assert_int_equal(passed_after(0, false, 0, &watched), 0);
}

/* Forward by a year, or what was a year without power: either way there is a minute. */
static void
a_clock_that_jumped_fires_nothing_at_once(void **state)
{
	struct watched watched;

	(void)state;
	assert_int_equal(passed_after(deadline_wall() - (int64_t)365 * DAY, false, 0, &watched),
			 DAY - SILENCE_GRACE);
	assert_int_equal(passed_after(deadline_wall() + DAY, false, 0, &watched), 0);
}

static void
a_short_silence_begins_anew(void **state)
{
	struct watched watched;

	(void)state;
	source.silence = SILENCE_GRACE / 2;
	assert_int_equal(passed_after(deadline_wall() - HOUR, false, 0, &watched), 0);
	source.silence = DAY;
}

static void
what_was_told_stays_told_until_it_is_heard(void **state)
{
	struct watched watched;

	(void)state;
	(void)passed_after(deadline_wall() - 2 * DAY, true, 8, &watched);
	assert_true(watched.silent);
	assert_int_equal(watched.silent_since, atomic_load(&watched.heard_at));
	/* heard behind it, and nobody was told: that is still to be done */
	(void)passed_after(deadline_wall() - HOUR, true, 6, &watched);
	assert_true(watched.silent);
	assert_true(watched.silent_since != atomic_load(&watched.heard_at));
}

static void
only_its_own_events_are_signs_of_life(void **state)
{
	struct watched watched = {.source = &source};
	struct silence silence = {.watched = &watched, .count = 1};
	struct spool_event events[] = {
	    {.source = SLICE_LITERAL("other"), .received_at = 5},
	    {.source = SLICE_LITERAL("anyint"), .received_at = 6},
	};

	(void)state;
	silence_stored(&silence, events, 1);
	assert_int_equal(atomic_load(&watched.received_at), 0);
	assert_int_equal(atomic_load(&watched.heard_at), 0);
	silence_stored(&silence, events, 2);
	assert_int_equal(atomic_load(&watched.received_at), 6);
	assert_true(atomic_load(&watched.heard_at) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_time_goes_on_from_the_last_event),
	    cmocka_unit_test(a_clock_that_jumped_fires_nothing_at_once),
	    cmocka_unit_test(a_short_silence_begins_anew),
	    cmocka_unit_test(what_was_told_stays_told_until_it_is_heard),
	    cmocka_unit_test(only_its_own_events_are_signs_of_life),
	};
	char name[] = "anyint";

	source.name = name;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
