/*
 * The schema of siembridge.yaml: each key, its type and the member it fills.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <cyaml/cyaml.h>

#include "bridge/config.h"
#include "formats/text.h"

extern const cyaml_schema_value_t config_schema;

/* Fills `settings` for reading and freeing: strict, no aliases, our allocator. */
void config_schema_settings(cyaml_config_t *settings, cyaml_log_fn_t log, void *log_context);

/* Frees what cyaml filled, and the configuration. */
void config_schema_free(struct config *config);

/*
 * Appends "a, b, c": the keys of the mapping at the end of `count` key names, from
 * the root; the entries of a list have the name of the list.
 */
void config_schema_keys(const char *const *names, size_t count, struct text *text);

#endif
