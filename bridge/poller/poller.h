/*
 * The poller: a process that asks the lists of those sources that have a `poll`, and
 * hands what the ledger does not have to the receiver.
 */
#ifndef POLLER_H
#define POLLER_H

#include "bridge/child.h"
#include "bridge/config.h"
#include "bridge/secret.h"

/* The life of the process: child.h. */
int poller_run(const struct child_inheritance *inheritance);

/*
 * Gives the token of a source's list, freed with secret_free(): NULL where it has none.
 * Refused: one that is no single word.
 */
MUST_CHECK bool poller_token(struct secret **token, const struct config_poll *poll,
			     struct error *error);

#endif
