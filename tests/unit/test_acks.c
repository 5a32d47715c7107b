#include "bridge/forwarder/acks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ONE "0f2b1c9e-0000-4000-8000-000000000001"
#define TWO "0f2b1c9e-0000-4000-8000-000000000002"

enum { BYTES = 100 /* of an event */, POSTED = 1000 };

#define WALL 1790856000000 /* what nothing but acks_age() looks at */

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

static struct delivery_ack
ack_of(const char *channel, uint64_t id, uint64_t first, uint64_t last)
{
	struct delivery_ack ack = {.id = id, .first = first, .last = last, .posted_at = WALL};

	memcpy(ack.channel, channel, sizeof(ack.channel));
	return ack;
}

/* The event of sequence n is at (n - 1) * BYTES on the stream. */
static void
add(struct acks *acks, const char *channel, uint64_t id, uint64_t first, uint64_t last)
{
	const struct delivery_ack ack = ack_of(channel, id, first, last);

	acks_add(acks, &ack, POSTED + (int64_t)id, (first - 1) * BYTES, last * BYTES, true);
}

static bool
adopt(struct acks *acks, uint64_t sequence)
{
	return acks_adopt(acks, sequence, (sequence - 1) * BYTES, sequence * BYTES);
}

static void
only_what_has_no_gap_before_it_is_confirmed(void **state)
{
	struct acks *acks = *state;

	assert_int_equal(acks_confirm(acks, 0), 0);
	assert_int_equal(acks_confirm(acks, 500), 500);
	add(acks, ONE, 0, 1, 2);
	add(acks, ONE, 1, 3, 3);
	add(acks, ONE, 2, 4, 6);
	assert_int_equal(acks_confirm(acks, 600), 0);
	acks_indexed(acks, ONE, 2);
	acks_indexed(acks, ONE, 1);
	acks_indexed(acks, TWO, 0);
	acks_indexed(acks, ONE, 77);
	assert_int_equal(acks_confirm(acks, 600), 0);
	acks_indexed(acks, ONE, 0);
	assert_int_equal(acks_confirm(acks, 600), 600);
	assert_int_equal(acks_count(acks), 0);
}

static void
what_waits_is_adopted_by_a_fresh_stream(void **state)
{
	struct acks *acks = *state;

	add(acks, ONE, 0, 1, 2);
	add(acks, ONE, 1, 3, 4);
	add(acks, ONE, 2, 6, 6);
	acks_indexed(acks, ONE, 1);
	acks_begin(acks);
	assert_int_equal(acks_confirm(acks, 0), 0);
	assert_true(adopt(acks, 1));
	assert_true(adopt(acks, 2));
	assert_true(adopt(acks, 3));
	acks_indexed(acks, ONE, 0);
	/* half of one that is indexed: it stays for its other half */
	assert_int_equal(acks_confirm(acks, 300), 300);
	assert_true(acks_covers(acks, 4));
	assert_true(adopt(acks, 4));
	assert_false(acks_covers(acks, 5));
	assert_false(adopt(acks, 5));
	assert_true(acks_covers(acks, 6));
	assert_false(acks_covers(acks, 7));
}

static void
what_is_given_up_holds_the_confirmation_back(void **state)
{
	struct acks *acks = *state;

	add(acks, ONE, 0, 1, 1);
	add(acks, ONE, 1, 2, 2);
	add(acks, ONE, 2, 3, 3);
	acks_indexed(acks, ONE, 0);
	acks_indexed(acks, ONE, 2);
	assert_false(acks_expire(acks, 1000));
	assert_false(acks_forget(acks, TWO, UINT64_MAX));
	assert_false(acks_forget(acks, ONE, 0));
	assert_true(acks_expire(acks, 1002));
	assert_int_equal(acks_confirm(acks, 300), 100);
	assert_int_equal(acks_confirm(acks, 900), 100);
	acks_begin(acks);
	assert_false(acks_covers(acks, 2));
	assert_true(acks_covers(acks, 3));
}

static void
what_a_stream_never_comes_to_is_no_reason_to_begin_anew(void **state)
{
	struct acks *acks = *state;
	const struct delivery_ack ack = ack_of(ONE, 0, 1, 9);

	acks_recall(acks, &ack, POSTED);
	assert_int_equal(acks_oldest(acks), 1000);
	assert_false(acks_expire(acks, 2000));
	assert_int_equal(acks_count(acks), 0);
	assert_int_equal(acks_oldest(acks), INT64_MAX);
}

