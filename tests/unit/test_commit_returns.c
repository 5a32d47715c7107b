#include "bridge/receiver/commit_returns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bridge/receiver/submission.h"

enum { PATIENCE = 20 /* milliseconds */ };

static struct commit_returns *
start(void)
{
	struct commit_returns *returns;
	struct error error;
	int descriptor;

	assert_true(commit_returns_new(&returns, &descriptor, &error));
	return returns;
}

static struct submission *
event(void)
{
	const struct spool_event event = {.id = SLICE_LITERAL("1")};

	return submission_new(&event, 1);
}

static void
what_came_too_late_is_not_taken_for_another(void **state)
{
	struct commit_returns *returns = start();
	struct submission *late = event(), *wanted = event();

	(void)state;
	assert_null(commit_returns_wait(returns, late, PATIENCE));
	commit_returns_give(returns, late, late);
	assert_null(commit_returns_wait(returns, wanted, PATIENCE));
	commit_returns_give(returns, wanted, wanted);
	assert_ptr_equal(commit_returns_wait(returns, wanted, PATIENCE), wanted);
	free(wanted);
	commit_returns_free(returns);
}

static void
one_is_found_among_others(void **state)
{
	struct commit_returns *returns = start();
	struct submission *first = event(), *wanted = event(), *last = event();

	(void)state;
	first->next = wanted;
	wanted->next = last;
	commit_returns_give(returns, first, last);
	assert_ptr_equal(commit_returns_wait(returns, wanted, PATIENCE), wanted);
	free(wanted);
	commit_returns_free(returns);
}

static void
what_nobody_took_is_freed(void **state)
{
	struct commit_returns *returns = start();
	struct submission *left = event();

	(void)state;
	commit_returns_give(returns, left, left);
	commit_returns_free(returns);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_came_too_late_is_not_taken_for_another),
	    cmocka_unit_test(one_is_found_among_others),
	    cmocka_unit_test(what_nobody_took_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
