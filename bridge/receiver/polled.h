/*
 * Events that the poller found at a sender's list and no webhook had brought: taken from
 * its socket (handover.h) by a thread of their own, and stored as any other, by the
 * commit thread.  They are told from webhooks by a flag and by their evidence.
 */
#ifndef POLLED_H
#define POLLED_H

#include "bridge/config.h"
#include "bridge/receiver/commit.h"
#include "bridge/receiver/request.h"

struct polled;

/*
 * Opens the socket, where a source polls; *polled is NULL where none does.  Before the
 * process is confined.  Gives *polled, freed with polled_free().
 */
MUST_CHECK bool polled_open(struct polled **polled, const struct config *config,
			    struct error *error);

/* Starts the thread; borrows all until polled_stop().  NULL is fine in all three. */
MUST_CHECK bool polled_start(struct polled *polled, const struct request_source *sources,
			     size_t count, struct commit *commit, struct counters *counters,
			     struct error *error);
void polled_stop(struct polled *polled);

/* After commit_stop(). */
void polled_free(struct polled *polled);

#endif
