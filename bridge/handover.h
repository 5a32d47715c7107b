/*
 * From the poller to the receiver, which alone writes the spool: events that the
 * sender's list has, one after the other, over a unix socket in the spool's directory.
 * Both ends are processes of one user and one binary: the format is nobody else's.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include "formats/error.h"
#include "formats/text.h"

struct handover_item {
	struct slice source; /* its name */
	struct slice id;     /* delivery id; may be absent */
	struct slice origin; /* where it was found, a line of evidence: "name: value\n" */
	struct slice body;
};

/* What became of it. */
enum handover_outcome {
	HANDOVER_STORED,   /* on disk, and not known before */
	HANDOVER_KNOWN,    /* a webhook had brought it, or an earlier poll */
	HANDOVER_UNWANTED, /* its type is not subscribed */
	HANDOVER_NO_EVENT, /* it cannot be read as one */
	HANDOVER_LATER,    /* nothing can be stored now */
	HANDOVER_OUTCOMES
};

/* ---- the receiver's end ---- */

/* Gives a listening socket, whose name in `directory` takes the place of an older one. */
MUST_CHECK bool handover_listen(int *descriptor, const char *directory, struct error *error);

/*
 * Reads the next item of a connection, blocking: its slices point into *memory, which
 * is given and freed with free().  False: the end, with an empty error; or it is broken.
 */
MUST_CHECK bool handover_take(int connection, char **memory, struct handover_item *item,
			      struct error *error);
MUST_CHECK bool handover_answer(int connection, enum handover_outcome outcome, struct error *error);

/* ---- the poller's end ---- */

MUST_CHECK bool handover_connect(int *descriptor, const char *directory, struct error *error);

/* Hands one over and waits until it is known what became of it. */
MUST_CHECK bool handover_give(int descriptor, const struct handover_item *item,
			      enum handover_outcome *outcome, struct error *error);

#endif
