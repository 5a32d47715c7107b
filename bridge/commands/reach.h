/*
 * Which events could reach no destination at all, whatever they say: what an
 * operator subscribed to and nobody gets.
 */
#ifndef REACH_H
#define REACH_H

#include "bridge/config.h"

/*
 * Calls `warn` with one line for each source of which that is so: the types of the
 * catalogue and those that its `events` name, and whether types that nobody knows
 * yet would go nowhere.  The bridge's own events are a source, too.
 */
void reach_check(const struct config *config, void (*warn)(void *context, const char *text),
		 void *context);

#endif
