#include "bridge/wake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <unistd.h>

#include <cmocka.h>

static bool
is_raised(int descriptor)
{
	struct pollfd wait = {.fd = descriptor, .events = POLLIN};

	return poll(&wait, 1, 0) == 1;
}

static void
raised_twice_is_raised_once(void **state)
{
	struct error error;
	int wake;

	(void)state;
	assert_true(wake_open(&wake, &error));
	assert_false(is_raised(wake));
	wake_raise(wake);
	wake_raise(wake);
	assert_true(is_raised(wake));
	wake_clear(wake);
	assert_false(is_raised(wake));
	close(wake);
}

static void
clearing_what_is_not_raised_does_not_block(void **state)
{
	struct error error;
	int wake;

	(void)state;
	assert_true(wake_open(&wake, &error));
	wake_clear(wake);
	assert_false(is_raised(wake));
	close(wake);
}

static void
raising_at_the_highest_count_does_not_block(void **state)
{
	const uint64_t highest = UINT64_MAX - 1;
	struct error error;
	int wake;

	(void)state;
	assert_true(wake_open(&wake, &error));
	assert_int_equal(write(wake, &highest, sizeof(highest)), sizeof(highest));
	wake_raise(wake);
	assert_true(is_raised(wake));
	close(wake);
}

static void
nobodys_wake_up_is_left_alone(void **state)
{
	(void)state;
	wake_raise(-1);
	wake_clear(-1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(raised_twice_is_raised_once),
	    cmocka_unit_test(clearing_what_is_not_raised_does_not_block),
	    cmocka_unit_test(raising_at_the_highest_count_does_not_block),
	    cmocka_unit_test(nobodys_wake_up_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
