/*
 * Events that no destination wants: counted, and told in the log.
 *
 * The main thread looks, not a destination: one that waits for its collector would
 * tell hours late.  Where some destination wants everything there is nothing to look
 * for, and nothing is read.
 *
 * Each event is counted once in the life of the daemon, however often the forwarder
 * starts anew: how far it was counted stands beside the count.
 */
#ifndef UNROUTED_H
#define UNROUTED_H

#include "bridge/config.h"
#include "bridge/counters.h"
#include "bridge/spool/profiles.h"
#include "bridge/spool/spool.h"

struct unrouted;

/* All borrowed until unrouted_free(). */
struct unrouted_settings {
	const struct config *config;
	const struct profiles *profiles;
	struct counters *counters;
};

/*
 * Gives *unrouted, freed with unrouted_free(); takes the reader.  `after` is where to
 * begin when the daemon has not counted yet: sequences up to it are another life's.
 */
struct unrouted *unrouted_new(const struct unrouted_settings *settings, struct spool_reader *reader,
			      uint64_t after);
void unrouted_free(struct unrouted *unrouted); /* NULL is fine */

/* Looks at a batch of events that came since.  True: there may be more at once. */
bool unrouted_look(struct unrouted *unrouted);

#endif
