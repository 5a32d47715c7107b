#include "bridge/counters_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/directory_fixture.h"

static char path[96];

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(directory_make(), 0);
	(void)snprintf(path, sizeof(path), "%s/counters", directory);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(directory);
}

static void
what_was_written_is_read(void **state)
{
	struct counters_file file;
	struct counters *counters;
	struct error error;
	int descriptor;
	bool found;

	(void)state;
	assert_true(counters_map(-1, &counters, &error));
	assert_true(counters_file_open(&descriptor, directory, &error));
	counters_add(counters, COUNTER_ACCEPTED, 7);
	counters_file_write(descriptor, counters);
	counters_add(counters, COUNTER_ACCEPTED, 1);
	counters_file_write(descriptor, counters);
	assert_true(counters_file_read(directory, &file, &found, &error));
	assert_true(found);
	assert_int_equal(file.counters.values[COUNTER_ACCEPTED], 8);
	assert_true(file.written_at > 0 && file.written_beat > 0);
	close(descriptor);
}

static void
none_and_one_of_another_version_are_not_found(void **state)
{
	struct counters_file file;
	struct error error;
	bool found = true;
	FILE *other;

	(void)state;
	assert_true(counters_file_read(directory, &file, &found, &error));
	assert_false(found);
	other = fopen(path, "w");
	assert_non_null(other);
	assert_int_equal(fputs("sbcount1 of an older one", other) < 0, 0);
	assert_int_equal(fclose(other), 0);
	assert_true(counters_file_read(directory, &file, &found, &error));
	assert_false(found);
}

static void
a_link_is_not_followed(void **state)
{
	struct error error;
	int descriptor;

	(void)state;
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_false(counters_file_open(&descriptor, directory, &error));
	assert_non_null(strstr(error.text, path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_was_written_is_read, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(none_and_one_of_another_version_are_not_found, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_link_is_not_followed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
