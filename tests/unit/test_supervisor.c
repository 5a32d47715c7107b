/*
 * A real supervisor, forked off, with children that are this test executed anew.
 * The children say what they see in the shared page of counters.  The test is the
 * subreaper: what a supervisor leaves behind becomes the test's own child, so that
 * waitpid() knows whether anything is left.
 */
#include "bridge/supervisor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/counters.h"
#include "bridge/deadline.h"
#include "bridge/service.h"
#include "formats/text.h"

enum { FIRST, SECOND, FRAIL_STARTS = 10 }; /* where in the page a role writes */
enum { PATIENCE = 20000, STRAY_DESCRIPTOR = 99 };

/* What a role writes of itself into its `struct counters_destination`. */
#define PID        confirmed
#define STARTS     sent
#define ASKED_AT   dead
#define DIFFERENCE breaks /* 1: what it inherited is not what it should */

/* ---- the roles ---- */

static struct counters_destination *
own_place(const struct child_inheritance *inheritance, size_t place, struct counters **page)
{
	struct error error;

	if (!counters_map(inheritance->counters, page, &error))
		_exit(99);
	return &(*page)->destinations[place];
}

static bool
is_open(int descriptor)
{
	return fcntl(descriptor, F_GETFD) >= 0;
}

/* The second one is no listener. */
static bool
inherited_what_it_should(const struct child_inheritance *inheritance, bool listens)
{
	struct stat in, nobody;

	for (size_t i = 0; i < inheritance->listen_count; i++)
		if (!is_open(inheritance->listen[i]))
			return false;
	return inheritance->listen_count == (listens ? 2 : 0) && is_open(inheritance->wake) &&
	       !is_open(STRAY_DESCRIPTOR) && fstat(STDIN_FILENO, &in) == 0 &&
	       stat("/dev/null", &nobody) == 0 && in.st_rdev == nobody.st_rdev;
}

static int
serve(const struct child_inheritance *inheritance, size_t place, int64_t farewell, bool deaf)
{
	struct counters *page;
	struct counters_destination *own = own_place(inheritance, place, &page);
	struct error error;
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (!child_watch(&error))
		_exit(98);
	own->PID = (uint64_t)getpid();
	own->DIFFERENCE = inherited_what_it_should(inheritance, place == FIRST) ? 0 : 1;
	own->STARTS++;
	sigwait(&set, &number);
	own->ASKED_AT = (uint64_t)deadline_now();
	poll(NULL, 0, deaf ? -1 : (int)farewell);
	return CHILD_EXIT_OK;
}

static int
first(const struct child_inheritance *inheritance)
{
	return serve(inheritance, FIRST, 100, false);
}

static int
second(const struct child_inheritance *inheritance)
{
	return serve(inheritance, SECOND, 0, false);
}

static int
deaf(const struct child_inheritance *inheritance)
{
	return serve(inheritance, FIRST, 0, true);
}

static int
frail(const struct child_inheritance *inheritance)
{
	struct counters *page;
	struct counters_destination *own = own_place(inheritance, FIRST, &page);

	page->destinations[FRAIL_STARTS + own->STARTS].confirmed = (uint64_t)deadline_now();
	own->STARTS++;
	/* Not return: SIGTERM amid ASan's leak check would leave that check's helper behind. */
	_exit(CHILD_EXIT_FAILED);
}

static int
misconfigured(const struct child_inheritance *inheritance)
{
	(void)inheritance;
	return CHILD_EXIT_CONFIGURATION;
}

/* Serves, and then never says so again. */
static int
hanging(const struct child_inheritance *inheritance)
{
	struct counters *page;
	struct counters_destination *own = own_place(inheritance, FIRST, &page);

	own->STARTS++;
	counters_beat(page, COUNTERS_LIFE_RECEIVER);
	poll(NULL, 0, -1);
	return CHILD_EXIT_OK;
}

#define NONE COUNTERS_LIFE_NONE

static const struct child_role two_roles[] = {
    {"first", "test-first", CHILD_LISTENS, first, NONE},
    {"second", "test-second", CHILD_LISTENS_NOT, second, NONE},
};
static const struct child_role deaf_role[] = {{"deaf", "test-deaf", CHILD_LISTENS, deaf, NONE}};
static const struct child_role frail_role[] = {
    {"frail", "test-frail", CHILD_LISTENS_NOT, frail, NONE}};
static const struct child_role hanging_role[] = {
    {"hanging", "test-hanging", CHILD_LISTENS_NOT, hanging, COUNTERS_LIFE_RECEIVER}};
