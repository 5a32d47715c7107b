/*
 * Between fork and exec the child has the parent's memory, and of it only what
 * lies on the stack of start(): all signals are blocked from before the fork until
 * the dispositions are the default ones, so that no handler of the parent's event
 * loop ever runs in the child and writes into the parent's own pipe.
 *
 * The executed file is /proc/self/exe: also after an upgrade has replaced the
 * binary on disk, a restarted child is of the same build as its supervisor.
 */
#include "bridge/child.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bridge/config_snapshot.h"
#include "bridge/confine.h"
#include "formats/text.h"

enum {
	HIGHEST_DESCRIPTOR = 1 << 20,
	HIGHEST_PROCESS = 1 << 22, /* PID_MAX_LIMIT of the kernel */
	LONGEST_NUMBER = 24,
	LONGEST_LIST = CHILD_LISTEN_SOCKETS * 8,
	HANG = 6, /* seconds between the parent's death and SIGALRM */
	WATCHER_STACK = 256 * 1024,
};

extern char **environ;

/* What came out of the arguments, on the child's side. */
struct arguments {
	struct child_inheritance inheritance;
	const char *role;
	pid_t parent;
};

/* ---- the parent's side ---- */

static bool
default_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		/* some cannot be set, and stand at the default anyway */
		(void)sigaction(number, &standard, NULL);
	return sigemptyset(&none) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

/* Leaves open 0, 1, 2 and what is named; stdin is nobody's. */
static bool
keep_only(const int *descriptors, size_t count)
{
	int nobody = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nobody < 0 || dup2(nobody, STDIN_FILENO) < 0)
		return false;
	if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (fcntl(descriptors[i], F_SETFD, 0) != 0)
			return false;
	return true;
}

/* The child between fork and exec; borrows all from the parent's stack. */
static _Noreturn void
execute(const char *const *arguments, const int *descriptors, size_t count)
{
	if (default_signals() && keep_only(descriptors, count)) {
		/* execve() takes pointers to what it does not change */
		union {
			const char *const *given;
			char *const *wanted;
		} pointer = {.given = arguments};

		(void)execve("/proc/self/exe", pointer.wanted, environ);
	}
	log_error("child", "%s cannot be executed: %m", "/proc/self/exe");
	_exit(CHILD_EXIT_FAILED);
}

static bool
start(const char *const *arguments, const int *descriptors, size_t count, pid_t *process,
      struct error *error)
{
	sigset_t all, before;
	pid_t forked;

	if (sigfillset(&all) != 0 || sigprocmask(SIG_BLOCK, &all, &before) != 0)
		return error_set_errno(error, "signals cannot be blocked");
	forked = fork();
	if (forked == 0)
		execute(arguments, descriptors, count);
	if (forked < 0)
		error_set_errno(error, "a process cannot be started");
	if (sigprocmask(SIG_SETMASK, &before, NULL) != 0)
		log_error("child", "the signal mask cannot be set back: %m");
	if (forked > 0)
		*process = forked;
	return forked > 0;
}

/* A number as an argument, in the caller's bytes. */
static const char *
number_argument(char bytes[LONGEST_NUMBER], int64_t number)
{
	struct text text;

	text_start(&text, bytes, LONGEST_NUMBER);
	text_append_number(&text, number);
	text_append_byte(&text, '\0');
	return bytes;
}

static const char *
list_argument(char bytes[LONGEST_LIST], const int *numbers, size_t count)
{
	struct text text;

	text_start(&text, bytes, LONGEST_LIST);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			text_append_byte(&text, ',');
		text_append_number(&text, numbers[i]);
	}
	text_append_byte(&text, '\0');
	return bytes;
}

