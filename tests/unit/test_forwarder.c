/*
 * The whole role in a process of its own: started before there is a spool, woken,
 * stopped, started anew.
 */
#include "bridge/forwarder/forwarder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/counters.h"
#include "bridge/deadline.h"
#include "bridge/spool/delivery.h"
#include "bridge/spool/spool.h"
#include "bridge/wake.h"
#include "formats/memory.h"

enum { PATIENCE = 20000, STOP_WITHIN = 4500 }; /* milliseconds */

struct fixture {
	char directory[64];
	char config_path[96];
	char output[2][96];
	struct spool *spool; /* NULL: not made yet */
	struct child_inheritance inheritance;
	struct counters *counters;
	pid_t process; /* 0: none */
};

static void
write_config(const struct fixture *fixture)
{
	FILE *file = fopen(fixture->config_path, "w");

	assert_non_null(file);
	(void)fprintf(file,
		      "listen:\n"
		      "  address: 127.0.0.1:1\n"
		      "  certificate: /nowhere/cert.pem\n"
		      "  private_key: /nowhere/key.pem\n"
		      "spool:\n"
		      "  directory: %s\n"
		      "sources:\n"
		      "  - name: anyint\n"
		      "    path: /webhooks/anyint\n"
		      "    signature: none\n"
		      "destinations:\n"
		      "  - name: all\n"
		      "    format: rfc5424\n"
		      "    file: {path: %s}\n"
		      "  - name: members\n"
		      "    events: [\"member.*\"]\n"
		      "    file: {path: %s}\n"
		      "  - name: dead\n"
		      "    syslog: {address: \"127.0.0.1:1\", transport: tcp}\n",
		      fixture->directory, fixture->output[0], fixture->output[1]);
	assert_int_equal(fclose(file), 0);
}

static int
set_up(void **state)
{
	struct fixture *fixture = memory_allocate(sizeof(*fixture));
	struct error error;

	snprintf(fixture->directory, sizeof(fixture->directory), "%s",
		 "/tmp/siembridge-forwarder-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	snprintf(fixture->config_path, sizeof(fixture->config_path), "%s/config",
		 fixture->directory);
	for (int i = 0; i < 2; i++)
		snprintf(fixture->output[i], sizeof(fixture->output[i]), "%s/out.%d",
			 fixture->directory, i);
	write_config(fixture);
	fixture->inheritance.role = "forwarder";
	fixture->inheritance.config = -1;
	fixture->inheritance.config_path = fixture->config_path;
	if (!wake_open(&fixture->inheritance.wake, &error) ||
	    !counters_create(&fixture->inheritance.counters, &error) ||
	    !counters_map(fixture->inheritance.counters, &fixture->counters, &error))
		fail_msg("%s", error.text);
	*state = fixture;
	return 0;
}

static void
start(struct fixture *fixture)
{
	fixture->process = fork();
	assert_true(fixture->process >= 0);
	if (fixture->process == 0)
		_exit(forwarder_run(&fixture->inheritance));
}

