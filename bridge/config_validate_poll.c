/*
 * What a schema cannot say of `poll` of a source.  The default and the range of each key
 * stand here, in its row or call.
 */
#include "bridge/config_value.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LONGEST_URL = 2000, LONGEST_POINTER = 200 };

/* Every {word} is one that stands for something. */
static bool
validate_words(const struct config_place *place, const char *url)
{
	static const char *const words[] = {"{since}", "{until}", "{cursor}"};

	for (const char *at = strchr(url, '{'); at != NULL; at = strchr(at + 1, '{')) {
		bool known = false;

		for (size_t i = 0; i < COUNT(words); i++)
			known = known || strncmp(at, words[i], strlen(words[i])) == 0;
		if (known)
			continue;
		error_set(place->error, "'%.40s': of {since}, {until}, {cursor} it is none", at);
		return config_value_wrong(place, "url");
	}
	return true;
}

static bool
validate_url(const struct config_place *place, const struct config_poll *poll)
{
	const char *url = poll->url;

	if (!config_value_printable(place, "url", url, LONGEST_URL))
		return false;
	if (strncmp(url, "https://", strlen("https://")) != 0 &&
	    strncmp(url, "http://", strlen("http://")) != 0)
		error_set(place->error, "'%.80s' is no address like https://api.example.com/events",
			  url);
	else if (strchr(url, '@') != NULL)
		error_set(place->error, "a login in the address would be in logs; take it out");
	else if (strstr(url, "{cursor}") != NULL && poll->next == NULL)
		error_set(place->error, "{cursor} needs `next`, which says where it stands");
	else if (strstr(url, "{since}") == NULL && poll->next == NULL)
		error_set(place->error, "needs {since}, or `next` that leads on; with neither "
					"only one page would ever be seen");
	else
		return validate_words(place, url);
	return config_value_wrong(place, "url");
}

/* "" or "/name/name": no ~, and so no escapes. */
static bool
validate_pointer(const struct config_place *place, const char *key, const char *pointer)
{
	if (pointer == NULL || pointer[0] == '\0')
		return true;
	if (pointer[0] == '/' && strchr(pointer, '~') == NULL && strchr(pointer, '"') == NULL &&
	    strlen(pointer) <= LONGEST_POINTER)
		return true;
	error_set(place->error, "'%.80s' is no pointer like /data/events", pointer);
	return config_value_wrong(place, key);
}

static bool
validate_pointers(const struct config_place *place, const struct config_poll *poll)
{
	return validate_pointer(place, "items", poll->items) &&
	       validate_pointer(place, "event", poll->event) &&
	       validate_pointer(place, "id", poll->id) &&
	       validate_pointer(place, "time", poll->time) &&
	       validate_pointer(place, "next", poll->next);
}

static bool
validate_times(const struct config_place *place, struct config_poll *poll)
{
	static const struct config_word forms[] = {
	    {"rfc3339", CONFIG_SINCE_RFC3339},
	    {"seconds", CONFIG_SINCE_SECONDS},
	    {"milliseconds", CONFIG_SINCE_MILLISECONDS},
	};
	const struct config_quantity rows[] = {
	    {"interval", poll->interval_text, "5m", "1s", "7d", .milliseconds = &poll->interval},
	    {"lookback", poll->lookback_text, "24h", "1m", "90d", .milliseconds = &poll->lookback},
	    {"grace", poll->grace_text, "10m", "0s", "24h", .milliseconds = &poll->grace},
	    {"timeout", poll->timeout_text, "30s", "1s", "10m", .milliseconds = &poll->timeout},
	};
	int form = CONFIG_SINCE_RFC3339;

	if (!config_value_quantities(place, rows, COUNT(rows)) ||
	    (poll->since_form_text != NULL &&
	     !config_value_word(place, "since_form", poll->since_form_text, forms, COUNT(forms),
				&form)))
		return false;
	poll->since_form = (enum config_since)form;
	if (poll->grace < poll->lookback)
		return true;
	error_set(place->error, "must be shorter than lookback, or nothing is ever looked for");
	return config_value_wrong(place, "grace");
}

bool
config_validate_poll(const struct config_place *source, struct config_poll *poll)
{
	const struct config_place place = config_value_place(source, "poll", -1);

	if (!validate_url(&place, poll) || !validate_pointers(&place, poll) ||
	    !validate_times(&place, poll))
		return false;
	/* without a slash: a credential of systemd */
	if (poll->token_file != NULL && strchr(poll->token_file, '/') != NULL &&
	    !config_value_path(&place, "token_file", &poll->token_file))
		return false;
	return poll->ca_file == NULL || config_value_path(&place, "ca_file", &poll->ca_file);
}
