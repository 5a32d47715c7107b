/* A table of commands and a loop over it. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/child.h"
#include "bridge/commands/commands.h"
#include "bridge/version.h"

enum { EXIT_WRONG_USAGE = 2 };

/* clang-format off */
static const struct command *const commands[] = {
	&command_init,
	&command_run,
	&command_check,
	&command_send,
	&command_render,
	&command_events,
	&command_dead,
	&command_replay,
	&command_test,
	&command_probe,
	&command_backfill,
	&command_verify,
	&command_reconcile,
	&command_status,
	&command_spool,
};
/* clang-format on */
static const size_t command_count = sizeof(commands) / sizeof(commands[0]);

static int
print_help(void)
{
	(void)puts("siembridge " VERSION ": signed webhooks in, SIEM events out\n\nusage:");
	for (size_t i = 0; i < command_count; i++)
		(void)printf("  siembridge %-9s %s\n", commands[i]->name, commands[i]->summary);
	(void)puts("  siembridge NAME --help    more about one of them\n"
		   "  siembridge --version");
	return EXIT_SUCCESS;
}

static int
print_command_help(const struct command *command)
{
	(void)printf("usage: siembridge %s\n\n%s", command->usage, command->help);
	return EXIT_SUCCESS;
}

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Up to "--": behind it stands no option. */
static bool
asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (is_help(argv[i]))
			return true;
	return false;
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/*
 * Else the first file opened would get the number of stderr, and log lines; and a
 * peer or a log reader that goes away would end the process.
 */
static bool
set_up_process(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	int descriptor;

	/* the databases hold what senders signed; so does what is written beside them */
	(void)umask(S_IRWXG | S_IRWXO);
	if (sigaction(SIGPIPE, &ignore, NULL) != 0)
		return false;

	do {
		descriptor = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (descriptor >= 0 && descriptor <= STDERR_FILENO);
	return descriptor >= 0 && close(descriptor) == 0;
}

int
main(int argc, char **argv)
{
	const struct command *command;
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!set_up_process())
		return EXIT_FAILURE;
	if (word == NULL) {
		(void)fputs("siembridge: say what to do; see siembridge --help\n", stderr);
		return EXIT_WRONG_USAGE;
	}
	if (strcmp(word, "--role") == 0)
		return child_main(argc, argv, command_run_roles, command_run_role_count);
	if (is_help(word) || (strcmp(word, "help") == 0 && argc == 2))
		return print_help();
	if (strcmp(word, "--version") == 0)
		return puts("siembridge " VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (strcmp(word, "help") == 0)
		word = argv[2];
	command = find_command(word);
	if (command == NULL) {
		(void)fprintf(stderr, "siembridge: there is no command %s; see siembridge --help\n",
			      word);
		return EXIT_WRONG_USAGE;
	}
	if (strcmp(argv[1], "help") == 0 || asks_for_help(argc - 1, argv + 1))
		return print_command_help(command);
	return command->run(command, argc - 1, argv + 1);
}
