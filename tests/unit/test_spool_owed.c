#include "bridge/spool/spool_owed.h"

#include <dirent.h>
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

#include "bridge/spool/delivery.h"
#include "bridge/spool/spool_aside.h"
#include "bridge/spool/spool_salvage.h"
#include "bridge/spool/spool_verify.h"
#include "tests/unit/spool_fixture.h"

enum { COUNT = 30, PATH = 256 };

static const char everything[] = "siembridge 1\n1 9223372036854775807\n";

/* ---- files ---- */

/* How many names begin with one and end with the other; the last of them in `name`. */
static size_t
find(const char *beginning, const char *ending, char name[PATH])
{
	DIR *entries = opendir(directory);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(entries);
	while ((entry = readdir(entries)) != NULL) {
		size_t length = strlen(entry->d_name), end = strlen(ending);

		if (strncmp(entry->d_name, beginning, strlen(beginning)) != 0 || length < end ||
		    strcmp(entry->d_name + length - end, ending) != 0)
			continue;
		count++;
		if (name != NULL)
			(void)snprintf(name, PATH, "%s", entry->d_name);
	}
	(void)closedir(entries);
	return count;
}

static size_t
count_notes(void)
{
	return find("", ".owed", NULL);
}

static void
write_file(const char *name, const void *bytes, size_t length)
{
	FILE *stream = fopen(path_of(name), "wb");

	assert_non_null(stream);
	assert_int_equal(fwrite(bytes, 1, length, stream), length);
	assert_int_equal(fclose(stream), 0);
}

static void
copy_file(const char *from, const char *to)
{
	static char bytes[1 << 20];
	FILE *stream = fopen(path_of(from), "rb");
	size_t length;

	assert_non_null(stream);
	length = fread(bytes, 1, sizeof(bytes), stream);
	assert_in_range(length, 1, sizeof(bytes) - 1);
	assert_int_equal(fclose(stream), 0);
	write_file(to, bytes, length);
}

static void
move_file(const char *from, const char *to)
{
	assert_int_equal(rename(path_of(from), path_of(to)), 0);
}

/* ---- the spool ---- */

/* What is put aside as well, in files and directories of any name. */
static int
tear_down_all(void **state)
{
	(void)state;
	return directory_remove_all(directory);
}

static void
append(struct spool *spool, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++) {
		char id[16];
		struct error error;
		struct spool_event event = {.received_at = 1790856000000 + i,
					    .source = SLICE_LITERAL("anyint"),
					    .type = SLICE_LITERAL("key.created"),
					    .body = SLICE_LITERAL("{\"type\":\"key.created\"}"),
					    .fingerprint_count = 1};

		event.id = (struct slice){id, (size_t)snprintf(id, sizeof(id), "id-%u", i)};
		event.fingerprints[0][0] = (unsigned char)i;
		assert_int_equal(spool_append(spool, &event, 1, NULL, 0, &error), SPOOL_DONE);
	}
}

/* COUNT events, as a kill leaves them: most of them in the WAL. */
static void
be_killed_with_events(void)
{
	struct spool *spool = open_spool();
	struct error error;

	append(spool, 0, 10);
	assert_true(spool_checkpoint(spool, true, &error));
	append(spool, 10, COUNT - 10);
	copy_file("spool.db", "copy");
	copy_file("spool.db-wal", "copy-wal");
	spool_close(spool);
	move_file("copy", "spool.db");
	move_file("copy-wal", "spool.db-wal");
}

/* The ids go up one by one, under the sequences from `sequence` on, and the chain is whole. */
static void
assert_events(uint64_t sequence, unsigned first, unsigned count)
{
	const struct spool_verify_note note = {.sequence = 0};
	const struct spool_verify_calls calls = {.found = NULL};
	struct spool_verify_report report;
	struct spool_reader *reader;
	struct spool_event *events;
	struct arena *arena = arena_new();
	struct error error;
	size_t read;
	char id[16];

	assert_true(spool_reader_open(&reader, directory, &error));
	assert_true(spool_reader_next(reader, 0, 100, 1000000, arena, &events, &read, &error));
	assert_int_equal(read, count);
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(id, sizeof(id), "id-%u", first + i);
		assert_true(text_slice_is(events[i].id, id));
		assert_int_equal(events[i].sequence, sequence + i);
		assert_true(events[i].intact);
	}
	spool_reader_close(reader);
	arena_free(arena);
	assert_true(spool_verify(directory, &note, &calls, &report, &error));
	assert_true(spool_verify_is_whole(&report));
	assert_false(report.head_is_foreign);
}

