/*
 * What a schema cannot say of the `syslog` of a destination: which keys go
 * together, and the default and the range of each, in its row.
 */
#include "bridge/config_value.h"

#include <string.h>
#include <sys/un.h>

#include "bridge/fingerprint.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct config_word transports[] = {
    {"tcp", CONFIG_TRANSPORT_TCP},
    {"tls", CONFIG_TRANSPORT_TLS},
    {"udp", CONFIG_TRANSPORT_UDP},
    {"relp", CONFIG_TRANSPORT_RELP},
    {"relp-tls", CONFIG_TRANSPORT_RELP_TLS},
    {"unix", CONFIG_TRANSPORT_UNIX},
    {"unix-stream", CONFIG_TRANSPORT_UNIX_STREAM},
};

static const struct config_word framings[] = {
    {"octet-counting", CONFIG_FRAMING_OCTET_COUNTING},
    {"lf", CONFIG_FRAMING_LF},
};

/* A word where one is written; `fallback` otherwise. */
static bool
read_word(const struct config_place *place, const char *key, const char *text,
	  const struct config_word *words, size_t count, int fallback, int *value)
{
	*value = fallback;
	return text == NULL || config_value_word(place, key, text, words, count, value);
}

/* rsyslog and syslog-ng read lines from a unix socket, where nothing else is said. */
static int
default_framing(int transport, const struct config_profile *profile)
{
	return transport == CONFIG_TRANSPORT_UNIX_STREAM || strcmp(profile->framing, "lf") == 0
		   ? CONFIG_FRAMING_LF
		   : CONFIG_FRAMING_OCTET_COUNTING;
}

static bool
validate_words(const struct config_place *place, struct config_syslog *syslog,
	       const struct config_profile *profile)
{
	int transport, framing;

	if (!read_word(place, "transport", syslog->transport_text, transports, COUNT(transports),
		       CONFIG_TRANSPORT_TCP, &transport) ||
	    !read_word(place, "framing", syslog->framing_text, framings, COUNT(framings),
		       default_framing(transport, profile), &framing))
		return false;
	syslog->transport = (enum config_transport)transport;
	syslog->framing = (enum config_framing)framing;
	return true;
}

/* ---- keys that have a use with some others only ---- */

static unsigned
bit(enum config_transport transport)
{
	return 1U << transport;
}

/* "tcp, tls": those of the set, in the order of the table. */
static void
append_transports(struct text *text, unsigned set)
{
	const char *comma = "";

	for (size_t i = 0; i < COUNT(transports); i++) {
		if ((set & bit((enum config_transport)transports[i].value)) == 0)
			continue;
		text_append_format(text, "%s%s", comma, transports[i].name);
		comma = ", ";
	}
}

static bool
validate_use_of_transport(const struct config_place *place, const struct config_syslog *syslog)
{
	const struct config_tls *tls = &syslog->tls;
	const unsigned streams = bit(CONFIG_TRANSPORT_TCP) | bit(CONFIG_TRANSPORT_UNIX_STREAM);
	const unsigned secure = bit(CONFIG_TRANSPORT_TLS) | bit(CONFIG_TRANSPORT_RELP_TLS);
	const struct {
		const char *key;
		bool is_written;
		unsigned transports; /* that have a use for it */
	} rows[] = {
	    /* RFC 5425 4.3: TLS knows octet counting alone */
	    {"framing", syslog->framing_text != NULL, streams},
	    {"settle", syslog->settle_text != NULL, streams | bit(CONFIG_TRANSPORT_TLS)},
	    {"ca_file", tls->ca_file != NULL, secure},
	    {"server_name", tls->server_name != NULL, secure},
	    {"fingerprints", tls->fingerprints_count > 0, secure},
	    {"certificate", tls->certificate != NULL, secure},
	    {"private_key", tls->private_key != NULL, secure},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char bytes[128];
		struct text known;

		if (!rows[i].is_written || (rows[i].transports & bit(syslog->transport)) != 0)
			continue;
		text_start(&known, bytes, sizeof(bytes));
		append_transports(&known, rows[i].transports);
		error_set(place->error, "has a use with 'transport: %.*s' alone; take it out",
			  (int)known.length, known.bytes);
		return config_value_wrong(place, rows[i].key);
	}
	return true;
}

/* ---- addresses ---- */

/* `address` stands in the mapping of `place` under `key`. */
static bool
validate_address(const struct config_place *place, const char *key,
		 const struct config_syslog *syslog, const char *address)
{
	const size_t longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (syslog->transport != CONFIG_TRANSPORT_UNIX &&
	    syslog->transport != CONFIG_TRANSPORT_UNIX_STREAM)
		return config_value_address(place, key, address, true);
	if (address[0] == '/' && strlen(address) <= longest)
		return true;
	error_set(
	    place->error,
	    "'%.110s' must be the absolute path of a socket, at most %zu bytes, as in /dev/log",
	    address, longest);
	return config_value_wrong(place, key);
}

