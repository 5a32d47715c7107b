#include "bridge/spool/delivery.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridge/spool/database.h"
#include "bridge/spool/spool_internal.h"
#include "formats/memory.h"

enum { DELIVERY_VERSION = 1 };

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE cursors(destination TEXT PRIMARY KEY, epoch INTEGER NOT NULL,"
    "  seq INTEGER NOT NULL, number INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE dead(destination TEXT NOT NULL, seq INTEGER NOT NULL,"
    "  died_at INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, reason TEXT NOT NULL,"
    "  PRIMARY KEY(destination, seq)) WITHOUT ROWID;"
    "PRAGMA user_version=1;"
    "COMMIT;";

struct delivery {
	struct database *database;
	struct database_statement *begin, *commit, *rollback;
	struct database_statement *load, *save, *bury;
};

static bool
ensure_schema(struct delivery *delivery, struct error *error)
{
	int64_t version;

	/* as for the spool: what a crash left in the WAL becomes durable before it is believed */
	if (!database_checkpoint(delivery->database, DATABASE_CHECKPOINT_TRUNCATE, error) ||
	    !database_version(delivery->database, &version, error))
		return false;
	if (version == 0)
		return database_execute(delivery->database, schema, error);
	if (version != DELIVERY_VERSION)
		return error_set(
		    error,
		    "spool: delivery.db has version %lld and this siembridge knows %d; "
		    "use the newer siembridge",
		    (long long)version, DELIVERY_VERSION);
	return true;
}

bool
delivery_open(struct delivery **out, const char *directory, struct error *error)
{
	struct delivery *delivery = memory_allocate(sizeof(*delivery));
	char path[PATH_MAX];

	if (!spool_internal_path(path, directory, "delivery.db", error) ||
	    !database_open(&delivery->database, path, DATABASE_READ_WRITE, error) ||
	    !ensure_schema(delivery, error) ||
	    !database_prepare(delivery->database, &delivery->begin, "BEGIN IMMEDIATE", error) ||
	    !database_prepare(delivery->database, &delivery->commit, "COMMIT", error) ||
	    !database_prepare(delivery->database, &delivery->rollback, "ROLLBACK", error) ||
	    !database_prepare(delivery->database, &delivery->load,
			      "SELECT epoch, seq, number FROM cursors WHERE destination=?",
			      error) ||
	    !database_prepare(delivery->database, &delivery->save,
			      "INSERT OR REPLACE INTO cursors VALUES(?,?,?,?)", error) ||
	    !database_prepare(delivery->database, &delivery->bury,
			      "INSERT OR REPLACE INTO dead VALUES(?,?,?,?,?,?)", error))
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

static bool
save_cursor(struct delivery *delivery, const struct delivery_cursor *cursor, struct error *error)
{
	database_bind_text(delivery->save, 1, text_of(cursor->destination));
	database_bind_number(delivery->save, 2, (int64_t)cursor->epoch);
	database_bind_number(delivery->save, 3, (int64_t)cursor->sequence);
	database_bind_number(delivery->save, 4, (int64_t)cursor->number);
	return database_run(delivery->save, error) == DATABASE_END;
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
delivery_save(struct delivery *delivery, const struct delivery_cursor *cursors, size_t cursor_count,
	      const struct delivery_dead *dead, size_t dead_count, struct error *error)
{
	enum { WAL_DUE = 1024 * 1024 };
	struct error ignored;
	bool done;

	if (database_run(delivery->begin, error) != DATABASE_END)
		return false;
	done = true;
	for (size_t i = 0; done && i < dead_count; i++)
		done = bury(delivery, &dead[i], error);
	for (size_t i = 0; done && i < cursor_count; i++)
		done = save_cursor(delivery, &cursors[i], error);
	done = done && database_run(delivery->commit, error) == DATABASE_END;
	if (!done) {
		(void)database_run(delivery->rollback, &ignored);
		return false;
	}
	if (database_wal_size(delivery->database) < WAL_DUE)
		return true;
	return database_checkpoint(delivery->database, DATABASE_CHECKPOINT_RESTART, error);
}

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
	int64_t highest = 0;
	bool done;

	*sequence = 0;
	if (!open_to_look(&database, directory, error))
		return false;
	if (database == NULL)
		return true;
	done = database_query_number(database, "SELECT max(seq) FROM cursors", &highest, error);
	database_close(database);
	*sequence = (uint64_t)highest;
	return done;
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
