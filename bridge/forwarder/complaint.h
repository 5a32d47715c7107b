/*
 * What a destination last complained of, on its way to the main thread, which saves
 * it: one slot, in which the newest replaces one that was not taken yet; no mutex.
 */
#ifndef COMPLAINT_H
#define COMPLAINT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "formats/error.h"

struct complaint {
	int64_t at;        /* milliseconds since 1970, UTC */
	uint64_t failures; /* in a row; 0: it is well again */
	struct error error;
};

struct complaint_box {
	_Atomic(struct complaint *) newest;
};

void complaint_start(struct complaint_box *box);

/* The destination's side; copies the error. */
void complaint_put(struct complaint_box *box, uint64_t failures, const struct error *error);

/* The main thread's side: gives the newest, freed with free(), or NULL. */
struct complaint *complaint_take(struct complaint_box *box);

#endif
