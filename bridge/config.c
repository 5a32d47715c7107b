#include "bridge/config.h"

#include <stdlib.h>

#include "bridge/config_schema.h"

static const struct {
	const char *name;
	const char *key;
} vendors[] = {
    [CONFIG_VENDOR_PAGERDUTY] = {"pagerduty", "routing_key_file"},
    [CONFIG_VENDOR_OPSGENIE] = {"opsgenie", "api_key_file"},
    [CONFIG_VENDOR_ALERTMANAGER] = {"alertmanager", "token_file"},
    [CONFIG_VENDOR_SLACK] = {"slack", NULL},
    [CONFIG_VENDOR_NTFY] = {"ntfy", "token_file"},
    [CONFIG_VENDOR_HTTP] = {"http", "token_file"},
};

const char *
config_vendor_name(enum config_vendor vendor)
{
	return vendors[vendor].name;
}

const char *
config_vendor_key(enum config_vendor vendor)
{
	return vendors[vendor].key;
}

const struct config_several *
config_several_of(const struct config_destination *destination)
{
	if (destination->syslog != NULL)
		return &destination->syslog->several;
	return destination->splunk_hec != NULL ? &destination->splunk_hec->several : NULL;
}

const char *
config_several_address(const struct config_destination *destination, size_t index)
{
	const struct config_several *several = config_several_of(destination);

	if (several == NULL)
		return NULL;
	if (several->count > 0)
		return several->addresses[index];
	return destination->syslog != NULL ? destination->syslog->address
					   : destination->splunk_hec->url;
}

bool
config_is_on_call(const struct config_destination *destination)
{
	return destination->http != NULL && destination->http->vendor != CONFIG_VENDOR_HTTP;
}

bool
config_takes_replays(const struct config_destination *destination, struct error *error)
{
	return destination->http == NULL || destination->http->replays ||
	       error_set(error,
			 "destination %s tells nobody of replayed events; write 'replays: true' "
			 "below %s and reload",
			 destination->name, config_vendor_name(destination->http->vendor));
}

bool
config_is_for_people(const struct config_destination *destination)
{
	return destination->email != NULL || config_is_on_call(destination);
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (unsigned i = 0; i < config->sources_count; i++) {
		free(config->sources[i].own_fields);
		free(config->sources[i].own_constants);
		free(config->sources[i].own_words);
	}
	for (size_t i = 0; i < config->named_paths_count; i++) {
		free(config->named_paths[i].key);
		free(config->named_paths[i].path);
	}
	free(config->named_paths);
	for (unsigned i = 0; i < config->destinations_count; i++)
		free(config->destinations[i].floors);
	free(config->own_types);
	free(config->aliases);
	free(config->aliases_text);
	free(config->path);
	free(config->hostname);
	config_schema_free(config);
}

bool
config_polls(const struct config *config)
{
	for (unsigned i = 0; i < config->sources_count; i++)
		if (config->sources[i].poll != NULL)
			return true;
	return false;
}
