/*
 * siembridge check: all that `run` would find wrong, before it is run; then what
 * it would do.
 */
#include "bridge/commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/commands/options.h"
#include "bridge/commands/reach.h"
#include "bridge/config.h"
#include "bridge/config_snapshot.h"
#include "bridge/confine.h"
#include "bridge/privilege.h"
#include "bridge/receiver/verify.h"
#include "bridge/spool/spool.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what is wrong ---- */

/* Kept until all is known to be good: a mistake stands alone, in one line. */
static void
keep_warning(void *context, const char *text)
{
	struct text *warnings = context;

	text_append_string(warnings, "warning: ");
	text_append_string(warnings, text);
	text_append_byte(warnings, '\n');
}

/* Secrets that are there may still not be what their scheme needs. */
static bool
check_verifiers(const struct config *config, struct error *error)
{
	for (unsigned i = 0; i < config->sources_count; i++) {
		struct verify *verify = NULL;
		char key[64];
		struct text path;

		if (verify_new(&verify, &config->sources[i], error)) {
			verify_free(verify);
			continue;
		}
		text_start(&path, key, sizeof(key));
		text_append_format(&path, "sources[%u].secrets", i);
		text_append_byte(&path, '\0');
		return error_prefix(error, "%s:%d", config->path, config_locate(config->path, key));
	}
	return true;
}

/* While this spool's own daemon runs, the port is taken, and rightly. */
static bool
check_port(const struct config *config, bool activated, struct text *warnings, struct error *error)
{
	struct error note;

	if (activated)
		return true;
	if (!spool_is_locked(config->spool.directory))
		return config_check_listen(config, error);
	error_set(&note, "a bridge runs on %s, so whether %s is free was not checked",
		  config->spool.directory, config->listen.address);
	keep_warning(warnings, note.text);
	return true;
}

/* ---- what would run ---- */

struct unit {
	const char *name;
	uint64_t factor;
};

/* In the largest unit that leaves a whole number; the last unit is 1. */
static void
print_in_units(uint64_t number, const struct unit *units)
{
	while (units->factor > 1 && (number == 0 || number % units->factor != 0))
		units++;
	printf("%" PRIu64 "%s", number / units->factor, units->name);
}

static void
print_size(uint64_t bytes)
{
	static const struct unit units[] = {
	    {"TiB", UINT64_C(1) << 40},
	    {"GiB", UINT64_C(1) << 30},
	    {"MiB", UINT64_C(1) << 20},
	    {"KiB", UINT64_C(1) << 10},
	    {" bytes", 1},
	};

	print_in_units(bytes, units);
}

static void
print_duration(int64_t milliseconds)
{
	static const struct unit units[] = {
	    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
	};

	print_in_units((uint64_t)milliseconds, units);
}

static void
print_events(char *const *events, unsigned count)
{
	printf(", events");
	for (unsigned i = 0; i < count; i++)
		printf(" %s", events[i]);
}

static void
print_wanted(const struct config_destination *destination)
{
	printf(", events");
	for (unsigned i = 0; i < destination->events_count; i++) {
		printf(" %s", destination->events[i]);
		if (destination->floors[i] != destination->min_severity)
			printf(" (%s and above)", severity_row(destination->floors[i])->name);
	}
}

static void
print_list(const char *name, char *const *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		printf("%s %s", i == 0 ? name : "", list[i]);
}

/* What it wants of those events. */
static void
print_route(const struct config_destination *destination)
{
	print_list(", except", destination->except, destination->except_count);
	if (destination->min_severity > SEVERITY_INFO)
		printf(", severity %s and above", severity_row(destination->min_severity)->name);
	print_list(", of sources", destination->sources, destination->sources_count);
	print_list(", of organizations", destination->organizations,
		   destination->organizations_count);
	print_list(", of projects", destination->projects, destination->projects_count);
}

static void
print_listen(const struct config_listen *listen)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	printf("listen       %s, ", listen->address);
	if (listen->loops > 0)
		printf("loops %u", listen->loops);
	else
		printf("loops %ld (one a core)", cores > 0 ? cores : 1);
	printf(", bodies up to ");
	print_size(listen->max_body_size);
	printf("\n             certificate %s\n", listen->certificate);
}

static void
print_spool(const struct config_spool *spool)
{
	printf("spool        %s, up to ", spool->directory);
	print_size(spool->max_size);
	printf(", kept for ");
	print_duration(spool->retention);
	putchar('\n');
}

