#include "bridge/config.h"

#include <stdlib.h>

#include "bridge/config_schema.h"

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
	free(config->own_types);
	free(config->aliases);
	free(config->aliases_text);
	free(config->path);
	free(config->hostname);
	config_schema_free(config);
}
