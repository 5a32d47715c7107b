/*
 * What a schema cannot say of those that tell people, and of `http`.  The defaults of
 * each vendor are its row; the ranges stand here, in their row or call.
 */
#include "bridge/config_value.h"

#include <string.h>
#include <strings.h>

#include "formats/memory.h"
#include "formats/template.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct vendor {
	const char *url;  /* NULL: none */
	uint32_t rate;    /* requests a minute; 0: no limit */
	const char *fold; /* a duration */
	bool replays;
};

static const struct vendor vendors[] = {
    [CONFIG_VENDOR_PAGERDUTY] = {"https://events.pagerduty.com/v2/enqueue", 120, "5m", false},
    [CONFIG_VENDOR_OPSGENIE] = {"https://api.opsgenie.com", 120, "5m", false},
    [CONFIG_VENDOR_ALERTMANAGER] = {NULL, 0, "5m", false},
    [CONFIG_VENDOR_SLACK] = {NULL, 60, "5m", false},
    [CONFIG_VENDOR_NTFY] = {"https://ntfy.sh", 60, "5m", false},
    [CONFIG_VENDOR_HTTP] = {NULL, 0, "0s", true},
};

static bool
begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* A password in an address would be in logs and in `check`. */
static bool
validate_url(const struct config_place *place, struct config_http *http, const char *fallback)
{
	const char *host;

	if (http->url != NULL && http->url_file != NULL) {
		error_set(place->error, "url and url_file exclude each other");
		return config_value_wrong(place, "url_file");
	}
	if (http->url_file != NULL)
		return true;
	if (http->url == NULL && fallback != NULL)
		http->url = memory_copy_text(fallback, strlen(fallback));
	if (http->url == NULL) {
		error_set(place->error, "it does not say where to; give url or url_file");
		return config_value_wrong(place, "");
	}
	if (!config_value_printable(place, "url", http->url, 2048))
		return false;
	host = strstr(http->url, "://");
	if ((!begins_with(http->url, "https://") && !begins_with(http->url, "http://")) ||
	    host[3] == '\0' || host[3] == '/') {
		error_set(place->error, "'%.80s' is no address; write https://host/path",
			  http->url);
		return config_value_wrong(place, "url");
	}
	host += 3;
	if (memchr(host, '@', strcspn(host, "/?#")) == NULL)
		return true;
	error_set(place->error, "a password has no place in it; put it into a file");
	return config_value_wrong(place, "url");
}

static bool
validate_files(const struct config_place *place, struct config_http *http)
{
	const struct {
		const char *key;
		char **path;
	} secrets[] = {
	    {"url_file", &http->url_file},
	    {config_vendor_key(http->vendor), &http->key_file},
	    {"topic_file", &http->topic_file},
	    {"secret_file", &http->secret_file},
	};

	/* without a slash it is a credential of systemd's */
	for (size_t i = 0; i < COUNT(secrets); i++)
		if (*secrets[i].path != NULL && strchr(*secrets[i].path, '/') != NULL &&
		    !config_value_path(place, secrets[i].key, secrets[i].path))
			return false;
	return http->ca_file == NULL || config_value_path(place, "ca_file", &http->ca_file);
}

static bool
validate_topic(const struct config_place *place, const struct config_http *http)
{
	if (http->vendor != CONFIG_VENDOR_NTFY)
		return true;
	if ((http->topic != NULL) == (http->topic_file != NULL)) {
		error_set(place->error, "give topic or topic_file");
		return config_value_wrong(place, "");
	}
	return config_value_printable(place, "topic", http->topic, 64);
}

/* "Name: value", and not one that is ours to write. */
static bool
validate_header(const struct config_place *place, int index, const char *header)
{
	static const char *const ours[] = {
	    "content-type:",  "content-length:", "host:",   "transfer-encoding:",
	    "authorization:", "connection:",     "webhook-"};
	static const char token[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_";
	const struct config_place entry = config_value_place(place, "headers", index);
	size_t name = strspn(header, token);

	if (name == 0 || header[name] != ':') {
		error_set(place->error, "'%.40s' is no header; write \"Name: value\"", header);
		return config_value_wrong(&entry, "");
	}
	for (const char *byte = header; *byte != '\0'; byte++) {
		if (*byte >= ' ' && *byte <= '~')
			continue;
		error_set(place->error, "a header is printable ASCII");
		return config_value_wrong(&entry, "");
	}
	for (size_t i = 0; i < COUNT(ours); i++) {
		if (strncasecmp(header, ours[i], strlen(ours[i])) != 0)
			continue;
		error_set(place->error,
			  "%.*s is written by the bridge; see content_type, token_file and "
			  "secret_file",
			  (int)name, header);
		return config_value_wrong(&entry, "");
	}
	return true;
}

static bool
validate_own(const struct config_place *place, struct config_http *http)
{
	static const struct config_word methods[] = {{"POST", 0}, {"PUT", 1}, {"PATCH", 2}};
	int ignored;

	if (http->vendor != CONFIG_VENDOR_HTTP)
		return true; /* it has none of these keys, so nobody would free them */
	if (http->method != NULL &&
	    !config_value_word(place, "method", http->method, methods, COUNT(methods), &ignored))
		return false;
	if (http->method == NULL)
		http->method = memory_copy_text("POST", strlen("POST"));
	if (http->content_type == NULL)
		http->content_type =
		    memory_copy_text("application/json", strlen("application/json"));
	for (const char *byte = http->content_type; *byte != '\0'; byte++) {
		if (*byte >= ' ' && *byte <= '~')
			continue;
		error_set(place->error, "a media type is printable ASCII");
		return config_value_wrong(place, "content_type");
	}
	for (unsigned i = 0; i < http->headers_count; i++)
		if (!validate_header(place, (int)i, http->headers[i]))
			return false;
	return http->body == NULL || template_check(text_of(http->body), false, place->error) ||
	       config_value_wrong(place, "body");
}

bool
config_validate_http(const struct config_place *destination, struct config_http *http)
{
	const struct vendor *vendor = &vendors[http->vendor];
	const struct config_place place =
	    config_value_place(destination, config_vendor_name(http->vendor), -1);
	const struct config_quantity rows[] = {
	    {"timeout", http->timeout_text, "10s", "100ms", "5m", .milliseconds = &http->timeout},
	    {"fold", http->fold_text, vendor->fold, "0s", "1d", .milliseconds = &http->fold},
	};

	return validate_url(&place, http, vendor->url) && validate_files(&place, http) &&
	       validate_topic(&place, http) && validate_own(&place, http) &&
	       config_value_printable(&place, "proxy", http->proxy, 300) &&
	       config_value_quantities(&place, rows, COUNT(rows)) &&
	       config_value_number(&place, "rate", http->rate_text, vendor->rate, 0, 60000,
				   &http->rate) &&
	       config_value_switch(&place, "replays", http->replays_text, vendor->replays,
				   &http->replays);
}
