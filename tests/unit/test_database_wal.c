/* Through our VFS and through SQLite's own, side by side. */
#include "bridge/spool/database_wal.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "tests/unit/directory_fixture.h"

static sqlite3 *
open_by(const char *vfs)
{
	sqlite3 *handle;

	assert_int_equal(sqlite3_open_v2(path_of("test.db"), &handle,
					 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs),
			 SQLITE_OK);
	return handle;
}

static void
execute(sqlite3 *handle, const char *sql)
{
	char *error = NULL;

	if (sqlite3_exec(handle, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
}

/* The first column of the first row, as a number. */
static int64_t
ask(sqlite3 *handle, const char *sql)
{
	sqlite3_stmt *statement;
	int64_t number;

	assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	number = sqlite3_column_int64(statement, 0);
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	return number;
}

static int64_t
size_of(const char *name)
{
	struct stat status;

	assert_int_equal(stat(path_of(name), &status), 0);
	return status.st_size;
}

/* With no room for pages in memory: what is changed goes to the WAL and is read back. */
static sqlite3 *
open_writer(void)
{
	sqlite3 *writer = open_by(database_wal_vfs());

	execute(writer, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=10;"
			"PRAGMA wal_autocheckpoint=0;"
			"CREATE TABLE rows(number INTEGER PRIMARY KEY, bytes BLOB)");
	return writer;
}

static const char many[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT"
			   " 500) INSERT INTO rows SELECT i, randomblob(1500) FROM n";

/* Another process may read as soon as the commit returns, whatever its VFS. */
static void
what_is_committed_is_in_the_file_and_what_is_not_is_nowhere(void **state)
{
	sqlite3 *writer = open_writer(), *reader = open_by(NULL);
	int64_t size = size_of("test.db-wal");

	(void)state;
	execute(writer, "BEGIN");
	execute(writer, "INSERT INTO rows VALUES(1, zeroblob(1000))");
	assert_int_equal(ask(reader, "SELECT count(*) FROM rows"), 0);
	execute(writer, "COMMIT");
	assert_true(size_of("test.db-wal") > size);
	assert_int_equal(ask(reader, "SELECT count(*) FROM rows"), 1);
	execute(writer, "DELETE FROM rows");
	execute(writer, many); /* more than is gathered */
	assert_int_equal(ask(reader, "SELECT sum(length(bytes)) FROM rows"), 500 * 1500);
	assert_int_equal(ask(reader, "SELECT integrity_check='ok' FROM pragma_integrity_check"), 1);
	sqlite3_close(reader);
	sqlite3_close(writer);
}

/* Pages that are changed again, in a transaction that goes back half-way or as a whole. */
static void
a_transaction_that_goes_back_leaves_nothing(void **state)
{
	sqlite3 *writer = open_writer(), *reader = open_by(NULL);

	(void)state;
	execute(writer, "BEGIN");
	execute(writer, many);
	execute(writer, "ROLLBACK");
	assert_int_equal(ask(writer, "SELECT count(*) FROM rows"), 0);
	execute(writer, "BEGIN");
	execute(writer, many);
	execute(writer, "SAVEPOINT half; UPDATE rows SET bytes = zeroblob(1500);"
			"DELETE FROM rows WHERE number % 2; ROLLBACK TO half;"
			"UPDATE rows SET bytes = zeroblob(100) WHERE number % 5 = 0");
	execute(writer, "COMMIT");
	assert_int_equal(ask(reader, "SELECT sum(length(bytes)) FROM rows"),
			 400 * 1500 + 100 * 100);
	assert_int_equal(ask(reader, "SELECT integrity_check='ok' FROM pragma_integrity_check"), 1);
	sqlite3_close(reader);
	sqlite3_close(writer);
}

/* The whole way of the spool: moved into the file, the WAL begun anew, cut, and closed. */
static void
checkpoints_and_a_new_start_find_all(void **state)
{
	sqlite3 *writer = open_writer(), *reader;

	(void)state;
	for (int i = 0; i < 3; i++) {
		execute(writer, "DELETE FROM rows");
		execute(writer, many);
		execute(writer, i < 2 ? "PRAGMA wal_checkpoint(RESTART)"
				      : "PRAGMA wal_checkpoint(TRUNCATE)");
	}
	assert_int_equal(size_of("test.db-wal"), 0);
	execute(writer, "INSERT INTO rows VALUES(1000, zeroblob(10))");
	assert_true(size_of("test.db-wal") > 0);
	sqlite3_close(writer);
	reader = open_by(NULL);
	assert_int_equal(ask(reader, "SELECT count(*) FROM rows"), 501);
	assert_int_equal(ask(reader, "SELECT integrity_check='ok' FROM pragma_integrity_check"), 1);
	sqlite3_close(reader);
}

static int
remove_files(void **state)
{
	static const char *const names[] = {"test.db", "test.db-wal", "test.db-shm", NULL};

	(void)state;
	return directory_remove(names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_is_committed_is_in_the_file_and_what_is_not_is_nowhere, directory_set_up,
		remove_files),
	    cmocka_unit_test_setup_teardown(a_transaction_that_goes_back_leaves_nothing,
					    directory_set_up, remove_files),
	    cmocka_unit_test_setup_teardown(checkpoints_and_a_new_start_find_all, directory_set_up,
					    remove_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
