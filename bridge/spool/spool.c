/*
 * Opening and closing.  The order at the start, each step for a reason:
 *
 *   1. the lock: nobody else writes here
 *   2. checkpoint(TRUNCATE): after a crash SQLite shows rows of the WAL that were
 *      never synced.  A duplicate answered 202 from such a row would be a lie after
 *      a power cut; this makes all that is visible durable, or fails.
 *      A file that cannot be used is put aside, and what can be read of it brought over
 *      by this start or, where that is killed, by the next one (spool_owed.h): no start
 *      waits for somebody to delete something
 *   3. the head: rows that it knows and the file does not have are an alarm, and
 *      the next sequence is above them, so that no cursor takes a new event for
 *      one it has delivered.
 */
#include "bridge/spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/log.h"
#include "bridge/spool/migrate.h"
#include "bridge/spool/spool_aside.h"
#include "bridge/spool/spool_chain.h"
#include "bridge/spool/spool_head.h"
#include "bridge/spool/spool_internal.h"
#include "bridge/spool/spool_owed.h"
#include "formats/memory.h"

static const char *const schema[SPOOL_VERSION] = {
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE events(seq INTEGER PRIMARY KEY, received_at INTEGER NOT NULL,"
    "  source TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, resource TEXT,"
    "  evidence TEXT, body BLOB NOT NULL, hash BLOB NOT NULL);"
    "CREATE TABLE fingerprints(first_seq INTEGER PRIMARY KEY, prints BLOB NOT NULL);"
    "CREATE TABLE rejected(number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  received_at INTEGER NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL,"
    "  evidence TEXT, body BLOB NOT NULL);"
    "INSERT INTO meta VALUES('epoch', abs(random() / 2) + 1), ('key', randomblob(16));",

    /* rejected bodies that somebody dropped: who, when, why */
    "CREATE TABLE dropped(number INTEGER PRIMARY KEY, received_at INTEGER NOT NULL,"
    "  source TEXT NOT NULL, reason TEXT NOT NULL, dropped_at INTEGER NOT NULL,"
    "  dropped_by TEXT NOT NULL, because TEXT NOT NULL);",

    /* until now an event had one fingerprint, so their number says where a row ends */
    "ALTER TABLE events ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE fingerprints ADD COLUMN last_seq INTEGER NOT NULL DEFAULT 0;"
    "UPDATE fingerprints SET last_seq = first_seq + length(prints) / 16 - 1;",

    /* a rejected body was stored at every retry of its sender */
    "ALTER TABLE rejected ADD COLUMN print BLOB;"
    "ALTER TABLE rejected ADD COLUMN times INTEGER NOT NULL DEFAULT 1;"
    "CREATE UNIQUE INDEX rejected_print ON rejected(print);",
};

/* Gives the descriptor that holds the lock, or -1 with errno. */
static int
take_lock(const char *directory, struct error *error)
{
	char path[PATH_MAX];
	int descriptor;

	if (!spool_internal_path(path, directory, "lock", error))
		return -1;
	if (!spool_aside_clear(directory, "lock", error))
		return -1;
	descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (descriptor < 0) {
		error_set_errno(error, "spool: %s", path);
		return -1;
	}
	if (flock(descriptor, LOCK_EX | LOCK_NB) == 0)
		return descriptor;
	error_set(error, "spool: %s is in use by another siembridge; stop that one first",
		  directory);
	close(descriptor);
	return -1;
}

bool
spool_is_locked(const char *directory)
{
	struct error error;
	char path[PATH_MAX];
	int descriptor;
	bool locked;

	if (!spool_internal_path(path, directory, "lock", &error))
		return false;
	descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (descriptor < 0)
		return false;
	locked = flock(descriptor, LOCK_SH | LOCK_NB) != 0;
	close(descriptor);
	return locked;
}

static bool
read_key(struct spool *spool, struct error *error)
{
	struct database_statement *statement;
	struct slice key;
	bool done = false;

	if (!database_prepare(spool->database, &statement,
			      "SELECT value FROM meta WHERE name='key'", error))
		return false;
	if (database_step(statement, error) == DATABASE_ROW) {
		key = database_bytes(statement, 0);
		done = key.length == SPOOL_KEY_LENGTH;
		if (done)
			memcpy(spool->key, key.bytes, SPOOL_KEY_LENGTH);
		else
			error_set(error, "spool: the key of the fingerprints is damaged");
	}
	database_finalize(statement);
	return done;
}

/* Epoch, key, last row. */
static bool
read_state(struct spool *spool, struct error *error)
{
	struct database_statement *statement;
	int64_t epoch = 0;
	struct slice hash;
	enum database_step step;

	if (!database_query_number(spool->database, "SELECT value FROM meta WHERE name='epoch'",
				   &epoch, error) ||
	    !read_key(spool, error) ||
	    !database_prepare(spool->database, &statement,
			      "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1", error))
		return false;
	spool->epoch = (uint64_t)epoch;
	step = database_step(statement, error);
	if (step == DATABASE_ROW) {
		spool->last = (uint64_t)database_number(statement, 0);
		hash = database_bytes(statement, 1);
		if (hash.length == SPOOL_HASH_LENGTH)
			memcpy(spool->hash, hash.bytes, SPOOL_HASH_LENGTH);
	}
	database_finalize(statement);
	return step == DATABASE_ROW || step == DATABASE_END;
}

static uint64_t
highest(uint64_t left, uint64_t right)
{
	return left > right ? left : right;
}

/* What the head and the cursors know against what the file holds. */
static void
compare_head(struct spool *spool, const struct spool_head_mark *mark, uint64_t floor,
	     struct error *alarm)
{
	uint64_t known = highest(mark->sequence, floor);

	alarm->text[0] = '\0';
	if (known > spool->last && spool->last == 0 && mark->epoch != spool->epoch)
		error_set(alarm,
			  "spool: it was begun afresh; of the one before it the head file knows "
			  "%llu events, the cursors %llu; new events are numbered above them",
			  (unsigned long long)mark->sequence, (unsigned long long)floor);
	else if (known > spool->last)
		error_set(alarm,
			  "spool: %llu events are missing at its end: it goes up to %llu, the head "
			  "file to %llu, the cursors to %llu; new events are numbered above them",
			  (unsigned long long)(known - spool->last),
			  (unsigned long long)spool->last, (unsigned long long)mark->sequence,
			  (unsigned long long)floor);
	else if (mark->epoch == spool->epoch && mark->sequence > 0 &&
		 mark->sequence == spool->last &&
		 memcmp(mark->hash, spool->hash, SPOOL_HASH_LENGTH) != 0)
		error_set(alarm,
			  "spool: event %llu is not the one the head file knows: it was edited",
			  (unsigned long long)mark->sequence);
	spool->next = highest(known, spool->last) + 1;
}

/* ---- a file that cannot be used ---- */

static const char suspect[] = "suspect";

/* A WAL without its file: SQLite would delete it. */
static bool
is_orphan(const char *path)
{
	char wal[PATH_MAX + 8];
	struct stat file, log;
	struct text text;

	text_start(&text, wal, sizeof(wal));
	text_append_string(&text, path);
	text_append_string(&text, "-wal");
	text_append_byte(&text, '\0');
	return !text.overflowed && stat(wal, &log) == 0 && log.st_size > 0 &&
	       (stat(path, &file) != 0 || file.st_size == 0);
}

/* Damage that showed when it was written to (spool_internal_suspect()). */
static bool
is_suspect(const char *directory)
{
	struct error ignored;
	char path[PATH_MAX];

	return spool_internal_path(path, directory, suspect, &ignored) && access(path, F_OK) == 0;
}

static bool
forget_suspicion(const char *directory, struct error *error)
{
	char path[PATH_MAX];

	return spool_internal_path(path, directory, suspect, error) &&
	       (unlink(path) == 0 || errno == ENOENT || error_set_errno(error, "spool: %s", path));
}

/* Sees to it that there is a file that can be read and written. */
static bool
make_usable(const char *directory, const char *path, struct error *error)
{
	static const char *const queries[] = {
	    "SELECT 1 FROM meta WHERE name='epoch' AND typeof(value)='integer'",
	    "SELECT 1 FROM meta WHERE name='key' AND length(value)=16",
	    "SELECT 1 FROM (SELECT max(seq) FROM events)",
	    "SELECT 1 FROM (SELECT max(first_seq) FROM fingerprints)",
	    NULL,
	};
	static const char *const changes[] = {
	    "UPDATE events SET received_at=received_at WHERE seq=(SELECT max(seq) FROM events)",
	    "INSERT INTO fingerprints(first_seq, prints) VALUES(9223372036854775807, x'')",
	    "INSERT INTO rejected(received_at, source, reason, body) VALUES(0, '', '', x'')",
	    "INSERT INTO meta VALUES('probe', 0)",
	    "CREATE TABLE probe(empty)",
	    NULL,
	};
	struct error why;
	char aside[PATH_MAX];
	enum database_health health = DATABASE_HOPELESS;

	if (!spool_owed_finish(directory, error) ||
	    !spool_aside_clear_database(directory, "spool.db", error) ||
	    !spool_aside_clear(directory, "head", error))
		return false;
	if (is_orphan(path))
		error_set(&why, "%s is empty and its WAL is not", path);
	else if (access(path, F_OK) == 0 && is_suspect(directory))
		error_set(&why, "%s was damaged where it was written to", path);
	else
		health = database_examine(path, SPOOL_VERSION, queries, changes, &why);
	/* one that a kill left behind is not of the file that comes next */
	if (health == DATABASE_SOUND)
		return forget_suspicion(directory, error);
	if (health == DATABASE_TROUBLED)
		return error_set(error, "spool: %s", why.text);
	if (!spool_owed_put(directory, aside, error) || !forget_suspicion(directory, error))
		return false;
	log_error("spool", "%s; it is put aside as %s, and a fresh one is begun", why.text, aside);
	return true;
}

/* One that is begun for what was put aside says so from its first moment on. */
static bool
make_tables(struct spool *spool, struct error *error)
{
	const char *steps[SPOOL_VERSION];
	char last[1024];
	struct text text;
	int64_t version;

	if (!database_version(spool->database, &version, error))
		return false;
	memcpy(steps, schema, sizeof(steps));
	if (version == 0 && spool_owed_is_some(spool->directory)) {
		text_start(&text, last, sizeof(last));
		text_append_string(&text, schema[SPOOL_VERSION - 1]);
		text_append_string(&text, "INSERT INTO meta VALUES('filling', 1);");
		text_append_byte(&text, '\0');
		steps[SPOOL_VERSION - 1] = last;
	}
	return migrate_run(spool->database, "spool.db", steps, SPOOL_VERSION, error);
}

/* Now it may be read. */
static bool
be_filled(struct spool *spool, struct error *error)
{
	bool is_filling;

	return spool_internal_filling(spool->database, &is_filling, error) &&
	       (!is_filling ||
		database_execute(spool->database, "DELETE FROM meta WHERE name='filling'", error));
}

static bool
prepare_all(struct spool *spool, struct error *error)
{
	struct database *database = spool->database;

	return database_prepare(database, &spool->begin, "BEGIN IMMEDIATE", error) &&
	       database_prepare(database, &spool->commit, "COMMIT", error) &&
	       database_prepare(database, &spool->rollback, "ROLLBACK", error) &&
	       database_prepare(database, &spool->insert_event,
				"INSERT INTO events VALUES(?,?,?,?,?,?,?,?,?,?)", error) &&
	       database_prepare(database, &spool->insert_prints,
				"INSERT INTO fingerprints VALUES(?,?,?)", error) &&
	       database_prepare(database, &spool->insert_rejected,
				"INSERT INTO rejected(received_at, source, reason, evidence, body,"
				" print) VALUES(?,?,?,?,?,?)"
				" ON CONFLICT(print) DO UPDATE SET times = times + 1",
				error);
}

bool
spool_open(struct spool **out, const char *directory, uint64_t max_size, uint64_t floor,
	   struct error *alarm, struct error *error)
{
	struct spool *spool = memory_allocate(sizeof(*spool));
	struct spool_head_mark mark;
	char path[PATH_MAX];

	spool->lock = take_lock(directory, error);
	if (spool->lock < 0)
		goto fail;
	spool->directory = memory_copy_text(directory, strlen(directory));
	if (!spool_internal_path(path, directory, "spool.db", error) ||
	    !make_usable(directory, path, error) ||
	    !database_open(&spool->database, path, DATABASE_READ_WRITE, error) ||
	    !database_checkpoint(spool->database, DATABASE_CHECKPOINT_TRUNCATE, error) ||
	    !make_tables(spool, error) || !read_state(spool, error) ||
	    !spool_head_open(&spool->head, directory, &mark, error) ||
	    !spool_chain_new(&spool->chain, error) || !prepare_all(spool, error) ||
	    !spool_owed_bring(spool, error))
		goto fail;
	compare_head(spool, &mark, floor, alarm);
	/* not before: what was brought over has had its 2xx, and is no more than there was */
	if ((max_size > 0 && !database_limit(spool->database, max_size, error)) ||
	    !spool_owed_append(spool, error) || !be_filled(spool, error))
		goto fail;
	spool->max_size = max_size;
	*out = spool;
	return true;
fail:
	spool_close(spool);
	return false;
}

void
spool_close(struct spool *spool)
{
	if (spool == NULL)
		return;
	database_finalize(spool->begin);
	database_finalize(spool->commit);
	database_finalize(spool->rollback);
	database_finalize(spool->insert_event);
	database_finalize(spool->insert_prints);
	database_finalize(spool->insert_rejected);
	spool_chain_free(spool->chain);
	spool_head_close(spool->head);
	database_close(spool->database);
	if (spool->lock >= 0)
		close(spool->lock);
	free(spool->directory);
	free(spool);
}

const unsigned char *
spool_key(const struct spool *spool)
{
	return spool->key;
}

uint64_t
spool_last(const struct spool *spool)
{
	return spool->last;
}
