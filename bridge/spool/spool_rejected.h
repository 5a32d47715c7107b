/*
 * Rejected bodies that somebody gave up.
 */
#ifndef SPOOL_REJECTED_H
#define SPOOL_REJECTED_H

#include "bridge/spool/order.h"
#include "bridge/spool/spool.h"

/*
 * Drops the rejected bodies whose numbers the order names, and keeps who, when and
 * why, in one transaction; *dropped: how many there were still.  The writer's thread,
 * between appends.
 */
MUST_CHECK enum spool_result spool_rejected_drop(struct spool *spool, const struct order *order,
						 uint64_t *dropped, struct error *error);

#endif
