/*
 * Replays in delivery.db: what a destination is to be sent again, and how far it is.
 * Written by the forwarder's main thread alone, like all of delivery.db; the progress
 * is saved with the cursors (delivery_save()).
 */
#ifndef DELIVERY_REPLAY_H
#define DELIVERY_REPLAY_H

#include "bridge/spool/delivery.h"
#include "bridge/spool/order.h"

struct delivery_replay {
	uint64_t number;            /* its name for people, from 1 */
	uint64_t rate;              /* events a second; 0: as fast as it goes */
	uint64_t done;              /* sequence up to which it is confirmed */
	uint64_t last;              /* sequence at which it ends */
	struct order_range *ranges; /* those that are left, rising, apart from each other */
	size_t range_count;         /* at least 1 */
};

void delivery_replay_free(struct delivery_replay *replay); /* NULL is fine */

/*
 * Takes the order in, durably, as a replay of the spool of that epoch; one that was
 * taken before changes nothing.  Dead letters among it are this replay's from now on:
 * each ceases to be one when it is confirmed.
 */
MUST_CHECK bool delivery_replay_add(struct delivery *delivery, const struct order *order,
				    uint64_t epoch, struct error *error);

/*
 * Gives the first replay of the destination that is not finished, freed with
 * delivery_replay_free(); NULL: there is none.  One of another epoch is finished
 * unsent: *stale is its number, else 0.
 */
MUST_CHECK bool delivery_replay_next(struct delivery *delivery, const char *destination,
				     uint64_t epoch, struct delivery_replay **replay,
				     uint64_t *stale, struct error *error);

/* Drops the dead letters that the order names; *dropped: how many there were still. */
MUST_CHECK bool delivery_replay_drop(struct delivery *delivery, const struct order *order,
				     uint64_t *dropped, struct error *error);

#endif
