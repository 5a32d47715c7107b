/*
 * One destination and its thread: events from the spool, behind the cursor, until
 * each is confirmed.
 *
 *   cursor  confirmed up to here; what is saved
 *   head    handed over up to here; cursor <= head; after a break head = cursor
 *
 * The thread owns its reader of the spool, its socket and its batch.  With the main
 * thread it shares what the functions below hand over, and no mutex.  All of them
 * are the main thread's.
 */
#ifndef DESTINATION_H
#define DESTINATION_H

#include "bridge/config.h"
#include "bridge/counters.h"
#include "bridge/forwarder/complaint.h"
#include "bridge/forwarder/position.h"
#include "bridge/spool/profiles.h"
#include "bridge/spool/delivery.h"
#include "bridge/spool/delivery_replay.h"

struct destination;

/* All borrowed until destination_free(). */
struct destination_settings {
	const struct config_destination *configuration;
	const char *spool_directory;
	const struct profiles *profiles;
	struct counters_destination *counters;
	struct position start; /* the cursor to begin from */
	struct acks *acks;     /* what waits for acknowledgement; NULL: its kind has none */
	int attention;         /* wake.h: raised when there is something to take */
};

/* Gives *destination, freed with destination_free(). */
MUST_CHECK bool destination_new(struct destination **destination,
				const struct destination_settings *settings, struct error *error);

/* Only where its thread was never started or has finished. */
void destination_free(struct destination *destination);

MUST_CHECK bool destination_start(struct destination *destination, struct error *error);

/* There is more in the spool. */
void destination_wake(struct destination *destination);

/*
 * Tells it to end: it takes nothing more from the spool, and waits for what is
 * under way at most DESTINATION_DRAIN ms.  Raises `attention` when it has ended.
 */
enum { DESTINATION_DRAIN = 1500 };
void destination_stop(struct destination *destination);

/* True once its thread has ended, which it then joins, or where it was never started. */
bool destination_has_finished(struct destination *destination);

/* False, and *cursor unchanged, where it has not moved since it was last taken. */
bool destination_take_cursor(struct destination *destination, struct position *cursor);

/* Dead letters that wait to be made durable, or NULL: borrowed until destination_buried(). */
const struct delivery_dead *destination_dead(const struct destination *destination, size_t *count);
void destination_buried(struct destination *destination);

/*
 * To send these again, between the live events: borrowed until a cursor was taken that
 * is at its end.  Only where the one before it is at its own.
 */
void destination_replay(struct destination *destination, const struct delivery_replay *replay);

/* What it last complained of, freed with free(); NULL where nothing is new. */
struct complaint *destination_take_complaint(struct destination *destination);

/* What waits for acknowledgement, for acks_take(); NULL: its kind has none. */
struct acks *destination_acks(const struct destination *destination);

const char *destination_name(const struct destination *destination);

#endif
