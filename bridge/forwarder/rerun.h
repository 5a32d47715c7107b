/*
 * A replay as a destination carries it out: batches of events that it had before, or
 * before its time, between the live ones and no faster than allowed.
 *
 * Its place is the second half of a struct position: number of the replay, and the
 * sequence that it is at.  The main thread offers a replay when the one before it has
 * been confirmed to its end; all the rest is the destination's.
 */
#ifndef RERUN_H
#define RERUN_H

#include "bridge/forwarder/batch.h"
#include "bridge/forwarder/position.h"
#include "bridge/spool/delivery_replay.h"

struct rerun;

/* Gives one with nothing to do, freed with rerun_free(), which leaves replays alone. */
struct rerun *rerun_new(void);
void rerun_free(struct rerun *rerun); /* NULL is fine */

/* The main thread's: borrowed until a position tells that it is confirmed to its end. */
void rerun_offer(struct rerun *rerun, const struct delivery_replay *replay);

/*
 * Takes up what is offered, if nothing is under way, and puts the head at the place to
 * go on from: also after a break, which may have brought the head back to another one.
 */
void rerun_resume(struct rerun *rerun, struct position *head);

/* When the next batch may be read (deadline_now()); INT64_MAX: nothing is left to be read. */
int64_t rerun_due(const struct rerun *rerun, const struct position *head);

/*
 * Reads the next batch behind head->replayed; what is not to be sent again is unwanted.
 * batch->passed is where the head is with it.
 */
MUST_CHECK bool rerun_read(struct rerun *rerun, struct batch *batch, struct spool_reader *reader,
			   const struct position *head, struct error *error);

/* So many messages of it were made: the next batch waits accordingly. */
void rerun_count(struct rerun *rerun, size_t messages);

/*
 * The cursor may have reached the end: then the replay is the main thread's again,
 * as soon as that position is published.
 */
void rerun_finish(struct rerun *rerun, const struct position *cursor);

#endif
