/*
 * A damaged spool.db that was put aside, and what of it is still to be brought over: a
 * note beside it, spool.db.damaged-TIME.owed, says so until that is done.  It is durable
 * before the file is moved, so that neither a kill nor a power cut nor a disk that fails
 * leaves events behind that nobody remembers: each start goes on where the last one ended.
 *
 * The note holds "siembridge 1" and a line "first last" for each part of the sequences
 * that is owed.  It goes once the file was read to its end, also where some of it makes
 * no sense, or where the file is gone or was never one.  It stays, and each start tries
 * again, while the disk does not give what it holds, or has no room for it in the fresh
 * spool.db; to end that, remove the note.
 *
 * All of it for spool_open() and whoever puts spool.db aside, under the spool's lock.
 */
#ifndef SPOOL_OWED_H
#define SPOOL_OWED_H

#include "bridge/spool/spool.h"

/*
 * Puts spool.db aside, durably and with a note that what is not delivered everywhere is
 * owed; `aside` (PATH_MAX bytes) is the path that it has then.
 */
MUST_CHECK bool spool_owed_put(const char *directory, char *aside, struct error *error);

/* Before spool.db is looked at: what was put aside by half is put aside wholly. */
MUST_CHECK bool spool_owed_finish(const char *directory, struct error *error);

/* Is anything owed? */
bool spool_owed_is_some(const char *directory);

/*
 * Into the spool, which has no number for a next event yet: all that is owed and can have
 * its own sequence.  False: SPOOL_BROKEN.
 */
MUST_CHECK bool spool_owed_bring(struct spool *spool, struct error *error);

/*
 * Into the spool, as new events: those that cannot, because later ones were stored since.
 * A kill in the middle stores some of them twice.  False: SPOOL_BROKEN.
 */
MUST_CHECK bool spool_owed_append(struct spool *spool, struct error *error);

#endif
