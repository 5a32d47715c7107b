/*
 * Files that cannot be used are put aside, never deleted, and no start waits for somebody
 * to do so.
 */
#ifndef SPOOL_ASIDE_H
#define SPOOL_ASIDE_H

#include <stdbool.h>

#include "formats/error.h"

/*
 * Makes DIRECTORY/NAME one that can be opened: what is no regular file is put aside, one
 * that its owner may not read and write gets mode 600.  Told in the log.  False: neither
 * could be done.
 */
MUST_CHECK bool spool_aside_clear(const char *directory, const char *name, struct error *error);

/* The same for a database and its -wal and -shm. */
MUST_CHECK bool spool_aside_clear_database(const char *directory, const char *name,
					   struct error *error);

/*
 * Renames a database with its WAL to NAME.damaged-TIME, durably; `aside` (PATH_MAX bytes)
 * is the path that it has then.  For spool.db there is spool_owed_put().
 */
MUST_CHECK bool spool_aside_put(const char *directory, const char *name, char *aside,
				struct error *error);

/*
 * Its steps: a path that nothing has yet; the file itself; its WAL, while the -shm goes.
 * Both moves are durable, and do nothing where there is nothing to be moved.
 */
MUST_CHECK bool spool_aside_name(const char *directory, const char *name, char *aside,
				 struct error *error);
MUST_CHECK bool spool_aside_move(const char *directory, const char *name, const char *aside,
				 struct error *error);
MUST_CHECK bool spool_aside_move_wal(const char *directory, const char *name, const char *aside,
				     struct error *error);

/* What was created, renamed or removed in it stays so. */
MUST_CHECK bool spool_aside_sync(const char *directory, struct error *error);

#endif
