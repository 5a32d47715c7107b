/*
 * What a schema cannot say of `splunk_hec` of a destination.  The default and the range
 * of each key stand here, in its row or call.
 */
#include "bridge/config_value.h"

#include <string.h>

#include "formats/template.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LONGEST_URL = 2000, MOST_EVENTS = 10000 };

static bool
begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* The address of a server: scheme, host, port; a path where `path` allows it. */
static bool
validate_url(const struct config_place *place, const char *key, const char *url, bool path)
{
	const char *host = strstr(url, "://");

	if (!config_value_printable(place, key, url, LONGEST_URL))
		return false;
	if (host == NULL || (!begins_with(url, "https://") && !begins_with(url, "http://")))
		error_set(place->error,
			  "'%.80s' is no address like https://splunk.example.com:8088", url);
	else if (strchr(url, '@') != NULL)
		error_set(place->error, "a login in the address would be in logs; take it out");
	else if (strpbrk(url, "?#") != NULL)
		error_set(place->error, "no query belongs here; the token is in token_file");
	else if (host[3] == '\0' || strchr(":/", host[3]) != NULL)
		error_set(place->error, "'%.80s' names no host", url);
	else if (!path && strchr(host + 3, '/') != NULL)
		error_set(place->error, "'%.80s' has a path; host and port are enough", url);
	else
		return true;
	return config_value_wrong(place, key);
}

static bool
validate_urls(const struct config_place *place, const struct config_splunk_hec *hec)
{
	if (!config_validate_several_where(place, &hec->several, hec->url, "a", "url", "urls"))
		return false;
	for (unsigned i = 0; i < hec->several.count; i++) {
		const struct config_place entry = config_value_place(place, "urls", (int)i);

		if (!validate_url(&entry, "", hec->several.addresses[i], true))
			return false;
	}
	return hec->url == NULL || validate_url(place, "url", hec->url, true);
}

/* The four of the envelope. */
static bool
validate_templates(const struct config_place *place, const struct config_splunk_hec *hec)
{
	/* Where an event is filed, no sender is to choose. */
	const struct {
		const char *key;
		const char *text;
		bool safe;
	} rows[] = {
	    {"index", hec->index, true},
	    {"sourcetype", hec->sourcetype, true},
	    {"source", hec->source, false},
	    {"host", hec->host, false},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].text != NULL &&
		    !template_check(text_of(rows[i].text), rows[i].safe, place->error))
			return config_value_wrong(place, rows[i].key);
	return true;
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool
is_guid(const char *text)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(text) != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == '-' ? text[i] != '-'
				    : strchr("0123456789abcdefABCDEF", text[i]) == NULL)
			return false;
	return true;
}

static bool
validate_channel(const struct config_place *place, const struct config_splunk_hec *hec)
{
	if (hec->channel == NULL)
		return true;
	/* the number of a request at one of them would be taken for the other's */
	if (hec->several.count > 1)
		error_set(place->error, "has a use with one url alone; take it out, and each "
					"connection has a channel of its own");
	else if (is_guid(hec->channel))
		return true;
	else
		error_set(place->error, "'%.80s' is no GUID; `uuidgen` makes one", hec->channel);
	return config_value_wrong(place, "channel");
}

static bool
validate_files(const struct config_place *place, struct config_splunk_hec *hec)
{
	struct {
		const char *key;
		char **path;
	} rows[] = {
	    {"ca_file", &hec->ca_file},
	    {"certificate", &hec->certificate},
	    {"private_key", &hec->private_key},
	};

	/* without a slash: a credential of systemd */
	if (strchr(hec->token_file, '/') != NULL &&
	    !config_value_path(place, "token_file", &hec->token_file))
		return false;
	if ((hec->certificate != NULL) != (hec->private_key != NULL)) {
		error_set(place->error, "certificate and private_key go together");
		return config_value_wrong(place,
					  hec->certificate != NULL ? "certificate" : "private_key");
	}
	for (size_t i = 0; i < COUNT(rows); i++)
		if (*rows[i].path != NULL && !config_value_path(place, rows[i].key, rows[i].path))
			return false;
	return true;
}

static bool
validate_trust(const struct config_place *place, const struct config_splunk_hec *hec)
{
	if (hec->pinned_key == NULL)
		return true;
	if (!begins_with(hec->pinned_key, "sha256//"))
		error_set(place->error, "'%.80s' is no sha256//BASE64", hec->pinned_key);
	else if (hec->ca_file != NULL)
		error_set(place->error, "with a pinned key ca_file has no effect; take one out");
	else
		return config_value_printable(place, "pinned_key", hec->pinned_key, 100);
	return config_value_wrong(place, "pinned_key");
}

bool
config_validate_splunk_hec(const struct config_place *destination, struct config_splunk_hec *hec)
{
	const struct config_place place = config_value_place(destination, "splunk_hec", -1);
	const struct config_quantity rows[] = {
	    {"batch_size", hec->batch_size_text, "1MiB", "16KiB", "16MiB",
	     .bytes = &hec->batch_size},
	    {"linger", hec->linger_text, "0s", "0s", "1m", .milliseconds = &hec->linger},
	    {"ack_interval", hec->ack_interval_text, "10s", "100ms", "10m",
	     .milliseconds = &hec->ack_interval},
	    {"ack_timeout", hec->ack_timeout_text, "5m", "1s", "1d",
	     .milliseconds = &hec->ack_timeout},
	    {"timeout", hec->timeout_text, "60s", "100ms", "10m", .milliseconds = &hec->timeout},
	};

	return validate_urls(&place, hec) &&
	       config_validate_several(&place, &hec->several, "several urls") &&
	       (hec->proxy == NULL || validate_url(&place, "proxy", hec->proxy, false)) &&
	       config_value_switch(&place, "acknowledge", hec->acknowledge_text, false,
				   &hec->acknowledge) &&
	       config_value_switch(&place, "gzip", hec->gzip_text, false, &hec->gzip) &&
	       config_value_number(&place, "batch_events", hec->batch_events_text, 2000, 1,
				   MOST_EVENTS, &hec->batch_events) &&
	       config_value_quantities(&place, rows, COUNT(rows)) &&
	       validate_templates(&place, hec) && validate_channel(&place, hec) &&
	       validate_files(&place, hec) && validate_trust(&place, hec);
}
