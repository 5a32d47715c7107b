/*
 * What a schema cannot say of which events go to a destination.
 */
#include "bridge/config_value.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
validate_severity(const struct config_place *place, struct config_destination *destination)
{
	struct config_word words[SEVERITY_CRITICAL + 1];
	int severity = SEVERITY_INFO;

	for (int i = 0; i <= SEVERITY_CRITICAL; i++)
		words[i] = (struct config_word){severity_row((enum severity)i)->name, i};
	if (destination->min_severity_text != NULL &&
	    !config_value_word(place, "min_severity", destination->min_severity_text, words,
			       COUNT(words), &severity))
		return false;
	destination->min_severity = (enum severity)severity;
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
	return config_value_events(place, &destination->events, &destination->events_count) &&
	       config_value_globs(place, "except", destination->except,
				  destination->except_count) &&
	       validate_severity(place, destination) &&
	       validate_sources(place, config, destination);
}
