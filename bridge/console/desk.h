/*
 * What the console has at hand: configuration, counters, both databases as they are
 * now, the rates of the last minutes, and who is signed in.
 */
#ifndef DESK_H
#define DESK_H

#include "bridge/config.h"
#include "bridge/console/history.h"
#include "bridge/console/overview.h"
#include "bridge/console/session.h"
#include "bridge/secret.h"

struct desk {
	const struct config *config;
	const struct counters *counters;
	struct history *history;
	struct session_book *sessions;
	struct arena *arena;            /* of the answer under way */
	int64_t certificate_expires_at; /* of `listen`, seconds since 1970; 0: not known */

	struct secret *password;   /* NULL: none */
	struct standing *standing; /* NULL: not yet */
	uint64_t files[2];         /* which ones it has open: inodes, 0: none */
};

/* Borrows configuration and counters.  Closes with desk_close(), also where it failed. */
MUST_CHECK bool desk_open(struct desk *desk, const struct config *config,
			  const struct counters *counters, struct error *error);
void desk_close(struct desk *desk);

/*
 * The ledger as it is now, borrowed until the next call: opened anew where a file was
 * begun afresh.  False: there is none, or it cannot be read.
 */
MUST_CHECK bool desk_standing(struct desk *desk, struct standing **standing, struct error *error);

/* Also where there is no spool yet. */
MUST_CHECK bool desk_overview(struct desk *desk, struct overview *overview, struct error *error);

#endif
