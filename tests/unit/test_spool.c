#include "bridge/spool/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/spool/spool_room.h"
#include "tests/unit/spool_fixture.h"

static void
append(struct spool *spool, unsigned first, unsigned count)
{
	struct spool_event events[64];
	char ids[64][16];
	struct error error;

	assert_true(count <= 64);
	memset(events, 0, sizeof(events));
	for (unsigned i = 0; i < count; i++) {
		int length = snprintf(ids[i], sizeof(ids[i]), "id-%u", first + i);

		events[i].received_at = 1790856000000 + i;
		events[i].source = SLICE_LITERAL("anyint");
		events[i].id = (struct slice){ids[i], (size_t)length};
		events[i].type = SLICE_LITERAL("key.created");
		events[i].body = SLICE_LITERAL("{\"type\":\"key.created\"}");
		events[i].fingerprints[0][0] = (unsigned char)(first + i);
		events[i].fingerprint_count = 1;
	}
	if (spool_append(spool, events, count, NULL, 0, &error) != SPOOL_DONE)
		fail_msg("%s", error.text);
	assert_int_equal(events[count - 1].sequence - events[0].sequence, count - 1);
}

/* Reads all after `after`; checks that ids go up one by one from `first`. */
static size_t
read_all(uint64_t after, unsigned first, size_t *damaged)
{
	struct spool_reader *reader;
	struct spool_event *events;
	struct arena *arena = arena_new();
	struct error error;
	size_t total = 0, count;
	char id[16];

	*damaged = 0;
	if (!spool_reader_open(&reader, directory, &error))
		fail_msg("%s", error.text);
	do {
		arena_clear(arena);
		if (!spool_reader_next(reader, after, 7, 1000000, arena, &events, &count, &error))
			fail_msg("%s", error.text);
		for (size_t i = 0; i < count; i++) {
			(void)snprintf(id, sizeof(id), "id-%zu", first + total + i);
			assert_true(text_slice_is(events[i].id, id));
			assert_true(events[i].sequence > after);
			after = events[i].sequence;
			*damaged += !events[i].intact;
		}
		total += count;
	} while (count > 0);
	spool_reader_close(reader);
	arena_free(arena);
	return total;
}

static void
what_was_appended_is_read_back_in_order_after_a_restart(void **state)
{
	struct spool *spool = open_spool();
	size_t damaged;

	(void)state;
	append(spool, 0, 10);
	append(spool, 10, 1);
	assert_int_equal(spool_last(spool), 11);
	spool_close(spool);
	spool = open_spool();
	append(spool, 11, 20);
	assert_int_equal(read_all(0, 0, &damaged), 31);
	assert_int_equal(damaged, 0);
	assert_int_equal(read_all(11, 11, &damaged), 20);
	assert_int_equal(damaged, 0);
	spool_close(spool);
}

static void
an_edited_row_does_not_fit_the_chain_and_condemns_no_other(void **state)
{
	struct spool *spool = open_spool();
	size_t damaged;

	(void)state;
	append(spool, 0, 30);
	spool_close(spool);
	change("UPDATE events SET body='{}' WHERE seq=12");
	assert_int_equal(read_all(0, 0, &damaged), 30);
	assert_int_equal(damaged, 1);
}

/* Found by fuzz_spool: a row behind one without a hash was taken as it was. */
static void
a_row_without_a_hash_covers_no_edit_behind_it(void **state)
{
	struct spool *spool = open_spool();
	size_t damaged;

	(void)state;
	append(spool, 0, 30);
	spool_close(spool);
	change("UPDATE events SET hash=zeroblob(31) WHERE seq=12");
	assert_int_equal(read_all(0, 0, &damaged), 30);
	assert_int_equal(damaged, 1);
	change("UPDATE events SET body='{}' WHERE seq=13");
	assert_int_equal(read_all(0, 0, &damaged), 30);
	assert_int_equal(damaged, 2);
}

static void
a_row_taken_out_shows_in_the_next_one(void **state)
{
	struct spool *spool = open_spool();
	struct spool_reader *reader;
	struct spool_event *events;
	struct arena *arena = arena_new();
	struct error error;
	size_t count;

	(void)state;
	append(spool, 0, 5);
	spool_close(spool);
	change("DELETE FROM events WHERE seq=3");
	assert_true(spool_reader_open(&reader, directory, &error));
	assert_true(spool_reader_next(reader, 0, 10, 1000, arena, &events, &count, &error));
	assert_int_equal(count, 4);
	assert_true(events[1].intact);
	assert_int_equal(events[2].sequence, 4);
	assert_false(events[2].intact);
	assert_true(events[3].intact);
	spool_reader_close(reader);
	arena_free(arena);
}

