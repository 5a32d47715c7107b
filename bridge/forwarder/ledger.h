/*
 * What becomes of cursors and dead letters: delivery.db, written here alone.
 *
 * A cursor may lag: it is saved at most every LEDGER_INTERVAL ms and costs
 * duplicates, never a loss.  A dead letter is saved at once, for its destination
 * waits for it, and so is what an indexer is to acknowledge.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "bridge/forwarder/acks.h"
#include "bridge/forwarder/destination.h"

enum { LEDGER_INTERVAL = 100, LEDGER_RETRY = 1000 /* after a failure */ }; /* milliseconds */

struct ledger;

/* Opens delivery.db.  Gives *ledger, closed with ledger_close(). */
MUST_CHECK bool ledger_open(struct ledger **ledger, const char *spool_directory,
			    struct error *error);
void ledger_close(struct ledger *ledger);

/*
 * Where a destination begins: its cursor, brought down to what the spool of that
 * epoch, whose last sequence is `last`, can have.  An event is rather sent twice
 * than skipped; a cursor that had to be moved is told in the log, with a count.
 * To be called once for each destination, in their order.
 */
MUST_CHECK bool ledger_begin(struct ledger *ledger, const char *destination, uint64_t epoch,
			     uint64_t last, struct position *start, struct error *error);

/*
 * What that destination, the last one begun, waits for an indexer to acknowledge:
 * gives *acks; NULL where its kind has none.
 */
MUST_CHECK bool ledger_recall(struct ledger *ledger, const struct config_destination *configuration,
			      struct acks **acks, struct error *error);

/* Takes from the destinations what they have to tell. */
void ledger_gather(struct ledger *ledger, struct destination *const *destinations, size_t count);

/* Saves what the destinations complained of: a second apart is often enough. */
void ledger_complain(struct ledger *ledger, struct destination *const *destinations, size_t count);

/* The cursor of a destination where all that was gathered is durable; else NULL. */
const struct delivery_cursor *ledger_saved(const struct ledger *ledger, size_t destination);

/* What it is kept in, for the main thread's other writers. */
struct delivery *ledger_delivery(const struct ledger *ledger);

/* Milliseconds until ledger_save() is due; INT64_MAX where there is nothing to save. */
int64_t ledger_due(const struct ledger *ledger);

/* Saves all that was gathered.  False: it is still there, and due again in a while. */
MUST_CHECK bool ledger_save(struct ledger *ledger, struct destination *const *destinations,
			    size_t count, struct error *error);

#endif
