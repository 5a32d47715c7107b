/* A service manager's side, played by the test: its socket, its variables, its descriptors. */
#include "bridge/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/text.h"

enum { CANNOT_OPEN = 99, DIFFERENT = 98, FIRST_SOCKET = 3 };

struct variable {
	const char *name, *value;
};

/* In a process of its own, since it reads the environment and takes descriptor 3. */
static int
run_with(const struct variable *variables, size_t count, int handed_down, int (*check)(void),
	 struct error *error)
{
	pid_t process = fork();
	int status;

	assert_true(process >= 0);
	if (process == 0) {
		char own[16];

		(void)snprintf(own, sizeof(own), "%d", (int)getpid());
		for (size_t i = 0; i < count; i++)
			if (setenv(variables[i].name,
				   strcmp(variables[i].value, "own") == 0 ? own
									  : variables[i].value,
				   1) != 0)
				_exit(DIFFERENT);
		if (handed_down >= 0 && dup2(handed_down, FIRST_SOCKET) != FIRST_SOCKET)
			_exit(DIFFERENT);
		_exit(service_open(error) ? check() : CANNOT_OPEN);
	}
	assert_int_equal(waitpid(process, &status, 0), process);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define RUN(variables, handed_down, check)                                                         \
	run_with(variables, sizeof(variables) / sizeof((variables)[0]), handed_down, check,        \
		 &(struct error){0})

static int
say_ready(void)
{
	service_notify("READY=1\nSTATUS=%s", "serving");
	return getenv("NOTIFY_SOCKET") == NULL && service_watchdog() == 30000 ? 0 : DIFFERENT;
}

static void
the_manager_hears_what_is_said(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char heard[64] = "";
	const struct variable variables[] = {
	    {"NOTIFY_SOCKET", address.sun_path},
	    {"WATCHDOG_USEC", "30000000"},
	    {"WATCHDOG_PID", "own"},
	};
	int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/test_service.%d",
		       (int)getpid());
	assert_int_equal(bind(manager, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(RUN(variables, -1, say_ready), 0);
	assert_int_equal(recv(manager, heard, sizeof(heard) - 1, MSG_DONTWAIT), 22);
	assert_string_equal(heard, "READY=1\nSTATUS=serving");
	close(manager);
	(void)unlink(address.sun_path);
}

static int
expect_nothing(void)
{
	int sockets[2];
	char bytes[64];
	struct text text;
	struct error error;
	bool given = true;

	text_start(&text, bytes, sizeof(bytes));
	service_notify("READY=1");
	return service_watchdog() == 0 && service_sockets(sockets, 2, &given, &text, &error) &&
		       !given
		   ? 0
		   : DIFFERENT;
}

static void
without_a_manager_nothing_happens(void **state)
{
	const struct variable none[] = {{"NOTIFY_SOCKET", ""}};
	const struct variable of_another[] = {{"LISTEN_FDS", "1"},
					      {"LISTEN_PID", "1"},
					      {"WATCHDOG_USEC", "1000000"},
					      {"WATCHDOG_PID", "1"}};

	(void)state;
	assert_int_equal(RUN(none, -1, expect_nothing), 0);
	assert_int_equal(RUN(of_another, -1, expect_nothing), 0);
}

static void
what_makes_no_sense_is_refused(void **state)
{
	const struct variable no_number[] = {{"LISTEN_FDS", "many"}, {"LISTEN_PID", "own"}};
	const struct variable too_many[] = {{"LISTEN_FDS", "1000"}, {"LISTEN_PID", "own"}};
	const struct variable no_socket[] = {{"NOTIFY_SOCKET", "here"}};
	const struct variable no_manager[] = {{"NOTIFY_SOCKET", "/tmp/test_service.nobody"}};

	(void)state;
	assert_int_equal(RUN(no_number, -1, expect_nothing), CANNOT_OPEN);
	assert_int_equal(RUN(too_many, -1, expect_nothing), CANNOT_OPEN);
	assert_int_equal(RUN(no_socket, -1, expect_nothing), CANNOT_OPEN);
	assert_int_equal(RUN(no_manager, -1, expect_nothing), CANNOT_OPEN);
}

/* One socket for three loops: three descriptors of it. */
static int
expect_sockets(void)
{
	int sockets[3], listens = 0;
	socklen_t length = sizeof(listens);
	char bytes[64];
	struct text text;
	struct error error;
	bool given;

	text_start(&text, bytes, sizeof(bytes));
	if (!service_sockets(sockets, 3, &given, &text, &error) || !given ||
	    strncmp(bytes, "127.0.0.1:", 10) != 0 || sockets[0] != FIRST_SOCKET ||
	    sockets[1] == sockets[2])
		return DIFFERENT;
	for (size_t i = 0; i < 3; i++)
		if (getsockopt(sockets[i], SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0 ||
		    listens != 1 || (fcntl(sockets[i], F_GETFD) & FD_CLOEXEC) == 0)
			return DIFFERENT;
	return getenv("LISTEN_FDS") == NULL ? 0 : DIFFERENT;
}

static int
expect_refused(void)
{
	int sockets[1];
	char bytes[64];
	struct text text;
	struct error error;
	bool given;

	text_start(&text, bytes, sizeof(bytes));
	return !service_sockets(sockets, 1, &given, &text, &error) &&
		       strstr(error.text, "no listening TCP socket") != NULL
		   ? 0
		   : DIFFERENT;
}

static void
sockets_are_handed_down(void **state)
{
	const struct variable variables[] = {{"LISTEN_FDS", "1"}, {"LISTEN_PID", "own"}};
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(RUN(variables, listener, expect_refused), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(RUN(variables, listener, expect_sockets), 0);
	close(listener);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_manager_hears_what_is_said),
	    cmocka_unit_test(without_a_manager_nothing_happens),
	    cmocka_unit_test(what_makes_no_sense_is_refused),
	    cmocka_unit_test(sockets_are_handed_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
