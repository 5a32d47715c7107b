#include "bridge/forwarder/position.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ROUNDS = 200000 };

static void *
write_pairs(void *context)
{
	struct position_board *board = context;

	for (uint64_t i = 1; i <= ROUNDS; i++)
		position_publish(board, (struct position){.sequence = i, .number = i * 3});
	return NULL;
}

static void
the_two_numbers_always_belong_together(void **state)
{
	struct position_board board;
	struct position position = {0};
	uint64_t last = 0;
	pthread_t writer;

	(void)state;
	position_start(&board, position);
	assert_int_equal(pthread_create(&writer, NULL, write_pairs, &board), 0);
	while (last < ROUNDS) {
		if (!position_take(&board, &position))
			continue;
		assert_int_equal(position.number, position.sequence * 3);
		assert_true(position.sequence >= last);
		last = position.sequence;
	}
	assert_int_equal(pthread_join(writer, NULL), 0);
}

static void
a_change_is_told_once(void **state)
{
	struct position_board board;
	struct position position = {0};

	(void)state;
	position_start(&board, position);
	assert_false(position_take(&board, &position));
	assert_true(position_publish(&board, (struct position){.sequence = 1, .number = 1}));
	assert_false(position_publish(&board, (struct position){.sequence = 2, .number = 2}));
	assert_true(position_take(&board, &position));
	assert_int_equal(position.sequence, 2);
	assert_false(position_take(&board, &position));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_two_numbers_always_belong_together),
	    cmocka_unit_test(a_change_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
