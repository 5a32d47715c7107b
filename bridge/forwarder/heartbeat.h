/*
 * The heartbeat of a destination: every so often an event of our own that says how
 * many messages went before it and what the number of the last one was, so that a
 * rule at the other end can tell "nothing is missing" from "nothing happened".
 */
#ifndef HEARTBEAT_H
#define HEARTBEAT_H

#include "bridge/forwarder/batch.h"

struct heartbeat {
	int64_t interval; /* milliseconds; 0: none */
	int64_t next_at;  /* deadline_now() */
	uint64_t number;  /* of the last message up to and with the heartbeat before */
};

/* The first one comes an interval from now; messages are counted from `number` on. */
void heartbeat_start(struct heartbeat *heartbeat, int64_t interval, uint64_t number);

/* When the next one is due (deadline_now()); INT64_MAX: never. */
int64_t heartbeat_due(const struct heartbeat *heartbeat);

/*
 * Makes the batch one with a heartbeat alone, to be rendered as it is; `number` is that
 * of the last message before it.
 */
void heartbeat_fill(struct heartbeat *heartbeat, struct batch *batch, uint64_t number);

#endif
