#include "bridge/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void
what_one_adds_the_other_sees(void **state)
{
	struct counters *one, *other;
	struct error error;
	int descriptor;

	(void)state;
	assert_true(counters_create(&descriptor, &error));
	assert_true(counters_map(descriptor, &one, &error));
	assert_true(counters_map(descriptor, &other, &error));
	counters_add(one, COUNTER_ACCEPTED, 40);
	counters_add(other, COUNTER_ACCEPTED, 2);
	assert_int_equal(one->values[COUNTER_ACCEPTED], 42);
	assert_int_equal(other->values[COUNTER_ACCEPTED], 42);
	assert_int_equal(other->values[COUNTER_REQUESTS], 0);
	close(descriptor);
}

static void
nobody_can_cut_the_page_away(void **state)
{
	struct error error;
	int descriptor;

	(void)state;
	assert_true(counters_create(&descriptor, &error));
	assert_int_not_equal(ftruncate(descriptor, 0), 0);
	close(descriptor);
}

static void
without_a_descriptor_the_page_is_private(void **state)
{
	struct counters *one, *other;
	struct error error;

	(void)state;
	assert_true(counters_map(-1, &one, &error));
	assert_true(counters_map(-1, &other, &error));
	counters_add(one, COUNTER_REQUESTS, 1);
	assert_int_equal(other->values[COUNTER_REQUESTS], 0);
}

static void
a_page_of_another_size_is_refused(void **state)
{
	struct counters *counters = NULL;
	struct error error;
	int descriptor = memfd_create("short", MFD_CLOEXEC);

	(void)state;
	assert_true(descriptor >= 0);
	assert_int_equal(ftruncate(descriptor, 8), 0);
	assert_false(counters_map(descriptor, &counters, &error));
	assert_non_null(strstr(error.text, "8 bytes"));
	close(descriptor);
}

static void
a_secret_is_counted_with_the_time_it_was_used_last(void **state)
{
	struct counters *counters;
	struct error error;

	(void)state;
	assert_true(counters_map(-1, &counters, &error));
	counters_use_secrets(counters, 1, 1U << 0 | 1U << 15, 1000);
	counters_use_secrets(counters, 1, 1U << 15, 2000);
	counters_use_secrets(counters, COUNTERS_SOURCES, 1, 3000);
	assert_int_equal(counters->secrets[1][0].used, 1);
	assert_int_equal(counters->secrets[1][0].last_used, 1000);
	assert_int_equal(counters->secrets[1][15].used, 2);
	assert_int_equal(counters->secrets[1][15].last_used, 2000);
	assert_int_equal(counters->secrets[0][0].used, 0);
	assert_int_equal(counters->secrets[1][1].last_used, 0);
}

static void
every_counter_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < COUNTERS; i++) {
		assert_non_null(counters_name((enum counter)i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(counters_name((enum counter)i),
						counters_name((enum counter)j));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_one_adds_the_other_sees),
	    cmocka_unit_test(nobody_can_cut_the_page_away),
	    cmocka_unit_test(without_a_descriptor_the_page_is_private),
	    cmocka_unit_test(a_page_of_another_size_is_refused),
	    cmocka_unit_test(a_secret_is_counted_with_the_time_it_was_used_last),
	    cmocka_unit_test(every_counter_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
