#include "bridge/spool/delivery.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "bridge/log.h"
#include "bridge/spool/delivery_internal.h"
#include "bridge/spool/migrate.h"
#include "bridge/spool/spool_aside.h"
#include "bridge/spool/spool_internal.h"
#include "formats/memory.h"

enum { BUCKET = 10000, PASSAGES_KEPT = 31 * 8640 /* buckets */ };

static const char *const schema[DELIVERY_VERSION] = {
    "CREATE TABLE cursors(destination TEXT PRIMARY KEY, epoch INTEGER NOT NULL,"
    "  seq INTEGER NOT NULL, number INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE dead(destination TEXT NOT NULL, seq INTEGER NOT NULL,"
    "  died_at INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, reason TEXT NOT NULL,"
    "  PRIMARY KEY(destination, seq)) WITHOUT ROWID;",

    "CREATE TABLE letters(number INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL,"
    "  seq INTEGER NOT NULL, died_at INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,"
    "  reason TEXT NOT NULL, replay INTEGER NOT NULL DEFAULT 0, UNIQUE(destination, seq));"
    "INSERT INTO letters(destination, seq, died_at, id, type, reason)"
    "  SELECT destination, seq, died_at, id, type, reason FROM dead ORDER BY died_at, seq;"
    "DROP TABLE dead;"
    "ALTER TABLE letters RENAME TO dead;"
    "CREATE INDEX dead_replay ON dead(replay) WHERE replay > 0;"
    "CREATE TABLE dropped(number INTEGER PRIMARY KEY, destination TEXT NOT NULL,"
    "  seq INTEGER NOT NULL, died_at INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,"
    "  reason TEXT NOT NULL, dropped_at INTEGER NOT NULL, dropped_by TEXT NOT NULL,"
    "  because TEXT NOT NULL);"
    "CREATE TABLE replays(number INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL,"
    "  name TEXT NOT NULL UNIQUE, epoch INTEGER NOT NULL, rate INTEGER NOT NULL,"
    "  asked_at INTEGER NOT NULL, asked_by TEXT NOT NULL, first_seq INTEGER NOT NULL,"
    "  last_seq INTEGER NOT NULL, done_seq INTEGER NOT NULL DEFAULT 0,"
    "  finished_at INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE replay_ranges(replay INTEGER NOT NULL, first INTEGER NOT NULL,"
    "  last INTEGER NOT NULL, PRIMARY KEY(replay, first)) WITHOUT ROWID;"
    "CREATE TABLE troubles(destination TEXT PRIMARY KEY, at INTEGER NOT NULL,"
    "  failures INTEGER NOT NULL, text TEXT NOT NULL, well_at INTEGER NOT NULL DEFAULT 0)"
    "  WITHOUT ROWID;"
    "CREATE TABLE passages(destination TEXT NOT NULL, bucket INTEGER NOT NULL,"
    "  seq INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(destination, bucket))"
    "  WITHOUT ROWID;",

    "CREATE TABLE acks(destination TEXT NOT NULL, endpoint TEXT NOT NULL,"
    "  channel TEXT NOT NULL, ack_id INTEGER NOT NULL, epoch INTEGER NOT NULL,"
    "  first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, posted_at INTEGER NOT NULL,"
    "  indexed INTEGER NOT NULL, cookies TEXT,"
    "  PRIMARY KEY(destination, endpoint, channel, ack_id)) WITHOUT ROWID;",
};

static bool
ensure_schema(struct delivery *delivery, struct error *error)
{
	/* as for the spool: what a crash left in the WAL becomes durable before it is believed */
	return database_checkpoint(delivery->database, DATABASE_CHECKPOINT_TRUNCATE, error) &&
	       migrate_run(delivery->database, "delivery.db", schema, DELIVERY_VERSION, error);
}

