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
find_profile(const struct config_place *place, const struct config_destination *destination,
	     const struct config_profile **profile)
{
	char bytes[128];
	struct text known;

	*profile = config_profile_find(destination->profile);
	if (*profile != NULL)
		return true;
	text_start(&known, bytes, sizeof(bytes));
	for (size_t i = 0; config_profile_at(i) != NULL; i++)
		text_append_format(&known, "%s%s", i > 0 ? ", " : "", config_profile_at(i));
	error_set(place->error, "'%.40s' is unknown; known: %.*s", destination->profile,
		  (int)known.length, known.bytes);
	return config_value_wrong(place, "profile");
}

static bool
validate_kind(const struct config_place *place, struct config_destination *destination,
	      const struct config_profile *profile)
{
	const struct config_place file_place = config_value_place(place, "file", -1);
	struct config_file *file = destination->file;

	int kinds = (destination->syslog != NULL) + (file != NULL) + (destination->email != NULL) +
		    (destination->splunk_hec != NULL);

	if (kinds != 1) {
		error_set(
		    place->error, "'%s' %s; give one of them: syslog, file, email, splunk_hec",
		    destination->name, kinds > 0 ? "goes to two places" : "does not say where to");
		return config_value_wrong(place, "");
	}
	if (destination->email != NULL)
		return config_validate_email(place, destination->email);
	if (destination->splunk_hec != NULL)
		return config_validate_splunk_hec(place, destination->splunk_hec);
	if (destination->syslog != NULL)
		return config_validate_syslog(place, destination->syslog, profile);
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
		       ? destination->syslog == NULL && destination->splunk_hec == NULL
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
	const struct config_profile *profile;

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
	if (!find_profile(&place, destination, &profile) ||
	    !config_value_quantities(&place, rows, 1) ||
	    !config_validate_route(&place, config, destination) ||
	    !validate_kind(&place, destination, profile) ||
	    !validate_heartbeat(&place, destination))
		return false;
	return config_validate_format(&place, config, destination, profile);
}
