/*
 * What an indexer was handed and has not yet acknowledged, in delivery.db: so that
 * after a restart it is asked, rather than sent the same again.
 *
 * Keyed by destination, endpoint, channel and ackId.  A row that is missing costs
 * duplicates, never a loss, for only a cursor says what is delivered.
 */
#ifndef DELIVERY_ACKS_H
#define DELIVERY_ACKS_H

#include "bridge/spool/delivery.h"

enum { DELIVERY_CHANNEL = 36 /* bytes of a GUID */ };

/* One request that was taken. */
struct delivery_ack {
	char channel[DELIVERY_CHANNEL + 1];
	uint64_t id;       /* ackId, on its channel */
	uint64_t first;    /* sequence of its first event in the spool */
	uint64_t last;     /* ... and of its last; 0: of none, and then it is not kept */
	int64_t posted_at; /* milliseconds since 1970, UTC */
	bool indexed;      /* acknowledged; one before it is not */
	char *cookies;     /* of the balancer before the indexer (http_client.h); NULL: none */
};

enum delivery_ack_event {
	DELIVERY_ACK_GIVEN,
	DELIVERY_ACK_INDEXED,
	DELIVERY_ACK_FORGOTTEN, /* it is waited for no more */
};

struct delivery_ack_change {
	enum delivery_ack_event event;
	struct delivery_ack ack; /* cookies: owned by the change */
};

/* Whose they are: both borrowed. */
struct delivery_ack_owner {
	const char *destination;
	const char *endpoint; /* scheme://host:port */
};

/*
 * Applies the changes in their order, in one transaction, and removes what the cursor
 * of the destination has passed.
 */
MUST_CHECK bool delivery_acks_save(struct delivery *delivery,
				   const struct delivery_ack_owner *owner, uint64_t epoch,
				   const struct delivery_ack_change *changes, size_t count,
				   struct error *error);

/*
 * Calls `found` for each of that epoch that the cursor has not passed, the oldest
 * first; what it is given it owns, its cookies too.
 */
MUST_CHECK bool delivery_acks_load(struct delivery *delivery,
				   const struct delivery_ack_owner *owner, uint64_t epoch,
				   void (*found)(void *context, struct delivery_ack *ack),
				   void *context, struct error *error);

#endif