static void
print_source(const struct config_source *source)
{
	printf("source       %s: POST %s, ", source->name, source->path);
	if (source->signature == CONFIG_SIGNATURE_NONE)
		printf("NO signature");
	else
		printf("signature %s with %u secret%s", source->signature_text,
		       source->secrets_count, source->secrets_count == 1 ? "" : "s");
	printf(", profile %s", source->profile);
	print_events(source->events, source->events_count);
	putchar('\n');
	if (source->challenge != CONFIG_CHALLENGE_NONE)
		printf("             answers the challenge of %s\n", source->challenge_text != NULL
									 ? source->challenge_text
									 : source->signature_text);
	if (source->takes_gzip)
		(void)puts("             takes bodies in gzip too");
	if (source->allowed_origins_count > 0)
		printf("             consents to %u pattern%s of origins (CloudEvents, OPTIONS)\n",
		       source->allowed_origins_count,
		       source->allowed_origins_count == 1 ? "" : "s");
	for (unsigned i = 0; i < source->secrets_count; i++)
		if (source->secrets[i].not_after_text != NULL)
			printf("             %s is accepted until %s\n", source->secrets[i].file,
			       source->secrets[i].not_after_text);
}

/* The one, or the several. */
static void
print_addresses(const char *address, const struct config_several *several)
{
	if (address != NULL)
		printf("%s", address);
	for (unsigned i = 0; i < several->count; i++)
		printf("%s%s", i > 0 ? ", " : "", several->addresses[i]);
}

static void
print_syslog(const struct config_syslog *syslog)
{
	printf("syslog %s ", syslog->transport_text != NULL ? syslog->transport_text : "tcp");
	print_addresses(syslog->address, &syslog->several);
}

static void
print_email(const struct config_email *email)
{
	printf("email by %s (%s)", email->server,
	       email->security_text != NULL ? email->security_text : "starttls");
	print_list(" to", email->to, email->to_count);
	if (email->digest == 0)
		return;
	printf(", a digest every ");
	print_duration(email->digest);
}

/* Whether the format is one of that family: "cef-3164" of "cef". */
static bool
is_of(const struct config_destination *destination, const char *family)
{
	return strncmp(destination->format->name, family, strlen(family)) == 0;
}

static const char *
header_name(const struct config_destination *destination)
{
	if (destination->format->envelope == FORMAT_COMPLETE)
		return strstr(destination->format->name, "3164") != NULL ? "rfc3164" : "rfc5424";
	return destination->options.header == FORMAT_HEADER_RFC3164 ? "rfc3164" : "rfc5424";
}

static void
print_zone(int minutes)
{
	if (minutes == 0)
		printf(" UTC");
	else
		printf(" %c%02d:%02d", minutes < 0 ? '-' : '+', abs(minutes) / 60,
		       abs(minutes) % 60);
}

static void
print_framing(const struct config_syslog *syslog)
{
	if (syslog->transport == CONFIG_TRANSPORT_TLS)
		printf(", framing octet-counting");
	else if (syslog->transport == CONFIG_TRANSPORT_TCP ||
		 syslog->transport == CONFIG_TRANSPORT_UNIX_STREAM)
		printf(", framing %s",
		       syslog->framing == CONFIG_FRAMING_LF ? "lf" : "octet-counting");
}

/* What of the options has a use in its format. */
static void
print_form(const struct config_destination *destination)
{
	const struct format_options *options = &destination->options;

	if (is_of(destination, "cef"))
		printf(", cef_time %s", options->cef_time_text ? "text" : "milliseconds");
	if (is_of(destination, "leef2"))
		printf(", leef_delimiter %.*s", options->leef_delimiter == '\t' ? 3 : 1,
		       options->leef_delimiter == '\t' ? "tab" : &options->leef_delimiter);
	if (is_of(destination, "ocsf"))
		printf(", ocsf_version 1.%u", options->ocsf_minor);
	if (is_of(destination, "json"))
		printf(", cee %s", options->cee ? "true" : "false");
}

/* How a message looks, after profile and single keys. */
static void
print_message(const struct config_destination *destination)
{
	static const char *const boms[] = {"auto", "never", "always"};
	const struct format_options *options = &destination->options;
	const char *header = header_name(destination);

	printf("             %s%s%sheader %s", destination->profile != NULL ? "profile " : "",
	       destination->profile != NULL ? destination->profile : "",
	       destination->profile != NULL ? ": " : "", header);
	if (strcmp(header, "rfc3164") == 0)
		print_zone(options->zone);
	else
		printf(", bom %s", boms[options->bom]);
	print_framing(destination->syslog);
	printf(", up to ");
	print_size(destination->syslog->max_message_size);
	printf(", facility %d", options->facility);
	print_form(destination);
	putchar('\n');
}

static void
print_splunk_hec(const struct config_splunk_hec *hec)
{
	printf("Splunk HEC at ");
	print_addresses(hec->url, &hec->several);
	printf("%s%s", hec->acknowledge ? ", acknowledged" : "", hec->gzip ? ", gzip" : "");
	if (hec->proxy != NULL)
		printf(", by %s", hec->proxy);
	if (hec->index != NULL)
		printf(", index %s", hec->index);
}

static void
print_http(const struct config_http *http)
{
	printf("%s at %s", config_vendor_name(http->vendor),
	       http->url != NULL ? http->url : "the address in url_file");
	if (http->format != NULL && http->body == NULL)
		printf(", format %s", http->format->name);
	if (http->fold > 0) {
		printf(", floods folded for ");
		print_duration(http->fold);
	}
}

