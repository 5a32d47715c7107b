#include "bridge/forwarder/route.h"

#include "formats/glob.h"

static const uint64_t SEQUENCE_ID_HIGHEST = 2147483647;

bool
route_wants(const struct config_destination *destination, struct slice type)
{
	return glob_any(destination->events, destination->events_count, type);
}

uint32_t
route_sequence_id(uint64_t number)
{
	return (uint32_t)((number - 1) % SEQUENCE_ID_HIGHEST + 1);
}