static void
assert_all_is_brought_over(void)
{
	struct spool *spool = open_spool();

	assert_int_equal(spool_last(spool), COUNT);
	assert_int_equal(count_notes(), 0);
	append(spool, COUNT, 1);
	assert_events(1, 0, COUNT + 1);
	spool_close(spool);
	spool_close(open_spool());
	assert_events(1, 0, COUNT + 1);
}

/* ---- killed between the steps ---- */

static void
what_was_put_aside_is_brought_over_at_once(void **state)
{
	(void)state;
	be_killed_with_events();
	write_file("suspect", "", 0);
	assert_all_is_brought_over();
	assert_int_equal(find("spool.db.damaged-", "-wal", NULL), 1);
}

static void
killed_behind_the_note_nothing_has_moved_yet(void **state)
{
	(void)state;
	be_killed_with_events();
	write_file("spool.db.damaged-1.owed", everything, strlen(everything));
	assert_all_is_brought_over();
	assert_int_equal(find("spool.db.damaged-", "", NULL), 0);
}

static void
killed_between_the_file_and_its_wal_both_are_put_aside(void **state)
{
	(void)state;
	be_killed_with_events();
	write_file("spool.db.damaged-1.owed", everything, strlen(everything));
	move_file("spool.db", "spool.db.damaged-1");
	assert_all_is_brought_over();
	assert_int_equal(access(path_of("spool.db.damaged-1-wal"), F_OK), 0);
}

static void
killed_before_a_fresh_one_is_begun(void **state)
{
	char aside[PATH_MAX];
	struct error error;

	(void)state;
	be_killed_with_events();
	assert_true(spool_owed_put(directory, aside, &error));
	assert_int_equal(count_notes(), 1);
	assert_int_not_equal(access(path_of("spool.db"), F_OK), 0);
	assert_int_not_equal(access(path_of("spool.db-wal"), F_OK), 0);
	assert_int_equal(access(aside, F_OK), 0);
	assert_all_is_brought_over();
}

/* The first transaction is there and the second is not. */
static void
killed_while_they_are_brought_over(void **state)
{
	char aside[PATH];

	(void)state;
	be_killed_with_events();
	write_file("suspect", "", 0);
	spool_close(open_spool());
	assert_int_equal(find("spool.db.damaged-", "-wal", aside), 1);
	change("DELETE FROM events WHERE seq>12; DELETE FROM fingerprints WHERE first_seq>12");
	memcpy(aside + strlen(aside) - 4, ".owed", 6);
	write_file(aside, everything, strlen(everything));
	assert_all_is_brought_over();
	assert_int_equal(ask("SELECT count(*) FROM fingerprints"), COUNT + 1);
}

/* An empty spool.db of its own epoch, as it is before the first transaction. */
static void
killed_once_the_fresh_one_has_its_tables(void **state)
{
	struct spool *spool;
	int64_t epoch;

	(void)state;
	be_killed_with_events();
	move_file("spool.db", "old");
	move_file("spool.db-wal", "old-wal");
	move_file("head", "head.old");
	spool = open_spool();
	spool_close(spool);
	epoch = ask("SELECT value FROM meta WHERE name='epoch'");
	change("INSERT INTO meta VALUES('filling', 1)");
	move_file("old", "spool.db.damaged-1");
	move_file("old-wal", "spool.db.damaged-1-wal");
	move_file("head.old", "head");
	write_file("spool.db.damaged-1.owed", everything, strlen(everything));
	assert_all_is_brought_over();
	assert_int_not_equal(ask("SELECT value FROM meta WHERE name='epoch'"), epoch);
}

