/* The points are empty in every variant but one; here they are switched on. */
#ifndef FAULTS
#define FAULTS
#endif
#include "bridge/fault.c" // NOLINT(bugprone-suspicious-include)

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

/* How often the point "commit" was passed alive, of three times; 3: not killed. */
static int
passes(const char *crash_at, bool spent)
{
	int ends[2], count = 0, status;
	pid_t process;
	char byte;

	assert_int_equal(pipe(ends), 0);
	process = fork();
	assert_true(process >= 0);
	if (process == 0) {
		(void)setenv(variable, crash_at, 1);
		if (spent)
			fault_spent();
		for (int i = 0; i < 3; i++) {
			fault_point("commit");
			if (write(ends[1], "x", 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	while (read(ends[0], &byte, 1) == 1)
		count++;
	close(ends[0]);
	assert_int_equal(waitpid(process, &status, 0), process);
	if (count < 3)
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return count;
}

static void
the_process_dies_at_the_nth_time_of_its_point(void **state)
{
	(void)state;
	assert_int_equal(passes("commit", false), 0);
	assert_int_equal(passes("commit:1", false), 0);
	assert_int_equal(passes("commit:3", false), 2);
	assert_int_equal(passes("commit:4", false), 3);
}

static void
another_point_is_passed_alive(void **state)
{
	(void)state;
	assert_int_equal(passes("comm", false), 3);
	assert_int_equal(passes("commit-after:1", false), 3);
	assert_int_equal(passes("", false), 3);
}

static void
a_crash_that_was_spent_does_not_happen_again(void **state)
{
	(void)state;
	assert_int_equal(passes("commit:1", true), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_process_dies_at_the_nth_time_of_its_point),
	    cmocka_unit_test(another_point_is_passed_alive),
	    cmocka_unit_test(a_crash_that_was_spent_does_not_happen_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
