/*
 * What a loop hands to the commit thread and gets back answered: the events of one
 * request, or a body that is none.  One piece of memory, so that a request costs one
 * allocation however many texts it has.
 */
#ifndef SUBMISSION_H
#define SUBMISSION_H

#include "bridge/receiver/answer.h"
#include "bridge/spool/spool.h"

enum submission_kind {
	SUBMISSION_EVENTS,   /* to be stored together, each unless it is known */
	SUBMISSION_REJECTED, /* a body with a good signature that is no event */
};

struct commit_returns;

/* One request on its way to the disk; all slices point behind this struct. */
struct submission {
	enum submission_kind kind;
	struct spool_event *events; /* SUBMISSION_EVENTS: one, or those of a batch */
	size_t event_count;
	struct spool_rejected rejected; /* SUBMISSION_REJECTED */
	size_t body_bytes;              /* of all of it */
	bool binds_body;                /* its id is not signed: see commit_submit() */
	size_t duplicates;              /* of the events: set by commit_submit() */
	enum answer answer;             /* set by the commit thread */
	bool wants_sequence;            /* submission_number() sets the next one */
	uint64_t sequence;              /* of its last event, or one it is durable up to */
	bool speaks_hec;                /* it is answered as hec_input.h says: */
	int hec_code;
	int64_t hec_invalid;
	void *connection;               /* the loop's own; untouched here */
	struct commit_returns *returns; /* whither it comes back */
	struct submission *next;
};

enum { SUBMISSION_MOST = 16384 /* events of one batch */ };

/*
 * Gives a submission of 1..SUBMISSION_MOST events with its own copy of their slices;
 * source and evidence that are the first one's bytes are kept once.  Freed with free().
 */
struct submission *submission_new(const struct spool_event *events, size_t count);
struct submission *submission_new_rejected(const struct spool_rejected *rejected);

/* How many rows it is to be. */
size_t submission_weight(const struct submission *submission);

/* First in, first out; {0} is empty. */
struct submission_queue {
	struct submission *first, *last;
	size_t weight;
	size_t bytes; /* of bodies */
};

void submission_put(struct submission_queue *queue, struct submission *submission);

/* The first one, or NULL. */
struct submission *submission_take(struct submission_queue *queue);

/*
 * Their new events have been stored as the `stored` ones up to `last`: tells those that
 * want to know.
 */
void submission_number(const struct submission_queue *queue, uint64_t last, size_t stored);

#endif