bool
child_start(const struct child_role *role, const struct child_inheritance *inheritance,
	    pid_t *process, struct error *error)
{
	char parent[LONGEST_NUMBER], level[LONGEST_NUMBER], wake[LONGEST_NUMBER];
	char log_format[LONGEST_NUMBER];
	char counters[LONGEST_NUMBER], console[LONGEST_NUMBER], config[LONGEST_NUMBER];
	char listen[LONGEST_LIST];
	int kept[CHILD_LISTEN_SOCKETS + 4];
	const char *arguments[24];
	size_t keep = 0, n = 0;

	arguments[n++] = "siembridge";
	arguments[n++] = "--role";
	arguments[n++] = role->name;
	arguments[n++] = "-c";
	arguments[n++] = inheritance->config_path;
	arguments[n++] = "--parent";
	arguments[n++] = number_argument(parent, getpid());
	arguments[n++] = "--log-level";
	arguments[n++] = number_argument(level, inheritance->log_level);
	arguments[n++] = "--log-format";
	arguments[n++] = number_argument(log_format, inheritance->log_format);
	if (inheritance->wake >= 0) {
		kept[keep++] = inheritance->wake;
		arguments[n++] = "--wake";
		arguments[n++] = number_argument(wake, inheritance->wake);
	}
	if (inheritance->counters >= 0) {
		kept[keep++] = inheritance->counters;
		arguments[n++] = "--counters";
		arguments[n++] = number_argument(counters, inheritance->counters);
	}
	if (inheritance->config >= 0) {
		kept[keep++] = inheritance->config;
		arguments[n++] = "--text";
		arguments[n++] = number_argument(config, inheritance->config);
	}
	if (role->listens == CHILD_LISTENS && inheritance->listen_count > 0) {
		for (size_t i = 0; i < inheritance->listen_count; i++)
			kept[keep++] = inheritance->listen[i];
		arguments[n++] = "--listen";
		arguments[n++] =
		    list_argument(listen, inheritance->listen, inheritance->listen_count);
	}
	if (role->listens == CHILD_LISTENS_CONSOLE && inheritance->console >= 0) {
		kept[keep++] = inheritance->console;
		arguments[n++] = "--console";
		arguments[n++] = number_argument(console, inheritance->console);
	}
	arguments[n] = NULL;
	if (!start(arguments, kept, keep, process, error))
		return error_prefix(error, "%s", role->name);
	return true;
}

bool
child_start_check(const char *config_path, int text, bool activated, pid_t *process,
		  struct error *error)
{
	const char *arguments[] = {"siembridge", "check", "-c", config_path, "--quiet",
				   NULL,         NULL,    NULL, NULL};
	char number[LONGEST_NUMBER];
	size_t n = 5;

	if (activated)
		arguments[n++] = "--activated";
	if (text >= 0) {
		arguments[n++] = "--text";
		arguments[n++] = number_argument(number, text);
	}
	if (!start(arguments, &text, text >= 0 ? 1 : 0, process, error))
		return error_prefix(error, "check");
	return true;
}

/* ---- the child's side ---- */

static bool
read_number(const char *written, uint64_t maximum, int *number)
{
	uint64_t value;

	if (!text_parse_unsigned(text_of(written), maximum, &value))
		return false;
	*number = (int)value;
	return true;
}

/* "7,8,9" */
static bool
read_list(const char *written, struct child_inheritance *inheritance)
{
	const char *end;

	for (;; written = end + 1) {
		struct slice digits;
		uint64_t number;

		end = strchrnul(written, ',');
		digits = (struct slice){written, (size_t)(end - written)};
		if (inheritance->listen_count == CHILD_LISTEN_SOCKETS ||
		    !text_parse_unsigned(digits, HIGHEST_DESCRIPTOR, &number))
			return false;
		inheritance->listen[inheritance->listen_count++] = (int)number;
		if (*end == '\0')
			return true;
	}
}

static bool
read_argument(struct arguments *arguments, int option, const char *value)
{
	struct child_inheritance *inheritance = &arguments->inheritance;
	int level;

	switch (option) {
	case 'r':
		arguments->role = value;
		return true;
	case 'c':
		inheritance->config_path = value;
		return true;
	case 'p':
		return read_number(value, HIGHEST_PROCESS, &arguments->parent);
	case 'l':
		if (!read_number(value, LOG_LEVEL_DEBUG, &level))
			return false;
		inheritance->log_level = (enum log_level)level;
		return true;
	case 'f':
		if (!read_number(value, LOG_FORMATS - 1, &level))
			return false;
		inheritance->log_format = (enum log_format)level;
		return true;
	case 'w':
		return read_number(value, HIGHEST_DESCRIPTOR, &inheritance->wake);
	case 'n':
		return read_number(value, HIGHEST_DESCRIPTOR, &inheritance->counters);
	case 'o':
		return read_number(value, HIGHEST_DESCRIPTOR, &inheritance->console);
	case 't':
		return read_number(value, HIGHEST_DESCRIPTOR, &inheritance->config);
	case 's':
		return read_list(value, inheritance);
	default:
		return false;
	}
}

