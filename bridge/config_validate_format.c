/*
 * How the events of a destination are written: its format, what its profile says, and
 * over that what is written in the file.
 */
#include "bridge/config_value.h"

#include <string.h>

#include "formats/format_setting.h"
#include "formats/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One key that is written, and which formats have a use for it. */
struct setting {
	const char *key;
	const char *text;
	const char *const *formats; /* up to NULL; NULL: all */
};

static bool
find_format(const struct config_place *place, struct config_destination *destination,
	    const struct config_profile *profile)
{
	const char *fallback =
	    destination->http != NULL && destination->profile == NULL ? "json" : profile->format;
	const char *name = destination->format_text != NULL ? destination->format_text : fallback;
	char bytes[256];
	struct text known;

	if (destination->splunk_hec != NULL) {
		destination->format = format_find(SLICE_LITERAL("hec"));
		if (destination->format_text == NULL || strcmp(name, "hec") == 0)
			return true;
		error_set(place->error, "splunk_hec takes the format hec alone; take it out");
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

/* What is written for people has no other form. */
static bool
refuse_format(const struct config_place *place, const struct setting *settings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (settings[i].text == NULL)
			continue;
		error_set(place->error, "what is written for people has no format; take it out");
		return config_value_wrong(place, settings[i].key);
	}
	return true;
}

static bool
is_used(const struct setting *setting, const struct format *format)
{
	if (setting->formats == NULL)
		return true;
	for (size_t i = 0; setting->formats[i] != NULL; i++)
		if (strcmp(setting->formats[i], format->name) == 0)
			return true;
	return false;
}

static bool
refuse_idle(const struct config_place *place, const struct setting *setting)
{
	char bytes[128];
	struct text known;

	text_start(&known, bytes, sizeof(bytes));
	for (size_t i = 0; setting->formats[i] != NULL; i++)
		text_append_format(&known, "%s%s", i > 0 ? ", " : "", setting->formats[i]);
	error_set(place->error, "has a use with 'format: %.*s' alone; take it out",
		  (int)known.length, known.bytes);
	return config_value_wrong(place, setting->key);
}

static bool
apply(const struct config_place *place, struct config_destination *destination,
      const struct setting *settings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct setting *setting = &settings[i];

		if (setting->text == NULL)
			continue;
		if (!is_used(setting, destination->format))
			return refuse_idle(place, setting);
		if (!format_setting_write(&destination->options, setting->key, setting->text,
					  place->error))
			return config_value_wrong(place, setting->key);
	}
	return true;
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
fill_envelope(struct format_options *options, struct config_splunk_hec *hec)
{
	options->hec.source = or_default(&hec->source, options->hec.source);
	options->hec.sourcetype = or_default(&hec->sourcetype, options->hec.sourcetype);
	options->hec.host = text_of(hec->host);
	options->hec.index = text_of(hec->index);
}

static void
fill_names(const struct config *config, struct config_destination *destination)
{
	struct format_options *options = &destination->options;
	struct config_syslog *syslog = destination->syslog;

	if (destination->device == NULL)
		destination->device = memory_allocate(sizeof(*destination->device));
	options->device_vendor = or_default(&destination->device->vendor, options->device_vendor);
	options->device_product =
	    or_default(&destination->device->product, options->device_product);
	options->device_version =
	    or_default(&destination->device->version, options->device_version);
	options->hostname = text_of(config->hostname);
	if (destination->splunk_hec != NULL)
		fill_envelope(options, destination->splunk_hec);
	if (syslog == NULL)
		return;
	if (syslog->hostname != NULL)
		options->hostname = text_of(syslog->hostname);
	options->app_name = or_default(&syslog->app_name, options->app_name);
	options->maximum_length = syslog->max_message_size;
}

/* What the file says below `syslog`. */
static bool
apply_syslog(const struct config_place *destination_place, struct config_destination *destination)
{
	static const char *const headless[] = {"cef", "cef1", "leef", "leef2",
					       "ecs", "ocsf", "json", NULL};
	const struct config_place place = config_value_place(destination_place, "syslog", -1);
	const struct setting settings[] = {
	    {"header", destination->syslog->header_text, headless},
	    {"facility", destination->syslog->facility_text, NULL},
	    {"enterprise_number", destination->syslog->enterprise_number_text, NULL},
	};

	return apply(&place, destination, settings, COUNT(settings));
}

bool
config_validate_format(const struct config_place *place, const struct config *config,
		       struct config_destination *destination, const struct config_profile *profile)
{
	static const char *const cef[] = {"cef", "cef1", "cef-3164", NULL};
	static const char *const leef[] = {"leef2", NULL}, *const ocsf[] = {"ocsf", NULL},
				 *const json[] = {"json", NULL};
	const struct setting settings[] = {
	    {"bom", destination->bom_text, NULL},
	    {"time_zone", destination->time_zone_text, NULL},
	    {"cef_time", destination->cef_time_text, cef},
	    {"leef_delimiter", destination->leef_delimiter_text, leef},
	    {"ocsf_version", destination->ocsf_version_text, ocsf},
	    {"cee", destination->cee_text, json},
	};
	const struct setting names[] = {{"format", destination->format_text, NULL},
					{"profile", destination->profile, NULL}};

	config_profile_options(profile, &destination->options);
	fill_names(config, destination);
	if (config_is_for_people(destination))
		return refuse_format(place, names, COUNT(names)) &&
		       refuse_format(place, settings, COUNT(settings));
	if (!find_format(place, destination, profile) ||
	    (destination->syslog != NULL && !apply_syslog(place, destination)) ||
	    !apply(place, destination, settings, COUNT(settings)))
		return false;
	/* a request is written when it is sent, with what else belongs to it */
	if (destination->http != NULL) {
		destination->http->format = destination->format;
		destination->format = NULL;
	}
	return true;
}
