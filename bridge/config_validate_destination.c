/*
 * What a schema cannot say of one destination.  The default and the range of each
 * key stand here, in its row or call.
 */
#include "bridge/config_value.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "formats/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct config_word transports[] = {
    {"tcp", CONFIG_TRANSPORT_TCP},
    {"udp", CONFIG_TRANSPORT_UDP},
    {"unix", CONFIG_TRANSPORT_UNIX},
};

static const struct config_word framings[] = {
    {"octet-counting", CONFIG_FRAMING_OCTET_COUNTING},
    {"lf", CONFIG_FRAMING_LF},
};

/* The numbers of RFC 5424 6.2.1; names as rsyslog has them, clock and audit as the RFC. */
static const struct config_word facilities[] = {
    {"kern", 0},    {"user", 1},    {"mail", 2},      {"daemon", 3},  {"auth", 4},
    {"syslog", 5},  {"lpr", 6},     {"news", 7},      {"uucp", 8},    {"cron", 9},
    {"ftp", 11},    {"ntp", 12},    {"authpriv", 10}, {"audit", 13},  {"alert", 14},
    {"clock", 15},  {"local0", 16}, {"local1", 17},   {"local2", 18}, {"local3", 19},
    {"local4", 20}, {"local5", 21}, {"local6", 22},   {"local7", 23},
};

/* By name, or by the number that stands for it. */
static bool
validate_facility(const struct config_place *place, struct config_syslog *syslog)
{
	uint64_t number;

	if (syslog->facility_text == NULL) {
		syslog->facility = 13;
		return true;
	}
	if (text_parse_unsigned(text_of(syslog->facility_text), 23, &number)) {
		syslog->facility = (int)number;
		return true;
	}
	return config_value_word(place, "facility", syslog->facility_text, facilities,
				 COUNT(facilities), &syslog->facility);
}

/* The words of transport and framing, and what only a stream has a use for. */
static bool
validate_transport(const struct config_place *place, struct config_syslog *syslog)
{
	int transport = CONFIG_TRANSPORT_TCP, framing = CONFIG_FRAMING_OCTET_COUNTING;
	const char *idle;

	if (syslog->transport_text != NULL &&
	    !config_value_word(place, "transport", syslog->transport_text, transports,
			       COUNT(transports), &transport))
		return false;
	if (syslog->framing_text != NULL &&
	    !config_value_word(place, "framing", syslog->framing_text, framings, COUNT(framings),
			       &framing))
		return false;
	syslog->transport = (enum config_transport)transport;
	syslog->framing = (enum config_framing)framing;
	idle = syslog->framing_text != NULL  ? "framing"
	       : syslog->settle_text != NULL ? "settle"
					     : NULL;
	if (syslog->transport == CONFIG_TRANSPORT_TCP || idle == NULL)
		return true;
	error_set(place->error, "has a use with 'transport: tcp' alone; take it out");
	return config_value_wrong(place, idle);
}

static bool
validate_syslog_address(const struct config_place *place, const struct config_syslog *syslog)
{
	const size_t longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (syslog->transport != CONFIG_TRANSPORT_UNIX)
		return config_value_address(place, "address", syslog->address, true);
	if (syslog->address[0] == '/' && strlen(syslog->address) <= longest)
		return true;
	error_set(
	    place->error,
	    "'%.110s' must be the absolute path of a socket, at most %zu bytes, as in /dev/log",
	    syslog->address, longest);
	return config_value_wrong(place, "address");
}

static bool
validate_syslog(const struct config_place *destination, struct config_syslog *syslog)
{
	const struct config_place place = config_value_place(destination, "syslog", -1);

	if (!validate_transport(&place, syslog) || !validate_syslog_address(&place, syslog))
		return false;

	const bool is_udp = syslog->transport == CONFIG_TRANSPORT_UDP;
	const struct config_quantity rows[] = {
	    {"settle", syslog->settle_text, "1s", "0s", "1m", .milliseconds = &syslog->settle},
	    /* RFC 5424 6.1, RFC 5426 3.2; of a datagram, what fits without fragments over IPv6 */
	    {"max_message_size", syslog->max_message_size_text, is_udp ? "1180" : "8KiB", "480",
	     is_udp ? "65000" : "1MiB", .bytes = &syslog->max_message_size},
	};

	/* RFC 5424 6: HOSTNAME and APP-NAME; RFC 5612 for the number */
	return config_value_quantities(&place, rows, COUNT(rows)) &&
	       validate_facility(&place, syslog) &&
	       config_value_printable(&place, "hostname", syslog->hostname, 255) &&
	       config_value_printable(&place, "app_name", syslog->app_name, 48) &&
	       config_value_number(&place, "enterprise_number", syslog->enterprise_number_text,
				   32473, 1, UINT32_MAX, &syslog->enterprise_number);
}

static bool
validate_format(const struct config_place *place, struct config_destination *destination)
{
	const char *name = destination->format_text != NULL ? destination->format_text : "cef";
	char bytes[256];
	struct text known;

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

	if ((destination->syslog != NULL) == (file != NULL)) {
		error_set(place->error, "'%s' %s; give one of them: syslog, file",
			  destination->name,
			  file != NULL ? "goes to two places" : "does not say where to");
		return config_value_wrong(place, "");
	}
	if (destination->syslog != NULL)
		return validate_syslog(place, destination->syslog);
	return strcmp(file->path, "-") == 0 || config_value_path(&file_place, "path", &file->path);
}

bool
config_validate_destination(const struct config_place *root, struct config *config, unsigned index)
{
	const struct config_place place = config_value_place(root, "destinations", (int)index);
	struct config_destination *destination = &config->destinations[index];

	if (!config_value_name(&place, "name", destination->name))
		return false;
	for (unsigned i = 0; i < index; i++) {
		if (strcmp(config->destinations[i].name, destination->name) != 0)
			continue;
		error_set(place.error, "'%s' is that of destinations[%u] too", destination->name,
			  i);
		return config_value_wrong(&place, "name");
	}
	if (!validate_format(&place, destination) ||
	    !config_value_events(&place, &destination->events, &destination->events_count) ||
	    !validate_kind(&place, destination))
		return false;
	fill_options(config, destination);
	return true;
}