static void
flags_are_kept_and_part_of_the_chain(void **state)
{
	struct spool *spool = open_spool();
	struct spool_event written[3] = {
	    {.source = SLICE_LITERAL("s"), .type = SLICE_LITERAL("t")}};
	struct spool_event *read;
	struct spool_reader *reader;
	struct arena *arena = arena_new();
	struct error error;
	size_t count;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		written[i] = written[0];
		written[i].id = SLICE_LITERAL("id");
		written[i].body = SLICE_LITERAL("{}");
		written[i].flags = i;
	}
	assert_int_equal(spool_append(spool, written, 3, NULL, 0, &error), SPOOL_DONE);
	spool_close(spool);
	for (int edited = 0; edited < 2; edited++) {
		assert_true(spool_reader_open(&reader, directory, &error));
		assert_true(spool_reader_next(reader, 0, 10, 1000, arena, &read, &count, &error));
		assert_int_equal(count, 3);
		assert_int_equal(read[2].flags, edited ? 0 : SPOOL_FLAG_CONFLICT);
		for (uint32_t i = 0; i < 3; i++)
			assert_int_equal(read[i].intact, !(edited && i == 2));
		spool_reader_close(reader);
		change("UPDATE events SET flags=0 WHERE seq=3");
	}
	arena_free(arena);
}

static void
a_lost_tail_is_an_alarm_and_new_events_are_numbered_above_it(void **state)
{
	struct spool *spool = open_spool();

	(void)state;
	append(spool, 0, 20);
	spool_close(spool);
	change("DELETE FROM events WHERE seq>15");
	spool = open_spool_above(0, "5 events are missing");
	append(spool, 20, 1);
	assert_int_equal(spool_last(spool), 21);
	spool_close(spool);
}

static void
an_edited_last_row_is_an_alarm(void **state)
{
	struct spool *spool = open_spool();

	(void)state;
	append(spool, 0, 3);
	spool_close(spool);
	change("UPDATE events SET hash=zeroblob(32) WHERE seq=3");
	spool_close(open_spool_above(0, "it was edited"));
}

static void
a_fresh_spool_numbers_above_every_cursor(void **state)
{
	struct spool *spool = open_spool_above(80, "begun afresh");

	(void)state;
	append(spool, 0, 1);
	assert_int_equal(spool_last(spool), 81);
	spool_close(spool);
}

static void
only_one_writer_gets_the_spool(void **state)
{
	struct spool *spool = open_spool(), *second;
	struct error alarm, error;

	(void)state;
	assert_true(spool_is_locked(directory));
	assert_false(spool_open(&second, directory, 0, 0, &alarm, &error));
	assert_non_null(strstr(error.text, "in use by another siembridge"));
	spool_close(spool);
	assert_false(spool_is_locked(directory));
}

static void
a_full_spool_stores_nothing_and_goes_on_when_there_is_room(void **state)
{
	struct spool *spool;
	struct spool_event event = {.source = SLICE_LITERAL("s"), .type = SLICE_LITERAL("t")};
	struct error alarm, error;
	enum spool_result result;
	static char body[200000];
	unsigned stored = 0;

	(void)state;
	memset(body, 'x', sizeof(body));
	assert_true(spool_open(&spool, directory, 1024 * 1024, 0, &alarm, &error));
	event.id = SLICE_LITERAL("id-0");
	event.body = (struct slice){body, sizeof(body)};
	while ((result = spool_append(spool, &event, 1, NULL, 0, &error)) == SPOOL_DONE) {
		assert_in_range(++stored, 1, 10);
		event.id = SLICE_LITERAL("id-x");
	}
	assert_int_equal(result, SPOOL_FULL);
	assert_int_equal(spool_last(spool), stored);
	event.id = SLICE_LITERAL("id-x");
	event.body = SLICE_LITERAL("{}");
	assert_int_equal(spool_append(spool, &event, 1, NULL, 0, &error), SPOOL_DONE);
	assert_int_equal(spool_last(spool), stored + 1);
	spool_close(spool);
}

static void
count_prints(void *context, const unsigned char *prints, size_t count)
{
	unsigned *expected = context;

	for (size_t i = 0; i < count; i++)
		assert_int_equal(prints[i * SPOOL_FINGERPRINT_LENGTH], (*expected)++);
}

