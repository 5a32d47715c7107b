/*
 * What a schema cannot say of `email` of a destination.  The default and the range of
 * each key stand here, in its row or call.
 */
#include "bridge/config_value.h"

#include <string.h>

#include "formats/mail.h"
#include "formats/template.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
validate_addresses(const struct config_place *place, const struct config_email *email)
{
	struct slice name, address;

	if (!mail_split_address(text_of(email->from), &name, &address, place->error))
		return config_value_wrong(place, "from");
	for (unsigned i = 0; i < email->to_count; i++) {
		const struct config_place entry = config_value_place(place, "to", (int)i);

		if (!mail_split_address(text_of(email->to[i]), &name, &address, place->error))
			return config_value_wrong(&entry, "");
		if (address.length == strlen(email->to[i]))
			continue;
		error_set(place->error, "'%.80s' has a name; here stands the address alone",
			  email->to[i]);
		return config_value_wrong(&entry, "");
	}
	return true;
}

/* Both or neither, and never in the clear. */
static bool
validate_login(const struct config_place *place, struct config_email *email)
{
	if ((email->username != NULL) != (email->password_file != NULL)) {
		error_set(place->error, "username and password_file go together");
		return config_value_wrong(place,
					  email->username != NULL ? "username" : "password_file");
	}
	if (email->username == NULL)
		return true;
	if (email->security == CONFIG_SECURITY_NONE) {
		error_set(place->error, "a password is not sent in the clear; take out 'security: "
					"none', or the login");
		return config_value_wrong(place, "username");
	}
	return config_value_printable(place, "username", email->username, 255) &&
	       (strchr(email->password_file, '/') == NULL ||
		config_value_path(place, "password_file", &email->password_file));
}

static bool
validate_template(const struct config_place *place, const char *key, const char *template)
{
	return template == NULL || template_check(text_of(template), false, place->error) ||
	       config_value_wrong(place, key);
}

/* A value of the file is one line: "\n" in it stands for the end of a line. */
static void
read_line_ends(char *text)
{
	char *end = text;

	for (; text != NULL && *text != '\0'; text++) {
		if (text[0] == '\\' && text[1] == 'n')
			*++text = '\n';
		*end++ = *text;
	}
	if (end != NULL)
		*end = '\0';
}

bool
config_validate_email(const struct config_place *destination, struct config_email *email)
{
	static const struct config_word securities[] = {
	    {"starttls", CONFIG_SECURITY_STARTTLS},
	    {"tls", CONFIG_SECURITY_TLS},
	    {"none", CONFIG_SECURITY_NONE},
	};
	const struct config_place place = config_value_place(destination, "email", -1);
	const struct config_quantity rows[] = {
	    {"digest", email->digest_text, "0s", "0s", "1d", .milliseconds = &email->digest},
	    {"timeout", email->timeout_text, "60s", "1s", "10m", .milliseconds = &email->timeout},
	};
	int security = CONFIG_SECURITY_STARTTLS;

	if (!config_value_address(&place, "server", email->server, true) ||
	    !config_value_printable(&place, "server", email->server, 300) ||
	    (email->security_text != NULL &&
	     !config_value_word(&place, "security", email->security_text, securities,
				COUNT(securities), &security)))
		return false;
	email->security = (enum config_security)security;
	read_line_ends(email->text);
	return validate_addresses(&place, email) && validate_login(&place, email) &&
	       (email->ca_file == NULL || config_value_path(&place, "ca_file", &email->ca_file)) &&
	       config_value_quantities(&place, rows, COUNT(rows)) &&
	       validate_template(&place, "subject", email->subject) &&
	       validate_template(&place, "text", email->text);
}
