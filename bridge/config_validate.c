/*
 * What a schema cannot say, in the order of the manual.  The default and the range
 * of each key stand here or in the files config_validate_*.c, in its row or call.
 */
#include "bridge/config_internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/child.h"
#include "bridge/config_value.h"
#include "formats/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { MOST_CONNECTIONS = 1000000 };

/* What is limited: receiver/limit.h.  None of it is felt by an honest sender. */
static bool
validate_limits(const struct config_place *place, struct config_listen *listen)
{
	const struct config_quantity memory = {"max_memory", listen->max_memory_text,
					       "64MiB",      "1MiB",
					       "64GiB",      .bytes = &listen->max_memory};

	if (!config_value_number(place, "max_connections", listen->max_connections_text, 10000, 16,
				 MOST_CONNECTIONS, &listen->max_connections) ||
	    !config_value_number(place, "max_connections_per_address",
				 listen->max_connections_per_address_text, 1000, 0,
				 MOST_CONNECTIONS, &listen->max_connections_per_address) ||
	    !config_value_number(place, "handshake_rate_per_address", listen->handshake_rate_text,
				 100, 0, CONFIG_VALUE_MOST_A_SECOND, &listen->handshake_rate) ||
	    !config_value_number(place, "request_rate_per_address", listen->request_rate_text, 0, 0,
				 CONFIG_VALUE_MOST_A_SECOND, &listen->request_rate) ||
	    !config_value_number(place, "refusal_rate_per_address", listen->refusal_rate_text, 200,
				 0, CONFIG_VALUE_MOST_A_SECOND, &listen->refusal_rate) ||
	    !config_value_quantities(place, &memory, 1))
		return false;
	if (listen->max_memory >= listen->max_body_size)
		return true;
	error_set(place->error, "holds not one body of max_body_size; make it larger, many times");
	return config_value_wrong(place, "max_memory");
}

static bool
validate_listen(const struct config_place *root, struct config_listen *listen)
{
	const struct config_place place = config_value_place(root, "listen", -1);
	const struct config_quantity rows[] = {
	    {"max_body_size", listen->max_body_size_text, "256KiB", "1KiB", "16MiB",
	     .bytes = &listen->max_body_size},
	    {"handshake_timeout", listen->handshake_timeout_text, "5s", "100ms", "10m",
	     .milliseconds = &listen->handshake_timeout},
	    {"header_timeout", listen->header_timeout_text, "5s", "100ms", "10m",
	     .milliseconds = &listen->header_timeout},
	    {"body_timeout", listen->body_timeout_text, "10s", "100ms", "10m",
	     .milliseconds = &listen->body_timeout},
	    {"idle_timeout", listen->idle_timeout_text, "30s", "100ms", "1h",
	     .milliseconds = &listen->idle_timeout},
	};

	return config_value_address(&place, "address", listen->address, false) &&
	       config_value_path(&place, "certificate", &listen->certificate) &&
	       config_value_path(&place, "private_key", &listen->private_key) &&
	       (listen->ocsp_response == NULL ||
		config_value_path(&place, "ocsp_response", &listen->ocsp_response)) &&
	       config_value_number(&place, "loops", listen->loops_text, 0, 0, CHILD_LISTEN_SOCKETS,
				   &listen->loops) &&
	       config_value_quantities(&place, rows, COUNT(rows)) &&
	       validate_limits(&place, listen);
}

static bool
validate_spool(const struct config_place *root, struct config_spool *spool)
{
	const struct config_place place = config_value_place(root, "spool", -1);
	const struct config_quantity rows[] = {
	    {"max_size", spool->max_size_text, "2GiB", "1MiB", "16TiB", .bytes = &spool->max_size},
	    {"retention", spool->retention_text, "7d", "1s", "3650d",
	     .milliseconds = &spool->retention},
	    {"reserve", spool->reserve_text, "256MiB", "0B", "16TiB", .bytes = &spool->reserve},
	};

	return config_value_path(&place, "directory", &spool->directory) &&
	       config_value_quantities(&place, rows, COUNT(rows));
}

static bool
validate_log(const struct config_place *root, struct config_log *log)
{
	const struct config_place place = config_value_place(root, "log", -1);
	struct config_word formats[LOG_FORMATS], levels[LOG_LEVEL_DEBUG + 1];
	int format = LOG_FORMAT_AUTO, level = LOG_LEVEL_INFO;

	for (int i = 0; i < LOG_FORMATS; i++)
		formats[i] = (struct config_word){log_format_name((size_t)i), i};
	for (int i = 0; i <= LOG_LEVEL_DEBUG; i++)
		levels[i] = (struct config_word){log_level_name((size_t)i), i};
	if ((log->format_text != NULL && !config_value_word(&place, "format", log->format_text,
							    formats, COUNT(formats), &format)) ||
	    (log->level_text != NULL &&
	     !config_value_word(&place, "level", log->level_text, levels, COUNT(levels), &level)))
		return false;
	log->format = (enum log_format)format;
	log->level = (enum log_level)level;
	return true;
}

/* The directory of the file, absolute; freed with free(). */
static bool
find_directory(const char *file, char **directory, struct error *error)
{
	const char *slash = strrchr(file, '/');
	char *as_given = slash == NULL   ? memory_copy_text(".", 1)
			 : slash == file ? memory_copy_text("/", 1)
					 : memory_copy_text(file, (size_t)(slash - file));

	*directory = realpath(as_given, NULL);
	free(as_given);
	if (*directory == NULL)
		return error_set_errno(error, "%s: its directory cannot be found", file);
	return true;
}

static void
find_hostname(struct config *config)
{
	char name[HOST_NAME_MAX + 1] = "";

	if (gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0')
		config->hostname = memory_copy_text(name, strlen(name));
}

bool
config_validate(struct config *config, struct error *error)
{
	char *directory = NULL;
	bool done = false;

	if (!find_directory(config->path, &directory, error))
		return false;
	find_hostname(config);

	const struct config_place root = {
	    .file = config->path, .directory = directory, .config = config, .error = error};

	if (config->user != NULL && !config_value_name(&root, "user", config->user))
		goto finish;
	if (!validate_listen(&root, &config->listen) || !validate_spool(&root, &config->spool))
		goto finish;
	if (!config_validate_reading_vocabulary(&root, config))
		goto finish;
	for (unsigned i = 0; i < config->sources_count; i++)
		if (!config_validate_source(&root, config, i))
			goto finish;
	for (unsigned i = 0; i < config->destinations_count; i++)
		if (!config_validate_destination(&root, config, i))
			goto finish;
	if (config->console != NULL && !config_validate_console(&root, config->console))
		goto finish;
	done = validate_log(&root, &config->log);
finish:
	free(directory);
	return done;
}
