#include "bridge/receiver/secret_use.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DAY   INT64_C(86400000)
#define TODAY (INT64_C(20726) * DAY) /* 2026-09-30 */

static void
assert_line(const struct counters_secret *row, unsigned index, const char *expected)
{
	static char name[] = "anyint", files[2][8] = {"old", "new"};
	static struct config_secret secrets[2];
	const struct config_source source = {.name = name, .secrets = secrets, .secrets_count = 2};
	char bytes[512];
	struct text text;

	secrets[0].file = files[0];
	secrets[1].file = files[1];
	text_start(&text, bytes, sizeof(bytes));
	secret_use_write(&source, row, index, TODAY, &text);
	if (!text_slice_is(text_slice(&text), expected))
		fail_msg("%.*s", (int)text.length, bytes);
}

static void
an_old_secret_that_fell_silent_can_be_taken_out(void **state)
{
	static struct counters_secret row[COUNTERS_SECRETS];

	(void)state;
	atomic_store(&row[0].used, 12);
	atomic_store(&row[0].last_used, TODAY - 2 * DAY);
	atomic_store(&row[1].used, 3);
	atomic_store(&row[1].last_used, TODAY - 1000);
	assert_line(row, 0,
		    "source anyint: the secret old vouched for 12 requests, the last at "
		    "2026-09-28T00:00:00.000Z; another is used, so it can be taken out where it "
		    "is the old one");
	assert_line(row, 1,
		    "source anyint: the secret new vouched for 3 requests, the last at "
		    "2026-09-29T23:59:59.000Z");
}

static void
nothing_is_advised_while_the_new_one_is_not_used(void **state)
{
	static struct counters_secret row[COUNTERS_SECRETS];

	(void)state;
	atomic_store(&row[0].used, 12);
	atomic_store(&row[0].last_used, TODAY - 1000);
	assert_line(row, 0,
		    "source anyint: the secret old vouched for 12 requests, the last at "
		    "2026-09-29T23:59:59.000Z");
	assert_line(row, 1,
		    "source anyint: the secret new was not used since the bridge was started; "
		    "another is used, so it can be taken out where it is the old one");
	atomic_store(&row[0].last_used, TODAY - 2 * DAY);
	assert_line(row, 0,
		    "source anyint: the secret old vouched for 12 requests, the last at "
		    "2026-09-28T00:00:00.000Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_old_secret_that_fell_silent_can_be_taken_out),
	    cmocka_unit_test(nothing_is_advised_while_the_new_one_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