static void
fingerprints_come_back_whole(void **state)
{
	struct spool *spool = open_spool();
	unsigned char key[SPOOL_KEY_LENGTH];
	struct error error;
	unsigned seen = 0;

	(void)state;
	memcpy(key, spool_key(spool), sizeof(key));
	append(spool, 0, 40);
	append(spool, 40, 60);
	spool_close(spool);
	spool = open_spool();
	assert_memory_equal(key, spool_key(spool), sizeof(key));
	assert_true(spool_fingerprints(spool, count_prints, &seen, &error));
	assert_int_equal(seen, 100);
	spool_close(spool);
}

static void
a_newer_version_is_refused_and_left_alone(void **state)
{
	struct spool *spool = open_spool();
	struct error alarm, error;

	(void)state;
	spool_close(spool);
	change("PRAGMA user_version=99");
	assert_false(spool_open(&spool, directory, 0, 0, &alarm, &error));
	assert_non_null(strstr(error.text, "version 99"));
}

static void
checkpoints_empty_the_wal_while_a_reader_is_open(void **state)
{
	struct spool *spool = open_spool();
	struct error error;
	size_t damaged;

	(void)state;
	append(spool, 0, 64);
	assert_true(spool_checkpoint(spool, true, &error));
	append(spool, 64, 10);
	assert_int_equal(read_all(0, 0, &damaged), 74);
	assert_true(spool_checkpoint(spool, true, &error));
	assert_int_equal(read_all(70, 70, &damaged), 4);
	spool_close(spool);
}

/* The wal_autocheckpoint setting takes a WAL hook away: no checkpoint was ever due. */
static void
the_wal_stays_short_under_load_beside_a_reader(void **state)
{
	static char body[20000];
	struct spool *spool = open_spool();
	struct spool_event event = {.source = SLICE_LITERAL("anyint"),
				    .id = SLICE_LITERAL("id"),
				    .type = SLICE_LITERAL("key.created"),
				    .body = {body, sizeof(body)}};
	struct spool_reader *reader;
	struct spool_event *events;
	struct arena *arena = arena_new();
	struct error error;
	struct stat wal;
	uint64_t after = 0;
	size_t count;

	(void)state;
	memset(body, 'x', sizeof(body));
	assert_true(spool_reader_open(&reader, directory, &error));
	for (unsigned i = 0; i < 1000; i++) { /* 20 MB */
		assert_int_equal(spool_append(spool, &event, 1, NULL, 0, &error), SPOOL_DONE);
		assert_true(spool_checkpoint(spool, false, &error));
		arena_clear(arena);
		assert_true(spool_reader_next(reader, after, 10, sizeof(body), arena, &events,
					      &count, &error));
		assert_int_equal(count, 1);
		after = events[0].sequence;
	}
	assert_int_equal(stat(path_of("spool.db-wal"), &wal), 0);
	assert_in_range(wal.st_size, 1, 6 * 1024 * 1024);
	spool_reader_close(reader);
	arena_free(arena);
	spool_close(spool);
}

static void
count_forgotten(void *context, const unsigned char *prints, size_t count)
{
	(void)prints;
	*(size_t *)context += count;
}

/* *more as spool_prune() gives it; the first sequence that is left. */
static uint64_t
prune(struct spool *spool, uint64_t up_to, size_t limit, size_t *forgotten, bool more)
{
	struct spool_reader *reader;
	struct error error;
	uint64_t first, last;
	bool is_more;

	assert_int_equal(
	    spool_prune(spool, up_to, limit, count_forgotten, forgotten, &is_more, &error),
	    SPOOL_DONE);
	assert_int_equal(is_more, more);
	assert_true(spool_reader_open(&reader, directory, &error));
	assert_true(spool_reader_range(reader, &first, &last, &error));
	spool_reader_close(reader);
	return first;
}

static void
what_is_delivered_is_pruned_from_the_front(void **state)
{
	struct spool *spool = open_spool();
	size_t forgotten = 0, damaged;

	(void)state;
	for (unsigned i = 0; i < 50; i += 5)
		append(spool, i, 5);
	/* not delivered: stays */
	assert_int_equal(prune(spool, 0, 100, &forgotten, false), 1);
	assert_int_equal(prune(spool, 3, 100, &forgotten, false), 4);
	assert_int_equal(forgotten, 0);
	/* in steps, up to what is delivered, and no further */
	assert_int_equal(prune(spool, 22, 10, &forgotten, true), 14);
	assert_int_equal(prune(spool, 22, 10, &forgotten, false), 23);
	assert_int_equal(forgotten, 20);
	assert_int_equal(read_all(0, 22, &damaged), 28);
	assert_int_equal(damaged, 0);
	/* the last one carries the chain */
	assert_int_equal(prune(spool, 50, 100, &forgotten, false), 50);
	spool_close(spool);
	spool = open_spool();
	append(spool, 50, 2);
	assert_int_equal(read_all(0, 49, &damaged), 3);
	assert_int_equal(damaged, 0);
	spool_close(spool);
}