/* Its exit status, once it has ended by itself or by a signal. */
static int
await_end(struct fixture *fixture, int64_t within)
{
	struct deadline deadline = deadline_after(within);
	int status = 0;

	while (waitpid(fixture->process, &status, WNOHANG) == 0) {
		if (deadline_passed(deadline)) {
			kill(fixture->process, SIGKILL);
			fail_msg("process %d did not end", (int)fixture->process);
		}
		usleep(2000);
	}
	fixture->process = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
stop(struct fixture *fixture)
{
	assert_int_equal(kill(fixture->process, SIGTERM), 0);
	assert_int_equal(await_end(fixture, STOP_WITHIN), CHILD_EXIT_OK);
}

static void
remove_file(const struct fixture *fixture, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", fixture->directory, name);
	(void)unlink(path);
}

static int
tear_down(void **state)
{
	static const char *const files[] = {
	    "spool.db",    "spool.db-wal",    "spool.db-shm",    "head",         "lock",
	    "delivery.db", "delivery.db-wal", "delivery.db-shm", "config",       "out.0",
	    "out.1",       "aside",           "index.db",        "index.db-wal", "index.db-shm"};
	struct fixture *fixture = *state;

	if (fixture->process != 0) {
		kill(fixture->process, SIGKILL);
		waitpid(fixture->process, NULL, 0);
	}
	spool_close(fixture->spool);
	close(fixture->inheritance.wake);
	close(fixture->inheritance.counters);
	munmap(fixture->counters, sizeof(*fixture->counters));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		remove_file(fixture, files[i]);
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

static void
open_spool(struct fixture *fixture)
{
	struct error alarm = {.text = ""};
	struct error error;

	if (!spool_open(&fixture->spool, fixture->directory, 0, 0, &alarm, &error))
		fail_msg("%s", error.text);
}

static void
append(struct fixture *fixture, const char *type)
{
	struct spool_event event = {.source = SLICE_LITERAL("anyint"),
				    .id = SLICE_LITERAL("msg_1"),
				    .type = text_of(type),
				    .evidence = SLICE_LITERAL("")};
	char body[128];
	struct error error;

	snprintf(body, sizeof(body), "{\"type\":\"%s\"}", type);
	event.body = text_of(body);
	if (spool_append(fixture->spool, &event, 1, NULL, 0, &error) != SPOOL_DONE)
		fail_msg("%s", error.text);
	wake_raise(fixture->inheritance.wake);
}

static size_t
lines_in(const char *path)
{
	char bytes[1 << 14];
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;
	size_t lines = 0;

	if (descriptor < 0)
		return 0;
	length = read(descriptor, bytes, sizeof(bytes));
	close(descriptor);
	for (ssize_t i = 0; i < length; i++)
		lines += bytes[i] == '\n';
	return lines;
}

static void
await_lines(const char *path, size_t lines)
{
	struct deadline deadline = deadline_after(PATIENCE);

	while (lines_in(path) < lines) {
		assert_false(deadline_passed(deadline));
		usleep(2000);
	}
	assert_int_equal(lines_in(path), lines);
}

/* Also by one that wants none of the last events: they are behind it once it has read them. */
static void
await_confirmed(const struct fixture *fixture, size_t destination, uint64_t sequence)
{
	struct deadline deadline = deadline_after(PATIENCE);

	while (atomic_load(&fixture->counters->destinations[destination].confirmed) < sequence) {
		assert_false(deadline_passed(deadline));
		usleep(2000);
	}
}

static uint64_t
saved(const struct fixture *fixture, const char *destination)
{
	struct delivery_cursor cursor = {.destination = destination};
	struct delivery *delivery;
	struct error error;

	if (!delivery_open(&delivery, fixture->directory, &error) ||
	    !delivery_load(delivery, &cursor, &error))
		fail_msg("%s", error.text);
	delivery_close(delivery);
	return cursor.sequence;
}

static void
it_waits_for_the_spool_and_serves_each_destination(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	open_spool(fixture);
	append(fixture, "key.created");
	append(fixture, "member.joined");
	await_lines(fixture->output[0], 2);
	await_lines(fixture->output[1], 1);
	append(fixture, "key.disabled");
	await_lines(fixture->output[0], 3);
	await_confirmed(fixture, 1, 3);
	stop(fixture);
	assert_int_equal(saved(fixture, "all"), 3);
	assert_int_equal(saved(fixture, "members"), 3);
	assert_int_equal(saved(fixture, "dead"), 0);

	/* What was confirmed does not come again. */
	append(fixture, "member.removed");
	start(fixture);
	await_lines(fixture->output[0], 4);
	await_lines(fixture->output[1], 2);
	stop(fixture);
}

static void
it_ends_in_time_without_a_spool(void **state)
{
	struct fixture *fixture = *state;
	struct deadline deadline = deadline_after(PATIENCE);
	char path[128];

	snprintf(path, sizeof(path), "%s/delivery.db", fixture->directory);
	start(fixture);
	while (access(path, F_OK) != 0) { /* it has begun: its signals are set up */
		assert_false(deadline_passed(deadline));
		usleep(2000);
	}
	stop(fixture);
}

static void
it_starts_anew_when_the_spool_was_begun_afresh(void **state)
{
	struct fixture *fixture = *state;
	char from[128];
	char to[128];

	start(fixture); /* first: a copy of the spool's lock would outlive its owner */
	open_spool(fixture);
	append(fixture, "key.created");
	await_lines(fixture->output[0], 1);
	spool_close(fixture->spool);
	fixture->spool = NULL;
	snprintf(from, sizeof(from), "%s/spool.db", fixture->directory);
	snprintf(to, sizeof(to), "%s/aside", fixture->directory);
	assert_int_equal(rename(from, to), 0);
	remove_file(fixture, "spool.db-wal");
	remove_file(fixture, "spool.db-shm");
	remove_file(fixture, "head");
	open_spool(fixture);
	assert_int_equal(await_end(fixture, PATIENCE), CHILD_EXIT_FAILED);

	append(fixture, "key.deleted"); /* sequence 1 again, in another epoch */
	start(fixture);
	await_lines(fixture->output[0], 2);
	stop(fixture);
}

static void
a_wrong_configuration_is_told_by_its_status(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(truncate(fixture->config_path, 5), 0);
	start(fixture);
	assert_int_equal(await_end(fixture, PATIENCE), CHILD_EXIT_CONFIGURATION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(it_waits_for_the_spool_and_serves_each_destination,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(it_ends_in_time_without_a_spool, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(it_starts_anew_when_the_spool_was_begun_afresh, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_wrong_configuration_is_told_by_its_status, set_up,
					    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
