#include "bridge/spool/profiles.h"

#include <stdlib.h>

#include "formats/memory.h"

struct profiles {
	const struct config *config;
	struct normalise *fallback;
	struct profile {
		struct normalise *normalise;
	} * of_source; /* as many as the configuration has sources */
};

bool
profiles_new(struct profiles **out, const struct config *config, struct error *error)
{
	struct profiles *profiles = memory_allocate(sizeof(*profiles));

	profiles->config = config;
	profiles->of_source =
	    memory_allocate_array(config->sources_count, sizeof(*profiles->of_source));
	if (!normalise_new_with(&profiles->fallback, &config->reading, error))
		goto fail;
	for (unsigned i = 0; i < config->sources_count; i++)
		if (!normalise_new_with(&profiles->of_source[i].normalise,
					&config->sources[i].reading, error)) {
			error_prefix(error, "source %s", config->sources[i].name);
			goto fail;
		}
	*out = profiles;
	return true;
fail:
	profiles_free(profiles);
	return false;
}

void
profiles_free(struct profiles *profiles)
{
	if (profiles == NULL)
		return;
	for (unsigned i = 0; i < profiles->config->sources_count; i++)
		if (profiles->of_source[i].normalise != NULL)
			normalise_free(profiles->of_source[i].normalise);
	if (profiles->fallback != NULL)
		normalise_free(profiles->fallback);
	free(profiles->of_source);
	free(profiles);
}

const struct normalise *
profiles_of(const struct profiles *profiles, struct slice source)
{
	for (unsigned i = 0; i < profiles->config->sources_count; i++)
		if (text_slice_is(source, profiles->config->sources[i].name))
			return profiles->of_source[i].normalise;
	return profiles->fallback;
}

struct slice
profiles_type(const struct profiles *profiles, const struct spool_event *stored)
{
	return normalise_type(profiles_of(profiles, stored->source), stored->type);
}
