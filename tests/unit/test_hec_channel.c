#include "bridge/forwarder/hec_channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define GUID "0f2b1c9e-0000-4000-8000-000000000001"

static int
set_up(void **state)
{
	*state = acks_new();
	return 0;
}

static int
tear_down(void **state)
{
	acks_free(*state);
	return 0;
}

/* One more request, of one event of 100 bytes, got that number. */
static bool
take(struct hec_channel *channel, struct acks *acks, uint64_t id, uint64_t sequence)
{
	struct delivery_ack ack = {.id = id, .first = sequence, .last = sequence};
	bool again = hec_channel_take(channel, acks, id);

	memcpy(ack.channel, channel->name, sizeof(ack.channel));
	acks_add(acks, &ack, 0, (sequence - 1) * 100, sequence * 100,
		 hec_channel_keeps(channel, id));
	return again;
}

static void
each_is_another_guid_of_version_4(void **state)
{
	struct hec_channel one, two;

	(void)state;
	hec_channel_begin(&one, NULL, true);
	hec_channel_begin(&two, NULL, true);
	assert_string_not_equal(one.name, two.name);
	assert_int_equal(strlen(one.name), DELIVERY_CHANNEL);
	assert_int_equal(one.name[14], '4');
	assert_non_null(strchr("89ab", one.name[19]));
	hec_channel_begin(&one, NULL, false);
	assert_string_equal(one.name, "");
	hec_channel_begin(&one, GUID, false);
	assert_string_equal(one.name, GUID);
}

static void
numbers_that_rise_are_one_life(void **state)
{
	struct acks *acks = *state;
	struct hec_channel channel;

	hec_channel_begin(&channel, NULL, true);
	assert_false(take(&channel, acks, 5, 1));
	assert_false(take(&channel, acks, 6, 2));
	assert_false(take(&channel, acks, 9, 3));
	/* another life: all of before it are sent again, and what has its number now is kept */
	assert_true(take(&channel, acks, 5, 4));
	assert_int_equal(acks_count(acks), 1);
	acks_indexed(acks, channel.name, 5);
	assert_int_equal(acks_confirm(acks, 400), 0);
}

static void
a_channel_that_is_left_has_one_request_in_doubt(void **state)
{
	struct acks *acks = *state;
	struct hec_channel channel;
	char before[DELIVERY_CHANNEL + 1];

	hec_channel_begin(&channel, NULL, true);
	memcpy(before, channel.name, sizeof(before));
	assert_false(hec_channel_leave(&channel, acks));
	assert_string_not_equal(channel.name, before);
	assert_false(take(&channel, acks, 0, 1));
	assert_false(take(&channel, acks, 1, 2));
	assert_true(hec_channel_leave(&channel, acks));
	assert_int_equal(acks_count(acks), 1);
	assert_false(take(&channel, acks, 0, 3));
}

static void
one_that_cannot_be_left_is_all_in_doubt(void **state)
{
	struct acks *acks = *state;
	struct hec_channel channel;

	hec_channel_begin(&channel, GUID, true);
	assert_false(take(&channel, acks, 0, 1));
	assert_false(take(&channel, acks, 1, 2));
	assert_true(hec_channel_leave(&channel, acks));
	assert_int_equal(acks_count(acks), 0);
	assert_string_equal(channel.name, GUID);
	assert_false(hec_channel_keeps(&channel, 7));
}

static void
the_first_of_a_channel_is_not_kept(void **state)
{
	struct acks *acks = *state;
	struct hec_channel channel;
	struct delivery_ack_change *changes;
	size_t count = 0;

	hec_channel_begin(&channel, NULL, true);
	(void)take(&channel, acks, 0, 1);
	(void)take(&channel, acks, 1, 2);
	changes = acks_take(acks, &count);
	assert_int_equal(count, 1);
	assert_int_equal(changes[0].ack.id, 1);
	acks_free_changes(changes, count);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(each_is_another_guid_of_version_4),
	    TEST(numbers_that_rise_are_one_life),
	    TEST(a_channel_that_is_left_has_one_request_in_doubt),
	    TEST(one_that_cannot_be_left_is_all_in_doubt),
	    TEST(the_first_of_a_channel_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
