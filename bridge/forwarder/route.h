/*
 * Does this destination want this event?
 */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>

#include "bridge/config.h"
#include "formats/text.h"

/* True where the event's type matches one of the destination's `events`. */
bool route_wants(const struct config_destination *destination, struct slice type);

/*
 * The sequenceId of the n-th message (n from 1): counts to 2147483647, then from 1
 * again (RFC 5424 7.3.1).
 */
uint32_t route_sequence_id(uint64_t number);

#endif
