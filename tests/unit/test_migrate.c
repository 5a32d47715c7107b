/* Files as older siembridges made them: the SQL here is theirs and is never changed. */
#include "bridge/spool/migrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/spool/delivery.h"
#include "tests/unit/spool_fixture.h"

static const char spool_1[] =
    "BEGIN;"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE events(seq INTEGER PRIMARY KEY, received_at INTEGER NOT NULL,"
    "  source TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, resource TEXT,"
    "  evidence TEXT, body BLOB NOT NULL, hash BLOB NOT NULL);"
    "CREATE TABLE fingerprints(first_seq INTEGER PRIMARY KEY, prints BLOB NOT NULL);"
    "CREATE TABLE rejected(number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  received_at INTEGER NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL,"
    "  evidence TEXT, body BLOB NOT NULL);"
    "INSERT INTO meta VALUES('epoch', 4711), ('key', x'000102030405060708090a0b0c0d0e0f');"
    "INSERT INTO events VALUES(5, 1790856000000, 'anyint', 'id-5', 'key.created', NULL, NULL,"
    "  x'7b7d', zeroblob(32)), (6, 1790856000001, 'anyint', 'id-6', 'key.created', 'key_01',"
    "  'webhook-id: id-6\n', x'7b7d', zeroblob(32));"
    "INSERT INTO fingerprints VALUES(5, zeroblob(32));"
    "INSERT INTO rejected VALUES(NULL, 1790856000002, 'anyint', 'no type', NULL, x'7b7d');"
    "PRAGMA user_version=1;"
    "COMMIT;";

static const char delivery_1[] =
    "BEGIN;"
    "CREATE TABLE cursors(destination TEXT PRIMARY KEY, epoch INTEGER NOT NULL,"
    "  seq INTEGER NOT NULL, number INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE dead(destination TEXT NOT NULL, seq INTEGER NOT NULL,"
    "  died_at INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, reason TEXT NOT NULL,"
    "  PRIMARY KEY(destination, seq)) WITHOUT ROWID;"
    "INSERT INTO cursors VALUES('siem', 4711, 6, 60), ('file', 4711, 5, 50);"
    "INSERT INTO dead VALUES('siem', 6, 1790856000009, 'id-6', 'key.created', 'too long'),"
    "  ('siem', 5, 1790856000003, 'id-5', 'key.created', 'too long');"
    "PRAGMA user_version=1;"
    "COMMIT;";

static void
a_spool_of_version_1_is_brought_up_to_date(void **state)
{
	struct spool *spool;
	struct error alarm, error;
	struct spool_event event = {.received_at = 1,
				    .source = SLICE_LITERAL("anyint"),
				    .id = SLICE_LITERAL("id-7"),
				    .type = SLICE_LITERAL("key.created"),
				    .body = SLICE_LITERAL("{}")};

	(void)state;
	change_file("spool.db", spool_1);
	if (!spool_open(&spool, directory, 0, 0, &alarm, &error))
		fail_msg("%s", error.text);
	assert_int_equal(spool_append(spool, &event, 1, NULL, 0, &error), SPOOL_DONE);
	spool_close(spool);
	assert_int_equal(event.sequence, 7);
	assert_int_equal(ask_file("spool.db", "SELECT value FROM meta WHERE name='epoch'"), 4711);
	assert_int_equal(ask_file("spool.db", "SELECT count(*) FROM events"), 3);
	assert_int_equal(ask_file("spool.db", "SELECT count(*) FROM rejected"), 1);
	assert_int_equal(ask_file("spool.db", "SELECT count(*) FROM dropped"), 0);
}

/* As a siembridge of version 1 wrote them, hashes and all. */
static const char chained_1[] =
    "DELETE FROM events; DELETE FROM fingerprints;"
    "INSERT INTO events VALUES"
    "(1, 1790856000001, 'anyint', 'id-1', 'key.created', NULL, 'webhook-id: x' || char(10),"
    "  x'7b2274797065223a226b65792e63726561746564227d',"
    "  x'389a21fb36ae2a26ce3121c481b0f272d9e952a2ea990b6778e0a4ce81e1a56f'),"
    "(2, 1790856000002, 'anyint', 'id-2', 'key.created', NULL, 'webhook-id: x' || char(10),"
    "  x'7b2274797065223a226b65792e63726561746564227d',"
    "  x'e1b09de4f73f7046459e7d18a16145156d98a7c3030a3b9a37227f30bd633357'),"
    "(3, 1790856000003, 'anyint', 'id-3', 'key.created', NULL, 'webhook-id: x' || char(10),"
    "  x'7b2274797065223a226b65792e63726561746564227d',"
    "  x'dc1f8ba04d743a23ea64bc47d7cb6c82164f9fc4f0f0094943ed6320dd79cf6c');"
    "INSERT INTO fingerprints VALUES(1, zeroblob(32)), (3, zeroblob(16));";

static void
rows_of_version_1_fit_the_chain_and_end_where_they_did(void **state)
{
	struct arena *arena = arena_new();
	struct spool_reader *reader;
	struct spool_event *events;
	struct spool *spool;
	struct error alarm, error;
	size_t count = 0;

	(void)state;
	change_file("spool.db", spool_1);
	change_file("spool.db", chained_1);
	if (!spool_open(&spool, directory, 0, 0, &alarm, &error) ||
	    !spool_reader_open(&reader, directory, &error) ||
	    !spool_reader_next(reader, 0, 10, 1000, arena, &events, &count, &error))
		fail_msg("%s", error.text);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++) {
		assert_true(events[i].intact);
		assert_int_equal(events[i].flags, 0);
	}
	spool_reader_close(reader);
	spool_close(spool);
	arena_free(arena);
	assert_int_equal(
	    ask_file("spool.db", "SELECT last_seq FROM fingerprints WHERE first_seq=1"), 2);
	assert_int_equal(
	    ask_file("spool.db", "SELECT last_seq FROM fingerprints WHERE first_seq=3"), 3);
}

