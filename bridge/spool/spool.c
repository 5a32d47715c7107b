/*
 * Opening and closing.  The order at the start, each step for a reason:
 *
 *   1. the lock: nobody else writes here
 *   2. checkpoint(TRUNCATE): after a crash SQLite shows rows of the WAL that were
 *      never synced.  A duplicate answered 202 from such a row would be a lie after
 *      a power cut; this makes all that is visible durable, or fails.
 *   3. the head: rows that it knows and the file does not have are an alarm, and
 *      the next sequence is above them, so that no cursor takes a new event for
 *      one it has delivered.
 */
#include "bridge/spool/spool.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "bridge/spool/migrate.h"
#include "bridge/spool/spool_chain.h"
#include "bridge/spool/spool_head.h"
#include "bridge/spool/spool_internal.h"
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
	uint64_t head = mark->epoch == spool->epoch ? mark->sequence : 0;
	uint64_t known = highest(head, floor);

	alarm->text[0] = '\0';
	if (known > spool->last)
		error_set(alarm,
			  "spool: %llu events are missing at its end: it goes up to %llu, the head "
			  "file to %llu, the cursors to %llu; new events are numbered above them",
			  (unsigned long long)(known - spool->last),
			  (unsigned long long)spool->last, (unsigned long long)head,
			  (unsigned long long)floor);
	else if (head > 0 && head == spool->last &&
		 memcmp(mark->hash, spool->hash, SPOOL_HASH_LENGTH) != 0)
		error_set(alarm,
			  "spool: event %llu is not the one the head file knows: it was edited",
			  (unsigned long long)head);
	spool->next = highest(known, spool->last) + 1;
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
	if (!spool_internal_path(path, directory, "spool.db", error) ||
	    !database_open(&spool->database, path, DATABASE_READ_WRITE, error) ||
	    (max_size > 0 && !database_limit(spool->database, max_size, error)) ||
	    !database_checkpoint(spool->database, DATABASE_CHECKPOINT_TRUNCATE, error) ||
	    !migrate_run(spool->database, "spool.db", schema, SPOOL_VERSION, error) ||
	    !read_state(spool, error) || !spool_head_open(&spool->head, directory, &mark, error) ||
	    !spool_chain_new(&spool->chain, error) || !prepare_all(spool, error))
		goto fail;
	compare_head(spool, &mark, floor, alarm);
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

bool
spool_fingerprints(struct spool *spool,
		   void (*each)(void *context, const unsigned char *prints, size_t count),
		   void *context, struct error *error)
{
	struct database_statement *statement;
	enum database_step step;

	if (!database_prepare(spool->database, &statement,
			      "SELECT prints FROM fingerprints ORDER BY first_seq", error))
		return false;
	while ((step = database_step(statement, error)) == DATABASE_ROW) {
		struct slice prints = database_bytes(statement, 0);

		each(context, (const unsigned char *)prints.bytes,
		     prints.length / SPOOL_FINGERPRINT_LENGTH);
	}
	database_finalize(statement);
	return step == DATABASE_END;
}