/* A cursor would be held against an identity that it soon has no more, or too few events. */
static void
nobody_reads_while_it_is_filled(void **state)
{
	struct spool_reader *reader;
	struct error error;

	(void)state;
	be_killed_with_events();
	change("INSERT INTO meta VALUES('filling', 1)");
	assert_false(spool_reader_open(&reader, directory, &error));
	assert_non_null(strstr(error.text, "being filled"));
	spool_close(open_spool());
	assert_events(1, 0, COUNT);
}

static void
two_of_them_are_brought_over_in_their_order(void **state)
{
	struct spool *spool;
	char aside[PATH_MAX];
	struct error error;

	(void)state;
	be_killed_with_events();
	assert_true(spool_owed_put(directory, aside, &error));
	spool = open_spool();
	append(spool, COUNT, 5);
	spool_close(spool);
	assert_true(spool_owed_put(directory, aside, &error));
	/* the note of the first one again */
	assert_int_equal(find("spool.db.damaged-", "-wal", aside), 1);
	memcpy(aside + strlen(aside) - 4, ".owed", 6);
	write_file(aside, everything, strlen(everything));
	assert_int_equal(count_notes(), 2);
	spool_close(open_spool());
	assert_int_equal(count_notes(), 0);
	assert_events(1, 0, COUNT + 5);
}

/* ---- again ---- */

/* A rejected body of before version 4 has no print, and was there once more each time. */
static void
doing_it_again_changes_nothing(void **state)
{
	const struct spool_parts all = {.parts = {{1, INT64_MAX}}, .count = 1};
	struct spool_salvage_counts counts;
	struct spool *spool;
	struct error error;
	char aside[PATH_MAX], note[PATH];

	(void)state;
	be_killed_with_events();
	change("INSERT INTO rejected(received_at, source, reason, body) VALUES(1, 's', 'r', x'41'),"
	       " (1, 's', 'r', x'42'); INSERT INTO rejected(received_at, source, reason, body,"
	       " print) VALUES(1, 's', 'r', x'43', x'00112233445566778899aabbccddeeff')");
	assert_true(spool_owed_put(directory, aside, &error));
	assert_int_equal(find("", ".owed", note), 1);
	for (int turn = 0; turn < 3; turn++) {
		write_file(note, everything, strlen(everything));
		spool = open_spool();
		assert_int_equal(count_notes(), 0);
		assert_int_equal(spool_salvage(spool, aside, &all, &counts, NULL, &error),
				 SPOOL_SALVAGE_DONE);
		assert_int_equal(counts.events, COUNT);
		assert_false(counts.disk_failed);
		spool_close(spool);
		assert_events(1, 0, COUNT);
		assert_int_equal(ask("SELECT count(*) FROM rejected"), 3);
		assert_int_equal(ask("SELECT count(*) FROM fingerprints"), COUNT);
	}
}

/* ---- what is delivered ---- */

static void
deliver(uint64_t sequence)
{
	struct delivery_cursor cursor = {.destination = "siem", .epoch = 1, .sequence = sequence};
	struct delivery *delivery;
	struct error error;

	assert_true(delivery_open(&delivery, directory, &error));
	assert_true(delivery_save(delivery, &cursor, 1, NULL, 0, &error));
	delivery_close(delivery);
}

static void
what_is_delivered_stays_but_for_the_last_of_it(void **state)
{
	(void)state;
	be_killed_with_events();
	deliver(20);
	write_file("suspect", "", 0);
	spool_close(open_spool());
	assert_events(20, 19, COUNT - 19);
}

/* "30 events are missing at its end" was told of a spool that had lost nothing. */
static void
where_all_is_delivered_nothing_is_missing(void **state)
{
	struct spool *spool;

	(void)state;
	be_killed_with_events();
	deliver(COUNT);
	write_file("suspect", "", 0);
	spool = open_spool();
	append(spool, COUNT, 2);
	spool_close(spool);
	assert_events(COUNT, COUNT - 1, 3);
}

/* The cursors that there are at a later start belong to later events. */
static void
the_note_says_what_was_not_delivered_then(void **state)
{
	char aside[PATH_MAX];
	struct error error;

	(void)state;
	be_killed_with_events();
	deliver(5);
	assert_true(spool_owed_put(directory, aside, &error));
	deliver(COUNT);
	spool_close(open_spool());
	assert_events(5, 4, COUNT - 4);
}