static bool
read_arguments(struct arguments *arguments, int argc, char **argv)
{
	static const struct option options[] = {
	    {"role", required_argument, NULL, 'r'},
	    {"config", required_argument, NULL, 'c'},
	    {"parent", required_argument, NULL, 'p'},
	    {"log-level", required_argument, NULL, 'l'},
	    {"wake", required_argument, NULL, 'w'},
	    {"counters", required_argument, NULL, 'n'},
	    {"listen", required_argument, NULL, 's'},
	    {"console", required_argument, NULL, 'o'},
	    {"text", required_argument, NULL, 't'},
	    {"log-format", required_argument, NULL, 'f'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	*arguments = (struct arguments){.inheritance = {.log_level = LOG_LEVEL_INFO,
							.wake = -1,
							.counters = -1,
							.config = -1,
							.console = -1}};
	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1)
		if (!read_argument(arguments, option, optarg))
			return false;
	return optind == argc && arguments->role != NULL && arguments->parent > 0 &&
	       arguments->inheritance.config_path != NULL;
}

/* A role that hangs in its farewell has nobody left who would kill it. */
static void *
watch_parent(void *context)
{
	struct pollfd parent = {.fd = *(const int *)context, .events = POLLIN};

	while (poll(&parent, 1, -1) < 0 && errno == EINTR)
		;
	(void)alarm(HANG);
	return NULL;
}

bool
child_watch(struct error *error)
{
	static int parent; /* outlives this function, as the thread does */
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	bool started;

	parent = pidfd_open(getppid(), 0);
	if (parent < 0 || sigfillset(&all) != 0 || pthread_attr_init(&attributes) != 0)
		return error_set_errno(error, "the life of the parent cannot be watched");
	/* signals are for the role's own threads */
	started = pthread_sigmask(SIG_SETMASK, &all, &before) == 0 &&
		  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
		  pthread_attr_setstacksize(&attributes, WATCHER_STACK) == 0 &&
		  pthread_create(&thread, &attributes, watch_parent, &parent) == 0 &&
		  pthread_sigmask(SIG_SETMASK, &before, NULL) == 0;
	pthread_attr_destroy(&attributes);
	return started || error_set(error, "no thread can be started to watch the parent");
}

bool
child_confine(const struct child_inheritance *inheritance, const struct config *config,
	      struct error *error)
{
	return confine_enter(inheritance->role, config, error) && child_watch(error);
}

/*
 * The order closes every gap: asked for the signal first, the parent looked at
 * after that, so that a death in between is seen by one of the two.
 */
static bool
die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) {
		log_error("start", "the life of process %d cannot be watched: %m", (int)parent);
		return false;
	}
	if (getppid() != parent) {
		log_error("start", "process %d, which started this one, is gone", (int)parent);
		return false;
	}
	return true;
}

static bool
set_signals(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	return sigaction(SIGPIPE, &ignore, NULL) == 0 && sigaction(SIGINT, &ignore, NULL) == 0 &&
	       sigaction(SIGHUP, &ignore, NULL) == 0;
}

int
child_main(int argc, char **argv, const struct child_role *roles, size_t count)
{
	struct arguments arguments;

	if (!read_arguments(&arguments, argc, argv)) {
		log_error("start", "--role is for the supervisor alone; use: siembridge run");
		return CHILD_EXIT_FAILED;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(roles[i].name, arguments.role) != 0)
			continue;
		log_start(roles[i].name, arguments.inheritance.log_level,
			  arguments.inheritance.log_format);
		if (!set_signals() || prctl(PR_SET_NAME, roles[i].process_name) != 0) {
			log_error("start", "the process cannot be set up: %m");
			return CHILD_EXIT_FAILED;
		}
		if (!die_with(arguments.parent))
			return CHILD_EXIT_FAILED;
		arguments.inheritance.role = roles[i].name;
		config_snapshot_use(arguments.inheritance.config_path,
				    arguments.inheritance.config);
		return roles[i].run(&arguments.inheritance);
	}
	log_error("start", "there is no role of the name %s", arguments.role);
	return CHILD_EXIT_FAILED;
}
