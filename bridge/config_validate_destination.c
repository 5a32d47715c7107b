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

/* How many there are, at best one: the last of them. */
static int
find_vendor(struct config_destination *destination)
{
	int count = 0;

	for (int i = 0; i < CONFIG_VENDORS; i++) {
		if (destination->vendors[i] == NULL)
			continue;
		destination->http = destination->vendors[i];
		destination->http->vendor = (enum config_vendor)i;
		count++;
	}
	return count;
}

static bool
validate_kind(const struct config_place *place, struct config_destination *destination,
	      const struct config_profile *profile)
{
	const struct config_place file_place = config_value_place(place, "file", -1);
	struct config_file *file = destination->file;

	int kinds = (destination->syslog != NULL) + (file != NULL) + (destination->email != NULL) +
		    (destination->splunk_hec != NULL) + find_vendor(destination);

	if (kinds != 1) {
		error_set(place->error,
			  "'%s' %s; give one of them: syslog, file, email, splunk_hec, pagerduty, "
			  "opsgenie, "
			  "alertmanager, slack, ntfy, http",
			  destination->name,
			  kinds > 0 ? "goes to two places" : "does not say where to");
		return config_value_wrong(place, "");
	}
	if (destination->email != NULL)
		return config_validate_email(place, destination->email);
	if (destination->splunk_hec != NULL)
		return config_validate_splunk_hec(place, destination->splunk_hec);
	if (destination->http != NULL)
		return config_validate_http(place, destination->http);
	if (destination->syslog != NULL)
		return config_validate_syslog(place, destination->syslog, profile);
	return file == NULL || strcmp(file->path, "-") == 0 ||
	       config_value_path(&file_place, "path", &file->path);
}

/* A collector has rules that miss it; a file has no reader that would, and it would wake people. */
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
	if (!off && config_is_for_people(destination)) {
		error_set(place->error, "people need none; take it out");
		return config_value_wrong(place, "heartbeat");
	}
	return off || config_value_quantities(place, &row, 1);
}

/* Where nothing is said: what people review, or what wakes them, rather than everything. */
static void
default_for_people(struct config_destination *destination)
{
	static const char *const to_review[] = {"billing.*", "usage.*", "member.*", "security.*"};
	static const char *const to_page[] = {"key.disabled", "security.* >= high",
					      "source.silent"};
	const char *const *events = destination->email != NULL ? to_review : to_page;
	size_t count = destination->email != NULL ? COUNT(to_review) : COUNT(to_page);

	destination->events = memory_allocate_array(count, sizeof(*destination->events));
	for (size_t i = 0; i < count; i++)
		destination->events[i] = memory_copy_text(events[i], strlen(events[i]));
	destination->events_count = (unsigned)count;
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
	(void)find_vendor(destination);
	if (config_is_for_people(destination) && destination->events_count == 0)
		default_for_people(destination);
	if (!find_profile(&place, destination, &profile) ||
	    !config_value_quantities(&place, rows, 1) ||
	    !config_validate_route(&place, config, destination) ||
	    !validate_kind(&place, destination, profile) ||
	    !validate_heartbeat(&place, destination))
		return false;
	return config_validate_format(&place, config, destination, profile);
}
