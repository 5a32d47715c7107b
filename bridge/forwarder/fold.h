/*
 * A flood becomes one notification with a count.  The first event of an incident goes
 * out at once; what comes like it within a window from then on is gathered, and leaves
 * as one notification when the window ends, which then begins anew.
 *
 * "Like it": the same key, type and action, and no more severe than what was told.  An
 * event that ends the incident goes out at once and stands for what had been gathered
 * of it too, and so the other way round.
 *
 * What is gathered is known by the offsets of its messages on the connection, so that
 * none is confirmed before its notification is: after a crash it is read again.
 */
#ifndef FOLD_H
#define FOLD_H

#include "bridge/incident.h"

enum { FOLD_ENTRIES = 256 }; /* incidents in their window; of further ones all go out at once */

struct fold;

/* Gives one with windows of so many milliseconds; 0: nothing is gathered. */
struct fold *fold_new(int64_t window);
void fold_free(struct fold *fold); /* NULL is fine */

/*
 * True: it is gathered, and copied; its message reaches from `start` to `end`.  Offsets
 * rise.  False: it is to go out at once.
 */
MUST_CHECK bool fold_take(struct fold *fold, const struct event *event,
			  const struct incident *incident, uint64_t start, uint64_t end);

/* How many that are gathered a notification of this event stands for beside it. */
uint64_t fold_covered(const struct fold *fold, const struct event *event,
		      const struct incident *incident);

/* A notification of this event was accepted, and with it what it covers. */
void fold_sent(struct fold *fold, const struct event *event, const struct incident *incident,
	       int64_t now);

/* ---- what was gathered ---- */

/* One notification that waits; all is borrowed until one of the functions below. */
struct fold_summary {
	const struct event *event; /* the last one */
	const struct incident *incident;
	uint64_t count; /* events that it is */
	size_t place;   /* for the functions below */
};

/* When the next one is to leave; INT64_MAX: none waits. */
int64_t fold_due(const struct fold *fold);

/* The one that is to leave next, due or not.  False: none waits. */
MUST_CHECK bool fold_next(const struct fold *fold, struct fold_summary *summary);

/* It was accepted. */
void fold_done(struct fold *fold, const struct fold_summary *summary, int64_t now);

/* It never will be: each of its events is to be refused: fold_first(). */
void fold_refuse(struct fold *fold, const struct fold_summary *summary);

/*
 * The first message that is gathered or refused: what lies before it may be confirmed.
 * False: there is none.
 */
struct fold_first {
	uint64_t start, end;
	bool refused;
	size_t place;
};
MUST_CHECK bool fold_first(const struct fold *fold, struct fold_first *first);

/* It was refused, and its letter is on its way. */
void fold_pass(struct fold *fold, const struct fold_first *first);

#endif
