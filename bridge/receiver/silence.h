/*
 * The dead-man's switch: a source that stores no event for its `silence` is an event of
 * the bridge's own, source.silent, told once; source.heard_again tells that it is over.
 *
 * The time is that of the monotonic clock, so that a step of the wall clock tells
 * nothing.  At a start it begins with the last event of the source that the spool has,
 * or with the start where there is none; whatever the wall clock says then, a source has
 * SILENCE_GRACE ms after a start, or its silence where that is shorter.
 */
#ifndef SILENCE_H
#define SILENCE_H

#include "bridge/config.h"
#include "bridge/receiver/commit.h"

enum { SILENCE_GRACE = 60 * 1000 };

struct silence;

/*
 * Watches the sources that have a `silence`, in a thread of its own; gives NULL where
 * none has.  Borrows both until it was stopped.
 */
MUST_CHECK bool silence_start(struct silence **silence, const struct config *config,
			      struct commit *commit, struct error *error);

/* Before the commit thread is stopped; then nothing is told any more.  NULL is fine. */
void silence_stop(struct silence *silence);

/* After the commit thread was stopped.  NULL is fine. */
void silence_free(struct silence *silence);

/* These are durable: the commit thread's, for commit_watch(). */
void silence_stored(void *silence, const struct spool_event *events, size_t count);

#endif
