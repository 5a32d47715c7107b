/*
 * How far each destination is, and what could never be delivered: delivery.db.
 *
 * Written by the forwarder's main thread alone, over the only read-write
 * connection; everybody else opens it read-only (delivery_view.h).  A cursor that lags after a
 * crash costs duplicates, never a loss; a dead letter is durable before the
 * cursor of its destination passes it (delivery_save() does both at once).
 */
#ifndef DELIVERY_H
#define DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/error.h"
#include "formats/text.h"

struct delivery_cursor {
	const char *destination; /* borrowed, NUL-terminated */
	uint64_t epoch;          /* of the spool the sequence belongs to */
	uint64_t sequence;       /* confirmed up to and with it; 0: nothing yet */
	uint64_t number;         /* messages confirmed: the number of the last one sent */
	uint64_t replay;         /* the replay that is under way; 0: none */
	uint64_t replayed;       /* sequence up to which it is confirmed */
};

struct delivery_dead {
	const char *destination; /* borrowed, NUL-terminated */
	uint64_t sequence;
	int64_t died_at; /* milliseconds since 1970, UTC */
	struct slice id;
	struct slice type;
	struct slice reason; /* one sentence */
};

struct delivery;

/*
 * Opens or creates it read-write.  One that cannot be used is put aside and begun afresh,
 * which the log tells: every destination then gets all that is kept once more, duplicates
 * rather than losses.  Gives *delivery, closed with delivery_close().
 */
MUST_CHECK bool delivery_open(struct delivery **delivery, const char *directory,
			      struct error *error);
void delivery_close(struct delivery *delivery);

/* Fills *cursor of cursor->destination; all zero where it has none yet. */
MUST_CHECK bool delivery_load(struct delivery *delivery, struct delivery_cursor *cursor,
			      struct error *error);

/*
 * Stores cursors and dead letters in one transaction and one fsync.  What a replay has
 * brought over is no dead letter any more.
 */
MUST_CHECK bool delivery_save(struct delivery *delivery, const struct delivery_cursor *cursors,
			      size_t cursor_count, const struct delivery_dead *dead,
			      size_t dead_count, struct error *error);

/* What a destination last complained of; no failures: it is well again. */
struct delivery_trouble {
	const char *destination; /* borrowed, NUL-terminated */
	int64_t at;              /* milliseconds since 1970, UTC */
	uint64_t failures;       /* in a row, up to now */
	const char *text;        /* one sentence */
};

MUST_CHECK bool delivery_complain(struct delivery *delivery, const struct delivery_trouble *trouble,
				  struct error *error);

/*
 * The highest sequence that any cursor holds, read-only; 0 where there is no
 * delivery.db yet.  For spool_open().
 */
MUST_CHECK bool delivery_highest(const char *directory, uint64_t *sequence, struct error *error);

/* The lowest sequence that any cursor holds, read-only; 0 where there is none to be read. */
uint64_t delivery_least(const char *directory);

/*
 * The lowest sequence among the cursors of these destinations, read-only; 0 where
 * one of them has none.  What is not above it is confirmed everywhere.
 */
MUST_CHECK bool delivery_lowest(const char *directory, const char *const *destinations,
				size_t count, uint64_t *sequence, struct error *error);

#endif
