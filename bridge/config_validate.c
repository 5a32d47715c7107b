/*
 * What a schema cannot say, in the order of the manual.  The default and the range
 * of each key stand here or in config_validate_destination.c, in its row or call.
 */
#include "bridge/config_internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/child.h"
#include "bridge/config_value.h"
#include "formats/memory.h"
#include "formats/normalise.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct config_word signatures[] = {
    {"standard-webhooks", CONFIG_SIGNATURE_STANDARD_WEBHOOKS},
    {"none", CONFIG_SIGNATURE_NONE},
};

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
	       config_value_number(&place, "loops", listen->loops_text, 0, 0, CHILD_LISTEN_SOCKETS,
				   &listen->loops) &&
	       config_value_quantities(&place, rows, COUNT(rows));
}

static bool
validate_spool(const struct config_place *root, struct config_spool *spool)
{
	const struct config_place place = config_value_place(root, "spool", -1);
	const struct config_quantity rows[] = {
	    {"max_size", spool->max_size_text, "2GiB", "1MiB", "16TiB", .bytes = &spool->max_size},
	    {"retention", spool->retention_text, "7d", "1s", "3650d",
	     .milliseconds = &spool->retention},
	};

	return config_value_path(&place, "directory", &spool->directory) &&
	       config_value_quantities(&place, rows, COUNT(rows));
}

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

/*
 * One without a slash is a credential of systemd's and stays as it is.  A secret
 * itself, written where its file's name belongs, is not shown again.
 */
static bool
validate_secret(const struct config_place *place, char **secrets, unsigned index)
{
	const struct config_place entry = config_value_place(place, "secrets", (int)index);

	if (strncmp(secrets[index], "whsec_", strlen("whsec_")) == 0) {
		error_set(place->error, "is a secret; put it in a file of mode 600 and give the "
					"file's name here");
		return config_value_wrong(&entry, "");
	}
	for (unsigned i = 0; i < index; i++) {
		if (strcmp(secrets[i], secrets[index]) != 0)
			continue;
		error_set(place->error, "names the same file as secrets[%u]", i);
		return config_value_wrong(&entry, "");
	}
	return strchr(secrets[index], '/') == NULL ||
	       config_value_path(&entry, "", &secrets[index]);
}

/* Fail closed: whoever wants to trust anybody has to write it. */
static bool
validate_signature(const struct config_place *place, struct config_source *source)
{
	int signature = 0;

	if (source->signature_text == NULL) {
		error_set(place->error, "needs the key 'signature': standard-webhooks, or none to "
					"accept anything from anybody");
		return config_value_wrong(place, "");
	}
	if (!config_value_word(place, "signature", source->signature_text, signatures,
			       COUNT(signatures), &signature))
		return false;
	source->signature = (enum config_signature)signature;
	if (source->signature == CONFIG_SIGNATURE_NONE) {
		const char *idle = source->secrets_count > 0        ? "secrets"
				   : source->tolerance_text != NULL ? "tolerance"
								    : NULL;

		if (idle == NULL)
			return true;
		error_set(place->error, "has no use with 'signature: none'; take out one of them");
		return config_value_wrong(place, idle);
	}
	if (source->secrets_count == 0) {
		error_set(place->error, "needs the key 'secrets' to check signatures: a list of "
					"files, each with one secret");
		return config_value_wrong(place, "");
	}
	for (unsigned i = 0; i < source->secrets_count; i++)
		if (!validate_secret(place, source->secrets, i))
			return false;
	return true;
}

static bool
validate_profile(const struct config_place *place, struct config_source *source)
{
	struct normalise *normalise = NULL;

	if (source->profile == NULL)
		source->profile = memory_copy_text("anyint", strlen("anyint"));
	if (!normalise_new(&normalise, source->profile, place->error))
		return config_value_wrong(place, "profile");
	normalise_free(normalise);
	return true;
}

static bool
validate_source(const struct config_place *root, struct config *config, unsigned index)
{
	const struct config_place place = config_value_place(root, "sources", (int)index);
	struct config_source *source = &config->sources[index];
	const struct config_quantity tolerance = {"tolerance", source->tolerance_text,
						  "300s",      "1s",
						  "1d",        .milliseconds = &source->tolerance};

	if (!config_value_name(&place, "name", source->name) ||
	    !validate_request_path(&place, source->path))
		return false;
	for (unsigned i = 0; i < index; i++) {
		bool same_name = strcmp(config->sources[i].name, source->name) == 0;

		if (!same_name && strcmp(config->sources[i].path, source->path) != 0)
			continue;
		error_set(place.error, "'%s' is that of sources[%u] too",
			  same_name ? source->name : source->path, i);
		return config_value_wrong(&place, same_name ? "name" : "path");
	}
	return validate_signature(&place, source) && validate_profile(&place, source) &&
	       config_value_events(&place, &source->events, &source->events_count) &&
	       config_value_quantities(&place, &tolerance, 1);
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
	    .file = config->path, .directory = directory, .error = error};

	if (!validate_listen(&root, &config->listen) || !validate_spool(&root, &config->spool))
		goto finish;
	for (unsigned i = 0; i < config->sources_count; i++)
		if (!validate_source(&root, config, i))
			goto finish;
	for (unsigned i = 0; i < config->destinations_count; i++)
		if (!config_validate_destination(&root, config, i))
			goto finish;
	done = true;
finish:
	free(directory);
	return done;
}
