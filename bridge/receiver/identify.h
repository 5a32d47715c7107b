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
 * Fills id, type and resource of *event from the delivery id (may be absent), the
 * body, and the headers in event->evidence that the profile reads; they live in the
 * arena.  False: the body is no event, and the error is fit for the sender.
 */
MUST_CHECK bool identify_event(const struct normalise *normalise, struct slice delivery_id,
			       struct slice body, struct arena *arena, struct spool_event *event,
			       struct error *error);

/* What stands for the request in the identity of events that came in it together. */
struct identify_frame {
	struct slice id;         /* its delivery id, or a hash of it */
	struct slice id_of_hour; /* instead, for events that name no time; absent: there is none */
	bool ids_are_weak; /* an id of the body's may be anything's, and only its hash counts */
};

/*
 * As that for the `index`-th of several events of one request.  One with an id of its
 * own is the same wherever it comes; another one is FRAME/INDEX, so that equal events
 * beside each other are several, and the same request sent again is known.
 */
MUST_CHECK bool identify_element(const struct normalise *normalise,
				 const struct identify_frame *frame, size_t index,
				 struct slice body, struct arena *arena, struct spool_event *event,
				 struct error *error);

/* "sha256:" and the hex of the bytes, in the arena. */
struct slice identify_digest(struct slice bytes, struct arena *arena);

#endif