static const struct child_role misconfigured_roles[] = {
    {"second", "test-second", CHILD_LISTENS_NOT, second, NONE},
    {"misconfigured", "test-wrong", CHILD_LISTENS_NOT, misconfigured, NONE},
};
static const struct child_role all_roles[] = {
    {"first", "test-first", CHILD_LISTENS, first, NONE},
    {"second", "test-second", CHILD_LISTENS_NOT, second, NONE},
    {"deaf", "test-deaf", CHILD_LISTENS, deaf, NONE},
    {"frail", "test-frail", CHILD_LISTENS_NOT, frail, NONE},
    {"misconfigured", "", CHILD_LISTENS_NOT, misconfigured, NONE},
    {"hanging", "test-hanging", CHILD_LISTENS_NOT, hanging, COUNTERS_LIFE_RECEIVER},
};
enum { ALL_ROLES = sizeof(all_roles) / sizeof(all_roles[0]) };

/* ---- a supervisor under test ---- */

struct run {
	pid_t supervisor;
	int log;
	struct counters *page;
};

static void
start_run(struct run *run, const struct child_role *roles, size_t count, const char *config)
{
	struct child_inheritance inheritance = {.config_path = config,
						.config = -1,
						.log_level = LOG_LEVEL_INFO,
						.listen_count = 2,
						.console = -1,
						.snapshot = -1};
	struct error error;

	assert_true(counters_create(&inheritance.counters, &error));
	assert_true(counters_map(inheritance.counters, &run->page, &error));
	inheritance.wake = open("/dev/null", O_RDWR | O_CLOEXEC);
	inheritance.listen[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	inheritance.listen[1] = open("/dev/null", O_RDWR | O_CLOEXEC);
	run->log = memfd_create("log", MFD_CLOEXEC);
	assert_true(run->log >= 0);
	run->supervisor = fork();
	assert_true(run->supervisor >= 0);
	if (run->supervisor == 0) {
		dup2(run->log, STDERR_FILENO);
		dup2(STDOUT_FILENO, STRAY_DESCRIPTOR);
		if (!service_open(&error))
			_exit(97);
		_exit(supervisor_run(roles, count, &inheritance));
	}
	close(inheritance.counters);
	close(inheritance.wake);
	close(inheritance.listen[0]);
	close(inheritance.listen[1]);
}

static bool
log_has(const struct run *run, const char *text)
{
	static char log[1 << 16];
	ssize_t length = pread(run->log, log, sizeof(log) - 1, 0);

	log[length > 0 ? length : 0] = '\0';
	return strstr(log, text) != NULL;
}

/* Waits for the value to be at least that. */
static void
until_at_least(_Atomic uint64_t *value, uint64_t wanted)
{
	struct deadline deadline = deadline_after(PATIENCE);

	while (*value < wanted && !deadline_passed(deadline))
		poll(NULL, 0, 2);
	assert_true(*value >= wanted);
}

static void
until_log_has(const struct run *run, const char *text)
{
	struct deadline deadline = deadline_after(PATIENCE);

	while (!log_has(run, text) && !deadline_passed(deadline))
		poll(NULL, 0, 2);
	assert_true(log_has(run, text));
}

/* Waits until the process has ended; its status as of waitpid(2). */
static int
until_ended(pid_t process)
{
	struct deadline deadline = deadline_after(PATIENCE);
	pid_t ended = 0;
	int status = 0;

	while (ended == 0 && !deadline_passed(deadline)) {
		ended = waitpid(process, &status, WNOHANG);
		if (ended == 0)
			poll(NULL, 0, 2);
	}
	assert_int_equal(ended, process);
	return status;
}

static void
assert_no_process_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
stop_run(struct run *run, int number, int expected_status)
{
	int status;

	assert_int_equal(kill(run->supervisor, number), 0);
	status = until_ended(run->supervisor);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected_status);
	assert_no_process_left();
	close(run->log);
}

/* ---- what is proved ---- */

static void
a_child_is_given_what_it_needs_and_no_more(void **state)
{
	char path[64], name[32] = "", line[256] = "";
	struct run run;
	FILE *file;

	(void)state;
	start_run(&run, two_roles, 2, "good");
	until_at_least(&run.page->destinations[FIRST].STARTS, 1);
	until_at_least(&run.page->destinations[SECOND].STARTS, 1);
	assert_int_equal(run.page->destinations[FIRST].DIFFERENCE, 0);
	assert_int_equal(run.page->destinations[SECOND].DIFFERENCE, 0);

	assert_true(snprintf(path, sizeof(path), "/proc/%d/comm",
			     (int)run.page->destinations[FIRST].PID) > 0);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(name, sizeof(name), file));
	assert_string_equal(name, "test-first\n");
	assert_int_equal(fclose(file), 0);

	assert_true(snprintf(path, sizeof(path), "/proc/%d/cmdline",
			     (int)run.page->destinations[FIRST].PID) > 0);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(fread(line, 1, sizeof(line) - 1, file) > 0);
	assert_memory_equal(line, "siembridge\0--role\0first\0-c\0good",
			    sizeof("siembridge\0--role\0first\0-c\0good"));
	assert_int_equal(fclose(file), 0);
	stop_run(&run, SIGTERM, 0);
}

