/*
 * The hash chain over the events: SHA-256(hash of the row before, row).  A row
 * that was edited, or one taken out of the middle, does not fit the next one.
 */
#ifndef SPOOL_CHAIN_H
#define SPOOL_CHAIN_H

#include "bridge/spool/spool.h"

struct spool_chain;

/* Gives a chain, freed with spool_chain_free(); one thread at a time. */
MUST_CHECK bool spool_chain_new(struct spool_chain **chain, struct error *error);
void spool_chain_free(struct spool_chain *chain);

/*
 * Replaces *hash, that of the row before, by that of this event.  Each member goes
 * in behind its length, so that no byte can move from one to the next unseen.
 */
MUST_CHECK bool spool_chain_extend(struct spool_chain *chain, const struct spool_event *event,
				   unsigned char hash[SPOOL_HASH_LENGTH], struct error *error);

#endif
