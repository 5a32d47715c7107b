#include "bridge/forwarder/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
only_whole_messages_are_confirmed(void **state)
{
	struct window *window = window_new();
	struct position position = {.sequence = 4, .number = 2};

	(void)state;
	window_push(window, (struct position){.sequence = 5, .number = 3}, 100);
	window_push(window, (struct position){.sequence = 9, .number = 4}, 250);
	assert_false(window_confirm(window, 99, &position));
	assert_int_equal(position.sequence, 4);
	assert_true(window_confirm(window, 249, &position));
	assert_int_equal(position.sequence, 5);
	assert_int_equal(position.number, 3);
	assert_false(window_is_empty(window));
	assert_true(window_confirm(window, 250, &position));
	assert_int_equal(position.sequence, 9);
	assert_true(window_is_empty(window));
	assert_false(window_confirm(window, 250, &position));
	window_free(window);
}

static void
the_ring_keeps_its_order_over_many_rounds(void **state)
{
	struct window *window = window_new();
	struct position position = {0};
	uint64_t pushed = 0;

	(void)state;
	for (int round = 0; round < 5; round++) {
		while (window_has_room(window, 1)) {
			pushed++;
			window_push(window,
				    (struct position){.sequence = pushed * 2, .number = pushed},
				    pushed * 10);
		}
		assert_int_equal(pushed - position.number, WINDOW_MESSAGES);
		assert_true(window_confirm(window, (pushed - 1000) * 10 + 9, &position));
		assert_int_equal(position.number, pushed - 1000);
		assert_int_equal(position.sequence, (pushed - 1000) * 2);
	}
	window_free(window);
}

static void
bytes_are_bounded_too(void **state)
{
	struct window *window = window_new();
	struct position position = {0};

	(void)state;
	window_push(window, (struct position){.sequence = 1, .number = 1}, WINDOW_BYTES - 1);
	assert_true(window_has_room(window, 256));
	window_push(window, (struct position){.sequence = 2, .number = 2}, WINDOW_BYTES);
	assert_false(window_has_room(window, 256));
	assert_true(window_confirm(window, WINDOW_BYTES - 1, &position));
	assert_true(window_has_room(window, 256));
	assert_false(window_has_room(window, WINDOW_MESSAGES));
	window_clear(window);
	assert_true(window_has_room(window, WINDOW_MESSAGES));
	window_free(window);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_whole_messages_are_confirmed),
	    cmocka_unit_test(the_ring_keeps_its_order_over_many_rounds),
	    cmocka_unit_test(bytes_are_bounded_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
