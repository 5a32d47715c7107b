/*
 * SQLite, and the only module that knows it: opening with the settings that our
 * promises rest on, prepared statements, and its errors as sentences.
 *
 * A handle and its statements belong to one thread.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/error.h"
#include "formats/text.h"

struct database;
struct database_statement;

enum database_mode {
	DATABASE_READ_WRITE, /* created where missing; WAL, synchronous=FULL, no checkpoint of its
				own */
	DATABASE_READ_ONLY,  /* must be there */
	DATABASE_SALVAGE,    /* likewise, and it may be shorter than it says */
};

enum database_health {
	DATABASE_SOUND,
	DATABASE_HOPELESS, /* it cannot be used as it is, and no waiting helps */
	DATABASE_TROUBLED, /* it cannot be used now: no room, somebody else has it */
};

/*
 * Can this file be read and written?  Opens it read-write, makes durable what its WAL
 * holds, runs each of the queries, every one of which has a row, and each of the changes,
 * which are taken back; both lists end with NULL.  A file that has no tables yet, or those
 * of a version above `version`, is sound.
 */
enum database_health database_examine(const char *path, int version, const char *const *queries,
				      const char *const *changes, struct error *error);

enum database_step {
	DATABASE_ROW,
	DATABASE_END,
	DATABASE_FULL,    /* no room on disk or under database_limit(): the statement did nothing */
	DATABASE_DAMAGED, /* what it needed of the file cannot be read; other rows may be well */
	DATABASE_FAILED,  /* the handle is not to be trusted with another write */
};

/* Gives *database, closed with database_close(), which finalizes no statements. */
MUST_CHECK bool database_open(struct database **database, const char *path, enum database_mode mode,
			      struct error *error);
void database_close(struct database *database);

/* Runs one or more statements without parameters or rows. */
MUST_CHECK bool database_execute(struct database *database, const char *sql, struct error *error);

/* The first column of the first row of a statement without parameters; 0 where it is NULL. */
MUST_CHECK bool database_query_number(struct database *database, const char *sql, int64_t *number,
				      struct error *error);

/* The file's schema version (PRAGMA user_version), and how to set it. */
MUST_CHECK bool database_version(struct database *database, int64_t *version, struct error *error);

/* No more than `bytes` in the main file: beyond it, DATABASE_FULL. */
MUST_CHECK bool database_limit(struct database *database, uint64_t bytes, struct error *error);

/* Gives *statement, freed with database_finalize() before database_close(). */
MUST_CHECK bool database_prepare(struct database *database, struct database_statement **statement,
				 const char *sql, struct error *error);
void database_finalize(struct database_statement *statement); /* NULL is fine */

/* Parameters count from 1.  Bytes are borrowed until database_reset(); absent is NULL. */
void database_bind_number(struct database_statement *statement, int parameter, int64_t number);
void database_bind_text(struct database_statement *statement, int parameter, struct slice text);
void database_bind_bytes(struct database_statement *statement, int parameter, struct slice bytes);

enum database_step database_step(struct database_statement *statement, struct error *error);
void database_reset(struct database_statement *statement);

/* Columns count from 0; bytes are borrowed until the next step or reset. */
int64_t database_number(struct database_statement *statement, int column);
struct slice database_bytes(struct database_statement *statement, int column);

/*
 * The last call failed because of the disk, the rights or somebody else, and not because
 * the file makes no sense: another time it may not fail.
 */
bool database_disk_failed(const struct database *database);

/* For a statement that gives no rows: step and reset. */
enum database_step database_run(struct database_statement *statement, struct error *error);

/* Bytes in the WAL after the last commit of this handle. */
uint64_t database_wal_size(const struct database *database);

/* Gives at most so many free pages back to the file system. */
MUST_CHECK bool database_vacuum(struct database *database, unsigned pages, struct error *error);

enum database_checkpoint {
	DATABASE_CHECKPOINT_RESTART,  /* as far as readers let it; the file is used again */
	DATABASE_CHECKPOINT_TRUNCATE, /* all of it, waiting for readers; the WAL is then empty */
};

/*
 * Moves the WAL into the file and syncs both.  RESTART that readers hindered is
 * no failure; TRUNCATE that readers hindered for 5 s is one.
 */
MUST_CHECK bool database_checkpoint(struct database *database, enum database_checkpoint how,
				    struct error *error);

#endif
