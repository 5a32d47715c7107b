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

/* Of one stride each, so that none shares an entry. */
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
				    pushed * WINDOW_STRIDE);
		}
		assert_int_equal(pushed - position.number, WINDOW_BYTES / WINDOW_STRIDE);
		assert_true(window_confirm(window, (pushed - 1000) * WINDOW_STRIDE, &position));
		assert_int_equal(position.number, pushed - 1000);
		assert_int_equal(position.sequence, (pushed - 1000) * 2);
	}
	window_free(window);
}

/* Whatever is confirmed: never what is not, and at most a stride less than what is. */
static void
many_messages_share_entries(void **state)
{
	enum { LENGTH = 300, COUNT = 800000 };
	struct window *window = window_new();
	struct position position = {0};
	uint64_t pushed = 0, confirmed = 0;

	(void)state;
	for (; pushed < COUNT; pushed++) {
		assert_true(window_has_room(window, 256));
		window_push(window, (struct position){.sequence = pushed + 1},
			    (pushed + 1) * LENGTH);
	}
	while (confirmed < (uint64_t)COUNT * LENGTH) {
		confirmed += 100 * LENGTH + 7;
		(void)window_confirm(window, confirmed, &position);
		assert_true(position.sequence * LENGTH <= confirmed);
		assert_true(position.sequence * LENGTH + WINDOW_STRIDE + LENGTH > confirmed ||
			    position.sequence == COUNT);
	}
	assert_int_equal(position.sequence, COUNT);
	assert_true(window_is_empty(window));
	window_free(window);
}

static void
few_messages_are_confirmed_one_by_one(void **state)
{
	struct window *window = window_new();
	struct position position = {0};

	(void)state;
	for (uint64_t i = 1; i <= WINDOW_ALONE; i++)
		window_push(window, (struct position){.sequence = i}, i);
	for (uint64_t i = 1; i <= WINDOW_ALONE; i++) {
		assert_true(window_first(window, &position));
		assert_int_equal(position.sequence, i);
		assert_true(window_confirm(window, i, &position));
		assert_int_equal(position.sequence, i);
	}
	window_free(window);
}

static void
large_messages_fill_the_entries(void **state)
{
	struct window *window = window_new();
	struct position position = {0};
	uint64_t end = 0, pushed = 0;

	(void)state;
	/* a large one and a small one by turns: no two fit a stride */
	while (window_has_room(window, 256)) {
		end += pushed++ % 2 == 0 ? WINDOW_STRIDE : 1;
		window_push(window, (struct position){.sequence = pushed}, end);
	}
	assert_true(window_confirm(window, end, &position));
	assert_int_equal(position.sequence, pushed);
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
	assert_false(window_has_room(window, WINDOW_ENTRIES));
	window_clear(window);
	assert_true(window_has_room(window, WINDOW_ENTRIES));
	window_free(window);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_whole_messages_are_confirmed),
	    cmocka_unit_test(the_ring_keeps_its_order_over_many_rounds),
	    cmocka_unit_test(many_messages_share_entries),
	    cmocka_unit_test(few_messages_are_confirmed_one_by_one),
	    cmocka_unit_test(large_messages_fill_the_entries),
	    cmocka_unit_test(bytes_are_bounded_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
