/*
 * The connection of a destination, and to which of its addresses it goes.
 *
 *   failover     the first of them, in their order, that accepts; while it is not
 *                the very first, a better one is tried every `failback`
 *   round-robin  each connection goes to the next one, and lasts for `rotate`
 *
 * An address that sends us elsewhere is shunned: it is the last one to be tried then.
 *
 * Only the loop knows when a connection may be left: it asks uplink_is_due() and
 * calls uplink_move() when nothing is under way.
 */
#ifndef UPLINK_H
#define UPLINK_H

#include "bridge/forwarder/send.h"

struct uplink {
	const struct send_kind *kind;
	const struct config_destination *configuration;
	void *connection; /* NULL: none */
	size_t current;   /* index of the address that it goes, or went, to */
	bool used;        /* `current` means something */
	bool shunned;     /* it is the last one to be tried */
	int64_t due;      /* deadline_now() from which a move is wanted */
};

/* No connection yet.  Borrows the configuration. */
void uplink_start(struct uplink *uplink, const struct config_destination *configuration);

/* Where there is no connection: tries the addresses in turn, from the one that is next. */
MUST_CHECK bool uplink_open(struct uplink *uplink, const struct connect_patience *patience,
			    struct error *error);

/* Where there is none, nothing happens. */
void uplink_close(struct uplink *uplink);

/* As uplink_close(); the next uplink_open() tries all the other addresses before this one. */
void uplink_shun(struct uplink *uplink);

/* Is it time to leave this connection for another address? */
bool uplink_is_due(const struct uplink *uplink);

/*
 * Tries the other addresses that are to be preferred, UPLINK_GLANCE ms each.  True:
 * the connection is a fresh one.  False: it stays, until due again.
 */
enum { UPLINK_GLANCE = 2000 };
bool uplink_move(struct uplink *uplink, const struct connect_patience *patience);

#endif
