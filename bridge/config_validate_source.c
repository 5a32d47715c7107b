/*
 * What a schema cannot say of one source, but for its signature and its mapping.  The default and
 * the range of each key stand here, in its row or call.
 */
#include "bridge/config_value.h"

#include <string.h>

/* As the request line has it: no query, no fragment, nothing that needs escapes. */
static bool
validate_request_path(const struct config_place *place, const char *path)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789/._~-";
	size_t length = strlen(path);

	if (path[0] != '/')
		error_set(place->error, "'%.100s' must start with '/'", path);
	else if (length > 255 || strspn(path, allowed) != length)
		error_set(place->error, "must be at most 255 of A-Z, a-z, 0-9 and / . _ ~ -");
	else
		return true;
	return config_value_wrong(place, "path");
}

static bool
validate_client(const struct config_place *place, struct config_source *source)
{
	if (source->client_ca_file != NULL)
		return config_value_path(place, "client_ca_file", &source->client_ca_file);
	if (source->client_names_count == 0)
		return true;
	error_set(place->error, "needs client_ca_file: who vouches for the names?");
	return config_value_wrong(place, "client_names");
}

static bool
validate_silence(const struct config_place *place, struct config_source *source)
{
	const struct config_quantity row = {.key = "silence",
					    .text = source->silence_text,
					    .minimum = "1s",
					    .maximum = "365d",
					    .milliseconds = &source->silence};

	source->silence = 0;
	return source->silence_text == NULL || config_value_quantities(place, &row, 1);
}

bool
config_validate_source(const struct config_place *root, struct config *config, unsigned index)
{
	const struct config_place place = config_value_place(root, "sources", (int)index);
	struct config_source *source = &config->sources[index];

	if (!config_value_name(&place, "name", source->name) ||
	    !validate_request_path(&place, source->path))
		return false;
	if (strcmp(source->name, CONFIG_SOURCE_OWN) == 0) {
		error_set(place.error, "'%s' is the name of the bridge's own events; take another",
			  source->name);
		return config_value_wrong(&place, "name");
	}
	for (unsigned i = 0; i < index; i++) {
		bool same_name = strcmp(config->sources[i].name, source->name) == 0;

		if (!same_name && strcmp(config->sources[i].path, source->path) != 0)
			continue;
		error_set(place.error, "'%s' is that of sources[%u] too",
			  same_name ? source->name : source->path, i);
		return config_value_wrong(&place, same_name ? "name" : "path");
	}
	return config_validate_signature(&place, source) &&
	       config_validate_reading(&place, config, source) &&
	       config_validate_intake(&place, source) &&
	       (source->poll == NULL || config_validate_poll(&place, source->poll)) &&
	       config_value_events(&place, &source->events, &source->events_count) &&
	       validate_client(&place, source) && validate_silence(&place, source) &&
	       config_value_number(&place, "rate", source->rate_text, 0, 0,
				   CONFIG_VALUE_MOST_A_SECOND, &source->rate) &&
	       config_value_switch(&place, "report_invalid", source->report_invalid_text, false,
				   &source->report_invalid);
}
