#include "bridge/route.h"

#include <string.h>

#include "bridge/incident.h"
#include "formats/catalogue.h"
#include "formats/glob.h"

static const uint64_t SEQUENCE_ID_HIGHEST = 2147483647;

/* None of them listed: anything will do. */
static bool
is_listed(char *const *list, size_t count, struct slice value)
{
	for (size_t i = 0; i < count; i++)
		if (text_slice_is(value, list[i]))
			return true;
	return count == 0;
}

static bool
fits_either(char *const *globs, size_t count, struct slice type, struct slice our_type)
{
	return glob_any(globs, count, type) ||
	       (our_type.bytes != type.bytes && glob_any(globs, count, our_type));
}

static bool
wants_type(const struct config_destination *destination, struct slice type, struct slice our_type)
{
	return fits_either(destination->events, destination->events_count, type, our_type) &&
	       !fits_either(destination->except, destination->except_count, type, our_type);
}

/* Who is told that something began is told that it is over. */
static bool
wants_end(const struct config_destination *destination, struct slice our_type)
{
	struct slice began = text_of(incident_ended_by(our_type));

	return began.bytes != NULL && config_is_on_call(destination) &&
	       wants_type(destination, began, began) &&
	       !glob_any(destination->except, destination->except_count, our_type);
}

bool
route_wants(const struct config_destination *destination, struct slice source, struct slice type,
	    struct slice our_type)
{
	return (wants_type(destination, type, our_type) || wants_end(destination, our_type)) &&
	       is_listed(destination->sources, destination->sources_count, source);
}

/* The lowest severity that any glob asks for which fits the type. */
static enum severity
floor_of(const struct config_destination *destination, struct slice type, struct slice our_type)
{
	enum severity lowest = SEVERITY_CRITICAL + 1;

	if (destination->floors == NULL)
		return destination->min_severity;
	for (unsigned i = 0; i < destination->events_count; i++)
		if (destination->floors[i] < lowest &&
		    fits_either(&destination->events[i], 1, type, our_type))
			lowest = destination->floors[i];
	return lowest;
}

static bool
is_severe_enough(const struct config_destination *destination, const struct event *event)
{
	struct slice type = event->fields[FIELD_TYPE];
	struct slice original = event->fields[FIELD_ORIGINAL_TYPE];

	return event->severity >=
		   floor_of(destination, original.bytes != NULL ? original : type, type) ||
	       (config_is_on_call(destination) && incident_action_of(event) == INCIDENT_RESOLVE);
}

bool
route_wants_event(const struct config_destination *destination, const struct event *event)
{
	return is_severe_enough(destination, event) &&
	       is_listed(destination->organizations, destination->organizations_count,
			 event->fields[FIELD_ORGANIZATION_ID]) &&
	       is_listed(destination->projects, destination->projects_count,
			 event->fields[FIELD_PROJECT_ID]);
}

bool
route_reads_event(const struct config_destination *destination)
{
	bool reads = destination->organizations_count > 0 || destination->projects_count > 0 ||
		     destination->min_severity > SEVERITY_INFO;

	for (unsigned i = 0; destination->floors != NULL && i < destination->events_count; i++)
		reads = reads || destination->floors[i] > SEVERITY_INFO;
	return reads;
}

bool
route_wants_everything(const struct config_destination *destination)
{
	bool everything = false;

	for (unsigned i = 0; i < destination->events_count; i++)
		if (strcmp(destination->events[i], "*") == 0)
			everything = true;
	return everything && destination->except_count == 0 && destination->sources_count == 0 &&
	       !route_reads_event(destination);
}

/* What normalise_finish() can make of it at most. */
static enum severity
highest_severity(struct slice type)
{
	const struct catalogue_entry *entry = catalogue_find(type);

	if (entry->severity_of_body)
		return SEVERITY_CRITICAL;
	if ((entry->family & (FAMILY_KEY | FAMILY_MEMBER)) != 0)
		return severity_raise(entry->severity);
	return entry->severity;
}

bool
route_can_want(const struct config_destination *destination, struct slice source, struct slice type)
{
	return route_wants(destination, source, type, type) &&
	       (wants_end(destination, type) ||
		highest_severity(type) >= floor_of(destination, type, type));
}

uint32_t
route_sequence_id(uint64_t number)
{
	return (uint32_t)((number - 1) % SEQUENCE_ID_HIGHEST + 1);
}
