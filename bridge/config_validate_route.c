/*
 * What a schema cannot say of which events go to a destination.
 */
#include "bridge/config_value.h"

#include <string.h>

#include "formats/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
read_severity(const struct config_place *place, const char *key, const char *text,
	      enum severity *severity)
{
	struct config_word words[SEVERITY_CRITICAL + 1];
	int value = (int)*severity;

	for (int i = 0; i <= SEVERITY_CRITICAL; i++)
		words[i] = (struct config_word){severity_row((enum severity)i)->name, i};
	if (text != NULL && !config_value_word(place, key, text, words, COUNT(words), &value))
		return false;
	*severity = (enum severity)value;
	return true;
}

/* "GLOB >= LEVEL" is taken apart: the glob stays where it was. */
static bool
validate_floors(const struct config_place *place, struct config_destination *destination)
{
	/* where none is written there will be one: "*" */
	destination->floors =
	    memory_allocate_array(destination->events_count + 1, sizeof(*destination->floors));
	destination->floors[0] = destination->min_severity;
	for (unsigned i = 0; i < destination->events_count; i++) {
		const struct config_place entry = config_value_place(place, "events", (int)i);
		char *glob = destination->events[i], *sign = strstr(glob, ">=");
		const char *level = sign != NULL ? sign + 2 + strspn(sign + 2, " ") : NULL;

		destination->floors[i] = destination->min_severity;
		if (!read_severity(&entry, "", level, &destination->floors[i]))
			return false;
		while (sign != NULL && sign > glob && sign[-1] == ' ')
			sign--;
		if (sign != NULL)
			*sign = '\0';
	}
	return true;
}

static bool
is_source(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->sources_count; i++)
		if (strcmp(config->sources[i].name, name) == 0)
			return true;
	return strcmp(name, CONFIG_SOURCE_OWN) == 0;
}

static bool
validate_sources(const struct config_place *place, const struct config *config,
		 const struct config_destination *destination)
{
	for (unsigned i = 0; i < destination->sources_count; i++) {
		const struct config_place entry = config_value_place(place, "sources", (int)i);

		if (is_source(config, destination->sources[i]))
			continue;
		error_set(place->error,
			  "there is no source '%.64s'; name one of sources:, or %s for what the "
			  "bridge tells of itself",
			  destination->sources[i], CONFIG_SOURCE_OWN);
		return config_value_wrong(&entry, "");
	}
	return true;
}

bool
config_validate_route(const struct config_place *place, const struct config *config,
		      struct config_destination *destination)
{
	destination->min_severity = SEVERITY_INFO;
	return read_severity(place, "min_severity", destination->min_severity_text,
			     &destination->min_severity) &&
	       validate_floors(place, destination) &&
	       config_value_events(place, &destination->events, &destination->events_count) &&
	       config_value_globs(place, "except", destination->except,
				  destination->except_count) &&
	       validate_sources(place, config, destination);
}
