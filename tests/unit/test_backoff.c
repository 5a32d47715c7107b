#include "bridge/forwarder/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
pauses_double_up_to_the_longest(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct backoff backoff;
		int64_t shortest = BACKOFF_SHORTEST;

		backoff_start(&backoff, seed);
		for (int i = 0; i < 20; i++) {
			int64_t pause = backoff_next(&backoff);

			assert_true(pause >= shortest);
			assert_true(pause <= 2 * shortest);
			assert_true(pause <= BACKOFF_LONGEST);
			shortest *= 2;
			if (shortest > BACKOFF_LONGEST / 2)
				shortest = BACKOFF_LONGEST / 2;
		}
		assert_false(backoff_is_fresh(&backoff));
		backoff_reset(&backoff);
		assert_true(backoff_is_fresh(&backoff));
		assert_true(backoff_next(&backoff) / 2 <= BACKOFF_SHORTEST);
	}
}

static void
two_destinations_do_not_come_back_together(void **state)
{
	struct backoff one;
	struct backoff two;
	int different = 0;

	(void)state;
	backoff_start(&one, 1);
	backoff_start(&two, 2);
	for (int i = 0; i < 20; i++)
		different += backoff_next(&one) != backoff_next(&two);
	assert_true(different > 15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pauses_double_up_to_the_longest),
	    cmocka_unit_test(two_destinations_do_not_come_back_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
