/*
 * Which event is this?  The delivery id first; without one the body's event id
 * together with its type and time, so that a body whose id is its resource's is
 * never taken for a duplicate of another event; else the SHA-256 of the body.
 */
#ifndef IDENTIFY_H
#define IDENTIFY_H

#include "bridge/spool/spool.h"
#include "formats/normalise.h"

/*
 * Fills id, type and resource of *event from the delivery id (may be absent) and
 * the body; they live in the arena.  False: the body is no event, and the error
 * is fit for the sender.
 */
MUST_CHECK bool identify_event(const struct normalise *normalise, struct slice delivery_id,
			       struct slice body, struct arena *arena, struct spool_event *event,
			       struct error *error);

#endif