static void
a_child_that_was_killed_is_started_anew(void **state)
{
	struct run run;

	(void)state;
	start_run(&run, two_roles, 2, "good");
	until_at_least(&run.page->destinations[FIRST].STARTS, 1);
	until_at_least(&run.page->destinations[SECOND].STARTS, 1);
	assert_int_equal(kill((pid_t)run.page->destinations[FIRST].PID, SIGKILL), 0);
	until_at_least(&run.page->destinations[FIRST].STARTS, 2);
	assert_true(log_has(&run, "was killed by signal 9 (Killed); starting it anew"));
	assert_int_equal(run.page->values[COUNTER_RESTARTS], 1);
	assert_int_equal(run.page->destinations[SECOND].STARTS, 1);
	stop_run(&run, SIGTERM, 0);
}

static void
a_child_that_keeps_dying_is_started_less_and_less_often(void **state)
{
	struct counters_destination *starts;
	struct run run;

	(void)state;
	start_run(&run, frail_role, 1, "good");
	until_at_least(&run.page->destinations[FIRST].STARTS, 4);
	starts = &run.page->destinations[FRAIL_STARTS];
	assert_true(starts[1].confirmed - starts[0].confirmed >= 99);
	assert_true(starts[2].confirmed - starts[1].confirmed >= 199);
	assert_true(starts[3].confirmed - starts[2].confirmed >= 399);
	assert_true(log_has(&run, "ended with status 1; starting it anew in 100 ms"));
	stop_run(&run, SIGTERM, 0);
}

static void
the_first_has_ended_before_the_second_is_told_to_stop(void **state)
{
	struct counters_destination *roles;
	struct run run;

	(void)state;
	start_run(&run, two_roles, 2, "good");
	roles = run.page->destinations;
	until_at_least(&roles[FIRST].STARTS, 1);
	until_at_least(&roles[SECOND].STARTS, 1);
	stop_run(&run, SIGTERM, 0);
	assert_true(roles[FIRST].ASKED_AT > 0);
	assert_true(roles[SECOND].ASKED_AT >= roles[FIRST].ASKED_AT + 99);
}

static void
children_of_a_killed_supervisor_end(void **state)
{
	struct run run;
	int status;

	(void)state;
	start_run(&run, two_roles, 2, "good");
	until_at_least(&run.page->destinations[FIRST].STARTS, 1);
	until_at_least(&run.page->destinations[SECOND].STARTS, 1);
	assert_int_equal(kill(run.supervisor, SIGKILL), 0);
	until_ended(run.supervisor);
	status = until_ended((pid_t)run.page->destinations[FIRST].PID);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	status = until_ended((pid_t)run.page->destinations[SECOND].PID);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_no_process_left();
	close(run.log);
}

/* Both at once, since each takes seconds. */
static void
a_child_that_does_not_listen_is_killed_in_the_end(void **state)
{
	struct run stopped, orphaned;
	int64_t began;
	int status;

	(void)state;
	start_run(&stopped, deaf_role, 1, "good");
	start_run(&orphaned, deaf_role, 1, "good");
	until_at_least(&stopped.page->destinations[FIRST].STARTS, 1);
	until_at_least(&orphaned.page->destinations[FIRST].STARTS, 1);
	assert_int_equal(kill(orphaned.supervisor, SIGKILL), 0);
	until_ended(orphaned.supervisor);
	began = deadline_now();
	assert_int_equal(kill(stopped.supervisor, SIGTERM), 0);
	status = until_ended(stopped.supervisor);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_in_range(deadline_now() - began, 2000, 5000);
	status = until_ended((pid_t)orphaned.page->destinations[FIRST].PID);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
	assert_no_process_left();
	close(stopped.log);
	close(orphaned.log);
}

static void
a_second_interrupt_kills_at_once(void **state)
{
	int64_t began = deadline_now();
	struct run run;

	(void)state;
	start_run(&run, deaf_role, 1, "good");
	until_at_least(&run.page->destinations[FIRST].STARTS, 1);
	assert_int_equal(kill(run.supervisor, SIGINT), 0);
	until_at_least(&run.page->destinations[FIRST].ASKED_AT, 1);
	stop_run(&run, SIGINT, 0);
	assert_true(deadline_now() - began < 2000);
}