static void
the_row_behind_pruned_ones_is_still_checked(void **state)
{
	struct spool *spool = open_spool();
	size_t forgotten = 0, damaged;

	(void)state;
	append(spool, 0, 20);
	assert_int_equal(prune(spool, 10, 100, &forgotten, false), 11);
	spool_close(spool);
	change("UPDATE events SET body='{}' WHERE seq=11");
	assert_int_equal(read_all(0, 10, &damaged), 10);
	assert_int_equal(damaged, 1);
}

static off_t
size_of_file(void)
{
	struct stat status;

	assert_int_equal(stat(path_of("spool.db"), &status), 0);
	return status.st_size;
}

/* Only 256 pages were given back with a step of 500 events, and none after the last one. */
static void
the_file_shrinks_when_big_events_go(void **state)
{
	static char body[100000];
	struct spool *spool = open_spool();
	struct spool_event event = {.source = SLICE_LITERAL("anyint"),
				    .id = SLICE_LITERAL("id"),
				    .type = SLICE_LITERAL("key.created"),
				    .body = {body, sizeof(body)}};
	struct error error;
	size_t forgotten = 0;
	bool more = true;

	(void)state;
	memset(body, 'x', sizeof(body));
	for (unsigned i = 0; i < 300; i++) /* 30 MB */
		assert_int_equal(spool_append(spool, &event, 1, NULL, 0, &error), SPOOL_DONE);
	assert_true(spool_checkpoint(spool, true, &error));
	assert_true(size_of_file() > 25 * 1000 * 1000);
	while (more)
		assert_int_equal(
		    spool_prune(spool, 300, 500, count_forgotten, &forgotten, &more, &error),
		    SPOOL_DONE);
	assert_true(spool_checkpoint(spool, true, &error));
	assert_in_range(size_of_file(), 1, 2 * 1000 * 1000);
	spool_close(spool);
}

static void
the_reserve_of_the_disk_is_kept(void **state)
{
	struct spool *spool = open_spool();
	struct spool_event event = {.source = SLICE_LITERAL("s"),
				    .id = SLICE_LITERAL("id"),
				    .type = SLICE_LITERAL("t"),
				    .body = SLICE_LITERAL("{}")};
	struct spool_room room;
	struct error error;

	(void)state;
	spool_room_reserve(spool, UINT64_MAX / 2, false);
	assert_int_equal(spool_append(spool, &event, 1, NULL, 0, &error), SPOOL_FULL);
	assert_non_null(strstr(error.text, "spool.reserve"));
	assert_int_equal(spool_last(spool), 0);
	spool_room_reserve(spool, UINT64_MAX / 2, true);
	assert_true(spool_room(spool, &room, &error));
	assert_in_range(room.reserve, 1, UINT64_MAX / 2 - 1);
	spool_room_reserve(spool, 0, false);
	assert_int_equal(spool_append(spool, &event, 1, NULL, 0, &error), SPOOL_DONE);
	spool_close(spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_was_appended_is_read_back_in_order_after_a_restart,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		an_edited_row_does_not_fit_the_chain_and_condemns_no_other, directory_set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(a_row_without_a_hash_covers_no_edit_behind_it,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_row_taken_out_shows_in_the_next_one, directory_set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(
		a_lost_tail_is_an_alarm_and_new_events_are_numbered_above_it, directory_set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(an_edited_last_row_is_an_alarm, directory_set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_fresh_spool_numbers_above_every_cursor,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(only_one_writer_gets_the_spool, directory_set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(
		a_full_spool_stores_nothing_and_goes_on_when_there_is_room, directory_set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(flags_are_kept_and_part_of_the_chain, directory_set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(fingerprints_come_back_whole, directory_set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_newer_version_is_refused_and_left_alone,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(checkpoints_empty_the_wal_while_a_reader_is_open,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_wal_stays_short_under_load_beside_a_reader,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_file_shrinks_when_big_events_go, directory_set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(the_reserve_of_the_disk_is_kept, directory_set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(what_is_delivered_is_pruned_from_the_front,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_row_behind_pruned_ones_is_still_checked,
					    directory_set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
