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
 * is the path that it has then.
 */
MUST_CHECK bool spool_aside_put(const char *directory, const char *name, char *aside,
				struct error *error);

#endif
