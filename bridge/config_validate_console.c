/*
 * What a schema cannot say of `console`.  What it shows is other people's events, and
 * its replay button sends them: off this machine only to who knows the password, and
 * never in the clear.
 */
#include "bridge/config_value.h"

#include <arpa/inet.h>
#include <string.h>

bool
config_validate_console_is_loopback(const char *address)
{
	struct error ignored;
	char host[256], port[8];
	struct in_addr four;
	struct in6_addr six;

	if (!config_parse_address(address, host, port, &ignored))
		return false;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return IN6_IS_ADDR_LOOPBACK(&six);
	return strcmp(host, "localhost") == 0;
}

static bool
validate_pair(const struct config_place *place, const struct config_console *console)
{
	if ((console->certificate != NULL) == (console->private_key != NULL))
		return true;
	error_set(place->error, "certificate and private_key go together");
	return config_value_wrong(place,
				  console->certificate != NULL ? "certificate" : "private_key");
}

/* Off this machine. */
static bool
validate_exposed(const struct config_place *place, const struct config_console *console)
{
	const char *missing = console->password_file == NULL ? "password_file"
			      : console->certificate == NULL ? "certificate and private_key"
							     : NULL;

	if (missing == NULL)
		return true;
	error_set(place->error,
		  "%.100s is not loopback, where the console needs password_file, certificate and "
		  "private_key, and %s is missing; add it, or take 127.0.0.1:9464",
		  console->address, missing);
	return config_value_wrong(place, "address");
}

bool
config_validate_console(const struct config_place *root, struct config_console *console)
{
	const struct config_place place = config_value_place(root, "console", -1);

	if (!config_value_address(&place, "address", console->address, false) ||
	    !validate_pair(&place, console) ||
	    (!config_validate_console_is_loopback(console->address) &&
	     !validate_exposed(&place, console)))
		return false;
	for (unsigned i = 0; i < console->hosts_count; i++) {
		const struct config_place entry = config_value_place(&place, "hosts", (int)i);

		if (!config_value_printable(&entry, "", console->hosts[i], 255))
			return false;
	}
	/* a name without a slash is a credential of the service manager */
	if (console->password_file != NULL && strchr(console->password_file, '/') != NULL &&
	    !config_value_path(&place, "password_file", &console->password_file))
		return false;
	return console->certificate == NULL ||
	       (config_value_path(&place, "certificate", &console->certificate) &&
		config_value_path(&place, "private_key", &console->private_key));
}
