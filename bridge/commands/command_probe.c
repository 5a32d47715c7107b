/* siembridge probe: marked messages to one destination, and what becomes of each. */
#include "bridge/commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/commands/options.h"
#include "bridge/config.h"
#include "bridge/forwarder/probe.h"
#include "formats/memory.h"

enum { PATIENCE_DEFAULT = 15, PATIENCE_LONGEST = 3600, RUN_LENGTH = 9 };

static void
print_step(void *context, const struct probe_step *step)
{
	(void)context;
	(void)printf("%-31s %-6s %5" PRId64 " ms  %s\n", step->name, step->good ? "ok" : "FAILED",
		     step->milliseconds, step->text);
	(void)fflush(stdout);
}

static const struct config_destination *
find_destination(const struct config *config, const char *name, struct error *error)
{
	for (unsigned i = 0; i < config->destinations_count; i++)
		if (strcmp(config->destinations[i].name, name) == 0)
			return &config->destinations[i];
	error_set(error, "there is no destination '%s' in %s", name, config->path);
	return NULL;
}

/* Eight hex digits, by which the messages are found at the collector. */
static void
write_run(char run[RUN_LENGTH])
{
	unsigned number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		memory_panic("no random numbers");
	(void)snprintf(run, RUN_LENGTH, "%08x", number);
}

static bool
run_probe(const char *path, const char *name, uint64_t patience, struct error *error)
{
	struct config *config;
	struct profiles *profiles = NULL;
	const struct config_destination *destination;
	char mark[RUN_LENGTH];
	bool good = false;

	if (!config_read(&config, path, error))
		return false;
	destination = find_destination(config, name, error);
	if (destination == NULL || !profiles_new(&profiles, config, error))
		goto finish;
	write_run(mark);
	(void)printf("probe %s of %s: look for it at the other end\n", mark, name);
	good = probe_run(&(struct probe){
	    .destination = destination,
	    .profiles = profiles,
	    .run = mark,
	    .patience = (int64_t)patience * 1000,
	    .tell = print_step,
	});
	if (!good)
		error_set(error, "%s did not take everything", name);
finish:
	profiles_free(profiles);
	config_free(config);
	return good;
}

static int
run(const struct command *command, int argc, char **argv)
{
	const char *config = OPTIONS_CONFIG_DEFAULT, *name = NULL;
	uint64_t patience = PATIENCE_DEFAULT;
	const struct options_row rows[] = {
	    {.name = "config", .letter = 'c', .text = &config},
	    {.name = "timeout", .number = &patience, .maximum = PATIENCE_LONGEST},
	};
	struct error error;
	size_t words;

	(void)command;
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, &name, 1, &words))
		return OPTIONS_WRONG;
	if (words == 0) {
		(void)options_refuse(argv[0], "say which destination");
		return OPTIONS_WRONG;
	}
	if (run_probe(config, name, patience, &error))
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	(void)fprintf(stderr, "siembridge probe: %s\n", error.text);
	return EXIT_FAILURE;
}

const struct command command_probe = {
    .name = "probe",
    .usage = "probe [-c FILE] [--timeout SECONDS] DESTINATION",
    .summary = "send marked test messages to a destination and see how it takes them",
    .help =
	"Connects as the daemon would and sends, one after the other, a short message, one\n"
	"of characters that break careless parsers, and one as long as max_message_size; to\n"
	"people (mail, pagers, chat) the short one alone.  Each is of type siembridge.probe\n"
	"and says so.  Tells of each step how long it took and what its confirmation is worth,\n"
	"and of TLS what was agreed on.  The daemon need not run; its spool, cursors and\n"
	"numbers are not touched.  Exit 1 where a step failed.\n"
	"\n"
	"  --timeout SECONDS  that a message has to be confirmed in; default 15\n"
	"  -c, --config FILE  configuration; default " OPTIONS_CONFIG_DEFAULT "\n",
    .run = run,
};