static bool
prepare_all(struct delivery *delivery, struct error *error)
{
	const struct {
		struct database_statement **statement;
		const char *sql;
	} rows[] = {
	    {&delivery->begin, "BEGIN IMMEDIATE"},
	    {&delivery->commit, "COMMIT"},
	    {&delivery->rollback, "ROLLBACK"},
	    {&delivery->load, "SELECT epoch, seq, number FROM cursors WHERE destination=?"},
	    {&delivery->save, "INSERT OR REPLACE INTO cursors VALUES(?,?,?,?)"},
	    {&delivery->bury,
	     "INSERT INTO dead(destination, seq, died_at, id, type, reason) VALUES(?,?,?,?,?,?)"
	     " ON CONFLICT(destination, seq) DO UPDATE SET died_at=excluded.died_at,"
	     " reason=excluded.reason, replay=0"},
	    {&delivery->advance,
	     "UPDATE replays SET done_seq=?2, finished_at=CASE WHEN ?2 >= last_seq THEN ?3 ELSE 0"
	     " END WHERE number=?1 AND done_seq < ?2"},
	    {&delivery->revive, "DELETE FROM dead WHERE replay=? AND seq <= ?"},
	    {&delivery->pass, "INSERT OR REPLACE INTO passages VALUES(?,?,?,?)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!database_prepare(delivery->database, rows[i].statement, rows[i].sql, error))
			return false;
	return true;
}

/* As for the spool (spool.c), but for what stands in it there is no second source. */
static bool
make_usable(const char *directory, const char *path, struct error *error)
{
	static const char *const queries[] = {
	    "SELECT 1 FROM (SELECT max(seq), max(epoch), max(number) FROM cursors)",
	    "SELECT 1 FROM (SELECT max(seq) FROM dead)",
	    NULL,
	};
	static const char *const changes[] = {
	    "INSERT OR REPLACE INTO cursors VALUES('', 0, 0, 0)",
	    "INSERT INTO dead(destination, seq, died_at, id, type, reason)"
	    " VALUES('', 0, 0, '', '', '')",
	    "CREATE TABLE probe(empty)",
	    NULL,
	};
	char aside[PATH_MAX];
	struct error why;

	if (!spool_aside_clear_database(directory, "delivery.db", error))
		return false;
	switch (database_examine(path, DELIVERY_VERSION, queries, changes, &why)) {
	case DATABASE_SOUND:
		return true;
	case DATABASE_TROUBLED:
		return error_set(error, "spool: %s", why.text);
	case DATABASE_HOPELESS:
		break;
	}
	if (!spool_aside_put(directory, "delivery.db", aside, error))
		return false;
	log_error("delivery",
		  "%s; it is put aside as %s, and with it all cursors and dead letters: every "
		  "destination gets what is kept once more, duplicates rather than losses",
		  why.text, aside);
	return true;
}

bool
delivery_open(struct delivery **out, const char *directory, struct error *error)
{
	struct delivery *delivery = memory_allocate(sizeof(*delivery));
	char path[PATH_MAX];

	if (!spool_internal_path(path, directory, "delivery.db", error) ||
	    !make_usable(directory, path, error) ||
	    !database_open(&delivery->database, path, DATABASE_READ_WRITE, error) ||
	    !ensure_schema(delivery, error) || !prepare_all(delivery, error))
		goto fail;
	*out = delivery;
	return true;
fail:
	delivery_close(delivery);
	return false;
}

void
delivery_close(struct delivery *delivery)
{
	if (delivery == NULL)
		return;
	database_finalize(delivery->begin);
	database_finalize(delivery->commit);
	database_finalize(delivery->rollback);
	database_finalize(delivery->load);
	database_finalize(delivery->save);
	database_finalize(delivery->bury);
	database_finalize(delivery->advance);
	database_finalize(delivery->revive);
	database_finalize(delivery->pass);
	database_close(delivery->database);
	free(delivery);
}

bool
delivery_load(struct delivery *delivery, struct delivery_cursor *cursor, struct error *error)
{
	enum database_step step;

	cursor->epoch = cursor->sequence = cursor->number = 0;
	database_bind_text(delivery->load, 1, text_of(cursor->destination));
	step = database_step(delivery->load, error);
	if (step == DATABASE_ROW) {
		cursor->epoch = (uint64_t)database_number(delivery->load, 0);
		cursor->sequence = (uint64_t)database_number(delivery->load, 1);
		cursor->number = (uint64_t)database_number(delivery->load, 2);
	}
	database_reset(delivery->load);
	return step == DATABASE_ROW || step == DATABASE_END;
}

/* What came over by a replay is confirmed up to cursor->replayed. */
static bool
save_replay(struct delivery *delivery, const struct delivery_cursor *cursor, int64_t now,
	    struct error *error)
{
	if (cursor->replay == 0)
		return true;
	database_bind_number(delivery->revive, 1, (int64_t)cursor->replay);
	database_bind_number(delivery->revive, 2, (int64_t)cursor->replayed);
	database_bind_number(delivery->advance, 1, (int64_t)cursor->replay);
	database_bind_number(delivery->advance, 2, (int64_t)cursor->replayed);
	database_bind_number(delivery->advance, 3, now);
	return database_run(delivery->revive, error) == DATABASE_END &&
	       database_run(delivery->advance, error) == DATABASE_END;
}

static bool
save_cursor(struct delivery *delivery, const struct delivery_cursor *cursor, int64_t now,
	    struct error *error)
{
	database_bind_text(delivery->save, 1, text_of(cursor->destination));
	database_bind_number(delivery->save, 2, (int64_t)cursor->epoch);
	database_bind_number(delivery->save, 3, (int64_t)cursor->sequence);
	database_bind_number(delivery->save, 4, (int64_t)cursor->number);
	database_bind_text(delivery->pass, 1, text_of(cursor->destination));
	database_bind_number(delivery->pass, 2, now / BUCKET);
	database_bind_number(delivery->pass, 3, (int64_t)cursor->sequence);
	database_bind_number(delivery->pass, 4, now);
	return database_run(delivery->save, error) == DATABASE_END &&
	       database_run(delivery->pass, error) == DATABASE_END &&
	       save_replay(delivery, cursor, now, error);
}

/* For people only, so a month of them is enough. */
static bool
prune_passages(struct delivery *delivery, int64_t now, struct error *error)
{
	struct database_statement *prune;
	bool done;

	if (now / BUCKET == delivery->bucket)
		return true;
	delivery->bucket = now / BUCKET;
	if (!database_prepare(delivery->database, &prune, "DELETE FROM passages WHERE bucket < ?",
			      error))
		return false;
	database_bind_number(prune, 1, delivery->bucket - PASSAGES_KEPT);
	done = database_run(prune, error) == DATABASE_END;
	database_finalize(prune);
	return done;
}

static bool
bury(struct delivery *delivery, const struct delivery_dead *dead, struct error *error)
{
	database_bind_text(delivery->bury, 1, text_of(dead->destination));
	database_bind_number(delivery->bury, 2, (int64_t)dead->sequence);
	database_bind_number(delivery->bury, 3, dead->died_at);
	database_bind_text(delivery->bury, 4, dead->id);
	database_bind_text(delivery->bury, 5, dead->type);
	database_bind_text(delivery->bury, 6, dead->reason);
	return database_run(delivery->bury, error) == DATABASE_END;
}

bool
delivery_internal_end(struct delivery *delivery, bool done, struct error *error)
{
	struct error ignored;

	done = done && database_run(delivery->commit, error) == DATABASE_END;
	if (!done)
		(void)database_run(delivery->rollback, &ignored);
	return done;
}

bool
delivery_save(struct delivery *delivery, const struct delivery_cursor *cursors, size_t cursor_count,
	      const struct delivery_dead *dead, size_t dead_count, struct error *error)
{
	enum { WAL_DUE = 1024 * 1024 };
	int64_t now = deadline_wall();
	bool done;

	if (database_run(delivery->begin, error) != DATABASE_END)
		return false;
	done = prune_passages(delivery, now, error);
	for (size_t i = 0; done && i < dead_count; i++)
		done = bury(delivery, &dead[i], error);
	for (size_t i = 0; done && i < cursor_count; i++)
		done = save_cursor(delivery, &cursors[i], now, error);
	if (!delivery_internal_end(delivery, done, error))
		return false;
	if (database_wal_size(delivery->database) < WAL_DUE)
		return true;
	return database_checkpoint(delivery->database, DATABASE_CHECKPOINT_RESTART, error);
}

bool
delivery_complain(struct delivery *delivery, const struct delivery_trouble *trouble,
		  struct error *error)
{
	const char *sql =
	    trouble->failures > 0
		? "INSERT INTO troubles(destination, at, failures, text) VALUES(?1,?2,?3,?4)"
		  " ON CONFLICT(destination) DO UPDATE SET at=?2, failures=?3, text=?4"
		: "UPDATE troubles SET failures=?3, well_at=?2 WHERE destination=?1";
	struct database_statement *statement;
	bool done;

	if (!database_prepare(delivery->database, &statement, sql, error))
		return false;
	database_bind_text(statement, 1, text_of(trouble->destination));
	database_bind_number(statement, 2, trouble->at);
	database_bind_number(statement, 3, (int64_t)trouble->failures);
	if (trouble->failures > 0)
		database_bind_text(statement, 4, text_of(trouble->text));
	done = database_run(statement, error) == DATABASE_END;
	database_finalize(statement);
	return done;
}

/* What an indexer may hold is taken as well: no other event may have its number. */
static const char highest[] = "SELECT max(seq) FROM (SELECT seq FROM cursors UNION ALL SELECT"
			      " last_seq AS seq FROM acks)";

/*
 * Opens it to look at the cursors.  *database stays NULL where there is no file yet,
 * or the forwarder is just about to make its tables.
 */
static bool
open_to_look(struct database **database, const char *directory, struct error *error)
{
	char path[PATH_MAX];
	int64_t version = 0;

	*database = NULL;
	if (!spool_internal_path(path, directory, "delivery.db", error))
		return false;
	if (access(path, F_OK) != 0)
		return true;
	if (!database_open(database, path, DATABASE_READ_ONLY, error))
		return false;
	if (database_version(*database, &version, error) && version != 0)
		return true;
	database_close(*database);
	*database = NULL;
	return version == 0;
}

bool
delivery_highest(const char *directory, uint64_t *sequence, struct error *error)
{
	struct database *database;
	int64_t version = 0, found = 0;
	bool done;

	*sequence = 0;
	if (!open_to_look(&database, directory, error))
		return false;
	if (database == NULL)
		return true;
	/* the forwarder, which brings it up to date, starts at the same time */
	done = database_version(database, &version, error) &&
	       database_query_number(
		   database, version < 3 ? "SELECT max(seq) FROM cursors" : highest, &found, error);
	database_close(database);
	*sequence = (uint64_t)found;
	return done;
}

uint64_t
delivery_least(const char *directory)
{
	struct database *database;
	struct error ignored;
	int64_t least = 0;

	if (!open_to_look(&database, directory, &ignored) || database == NULL)
		return 0;
	if (!database_query_number(database, "SELECT coalesce(min(seq), 0) FROM cursors", &least,
				   &ignored))
		least = 0;
	database_close(database);
	return (uint64_t)least;
}

bool
delivery_lowest(const char *directory, const char *const *destinations, size_t count,
		uint64_t *sequence, struct error *error)
{
	struct database *database;
	struct database_statement *load = NULL;
	uint64_t lowest = count > 0 ? UINT64_MAX : 0;
	bool done = true;

	*sequence = 0;
	if (!open_to_look(&database, directory, error))
		return false;
	if (database == NULL)
		return true;
	done =
	    database_prepare(database, &load, "SELECT seq FROM cursors WHERE destination=?", error);
	for (size_t i = 0; done && i < count; i++) {
		enum database_step step;
		uint64_t cursor = 0;

		database_bind_text(load, 1, text_of(destinations[i]));
		step = database_step(load, error);
		if (step == DATABASE_ROW)
			cursor = (uint64_t)database_number(load, 0);
		database_reset(load);
		done = step == DATABASE_ROW || step == DATABASE_END;
		if (cursor < lowest)
			lowest = cursor;
	}
	database_finalize(load);
	database_close(database);
	if (done)
		*sequence = lowest;
	return done;
}
