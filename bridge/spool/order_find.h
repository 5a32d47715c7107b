/* Which events an order is about. */
#ifndef ORDER_FIND_H
#define ORDER_FIND_H

#include "bridge/spool/order.h"
#include "bridge/spool/spool_find.h"

/*
 * Adds the sequences of all that the query finds to the ranges of the order, which has
 * none yet.  *events: how many; none is an error.
 */
MUST_CHECK bool order_find(struct order *order, struct spool_find *find,
			   const struct spool_find_query *query, uint64_t *events,
			   struct error *error);

#endif
