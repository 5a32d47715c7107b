/*
 * What a schema cannot say of one destination.  The default and the range of each
 * key stand here, in its row or call.
 */
#include "bridge/config_value.h"

#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
validate_format(const struct config_place *place, struct config_destination *destination)
{
	const char *name = destination->format_text != NULL ? destination->format_text : "cef";
	char bytes[256];
	struct text known;

	if (destination->email != NULL) {
		if (destination->format_text == NULL)
			return true;
		error_set(place->error, "email is written for people; take it out");
		return config_value_wrong(place, "format");
	}
	destination->format = format_find(text_of(name));
	if (destination->format != NULL)
		return true;
	text_start(&known, bytes, sizeof(bytes));
	for (size_t i = 0; format_at(i) != NULL; i++)
		text_append_format(&known, "%s%s", i > 0 ? ", " : "", format_at(i)->name);
	error_set(place->error, "'%.40s' is unknown; known: %.*s", name, (int)known.length,
		  known.bytes);
	return config_value_wrong(place, "format");
}

/* `written`, or a copy of the default in its place. */
static struct slice
or_default(char **written, struct slice fallback)
{
	if (*written == NULL)
		*written = memory_copy_text(fallback.bytes, fallback.length);
	return text_of(*written);
}

static void
fill_options(const struct config *config, struct config_destination *destination)
{
	struct format_options *options = &destination->options;
	struct config_syslog *syslog = destination->syslog;

	format_default_options(options);
	if (destination->device == NULL)
		destination->device = memory_allocate(sizeof(*destination->device));
	options->device_vendor = or_default(&destination->device->vendor, options->device_vendor);
	options->device_product =
	    or_default(&destination->device->product, options->device_product);
	options->device_version =
	    or_default(&destination->device->version, options->device_version);
	options->hostname = text_of(config->hostname);
	if (syslog == NULL)
		return;
	if (syslog->hostname != NULL)
		options->hostname = text_of(syslog->hostname);
	options->app_name = or_default(&syslog->app_name, options->app_name);
	options->facility = syslog->facility;
	options->enterprise_number = syslog->enterprise_number;
	options->maximum_length = syslog->max_message_size;
}

static bool
validate_kind(const struct config_place *place, struct config_destination *destination)
{
	const struct config_place file_place = config_value_place(place, "file", -1);
	struct config_file *file = destination->file;

	int kinds = (destination->syslog != NULL) + (file != NULL) + (destination->email != NULL);

	if (kinds != 1) {
		error_set(place->error, "'%s' %s; give one of them: syslog, file, email",
			  destination->name,
			  kinds > 0 ? "goes to two places" : "does not say where to");
		return config_value_wrong(place, "");
	}
	if (destination->email != NULL)
		return config_validate_email(place, destination->email);
	if (destination->syslog != NULL)
		return config_validate_syslog(place, destination->syslog);
	return strcmp(file->path, "-") == 0 || config_value_path(&file_place, "path", &file->path);
}

/* A collector has rules that miss it; a file has no reader that would. */
static bool
validate_heartbeat(const struct config_place *place, struct config_destination *destination)
{
	const struct config_quantity row = {"heartbeat", destination->heartbeat_text,
					    "5m",        "1s",
					    "1d",        .milliseconds = &destination->heartbeat};
	bool off = destination->heartbeat_text == NULL
		       ? destination->syslog == NULL
		       : strcmp(destination->heartbeat_text, "off") == 0;

	destination->heartbeat = 0;
	return off || config_value_quantities(place, &row, 1);
}

/* What people review, rather than everything. */
static void
default_to_review(struct config_destination *destination)
{
	static const char *const events[] = {"billing.*", "usage.*", "member.*", "security.*"};

	destination->events = memory_allocate_array(COUNT(events), sizeof(*destination->events));
	for (size_t i = 0; i < COUNT(events); i++)
		destination->events[i] = memory_copy_text(events[i], strlen(events[i]));
	destination->events_count = COUNT(events);
}

bool
config_validate_destination(const struct config_place *root, struct config *config, unsigned index)
{
	const struct config_place place = config_value_place(root, "destinations", (int)index);
	struct config_destination *destination = &config->destinations[index];
	const struct config_quantity rows[] = {
	    {"hold_retry", destination->hold_retry_text, "30s", "100ms", "1h",
	     .milliseconds = &destination->hold_retry},
	};

	if (!config_value_name(&place, "name", destination->name))
		return false;
	for (unsigned i = 0; i < index; i++) {
		if (strcmp(config->destinations[i].name, destination->name) != 0)
			continue;
		error_set(place.error, "'%s' is that of destinations[%u] too", destination->name,
			  i);
		return config_value_wrong(&place, "name");
	}
	if (destination->email != NULL && destination->events_count == 0)
		default_to_review(destination);
	if (!validate_format(&place, destination) || !config_value_quantities(&place, rows, 1) ||
	    !config_validate_route(&place, config, destination) ||
	    !validate_kind(&place, destination) || !validate_heartbeat(&place, destination))
		return false;
	fill_options(config, destination);
	return true;
}