static void
a_delivery_of_version_1_is_brought_up_to_date(void **state)
{
	struct delivery_cursor cursor = {.destination = "siem"};
	struct delivery *delivery;
	struct error error;

	(void)state;
	change_file("delivery.db", delivery_1);
	if (!delivery_open(&delivery, directory, &error) ||
	    !delivery_load(delivery, &cursor, &error))
		fail_msg("%s", error.text);
	delivery_close(delivery);
	assert_int_equal(cursor.epoch, 4711);
	assert_int_equal(cursor.sequence, 6);
	assert_int_equal(cursor.number, 60);
	/* numbered in the order in which they died */
	assert_int_equal(ask_file("delivery.db", "SELECT seq FROM dead WHERE number=1"), 5);
	assert_int_equal(ask_file("delivery.db", "SELECT seq FROM dead WHERE number=2"), 6);
}

static void
a_step_that_fails_changes_nothing(void **state)
{
	static const char *const steps[] = {"CREATE TABLE one(a);", "CREATE TABLE two(a);",
					    "CREATE TABLE two(a);"};
	struct database *database;
	struct error error;
	int64_t version = -1;

	(void)state;
	if (!database_open(&database, path_of("spool.db"), DATABASE_READ_WRITE, &error) ||
	    !migrate_run(database, "spool.db", steps, 1, &error))
		fail_msg("%s", error.text);
	assert_false(migrate_run(database, "spool.db", steps, 3, &error));
	assert_non_null(strstr(error.text, "from version 1 to 3"));
	assert_true(database_version(database, &version, &error));
	assert_int_equal(version, 1);
	assert_true(migrate_run(database, "spool.db", steps, 2, &error));
	database_close(database);
	assert_int_equal(
	    ask_file("spool.db", "SELECT count(*) FROM sqlite_master WHERE name IN ('one', 'two')"),
	    2);
}

static void
readers_are_told_what_to_do(void **state)
{
	static const char *const steps[] = {"CREATE TABLE one(a);"};
	struct database *database;
	struct error error;

	(void)state;
	if (!database_open(&database, path_of("spool.db"), DATABASE_READ_WRITE, &error))
		fail_msg("%s", error.text);
	assert_false(migrate_check(database, "spool.db", 1, &error));
	assert_non_null(strstr(error.text, "try again"));
	assert_true(migrate_run(database, "spool.db", steps, 1, &error));
	assert_true(migrate_check(database, "spool.db", 1, &error));
	assert_false(migrate_check(database, "spool.db", 2, &error));
	assert_non_null(strstr(error.text, "older"));
	assert_false(migrate_check(database, "spool.db", 0, &error));
	assert_non_null(strstr(error.text, "newer"));
	database_close(database);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_spool_of_version_1_is_brought_up_to_date,
					    directory_set_up, tear_down_both),
	    cmocka_unit_test_setup_teardown(rows_of_version_1_fit_the_chain_and_end_where_they_did,
					    directory_set_up, tear_down_both),
	    cmocka_unit_test_setup_teardown(a_delivery_of_version_1_is_brought_up_to_date,
					    directory_set_up, tear_down_both),
	    cmocka_unit_test_setup_teardown(a_step_that_fails_changes_nothing, directory_set_up,
					    tear_down_both),
	    cmocka_unit_test_setup_teardown(readers_are_told_what_to_do, directory_set_up,
					    tear_down_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
