#include "bridge/commands/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char bytes[512];

static const char *
line(uint64_t done, uint64_t total, int64_t elapsed, size_t columns)
{
	struct text text;

	text_start(&text, bytes, sizeof(bytes) - 1);
	progress_write(&text, "verify", done, total, elapsed, columns);
	bytes[text.length] = '\0';
	return bytes;
}

static void
a_bar_with_rate_and_time_left(void **state)
{
	(void)state;
	assert_string_equal(line(500, 1000, 10000, 100),
			    "verify  [###############...............]   50 %  500 of 1,000  50/s"
			    "  10 s left");
	assert_string_equal(line(1000, 1000, 10000, 100),
			    "verify  [##############################]  100 %  1,000 of 1,000  "
			    "100/s  0 s left");
}

static void
no_rate_in_the_first_second(void **state)
{
	(void)state;
	assert_string_equal(line(0, 10, 0, 33), "verify  [.......]    0 %  0 of 10");
	assert_null(strstr(line(5, 10, 999, 80), "/s"));
}

static void
no_bar_where_the_end_is_not_known(void **state)
{
	(void)state;
	assert_string_equal(line(1234567, 0, 1000, 80), "verify  1,234,567  1,234,567/s");
}

static void
no_wider_than_the_terminal(void **state)
{
	(void)state;
	for (size_t columns = 0; columns < 100; columns++)
		assert_true(strlen(line(123456, 1000000, 60000, columns)) <= columns);
}

static void
more_than_there_should_be_is_all_of_it(void **state)
{
	(void)state;
	assert_non_null(strstr(line(12, 10, 5000, 80), "100 %  10 of 10"));
}

static void
durations_in_two_units(void **state)
{
	static const struct {
		int64_t milliseconds;
		const char *text;
	} rows[] = {
	    {-5, "0 s"},
	    {999, "0 s"},
	    {59999, "59 s"},
	    {60000, "1 min"},
	    {3600000, "1 h"},
	    {3600000 + 300000, "1 h 5 min"},
	    {86400000 + 7200000, "1 d 2 h"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text text;

		text_start(&text, bytes, sizeof(bytes) - 1);
		progress_write_duration(&text, rows[i].milliseconds);
		bytes[text.length] = '\0';
		assert_string_equal(bytes, rows[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_bar_with_rate_and_time_left),
	    cmocka_unit_test(no_rate_in_the_first_second),
	    cmocka_unit_test(no_bar_where_the_end_is_not_known),
	    cmocka_unit_test(no_wider_than_the_terminal),
	    cmocka_unit_test(more_than_there_should_be_is_all_of_it),
	    cmocka_unit_test(durations_in_two_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
