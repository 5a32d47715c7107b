/*
 * Schema versions of our databases.  A file carries its version (PRAGMA
 * user_version, 0 where it has no tables yet); an older one is brought up to date
 * in one transaction, a newer one is left alone.
 */
#ifndef MIGRATE_H
#define MIGRATE_H

#include "bridge/spool/database.h"

/*
 * steps[i] is the SQL that makes version i + 1 out of version i, so that a new file
 * goes the way of every old one.  False with an error that names `file`: it is of a
 * version above `count`, or a step failed; the file is then as it was.
 */
MUST_CHECK bool migrate_run(struct database *database, const char *file, const char *const *steps,
			    size_t count, struct error *error);

/* False where the version is not `count`: for readers, who change nothing. */
MUST_CHECK bool migrate_check(struct database *database, const char *file, size_t count,
			      struct error *error);

#endif
