/*
 * Tries system calls as a role of the bridge, confined as its process is.
 *
 *   confined CONFIG ROLE
 *
 * A line of stdin is a number and the six arguments of a call; "self" is the number of the process
 * that calls.  Each is made by a process of its own, and a line of stdout says what came of it:
 * EPERM, ENOSYS, SIGSYS, or "done" for all else, other errors too.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/confine.h"
#include "bridge/log.h"

enum { WORDS = 7 };
enum { REFUSED = 70, NOT_THERE = 71, DONE = 72, NOT_CONFINED = 73 }; /* exit statuses */

static void
wake_up(int number)
{
	(void)number;
}

/* What waits for something is interrupted, and was done. */
static void
wait_for_nothing(void)
{
	const struct itimerval often = {.it_interval = {.tv_usec = 20000},
					.it_value = {.tv_usec = 20000}};
	const struct sigaction action = {.sa_handler = wake_up};

	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &often, NULL);
}

static long
value_of(const char *word)
{
	return strcmp(word, "self") == 0 ? (long)getpid() : strtol(word, NULL, 0);
}

static void
try_there(const struct config *config, const char *role, char words[WORDS][24])
{
	struct error error;
	long values[WORDS];

	for (int i = 0; i < WORDS; i++)
		values[i] = value_of(words[i]);
	wait_for_nothing();
	if (!confine_enter(role, config, &error)) {
		fprintf(stderr, "%s\n", error.text);
		_exit(NOT_CONFINED);
	}
	errno = 0;
	(void)syscall(values[0], values[1], values[2], values[3], values[4], values[5], values[6]);
	_exit(errno == EPERM ? REFUSED : errno == ENOSYS ? NOT_THERE : DONE);
}

static const char *
outcome(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return "SIGSYS";
	if (!WIFEXITED(status))
		return "done";
	switch (WEXITSTATUS(status)) {
	case REFUSED:
		return "EPERM";
	case NOT_THERE:
		return "ENOSYS";
	case NOT_CONFINED:
		return "not confined";
	default: /* exit(2) itself is tried, too */
		return "done";
	}
}

int
main(int argc, char **argv)
{
	char words[WORDS][24];
	struct config *config;
	struct error error;
	int status;

	if (argc != 3) {
		fprintf(stderr, "usage: confined CONFIG ROLE\n");
		return 2;
	}
	log_start("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	if (!config_read(&config, argv[1], &error)) {
		fprintf(stderr, "confined: %s\n", error.text);
		return 1;
	}
	while (scanf("%23s %23s %23s %23s %23s %23s %23s", words[0], words[1], words[2], words[3],
		     words[4], words[5], words[6]) == WORDS) {
		pid_t process = fork();

		if (process == 0)
			try_there(config, argv[2], words);
		if (process < 0 || waitpid(process, &status, 0) != process) {
			perror("confined");
			return 1;
		}
		printf("%s\n", outcome(status));
	}
	config_free(config);
	return 0;
}
