/* A spool in a directory of its own, and the hands of somebody who opens its files with SQL. */
#ifndef SPOOL_FIXTURE_H
#define SPOOL_FIXTURE_H

#include "bridge/spool/database.h"
#include "bridge/spool/spool.h"
#include "tests/unit/directory_fixture.h"

static inline int
tear_down(void **state)
{
	static const char *const names[] = {"spool.db", "spool.db-wal", "spool.db-shm",
					    "head",     "lock",         NULL};

	(void)state;
	return directory_remove(names);
}

/* Of a spool and its delivery.db. */
static inline int
tear_down_both(void **state)
{
	static const char *const names[] = {"delivery.db", "delivery.db-wal", "delivery.db-shm"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(path_of(names[i]));
	return tear_down(state);
}

/* It opens with an alarm that says this; NULL: with none. */
static inline struct spool *
open_spool_above(uint64_t floor, const char *alarm_part)
{
	struct spool *spool;
	struct error alarm, error;

	if (!spool_open(&spool, directory, 0, floor, &alarm, &error))
		fail_msg("%s", error.text);
	if (alarm_part == NULL)
		assert_string_equal(alarm.text, "");
	else if (strstr(alarm.text, alarm_part) == NULL)
		fail_msg("the alarm is '%s'", alarm.text);
	return spool;
}

static inline struct spool *
open_spool(void)
{
	return open_spool_above(0, NULL);
}

/* A file that is not there is made. */
static inline void
change_file(const char *name, const char *sql)
{
	struct database *database;
	struct error error;

	if (!database_open(&database, path_of(name), DATABASE_READ_WRITE, &error) ||
	    !database_execute(database, sql, &error))
		fail_msg("%s", error.text);
	database_close(database);
}

static inline int64_t
ask_file(const char *name, const char *sql)
{
	struct database *database;
	struct error error;
	int64_t number = -1;

	if (!database_open(&database, path_of(name), DATABASE_READ_ONLY, &error) ||
	    !database_query_number(database, sql, &number, &error))
		fail_msg("%s", error.text);
	database_close(database);
	return number;
}

static inline void
change(const char *sql)
{
	change_file("spool.db", sql);
}

static inline int64_t
ask(const char *sql)
{
	return ask_file("spool.db", sql);
}

#endif
