/*
 * What people order of the forwarder (bridge/spool/order.h), carried out: replays are
 * taken in, offered to their destinations one after the other, and dead letters
 * dropped.  The main thread's, like all that writes delivery.db.
 */
#ifndef REPLAYS_H
#define REPLAYS_H

#include "bridge/forwarder/ledger.h"

struct replays;

/* Gives one, freed with replays_free().  Borrows all of it. */
struct replays *replays_new(struct ledger *ledger, const char *spool_directory, uint64_t epoch);

/* Only where no destination runs any more.  NULL is fine. */
void replays_free(struct replays *replays);

/*
 * Carries out the orders that are there, and offers each destination that has none
 * under way its next replay.  A second apart is often enough.
 */
void replays_tend(struct replays *replays, struct destination *const *destinations, size_t count);

#endif