/* ---- too late ---- */

/* The disk did not give the file at one start, and events were stored before the next. */
static void
what_comes_behind_later_events_is_stored_as_new(void **state)
{
	struct spool *spool;
	struct error alarm, error;
	char aside[PATH_MAX], note[PATH];

	(void)state;
	be_killed_with_events();
	assert_true(spool_owed_put(directory, aside, &error));
	assert_int_equal(find("", ".owed", note), 1);
	move_file(note, "note");
	assert_true(spool_open(&spool, directory, 0, 0, &alarm, &error));
	append(spool, COUNT, 3);
	assert_int_equal(spool_last(spool), COUNT + 3);
	spool_close(spool);
	move_file("note", note);
	spool = open_spool();
	assert_int_equal(spool_last(spool), COUNT + 3 + COUNT);
	assert_int_equal(count_notes(), 0);
	/* behind them, in their order, once */
	assert_int_equal(ask("SELECT count(*) FROM events"), COUNT + 3);
	for (unsigned i = 0; i < COUNT; i++) {
		char sql[128];

		(void)snprintf(sql, sizeof(sql),
			       "SELECT count(*) FROM events WHERE seq=%u AND id='id-%u'",
			       COUNT + 4 + i, i);
		assert_int_equal(ask(sql), 1);
	}
	spool_close(spool);
	spool_close(open_spool());
	assert_int_equal(ask("SELECT count(*) FROM events"), COUNT + 3);
}

/* Without room for it the bridge goes on; nothing is stored by half. */
static void
what_has_no_room_is_left(void **state)
{
	static char body[200000];
	const struct spool_parts all = {.parts = {{1, INT64_MAX}}, .count = 1};
	struct spool_event event = {.source = SLICE_LITERAL("anyint"),
				    .id = SLICE_LITERAL("id"),
				    .type = SLICE_LITERAL("key.created"),
				    .body = {body, sizeof(body)}};
	struct spool_salvage_counts counts;
	struct spool_parts left;
	struct spool *spool = open_spool();
	struct error alarm, error;
	char aside[PATH_MAX];

	(void)state;
	memset(body, 'x', sizeof(body));
	for (int i = 0; i < 10; i++)
		assert_int_equal(spool_append(spool, &event, 1, NULL, 0, &error), SPOOL_DONE);
	spool_close(spool);
	assert_true(spool_aside_put(directory, "spool.db", aside, &error));
	assert_int_equal(unlink(path_of("head")), 0);
	assert_true(spool_open(&spool, directory, 1024 * 1024, 0, &alarm, &error));
	assert_int_equal(spool_salvage(spool, aside, &all, &counts, &left, &error),
			 SPOOL_SALVAGE_ENDED);
	assert_non_null(strstr(error.text, "full"));
	assert_true(counts.disk_failed);
	assert_int_equal(counts.events, 0);
	assert_int_equal(spool_last(spool), 0);
	assert_int_equal(left.count, 1);
	assert_int_equal(left.parts[0].first, 1);
	assert_int_equal(left.parts[0].last, INT64_MAX);
	/* the handle is good */
	append(spool, 0, 3);
	spool_close(spool);
	assert_events(1, 0, 3);
}

/* ---- notes and files that are of no use ---- */

static void
a_note_of_a_file_that_is_gone_keeps_nobody_down(void **state)
{
	struct spool *spool = open_spool();

	(void)state;
	append(spool, 0, COUNT);
	spool_close(spool);
	write_file("spool.db.damaged-1.owed", everything, strlen(everything));
	write_file("spool.db.damaged-2.owed", everything, strlen(everything));
	write_file("spool.db.damaged-2-wal", "of nothing", 10);
	assert_all_is_brought_over();
	assert_int_equal(access(path_of("spool.db.damaged-2-wal"), F_OK), 0);
}