static void
print_console(const struct config_console *console)
{
	printf("console      %s, %s, %s\n", console->address,
	       console->password_file != NULL ? "with a password"
					      : "NO password: reading is free, and no replays",
	       console->certificate != NULL ? "TLS" : "in the clear");
}

static void
print_destination(const struct config_destination *destination)
{
	printf("destination  %s: ", destination->name);
	if (destination->syslog != NULL)
		print_syslog(destination->syslog);
	else if (destination->email != NULL)
		print_email(destination->email);
	else if (destination->splunk_hec != NULL)
		print_splunk_hec(destination->splunk_hec);
	else if (destination->http != NULL)
		print_http(destination->http);
	else
		printf("file %s", destination->file->path);
	if (destination->format != NULL)
		printf(", format %s", destination->format->name);
	print_wanted(destination);
	print_route(destination);
	putchar('\n');
	if (destination->syslog != NULL && destination->format != NULL)
		print_message(destination);
}

static void
print_confinement(void)
{
	char bytes[512];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	confine_describe(&text);
	printf("confinement  %s\n", bytes);
}

static void
print_roles(const struct config *config)
{
	static char bytes[64 * 1024]; /* the names of all system calls, for each of five roles */
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	confine_describe_roles(&text, config);
	printf("%s", text.overflowed ? "" : bytes);
}

static void
print_summary(const struct config *config, const struct text *warnings)
{
	fprintf(stderr, "%.*s", (int)warnings->length, warnings->bytes);
	printf("%s: good\n", config->path);
	print_listen(&config->listen);
	print_spool(&config->spool);
	for (unsigned i = 0; i < config->sources_count; i++)
		print_source(&config->sources[i]);
	for (unsigned i = 0; i < config->destinations_count; i++)
		print_destination(&config->destinations[i]);
	if (config->console != NULL)
		print_console(config->console);
	print_confinement();
}

static int
check(const struct command *command, int argc, char **argv)
{
	const char *path = OPTIONS_CONFIG_DEFAULT;
	bool quiet = false;
	bool activated = false;
	bool confinement = false;
	uint64_t snapshot = 0;
	struct error note;
	const struct options_row rows[] = {
	    {.name = "config", .letter = 'c', .text = &path},
	    {.name = "quiet", .letter = 'q', .flag = &quiet},
	    {.name = "activated", .letter = 'a', .flag = &activated},
	    {.name = "confinement", .flag = &confinement},
	    /* of the supervisor alone: what to read in place of the file */
	    {.name = "text", .number = &snapshot, .maximum = 1 << 20},
	};
	static char warnings_bytes[64 * 1024]; /* one for each of 64 sources and destinations */
	struct text warnings;
	struct config *config = NULL;
	struct error error;
	size_t words = 0;
	int status = CHILD_EXIT_FAILED;

	(void)command;
	text_start(&warnings, warnings_bytes, sizeof(warnings_bytes));
	if (!options_read(rows, COUNT(rows), argc, argv, NULL, 0, &words))
		return OPTIONS_WRONG;
	if (snapshot > 0)
		config_snapshot_use(path, (int)snapshot);
	if (!config_read(&config, path, &error) || !privilege_reduce(config->user, &note, &error) ||
	    !config_check(config, keep_warning, &warnings, &error) ||
	    !check_verifiers(config, &error) || !check_port(config, activated, &warnings, &error)) {
		fprintf(stderr, "error: %s\n", error.text);
		goto finish;
	}
	if (note.text[0] != '\0')
		keep_warning(&warnings, note.text);
	reach_check(config, keep_warning, &warnings);
	if (!quiet)
		print_summary(config, &warnings);
	if (confinement)
		print_roles(config);
	if (fflush(stdout) == 0)
		status = CHILD_EXIT_OK;
finish:
	config_free(config);
	return status;
}

const struct command command_check = {
    .name = "check",
    .usage = "check [-c FILE] [--quiet] [--activated] [--confinement]",
    .summary = "says what is wrong with a configuration, or what it would run",
    .help = "  -c, --config FILE  the configuration; default " OPTIONS_CONFIG_DEFAULT "\n"
	    "  -q, --quiet        errors alone: no warnings, no summary\n"
	    "  -a, --activated    the service manager holds the listening socket: do not try it\n"
	    "  --confinement      what each process may do and what is refused to it: files, TCP\n"
	    "                     ports, and every system call by name\n"
	    "\n"
	    "Finds what `siembridge run` would find: mistakes in the file, each with its line;\n"
	    "files that cannot be read; a certificate that has expired or whose key is another\n"
	    "one's; secrets that are no good; a spool that is not ours; a port in use.  Changes\n"
	    "nothing.  Run it as the user that the bridge runs as.\n"
	    "Exit status: 0 it would run, 1 it would not, 2 the command line makes no sense.\n",
    .run = check,
};
