/*
 * Why these settings: synchronous=FULL syncs the WAL at each commit, which is our
 * whole promise.  wal_autocheckpoint=0, because a checkpoint must run on the
 * writer's own connection and thread (SQLite before 3.51.3 may lose commits when
 * two connections checkpoint and write at once, reliability.md section 0).
 * mmap_size=0, because a page that cannot be read must be an error and not a
 * SIGBUS.  secure_delete=OFF: Debian's default writes every pruned page twice.
 * auto_vacuum=INCREMENTAL, set before the first table, lets the file shrink again.
 */
#include "bridge/spool/database.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "bridge/spool/database_wal.h"
#include "formats/memory.h"

enum { DATABASE_PAGE = 4096, DATABASE_BUSY_MS = 5000, DATABASE_RESTART_MS = 5 };

struct database {
	sqlite3 *handle;
	int wal_pages; /* as the last commit of this handle left it */
};

struct database_statement {
	sqlite3_stmt *handle;
};

static bool
failed(const struct database *database, const char *doing, struct error *error)
{
	return error_set(error, "%s: %s (SQLite %d)", doing, sqlite3_errmsg(database->handle),
			 sqlite3_extended_errcode(database->handle));
}

/* A page that makes no sense, or a sector that cannot be read. */
static bool
is_damage(int result)
{
	return (result & 0xff) == SQLITE_CORRUPT || result == SQLITE_NOTADB ||
	       result == SQLITE_IOERR_READ || result == SQLITE_IOERR_SHORT_READ ||
	       result == SQLITE_IOERR_CORRUPTFS;
}

static int
note_wal_size(void *context, sqlite3 *handle, const char *name, int pages)
{
	struct database *database = context;

	(void)handle;
	(void)name;
	database->wal_pages = pages;
	return SQLITE_OK;
}

bool
database_open(struct database **out, const char *path, enum database_mode mode, struct error *error)
{
	static const char settings[] = "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL;"
				       "PRAGMA journal_mode=WAL;"
				       "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
				       "PRAGMA secure_delete=OFF; PRAGMA mmap_size=0;"
				       "PRAGMA journal_size_limit=67108864;";
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	struct database *database = memory_allocate(sizeof(*database));

	flags |= mode == DATABASE_READ_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
					     : SQLITE_OPEN_READONLY;
	if (sqlite3_open_v2(path, &database->handle, flags,
			    mode == DATABASE_READ_WRITE ? database_wal_vfs() : NULL) != SQLITE_OK) {
		if (database->handle == NULL)
			memory_panic("out of memory: a database handle");
		failed(database, path, error);
		goto fail;
	}
	sqlite3_extended_result_codes(database->handle, 1);
	sqlite3_busy_timeout(database->handle, DATABASE_BUSY_MS);
	if (mode == DATABASE_READ_WRITE) {
		if (!database_execute(database, settings, error))
			goto fail_path;
		/* after the settings: wal_autocheckpoint takes an earlier hook away */
		sqlite3_wal_hook(database->handle, note_wal_size, database);
	}
	/* lets what is there of a file that was cut be read */
	if (mode == DATABASE_SALVAGE &&
	    !database_execute(database, "PRAGMA writable_schema=ON", error))
		goto fail_path;
	*out = database;
	return true;
fail_path:
	error_prefix(error, "%s", path);
fail:
	database_close(database);
	return false;
}

void
database_close(struct database *database)
{
	if (database == NULL)
		return;
	sqlite3_close_v2(database->handle);
	free(database);
}

