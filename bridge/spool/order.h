/*
 * Orders: what a command wants done in a database that it may only read.  It leaves a
 * small file in DIRECTORY/requests; whoever writes the database carries it out within
 * a second, or at its next start where it does not run, and removes the file.
 *
 *   siembridge 1
 *   action replay
 *   destination siem
 *   by alice
 *   at 1790856000000
 *   rate 1000
 *   reason it was a test
 *   range 5 10
 *
 * A file is whole when it has its name (written aside, synced, renamed), and its name
 * says whose it is: forwarder-... or receiver-...  Carrying out twice, after a crash
 * between the doing and the removing, must do it once: the name tells.
 */
#ifndef ORDER_H
#define ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/error.h"

enum order_action {
	ORDER_REPLAY,        /* sends the sequences of the ranges to the destination again */
	ORDER_DROP,          /* drops the dead letters whose numbers the ranges name */
	ORDER_DROP_REJECTED, /* the same for rejected bodies: the receiver's */
};

struct order_range {
	uint64_t first;
	uint64_t last;
};

enum { ORDER_NAME = 96, ORDER_REASON = 512, ORDER_BY = 64 }; /* bytes, with the NUL */

struct order {
	char name[ORDER_NAME]; /* of the file: given by order_put() and order_next() */
	enum order_action action;
	char destination[ORDER_BY + 1];
	char by[ORDER_BY];
	int64_t at;    /* milliseconds since 1970, UTC */
	uint64_t rate; /* events a second; 0: as fast as it goes */
	char reason[ORDER_REASON];
	struct order_range *ranges; /* rising, apart from each other */
	size_t range_count;
};

enum order_carrier { ORDER_FORWARDER, ORDER_RECEIVER };

/* Frees the ranges. */
void order_free(struct order *order);

/* One more range; joined with the one before it where they touch.  Rising order. */
void order_add(struct order *order, uint64_t first, uint64_t last);

/* Fills `by` (the user) and `at`. */
void order_sign(struct order *order);

/* ---- the command's side ---- */

/* Makes it durable and fills its name. */
MUST_CHECK bool order_put(const char *directory, struct order *order, struct error *error);

/* Waits until it has been carried out; false: not within so many milliseconds. */
bool order_wait(const char *directory, const struct order *order, int64_t milliseconds);

/* ---- the carrier's side ---- */

/*
 * Gives the oldest order for that carrier, freed with order_free(); *found false:
 * there is none.  What cannot be read as one is told in the log, and renamed to
 * NAME.bad.
 */
MUST_CHECK bool order_next(const char *directory, enum order_carrier carrier, struct order *order,
			   bool *found, struct error *error);

/* It has been carried out, durably. */
MUST_CHECK bool order_done(const char *directory, const struct order *order, struct error *error);

#endif
