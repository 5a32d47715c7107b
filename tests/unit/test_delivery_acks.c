#include "bridge/spool/delivery_acks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/delivery_fixture.h"

#define CHANNEL "0f2b1c9e-0000-4000-8000-000000000001"

enum { EPOCH = 7, MOST = 8 };

static const struct delivery_ack_owner owner = {"splunk", "https://splunk:8088"};

struct found {
	struct delivery_ack acks[MOST];
	size_t count;
};

static void
on_found(void *context, struct delivery_ack *ack)
{
	struct found *found = context;

	assert_true(found->count < MOST);
	found->acks[found->count++] = *ack;
}

static struct found
load(struct delivery *delivery, const struct delivery_ack_owner *whose, uint64_t epoch)
{
	struct found found = {.count = 0};
	struct error error;

	if (!delivery_acks_load(delivery, whose, epoch, on_found, &found, &error))
		fail_msg("%s", error.text);
	for (size_t i = 1; i < found.count; i++)
		free(found.acks[i].cookies);
	return found;
}

static void
save(struct delivery *delivery, const struct delivery_ack_change *changes, size_t count)
{
	struct error error;

	if (!delivery_acks_save(delivery, &owner, EPOCH, changes, count, &error))
		fail_msg("%s", error.text);
}

static char cookies[] = "splunk\tFALSE\t/\tFALSE\t0\tindexer\ttwo\n";

static const struct delivery_ack_change given[] = {
    {DELIVERY_ACK_GIVEN, {CHANNEL, 0, 1, 10, 1790856000000, false, cookies}},
    {DELIVERY_ACK_GIVEN, {CHANNEL, 1, 11, 20, 1790856000100, false, NULL}},
    {DELIVERY_ACK_GIVEN, {CHANNEL, 2, 21, 30, 1790856000200, false, NULL}},
};

static void
what_waits_is_there_after_a_restart(void **state)
{
	const struct delivery_ack_owner elsewhere = {"splunk", "https://other:8088"};
	struct delivery *delivery = open_delivery();
	struct found found;

	(void)state;
	save(delivery, given, 3);
	delivery_close(delivery);

	delivery = open_delivery();
	found = load(delivery, &owner, EPOCH);
	assert_int_equal(found.count, 3);
	assert_string_equal(found.acks[0].channel, CHANNEL);
	assert_int_equal(found.acks[0].first, 1);
	assert_int_equal(found.acks[0].last, 10);
	assert_int_equal(found.acks[0].posted_at, 1790856000000);
	assert_string_equal(found.acks[0].cookies, cookies);
	assert_false(found.acks[0].indexed);
	assert_null(found.acks[1].cookies);
	assert_int_equal(found.acks[2].id, 2);
	free(found.acks[0].cookies);

	/* another indexer, or another spool, knows nothing of them */
	assert_int_equal(load(delivery, &elsewhere, EPOCH).count, 0);
	assert_int_equal(load(delivery, &owner, EPOCH + 1).count, 0);
	delivery_close(delivery);
}

static void
what_is_indexed_or_forgotten_is_so_on_disk(void **state)
{
	const struct delivery_ack_change changes[] = {
	    {DELIVERY_ACK_INDEXED, {CHANNEL, 1, 11, 20, 0, true, NULL}},
	    {DELIVERY_ACK_FORGOTTEN, {CHANNEL, 0, 1, 10, 0, false, NULL}},
	};
	struct delivery *delivery = open_delivery();
	struct found found;

	(void)state;
	save(delivery, given, 3);
	save(delivery, changes, 2);
	found = load(delivery, &owner, EPOCH);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.acks[0].id, 1);
	assert_true(found.acks[0].indexed);
	assert_false(found.acks[1].indexed);
	delivery_close(delivery);
}

static void
what_the_cursor_has_passed_goes(void **state)
{
	struct delivery *delivery = open_delivery();
	struct delivery_cursor cursor = {.destination = "splunk", .epoch = EPOCH, .sequence = 20};
	struct error error;
	struct found found;
	uint64_t highest = 0;

	(void)state;
	save(delivery, given, 3);
	assert_true(delivery_save(delivery, &cursor, 1, NULL, 0, &error));
	found = load(delivery, &owner, EPOCH);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.acks[0].id, 2);

	/* the spool must not use again the numbers that an indexer may hold */
	assert_true(delivery_highest(directory, &highest, &error));
	assert_int_equal(highest, 30);

	save(delivery, NULL, 0);
	cursor.sequence = 0;
	assert_true(delivery_save(delivery, &cursor, 1, NULL, 0, &error));
	assert_int_equal(load(delivery, &owner, EPOCH).count, 1);
	delivery_close(delivery);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_waits_is_there_after_a_restart, directory_set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(what_is_indexed_or_forgotten_is_so_on_disk,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_the_cursor_has_passed_goes, directory_set_up,
					    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
