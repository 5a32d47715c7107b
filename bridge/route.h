/*
 * Does this destination want this event?  In two steps: by what the spool's row
 * tells, and, where it is wanted so far, by what is known once its body was read.
 * Both depend on nothing but the event and the configuration, so a batch that is
 * read again is routed and numbered as before.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>

#include "bridge/config.h"
#include "formats/event.h"
#include "formats/text.h"

/*
 * By `events`, `except` and `sources`.  A glob fits where it fits the sender's word for
 * the type or ours (normalise_type()).
 */
bool route_wants(const struct config_destination *destination, struct slice source,
		 struct slice type, struct slice our_type);

/*
 * Of one for which route_wants() is true: by `min_severity`, `organizations` and
 * `projects`.  An event that names no organisation is in none of those listed.
 */
bool route_wants_event(const struct config_destination *destination, const struct event *event);

/* True where route_wants_event() can say no. */
bool route_reads_event(const struct config_destination *destination);

/* True where it wants whatever comes. */
bool route_wants_everything(const struct config_destination *destination);

/*
 * Could an event of that type ever be wanted?  Of whatever organisation and project,
 * and as severe as the catalogue lets its type be.
 */
bool route_can_want(const struct config_destination *destination, struct slice source,
		    struct slice type);

/*
 * The sequenceId of the n-th message (n from 1): counts to 2147483647, then from 1
 * again (RFC 5424 7.3.1).
 */
uint32_t route_sequence_id(uint64_t number);

#endif
