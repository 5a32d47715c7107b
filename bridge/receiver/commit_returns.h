/*
 * What the commit thread gives back: a queue for each loop, or other thread, that hands
 * submissions in.
 */
#ifndef COMMIT_RETURNS_H
#define COMMIT_RETURNS_H

#include <stdbool.h>

#include "formats/error.h"

struct commit_returns;
struct submission;

/*
 * Gives a queue; `descriptor` becomes readable when something has come back.  Freed with
 * commit_returns_free(), with what is in it, after the commit was stopped.
 */
MUST_CHECK bool commit_returns_new(struct commit_returns **returns, int *descriptor,
				   struct error *error);
void commit_returns_free(struct commit_returns *returns);

/* The commit thread's: a chain of answered ones from `first` to `last`. */
void commit_returns_give(struct commit_returns *returns, struct submission *first,
			 struct submission *last);

/* The list of what has come back, each linked by `next`; NULL: nothing.  Gives them. */
struct submission *commit_returns_take(struct commit_returns *returns);

/*
 * For who hands in one at a time: waits at most `patience` milliseconds for this one and
 * gives it; NULL: it has not come.  It is freed when it comes later, as all others are.
 */
struct submission *commit_returns_wait(struct commit_returns *returns,
				       const struct submission *submission, int patience);

#endif