bool
database_execute(struct database *database, const char *sql, struct error *error)
{
	if (sqlite3_exec(database->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return failed(database, "database", error);
	return true;
}

bool
database_query_number(struct database *database, const char *sql, int64_t *number,
		      struct error *error)
{
	struct database_statement *statement;
	bool done;

	if (!database_prepare(database, &statement, sql, error))
		return false;
	done = database_step(statement, error) == DATABASE_ROW;
	if (done)
		*number = database_number(statement, 0);
	database_finalize(statement);
	return done;
}

bool
database_version(struct database *database, int64_t *version, struct error *error)
{
	return database_query_number(database, "PRAGMA user_version", version, error);
}

bool
database_limit(struct database *database, uint64_t bytes, struct error *error)
{
	char sql[64];
	struct text text;
	uint64_t pages = bytes / DATABASE_PAGE;

	text_start(&text, sql, sizeof(sql));
	text_append_string(&text, "PRAGMA max_page_count=");
	text_append_unsigned(&text, pages < UINT32_MAX - 1 ? pages : UINT32_MAX - 1);
	text_append_byte(&text, '\0');
	return database_execute(database, sql, error);
}

bool
database_prepare(struct database *database, struct database_statement **out, const char *sql,
		 struct error *error)
{
	struct database_statement *statement = memory_allocate(sizeof(*statement));

	if (sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
			       &statement->handle, NULL) != SQLITE_OK) {
		free(statement);
		failed(database, "database", error);
		return false;
	}
	*out = statement;
	return true;
}

void
database_finalize(struct database_statement *statement)
{
	if (statement == NULL)
		return;
	sqlite3_finalize(statement->handle);
	free(statement);
}

/* A parameter that cannot be bound is a wrong number or a length that no caller lets pass. */
static void
bound(int result)
{
	if (result == SQLITE_NOMEM)
		memory_panic("out of memory: binding a parameter");
	if (result != SQLITE_OK)
		memory_panic("binding a parameter: SQLite %d", result);
}

void
database_bind_number(struct database_statement *statement, int parameter, int64_t number)
{
	bound(sqlite3_bind_int64(statement->handle, parameter, number));
}

void
database_bind_text(struct database_statement *statement, int parameter, struct slice text)
{
	bound(sqlite3_bind_text64(statement->handle, parameter, text.bytes, text.length,
				  SQLITE_STATIC, SQLITE_UTF8));
}

void
database_bind_bytes(struct database_statement *statement, int parameter, struct slice bytes)
{
	bound(sqlite3_bind_blob64(statement->handle, parameter, bytes.bytes, bytes.length,
				  SQLITE_STATIC));
}

enum database_step
database_step(struct database_statement *statement, struct error *error)
{
	int result = sqlite3_step(statement->handle);

	if (result == SQLITE_ROW)
		return DATABASE_ROW;
	if (result == SQLITE_DONE)
		return DATABASE_END;
	error_set(error, "database: %s (SQLite %d)",
		  sqlite3_errmsg(sqlite3_db_handle(statement->handle)), result);
	if (is_damage(result))
		return DATABASE_DAMAGED;
	return (result & 0xff) == SQLITE_FULL ? DATABASE_FULL : DATABASE_FAILED;
}

void
database_reset(struct database_statement *statement)
{
	/* reports the failure of the last step once more; it has been told already */
	(void)sqlite3_reset(statement->handle);
	(void)sqlite3_clear_bindings(statement->handle);
}

int64_t
database_number(struct database_statement *statement, int column)
{
	return sqlite3_column_int64(statement->handle, column);
}

struct slice
database_bytes(struct database_statement *statement, int column)
{
	struct slice bytes = {NULL, 0};

	if (sqlite3_column_type(statement->handle, column) == SQLITE_NULL)
		return bytes;
	/* the pointer first: the length is that of the form it was asked in */
	bytes.bytes = sqlite3_column_blob(statement->handle, column);
	bytes.length = (size_t)sqlite3_column_bytes(statement->handle, column);
	if (bytes.bytes == NULL)
		bytes.bytes = ""; /* SQLite's way to say: empty */
	return bytes;
}

bool
database_disk_failed(const struct database *database)
{
	int result = sqlite3_extended_errcode(database->handle);

	switch (result & 0xff) {
	case SQLITE_IOERR:
		return result != SQLITE_IOERR_SHORT_READ && result != SQLITE_IOERR_CORRUPTFS;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
	case SQLITE_NOMEM:
	case SQLITE_FULL:
		return true;
	default:
		return false;
	}
}

enum database_step
database_run(struct database_statement *statement, struct error *error)
{
	enum database_step step = database_step(statement, error);

	database_reset(statement);
	return step;
}

uint64_t
database_wal_size(const struct database *database)
{
	return (uint64_t)database->wal_pages * DATABASE_PAGE;
}

bool
database_checkpoint(struct database *database, enum database_checkpoint how, struct error *error)
{
	int result;

	if (how == DATABASE_CHECKPOINT_TRUNCATE) {
		result = sqlite3_wal_checkpoint_v2(database->handle, NULL,
						   SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	} else {
		/* a commit waits behind this one: a reader may hinder it for a moment only */
		sqlite3_busy_timeout(database->handle, DATABASE_RESTART_MS);
		result = sqlite3_wal_checkpoint_v2(database->handle, NULL,
						   SQLITE_CHECKPOINT_RESTART, NULL, NULL);
		sqlite3_busy_timeout(database->handle, DATABASE_BUSY_MS);
		if ((result & 0xff) == SQLITE_BUSY)
			return true;
	}
	if (result != SQLITE_OK)
		return failed(database, "checkpoint", error);
	database->wal_pages = 0;
	return true;
}

bool
database_vacuum(struct database *database, unsigned pages, struct error *error)
{
	char sql[64];
	struct text text;

	text_start(&text, sql, sizeof(sql));
	text_append_format(&text, "PRAGMA incremental_vacuum(%u)", pages);
	text_append_byte(&text, '\0');
	return database_execute(database, sql, error);
}

/* ---- examining ---- */

static enum database_health
health_of(int result)
{
	switch (result & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
		return DATABASE_SOUND;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* a table is not there */
		return DATABASE_HOPELESS;
	case SQLITE_IOERR:
		return result == SQLITE_IOERR_NOMEM ? DATABASE_TROUBLED : DATABASE_HOPELESS;
	default: /* full, busy, without rights or descriptors */
		return DATABASE_TROUBLED;
	}
}

/* A query without a row has lost what every file has. */
static int
has_row(sqlite3 *handle, const char *sql)
{
	sqlite3_stmt *statement;
	int result = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	(void)sqlite3_finalize(statement);
	return result == SQLITE_DONE ? SQLITE_CORRUPT : result;
}

static int
examine(sqlite3 *handle, int version, const char *const *queries, const char *const *changes,
	struct error *error)
{
	int result = sqlite3_exec(handle, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", NULL,
				  NULL, NULL);
	char ask[96];

	(void)sqlite3_snprintf(sizeof(ask), ask,
			       "SELECT 1 FROM pragma_user_version WHERE user_version BETWEEN 1"
			       " AND %d",
			       version);
	if (result == SQLITE_OK)
		result =
		    sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	error_set(error, "%s", sqlite3_errmsg(handle));
	/* what is new or of a newer siembridge is judged by migrate_run() */
	if (result != SQLITE_OK || has_row(handle, ask) != SQLITE_ROW)
		return result;
	for (; result == SQLITE_OK && *queries != NULL; queries++) {
		result = has_row(handle, *queries);
		result = result == SQLITE_ROW ? SQLITE_OK : result;
	}
	if (result == SQLITE_OK)
		result = sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (; result == SQLITE_OK && *changes != NULL; changes++)
		result = sqlite3_exec(handle, *changes, NULL, NULL, NULL);
	error_set(error, "%s", sqlite3_errmsg(handle));
	/* after a failure SQLite may have done so by itself */
	(void)sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

enum database_health
database_examine(const char *path, int version, const char *const *queries,
		 const char *const *changes, struct error *error)
{
	const int flags =
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	sqlite3 *handle;
	struct stat status;
	int result;

	/* a new one is made by database_open(), whose settings come before the first page */
	if (stat(path, &status) != 0 || status.st_size == 0)
		return DATABASE_SOUND;
	result = sqlite3_open_v2(path, &handle, flags, NULL);
	if (handle == NULL)
		memory_panic("out of memory: a database handle");
	sqlite3_extended_result_codes(handle, 1);
	sqlite3_busy_timeout(handle, DATABASE_BUSY_MS);
	error_set(error, "%s", sqlite3_errmsg(handle));
	if (result == SQLITE_OK)
		result = examine(handle, version, queries, changes, error);
	if (health_of(result) != DATABASE_SOUND)
		error_prefix(error, "%s (SQLite %d)", path, result);
	sqlite3_close_v2(handle);
	return health_of(result);
}