static void
what_is_of_no_event_of_the_spool_ends_with_its_stream(void **state)
{
	struct acks *acks = *state;
	const struct delivery_ack ack = ack_of(ONE, 0, 0, 0);
	size_t count = 1;

	acks_add(acks, &ack, POSTED, 0, 100, true);
	assert_int_equal(acks_confirm(acks, 100), 0);
	assert_null(acks_take(acks, &count));
	acks_begin(acks);
	assert_int_equal(acks_count(acks), 0);
}

static void
each_is_asked_for_once_a_round_by_its_channel(void **state)
{
	struct acks *acks = *state;
	char channel[DELIVERY_CHANNEL + 1];
	uint64_t ids[3];

	add(acks, ONE, 4, 1, 1);
	add(acks, TWO, 0, 2, 2);
	add(acks, ONE, 5, 3, 3);
	add(acks, ONE, 6, 4, 4);
	add(acks, ONE, 7, 5, 5);
	acks_indexed(acks, ONE, 5);
	for (int round = 0; round < 2; round++) {
		acks_begin_round(acks);
		assert_int_equal(acks_next(acks, channel, ids, 2), 2);
		assert_string_equal(channel, ONE);
		assert_int_equal(ids[0], 4);
		assert_int_equal(ids[1], 6);
		assert_int_equal(acks_next(acks, channel, ids, 3), 1);
		assert_string_equal(channel, TWO);
		assert_int_equal(acks_next(acks, channel, ids, 3), 1);
		assert_int_equal(ids[0], 7);
		assert_int_equal(acks_next(acks, channel, ids, 3), 0);
	}
}

static void
what_is_not_to_be_kept_is_adopted_all_the_same(void **state)
{
	struct acks *acks = *state;
	const struct delivery_ack ack = ack_of(ONE, 0, 1, 1);

	acks_add(acks, &ack, POSTED, 0, 100, false);
	assert_false(acks_has_news(acks));
	acks_begin(acks);
	assert_true(adopt(acks, 1));
}

static void
changes_are_told_once_and_in_their_order(void **state)
{
	struct acks *acks = *state;
	struct delivery_ack_change *changes;
	char cookie[] = "a cookie";
	struct delivery_ack ack = ack_of(ONE, 0, 1, 2);
	size_t count = 0;

	assert_false(acks_has_news(acks));
	ack.cookies = cookie;
	acks_add(acks, &ack, POSTED, 0, 200, true);
	assert_true(acks_has_news(acks));
	assert_false(acks_has_news(acks));
	acks_indexed(acks, ONE, 0);
	assert_true(acks_has_news(acks));
	add(acks, ONE, 1, 3, 3);
	(void)acks_forget(acks, ONE, 1);
	changes = acks_take(acks, &count);
	assert_int_equal(count, 4);
	assert_int_equal(changes[0].event, DELIVERY_ACK_GIVEN);
	assert_string_equal(changes[0].ack.cookies, "a cookie");
	assert_int_equal(changes[1].event, DELIVERY_ACK_INDEXED);
	assert_int_equal(changes[3].event, DELIVERY_ACK_FORGOTTEN);
	assert_int_equal(changes[3].ack.id, 1);
	acks_free_changes(changes, count);
	assert_null(acks_take(acks, &count));
	assert_string_equal(acks_cookies(acks), "a cookie");
}

static void
an_age_is_believed_within_bounds(void **state)
{
	enum { MINUTE = 60000 };
	static const struct {
		int64_t posted_at, age;
	} rows[] = {
	    {WALL, 0},
	    {WALL - 1, 1},
	    {WALL - MINUTE + 1, MINUTE - 1},
	    {WALL - MINUTE, MINUTE},
	    {WALL - MINUTE - 1, MINUTE}, /* or the clock went forward */
	    {0, MINUTE},
	    {INT64_MIN, MINUTE},
	    {WALL + 1, 0}, /* it went back */
	    {INT64_MAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(acks_age(rows[i].posted_at, WALL, MINUTE), rows[i].age);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(only_what_has_no_gap_before_it_is_confirmed),
	    TEST(what_waits_is_adopted_by_a_fresh_stream),
	    TEST(what_is_given_up_holds_the_confirmation_back),
	    TEST(what_a_stream_never_comes_to_is_no_reason_to_begin_anew),
	    TEST(what_is_of_no_event_of_the_spool_ends_with_its_stream),
	    TEST(an_age_is_believed_within_bounds),
	    TEST(each_is_asked_for_once_a_round_by_its_channel),
	    TEST(what_is_not_to_be_kept_is_adopted_all_the_same),
	    TEST(changes_are_told_once_and_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
