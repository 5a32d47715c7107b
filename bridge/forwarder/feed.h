/*
 * What a destination sends next: live events, those of a replay, heartbeats.
 *
 * Live and replayed batches take turns, so that neither waits for more than one batch
 * of the other.  The destination's thread's own, but for feed_offer().
 */
#ifndef FEED_H
#define FEED_H

#include "bridge/config.h"
#include "bridge/forwarder/batch.h"
#include "bridge/forwarder/position.h"
#include "bridge/spool/profiles.h"
#include "bridge/forwarder/send.h"
#include "bridge/spool/delivery_replay.h"

struct feed;

/* Gives one that goes on from `start`, freed with feed_free().  Borrows the rest. */
struct feed *feed_new(const struct config_destination *configuration,
		      const struct profiles *profiles, const char *spool_directory,
		      const struct position *start);
void feed_free(struct feed *feed); /* NULL is fine */

/* The main thread's: a replay, borrowed until a position tells that it is confirmed. */
void feed_offer(struct feed *feed, const struct delivery_replay *replay);

/*
 * Reads the next batch behind the head, routed and normalised; batch->passed is where
 * its lane is with it.  SEND_IDLE: there is none yet; SEND_LATER: the spool cannot be
 * read.
 */
enum send_result feed_next(struct feed *feed, struct batch *batch, struct position *head,
			   struct error *error);

/* So many messages were made of the last batch. */
void feed_count(struct feed *feed, const struct batch *batch);

/* When there may be something that no wake-up tells of (deadline_now()); INT64_MAX: never. */
int64_t feed_due(const struct feed *feed, const struct position *head);

/* To be asked before a cursor is published: what it finishes is the main thread's again. */
void feed_confirm(struct feed *feed, const struct position *cursor);

/* The whole event of that sequence, in the arena.  False: it cannot be read, or is gone. */
MUST_CHECK bool feed_find(struct feed *feed, uint64_t sequence, struct arena *arena,
			  struct spool_event **event, struct error *error);

#endif
