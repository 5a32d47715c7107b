#include "bridge/spool/delivery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/spool/database.h"
#include "tests/unit/delivery_fixture.h"

static void
a_cursor_is_there_after_a_restart(void **state)
{
	struct delivery *delivery = open_delivery();
	struct delivery_cursor siem = {.destination = "siem"}, other = {.destination = "other"};
	const char *const both[] = {"siem", "other"}, *const with_a_new_one[] = {"siem", "new",
										 "other"};
	struct error error;
	uint64_t highest = 1;

	(void)state;
	assert_true(delivery_load(delivery, &siem, &error));
	assert_int_equal(siem.sequence, 0);
	siem = (struct delivery_cursor){
	    .destination = "siem", .epoch = 7, .sequence = 1000, .number = 900};
	assert_true(delivery_save(delivery, &siem, 1, NULL, 0, &error));
	siem.sequence = 1001;
	other.sequence = 400;
	assert_true(delivery_save(delivery, &siem, 1, NULL, 0, &error));
	assert_true(delivery_save(delivery, &other, 1, NULL, 0, &error));
	delivery_close(delivery);

	delivery = open_delivery();
	siem = (struct delivery_cursor){.destination = "siem"};
	assert_true(delivery_load(delivery, &siem, &error));
	assert_int_equal(siem.epoch, 7);
	assert_int_equal(siem.sequence, 1001);
	assert_int_equal(siem.number, 900);
	assert_true(delivery_highest(directory, &highest, &error));
	assert_int_equal(highest, 1001);
	assert_true(delivery_lowest(directory, both, 2, &highest, &error));
	assert_int_equal(highest, 400);
	assert_true(delivery_lowest(directory, with_a_new_one, 3, &highest, &error));
	assert_int_equal(highest, 0);
	delivery_close(delivery);
}

static void
a_dead_letter_and_the_cursor_past_it_are_saved_as_one(void **state)
{
	struct delivery *delivery = open_delivery();
	struct delivery_cursor cursor = {
	    .destination = "siem", .epoch = 7, .sequence = 12, .number = 11};
	const struct delivery_dead dead = {"siem",
					   12,
					   1790856000000,
					   SLICE_LITERAL("msg_1"),
					   SLICE_LITERAL("key.created"),
					   SLICE_LITERAL("too long")};
	struct database *database;
	struct error error;
	char path[256];
	int64_t count = 0;

	(void)state;
	assert_true(delivery_save(delivery, &cursor, 1, &dead, 1, &error));
	/* the same once more, as after a crash before the cursor was seen: no second letter */
	assert_true(delivery_save(delivery, &cursor, 1, &dead, 1, &error));
	delivery_close(delivery);
	(void)snprintf(path, sizeof(path), "%s/delivery.db", directory);
	assert_true(database_open(&database, path, DATABASE_READ_ONLY, &error));
	assert_true(
	    database_query_number(database,
				  "SELECT count(*) FROM dead, cursors USING(destination)"
				  " WHERE dead.seq=12 AND reason='too long' AND cursors.seq=12",
				  &count, &error));
	assert_int_equal(count, 1);
	database_close(database);
}

static void
without_a_file_no_cursor_is_known(void **state)
{
	struct error error;
	uint64_t highest = 5;

	(void)state;
	assert_true(delivery_highest(directory, &highest, &error));
	assert_int_equal(highest, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_cursor_is_there_after_a_restart, directory_set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_dead_letter_and_the_cursor_past_it_are_saved_as_one,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(without_a_file_no_cursor_is_known, directory_set_up,
					    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