static bool
validate_addresses(const struct config_place *place, const struct config_syslog *syslog)
{
	if (!config_validate_several_where(place, &syslog->several, syslog->address, "an",
					   "address", "addresses"))
		return false;
	for (unsigned i = 0; i < syslog->several.count; i++) {
		const struct config_place entry = config_value_place(place, "addresses", (int)i);

		if (!validate_address(&entry, "", syslog, syslog->several.addresses[i]))
			return false;
	}
	return syslog->address == NULL ||
	       validate_address(place, "address", syslog, syslog->address);
}

/* ---- TLS ---- */

static bool
validate_fingerprints(const struct config_place *place, struct config_tls *tls)
{
	for (unsigned i = 0; i < tls->fingerprints_count; i++) {
		const struct config_place entry = config_value_place(place, "fingerprints", (int)i);

		if (!fingerprint_fold(tls->fingerprints[i], place->error))
			return config_value_wrong(&entry, "");
	}
	if (tls->fingerprints_count == 0 || tls->ca_file == NULL)
		return true;
	error_set(place->error, "has no use beside fingerprints, which stand for themselves; take "
				"one of them out");
	return config_value_wrong(place, "ca_file");
}

static bool
validate_identity(const struct config_place *place, struct config_tls *tls)
{
	if ((tls->certificate == NULL) == (tls->private_key == NULL))
		return tls->certificate == NULL ||
		       (config_value_path(place, "certificate", &tls->certificate) &&
			config_value_path(place, "private_key", &tls->private_key));
	error_set(place->error, "has a use together with %s alone; give both, or none",
		  tls->certificate == NULL ? "certificate" : "private_key");
	return config_value_wrong(place, tls->certificate == NULL ? "private_key" : "certificate");
}

static bool
validate_tls(const struct config_place *place, struct config_tls *tls)
{
	return validate_fingerprints(place, tls) && validate_identity(place, tls) &&
	       config_value_printable(place, "server_name", tls->server_name, 253) &&
	       (tls->ca_file == NULL || config_value_path(place, "ca_file", &tls->ca_file));
}

/* ---- the whole ---- */

/*
 * The most that a transport can carry: RFC 5424 6.1; RFC 5426 3.2, of a datagram what
 * fits without fragments over IPv6; RELP's own limit.
 */
static void
limit_message_size(const struct config_syslog *syslog, const struct config_profile *profile,
		   struct config_quantity *row)
{
	row->fallback = profile->max_message_size;
	row->maximum = "1MiB";
	switch (syslog->transport) {
	case CONFIG_TRANSPORT_UDP:
		row->fallback = "1180";
		row->maximum = "65000";
		break;
	case CONFIG_TRANSPORT_RELP:
	case CONFIG_TRANSPORT_RELP_TLS:
		row->maximum = "128KiB";
		break;
	case CONFIG_TRANSPORT_TCP:
	case CONFIG_TRANSPORT_TLS:
	case CONFIG_TRANSPORT_UNIX:
	case CONFIG_TRANSPORT_UNIX_STREAM:
		break;
	}
}

static bool
validate_quantities(const struct config_place *place, struct config_syslog *syslog,
		    const struct config_profile *profile)
{
	struct config_quantity rows[] = {
	    {"max_message_size", syslog->max_message_size_text, NULL, "480", NULL,
	     .bytes = &syslog->max_message_size},
	    {"settle", syslog->settle_text, "1s", "0s", "1m", .milliseconds = &syslog->settle},
	};

	limit_message_size(syslog, profile, &rows[0]);
	return config_value_quantities(place, rows, COUNT(rows));
}

bool
config_validate_syslog(const struct config_place *destination, struct config_syslog *syslog,
		       const struct config_profile *profile)
{
	const struct config_place place = config_value_place(destination, "syslog", -1);

	/* RFC 5424 6: HOSTNAME and APP-NAME */
	return validate_words(&place, syslog, profile) &&
	       validate_use_of_transport(&place, syslog) &&
	       config_validate_several(&place, &syslog->several, "several addresses") &&
	       validate_addresses(&place, syslog) && validate_tls(&place, &syslog->tls) &&
	       validate_quantities(&place, syslog, profile) &&
	       config_value_printable(&place, "hostname", syslog->hostname, 255) &&
	       config_value_printable(&place, "app_name", syslog->app_name, 48);
}
