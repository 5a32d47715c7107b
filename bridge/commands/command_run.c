/*
 * From a configuration to running children: all that is needed above them is
 * opened here, once, and the rest of the process's life is supervisor_run().
 * Secrets are looked at in a process of its own (`siembridge check`), never here.
 */
#include "bridge/commands/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/child.h"
#include "bridge/commands/options.h"
#include "bridge/config.h"
#include "bridge/config_snapshot.h"
#include "bridge/confine.h"
#include "bridge/console/console.h"
#include "bridge/counters.h"
#include "bridge/counters_file.h"
#include "bridge/forwarder/forwarder.h"
#include "bridge/listen.h"
#include "bridge/log.h"
#include "bridge/poller/poller.h"
#include "bridge/privilege.h"
#include "bridge/receiver/receiver.h"
#include "bridge/service.h"
#include "bridge/spool/spool.h"
#include "bridge/supervisor.h"
#include "bridge/wake.h"

/* In the order of starting, reloading and stopping. */
const struct child_role command_run_roles[] = {
    {"receiver", "siembridge-recv", CHILD_LISTENS, receiver_run, COUNTERS_LIFE_RECEIVER},
    {"forwarder", "siembridge-fwd", CHILD_LISTENS_NOT, forwarder_run, COUNTERS_LIFE_FORWARDER},
    {"poller", "siembridge-poll", CHILD_LISTENS_NOT, poller_run, COUNTERS_LIFE_NONE},
    {"console", "siembridge-cons", CHILD_LISTENS_CONSOLE, console_run, COUNTERS_LIFE_CONSOLE},
};
const size_t command_run_role_count = sizeof(command_run_roles) / sizeof(command_run_roles[0]);

/* How the log is to be by the command line; what it does not say is the file's. */
struct log_request {
	const char *format; /* NULL: not said */
	bool verbose;
};

