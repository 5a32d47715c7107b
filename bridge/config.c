#include "bridge/config.h"

#include <stdlib.h>

#include "bridge/config_schema.h"

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	free(config->path);
	free(config->hostname);
	config_schema_free(config);
}