static void
a_reload_replaces_one_role_after_the_other(void **state)
{
	struct counters_destination *roles;
	struct run run;

	(void)state;
	start_run(&run, two_roles, 2, "good");
	roles = run.page->destinations;
	until_at_least(&roles[FIRST].STARTS, 1);
	until_at_least(&roles[SECOND].STARTS, 1);
	assert_int_equal(kill(run.supervisor, SIGHUP), 0);
	until_log_has(&run, "done: every role was started anew with good");
	until_at_least(&roles[FIRST].STARTS, 2);
	until_at_least(&roles[SECOND].STARTS, 2);
	assert_true(roles[SECOND].ASKED_AT >= roles[FIRST].ASKED_AT + 99);
	assert_int_equal(roles[FIRST].DIFFERENCE, 0);
	assert_int_equal(run.page->values[COUNTER_RESTARTS], 0);
	stop_run(&run, SIGTERM, 0);
}

static void
a_reload_of_what_is_wrong_changes_nothing(void **state)
{
	struct run run;

	(void)state;
	start_run(&run, two_roles, 2, "bad");
	until_at_least(&run.page->destinations[FIRST].STARTS, 1);
	until_at_least(&run.page->destinations[SECOND].STARTS, 1);
	assert_int_equal(kill(run.supervisor, SIGHUP), 0);
	until_log_has(&run, "bad cannot be used");
	assert_int_equal(run.page->destinations[FIRST].ASKED_AT, 0);
	assert_int_equal(run.page->destinations[SECOND].ASKED_AT, 0);
	stop_run(&run, SIGTERM, 0);
	assert_int_equal(run.page->destinations[FIRST].STARTS, 1);
	assert_int_equal(run.page->destinations[SECOND].STARTS, 1);
}

/* Half of the service manager's patience: 500 ms. */
static void
a_child_that_hangs_is_killed_and_started_anew(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(setenv("WATCHDOG_USEC", "1000000", 1), 0);
	start_run(&run, hanging_role, 1, "good");
	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
	until_log_has(&run, "ready: every role serves");
	until_log_has(&run, "has given no sign of life for 500 ms; killing it");
	until_at_least(&run.page->destinations[FIRST].STARTS, 2);
	stop_run(&run, SIGTERM, 0);
}

static void
a_configuration_that_cannot_start_ends_the_whole(void **state)
{
	struct run run;
	int status;

	(void)state;
	start_run(&run, misconfigured_roles, 2, "good");
	status = until_ended(run.supervisor);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_no_process_left();
	close(run.log);
}

/* As it would be where the parent died before the child could ask for its signal. */
static void
a_child_of_somebody_else_does_not_start(void **state)
{
	char executable[] = "siembridge", role[] = "--role", first_role[] = "first", c[] = "-c",
	     config[] = "good", parent[] = "--parent", one[] = "1";
	char *arguments[] = {executable, role, first_role, c, config, parent, one, NULL};
	int status;
	pid_t process = fork();

	(void)state;
	assert_true(process >= 0);
	if (process == 0) {
		close(STDERR_FILENO);
		_exit(child_main(7, arguments, all_roles, ALL_ROLES));
	}
	status = until_ended(process);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_EXIT_FAILED);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_child_is_given_what_it_needs_and_no_more),
	    cmocka_unit_test(a_child_that_was_killed_is_started_anew),
	    cmocka_unit_test(a_child_that_keeps_dying_is_started_less_and_less_often),
	    cmocka_unit_test(the_first_has_ended_before_the_second_is_told_to_stop),
	    cmocka_unit_test(children_of_a_killed_supervisor_end),
	    cmocka_unit_test(a_child_that_does_not_listen_is_killed_in_the_end),
	    cmocka_unit_test(a_second_interrupt_kills_at_once),
	    cmocka_unit_test(a_reload_replaces_one_role_after_the_other),
	    cmocka_unit_test(a_reload_of_what_is_wrong_changes_nothing),
	    cmocka_unit_test(a_child_that_hangs_is_killed_and_started_anew),
	    cmocka_unit_test(a_configuration_that_cannot_start_ends_the_whole),
	    cmocka_unit_test(a_child_of_somebody_else_does_not_start),
	};

	if (argc > 1 && strcmp(argv[1], "--role") == 0)
		return child_main(argc, argv, all_roles, sizeof(all_roles) / sizeof(all_roles[0]));
	if (argc > 3 && strcmp(argv[1], "check") == 0)
		return strcmp(argv[3], "good") == 0 ? 0 : 1;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