/* True where `siembridge check` finds nothing wrong; else it has said on stderr what. */
static bool
world_is_good(const struct child_inheritance *inheritance, bool activated)
{
	struct error error;
	int status = 0;
	pid_t process;

	if (!child_start_check(inheritance->config_path, inheritance->config, activated, &process,
			       &error)) {
		(void)fprintf(stderr, "siembridge: %s\n", error.text);
		return false;
	}
	while (waitpid(process, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	if (WIFSIGNALED(status))
		(void)fprintf(stderr, "siembridge: the check of %s was killed by signal %d\n",
			      inheritance->config_path, WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static size_t
loops_of(const struct config *config)
{
	long cores =
	    config->listen.loops > 0 ? (long)config->listen.loops : sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 1)
		return 1;
	return cores < CHILD_LISTEN_SOCKETS ? (size_t)cores : CHILD_LISTEN_SOCKETS;
}

/* What the service manager handed down; else *given is false. */
static bool
take_sockets(const struct config *config, struct child_inheritance *inheritance, bool *given,
	     struct error *error)
{
	char bytes[512];
	struct text addresses;

	text_start(&addresses, bytes, sizeof(bytes));
	inheritance->listen_count = loops_of(config);
	if (!service_sockets(inheritance->listen, inheritance->listen_count, given, &addresses,
			     error))
		return false;
	if (*given)
		log_info("listen", "on what the service manager holds: %s (listen.address is %s)",
			 bytes, config->listen.address);
	return true;
}

/* Opens what all children share; it lives as long as the process. */
static bool
open_shared(const struct config *config, struct child_inheritance *inheritance, bool activated,
	    struct error *error)
{
	return (activated || listen_open(config->listen.address, inheritance->listen,
					 inheritance->listen_count, error)) &&
	       wake_open(&inheritance->wake, error) &&
	       counters_create(&inheritance->counters, error) &&
	       counters_file_open(&inheritance->snapshot, config->spool.directory, error) &&
	       (config->console == NULL ||
		listen_open(config->console->address, &inheritance->console, 1, error));
}

static bool
find_format(const char *name, enum log_format *format)
{
	for (size_t i = 0; i < LOG_FORMATS; i++) {
		if (strcmp(log_format_name(i), name) != 0)
			continue;
		*format = (enum log_format)i;
		return true;
	}
	return false;
}

static void
start_log(struct child_inheritance *inheritance, const struct log_request *request,
	  const struct config *config)
{
	if (!request->verbose)
		inheritance->log_level = config->log.level;
	if (request->format == NULL)
		inheritance->log_format = config->log.format;
	log_start("supervisor", inheritance->log_level, inheritance->log_format);
}

static bool
prepare(struct child_inheritance *inheritance, const struct log_request *request, bool *polls,
	struct error *error)
{
	struct config *config;
	struct error note;
	bool done = false, activated;

	if (!service_open(error) ||
	    !config_snapshot_take(inheritance->config_path, &inheritance->config, error))
		return false;
	config_snapshot_use(inheritance->config_path, inheritance->config);
	if (!config_read(&config, inheritance->config_path, error))
		return false;
	start_log(inheritance, request, config);
	if (!privilege_reduce(config->user, &note, error))
		goto finish;
	/* before the check, which would only find the port taken */
	if (spool_is_locked(config->spool.directory)) {
		error_set(error,
			  "the spool %s is in use: a siembridge runs with it already; stop that "
			  "one first, or give this one a directory of its own",
			  config->spool.directory);
		goto finish;
	}
	if (!take_sockets(config, inheritance, &activated, error))
		goto finish;
	if (!world_is_good(inheritance, activated)) {
		error->text[0] = '\0'; /* all is said */
		goto finish;
	}
	*polls = config_polls(config);
	done = open_shared(config, inheritance, activated, error) &&
	       confine_enter("supervisor", config, error);
	if (done && note.text[0] != '\0')
		log_warning("start", "%s", note.text);
finish:
	config_free(config);
	return done;
}

/* Without `console:` there is no console, and without any `poll:` no poller. */
static size_t
choose_roles(const struct child_inheritance *inheritance, bool polls, struct child_role *roles)
{
	size_t count = 0;

	for (size_t i = 0; i < command_run_role_count; i++) {
		const struct child_role *role = &command_run_roles[i];

		if ((role->listens == CHILD_LISTENS_CONSOLE && inheritance->console < 0) ||
		    (role->run == poller_run && !polls))
			continue;
		roles[count++] = *role;
	}
	return count;
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct child_inheritance inheritance = {.config_path = OPTIONS_CONFIG_DEFAULT,
						.config = -1,
						.log_level = LOG_LEVEL_INFO,
						.console = -1,
						.snapshot = -1};
	struct log_request request = {NULL, false};
	bool polls = false;
	const struct options_row rows[] = {
	    {.name = "config", .letter = 'c', .text = &inheritance.config_path},
	    {.name = "verbose", .letter = 'v', .flag = &request.verbose},
	    {.name = "log-format", .text = &request.format},
	};
	struct child_role roles[sizeof(command_run_roles) / sizeof(command_run_roles[0])];
	struct error error;
	size_t words, count;

	(void)command;
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, NULL, 0, &words))
		return OPTIONS_WRONG;
	if (request.format != NULL && !find_format(request.format, &inheritance.log_format)) {
		(void)options_refuse(argv[0], "--log-format is one of auto, text, logfmt, json");
		return OPTIONS_WRONG;
	}
	if (request.verbose)
		inheritance.log_level = LOG_LEVEL_DEBUG;
	log_start("supervisor", inheritance.log_level, inheritance.log_format);
	if (!prepare(&inheritance, &request, &polls, &error)) {
		if (error.text[0] != '\0')
			(void)fprintf(stderr, "siembridge: %s\n", error.text);
		return EXIT_FAILURE;
	}
	count = choose_roles(&inheritance, polls, roles);
	return supervisor_run(roles, count, &inheritance);
}

const struct command command_run = {
    .name = "run",
    .usage = "run [-c FILE] [-v] [--log-format NAME]",
    .summary = "receive and forward, in the foreground; logs to stderr",
    .help = "Checks the configuration, listens, and runs a receiver and a forwarder as\n"
	    "processes of their own, which are started anew when they die.\n"
	    "\n"
	    "  SIGTERM, SIGINT  stop within 5 s; a second SIGINT kills at once\n"
	    "  SIGHUP           check the configuration and, where it is good, replace the\n"
	    "                   processes one after the other; listen.address and listen.loops\n"
	    "                   stay as they are until the next start\n"
	    "\n"
	    "  -c, --config FILE  configuration; default " OPTIONS_CONFIG_DEFAULT "\n"
	    "  -v, --verbose      log for developers as well\n"
	    "  --log-format NAME  auto (default): to the journal where stderr leads there, else\n"
	    "                     text; text, logfmt, json: to stderr\n",
    .run = run,
};