static void
rubbish_in_a_note_stands_for_all_of_its_file(void **state)
{
	static const char *const rubbish[] = {
	    "", "\n", "siembridge 1", "siembridge 2\n1 5\n", "siembridge 1\n9 3\n", "\xff\x00\x01",
	};
	char aside[PATH_MAX], note[PATH];
	static char long_one[100000];
	struct error error;

	(void)state;
	memset(long_one, '1', sizeof(long_one));
	for (size_t i = 0; i <= sizeof(rubbish) / sizeof(rubbish[0]); i++) {
		be_killed_with_events();
		assert_true(spool_owed_put(directory, aside, &error));
		assert_int_equal(find("", ".owed", note), 1);
		if (i < sizeof(rubbish) / sizeof(rubbish[0]))
			write_file(note, rubbish[i], strlen(rubbish[i]));
		else
			write_file(note, long_one, sizeof(long_one));
		assert_all_is_brought_over();
		assert_int_equal(tear_down_all(state), 0);
		assert_int_equal(directory_set_up(state), 0);
	}
}

static void
a_note_that_cannot_be_removed_keeps_nobody_down(void **state)
{
	struct spool *spool = open_spool();

	(void)state;
	append(spool, 0, COUNT);
	spool_close(spool);
	copy_file("spool.db", "spool.db.damaged-1");
	assert_int_equal(mkdir(path_of("spool.db.damaged-1.owed"), 0700), 0);
	spool_close(open_spool());
	spool_close(open_spool());
	assert_events(1, 0, COUNT);
}

static void
a_file_that_is_none_keeps_nobody_down(void **state)
{
	static char garbage[10000];
	struct spool *spool = open_spool();

	(void)state;
	append(spool, 0, COUNT);
	spool_close(spool);
	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)(i * i % 251);
	for (int i = 1; i <= 4; i++) {
		char name[PATH];

		(void)snprintf(name, sizeof(name), "spool.db.damaged-%d.owed", i);
		write_file(name, everything, strlen(everything));
	}
	write_file("spool.db.damaged-1", garbage, sizeof(garbage));
	write_file("spool.db.damaged-2", "", 0);
	write_file("spool.db.damaged-2-wal", "of nothing", 10);
	assert_int_equal(mkdir(path_of("spool.db.damaged-3"), 0700), 0);
	assert_int_equal(symlink("spool.db", path_of("spool.db.damaged-4")), 0);
	assert_all_is_brought_over();
	/* evidence */
	assert_int_equal(access(path_of("spool.db.damaged-2-wal"), F_OK), 0);
}

/* Nor is a spool.db that is well put aside for it. */
static void
a_wal_put_aside_without_its_file_is_left_alone(void **state)
{
	(void)state;
	be_killed_with_events();
	write_file("spool.db.damaged-1.owed", everything, strlen(everything));
	write_file("spool.db.damaged-1-wal", "of nothing", 10);
	assert_all_is_brought_over();
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, directory_set_up, tear_down_all)
	const struct CMUnitTest tests[] = {
	    TEST(what_was_put_aside_is_brought_over_at_once),
	    TEST(killed_behind_the_note_nothing_has_moved_yet),
	    TEST(killed_between_the_file_and_its_wal_both_are_put_aside),
	    TEST(killed_before_a_fresh_one_is_begun),
	    TEST(killed_once_the_fresh_one_has_its_tables),
	    TEST(nobody_reads_while_it_is_filled),
	    TEST(killed_while_they_are_brought_over),
	    TEST(two_of_them_are_brought_over_in_their_order),
	    TEST(doing_it_again_changes_nothing),
	    TEST(what_is_delivered_stays_but_for_the_last_of_it),
	    TEST(where_all_is_delivered_nothing_is_missing),
	    TEST(the_note_says_what_was_not_delivered_then),
	    TEST(what_comes_behind_later_events_is_stored_as_new),
	    TEST(what_has_no_room_is_left),
	    TEST(a_note_of_a_file_that_is_gone_keeps_nobody_down),
	    TEST(rubbish_in_a_note_stands_for_all_of_its_file),
	    TEST(a_note_that_cannot_be_removed_keeps_nobody_down),
	    TEST(a_file_that_is_none_keeps_nobody_down),
	    TEST(a_wal_put_aside_without_its_file_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
