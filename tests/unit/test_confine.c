/*
 * Each role's confinement, entered by a process of its own, which then tries what it
 * must not do.  Rows of this table are what the README says of the processes.
 */
#include "bridge/confine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/confine_internal.h"
#include "bridge/log.h"
#include "formats/text.h"

enum { DONE = 100, NOT_CONFINED = 101, DIFFERENT = 102 }; /* exit statuses beside errno */

static char directory[] = "/tmp/test_confine.XXXXXX";
static char spool[64], output_directory[64], output[80], authority[64], elsewhere[64];
static char configured[32];
static int configured_listener, other_listener;
static uint16_t configured_port, other_port;

static char authority_key[] = "destinations[0].syslog.ca_file";
static char output_key[] = "destinations[1].file.path";
static struct config_named_path named[] = {{authority_key, authority}, {output_key, output}};
static struct config_file file = {.path = output};
static struct config_syslog syslog_settings = {.address = configured};
static char hec_url[] = "https://splunk.example.com:8088"; /* names a port like any other */
static struct config_splunk_hec hec_settings = {.url = hec_url};
static struct config_destination destinations[3] = {
    {.syslog = &syslog_settings}, {.file = &file}, {.splunk_hec = &hec_settings}};
static char list_url[64]; /* at the same port as the collector */
static struct config_poll poll_settings = {.url = list_url};
static struct config_source source = {.poll = &poll_settings};
static struct config config = {.sources = &source,
			       .sources_count = 1,
			       .destinations = destinations,
			       .destinations_count = 3,
			       .named_paths = named,
			       .named_paths_count = 2,
			       .spool = {.directory = spool, .max_size = 1 << 20}};

/* ---- what is tried: 0, or errno ---- */

static int
outcome(long result)
{
	return result < 0 ? errno : 0;
}

static int
open_and_close(const char *path, int flags)
{
	int descriptor = open(path, flags | O_CLOEXEC, 0600);

	if (descriptor < 0)
		return errno;
	close(descriptor);
	return 0;
}

static int
write_spool(void)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/spool.db", spool);
	return open_and_close(path, O_RDWR | O_CREAT);
}

static int
read_passwd(void)
{
	return open_and_close("/etc/passwd", O_RDONLY);
}

static int
write_elsewhere(void)
{
	return open_and_close(elsewhere, O_WRONLY | O_CREAT);
}

static int
read_authority(void)
{
	return open_and_close(authority, O_RDONLY);
}

static int
write_authority(void)
{
	return open_and_close(authority, O_WRONLY);
}

static int
write_output(void)
{
	return open_and_close(output, O_RDWR | O_CREAT | O_APPEND);
}

static int
list_root(void)
{
	return open_and_close("/", O_RDONLY | O_DIRECTORY);
}

static int
make_socket(void)
{
	return outcome(socket(AF_INET, SOCK_STREAM, 0));
}

static int
make_raw_packets(void)
{
	return outcome(socket(AF_PACKET, SOCK_RAW, 0));
}

static int handed_down; /* a socket made before */

static int
connect_to(uint16_t port)
{
	const struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};

	return outcome(connect(handed_down, (const struct sockaddr *)&address, sizeof(address)));
}

static int
connect_as_configured(void)
{
	return connect_to(configured_port);
}

static int
connect_elsewhere(void)
{
	return connect_to(other_port);
}

static int
bind_port(void)
{
	const struct sockaddr_in address = {.sin_family = AF_INET};

	return outcome(bind(handed_down, (const struct sockaddr *)&address, sizeof(address)));
}

static int
listen_there(void)
{
	return outcome(listen(handed_down, 1));
}

static int
accept_one(void)
{
	int flags = fcntl(configured_listener, F_GETFL);

	if (flags < 0 || fcntl(configured_listener, F_SETFL, flags | O_NONBLOCK) < 0)
		return errno;
	return accept4(configured_listener, NULL, NULL, SOCK_CLOEXEC) < 0 && errno != EAGAIN ? errno
											     : 0;
}

static int
execute(void)
{
	char name[] = "true";
	char *const arguments[] = {name, NULL};

	return outcome(execve("/bin/true", arguments, arguments + 1));
}

static int
fork_one(void)
{
	pid_t process = fork();

	if (process == 0)
		_exit(0);
	return outcome(process);
}

static void *
nothing(void *context)
{
	return context;
}

static int
start_thread(void)
{
	pthread_t thread;
	int failed = pthread_create(&thread, NULL, nothing, NULL);

	return failed != 0 ? failed : pthread_join(thread, NULL);
}

static int
trace(void)
{
	return outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int
read_memory(void)
{
	return outcome(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
}

static int
load_program(void)
{
	return outcome(syscall(SYS_bpf, 0, NULL, 0));
}

static int
mount_something(void)
{
	return outcome(syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, NULL));
}

static int
leave_name_space(void)
{
	return outcome(syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */));
}

static int
become_root(void)
{
	return outcome(setuid(0));
}

static int
signal_others(void)
{
	return outcome(kill(getppid(), 0));
}

static int
signal_itself(void)
{
	return outcome(kill(getpid(), 0));
}

static int
map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED
		   ? errno
		   : 0;
}

static int
make_code_of_data(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? errno : outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int
raise_limit(void)
{
	const struct rlimit limit = {0};

	return outcome(setrlimit(RLIMIT_FSIZE, &limit));
}

/* ---- in a process of its own ---- */

static pid_t
start_as(const char *role, int (*attempt)(void))
{
	pid_t process = fork();

	assert_true(process >= 0);
	if (process == 0) {
		struct error error;

		handed_down = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!confine_enter(role, &config, &error)) {
			print_message("%s: %s\n", role, error.text);
			_exit(NOT_CONFINED);
		}
		_exit(attempt());
	}
	return process;
}

/* 0, errno, DONE ..., or minus the signal that ended it. */
static int
try_as(const char *role, int (*attempt)(void))
{
	pid_t process = start_as(role, attempt);
	int status;

	assert_int_equal(waitpid(process, &status, 0), process);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* The version of Landlock that refuses it; 0: system calls do; any kernel of ours has those. */
enum { CALLS = 0, FILES = 1, PORTS = 4 };

static const struct {
	const char *what;
	int (*attempt)(void);
	int version;
	/* errno, 0: done, or minus a signal */
	int receiver, forwarder, poller, console, supervisor;
} attempts[] = {
    {"write the spool", write_spool, FILES, 0, 0, EACCES, 0, 0},
    {"read /etc/passwd", read_passwd, FILES, EACCES, EACCES, EACCES, EACCES, 0},
    {"write elsewhere", write_elsewhere, FILES, EACCES, EACCES, EACCES, EACCES, 0},
    {"list /", list_root, FILES, EACCES, EACCES, EACCES, EACCES, 0},
    {"read a destination's authority", read_authority, FILES, EACCES, 0, EACCES, EACCES, 0},
    {"write a destination's authority", write_authority, FILES, EACCES, EACCES, EACCES, EACCES, 0},
    {"write a destination's file", write_output, FILES, EACCES, 0, EACCES, EACCES, 0},
    {"make a socket", make_socket, CALLS, EPERM, 0, 0, EPERM, 0},
    {"make a packet socket", make_raw_packets, CALLS, EPERM, EPERM, EPERM, EPERM, EPERM},
    {"connect to a configured port", connect_as_configured, CALLS, EPERM, 0, 0, EPERM, 0},
    {"connect to another port", connect_elsewhere, PORTS, EPERM, EACCES, EACCES, EPERM, 0},
    {"bind a TCP port", bind_port, PORTS, EPERM, EACCES, EACCES, EPERM, 0},
    {"listen", listen_there, CALLS, EPERM, EPERM, EPERM, EPERM, 0},
    {"accept", accept_one, CALLS, 0, EPERM, EPERM, 0, 0},
    {"execute another program", execute, FILES, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS, EACCES},
    {"fork", fork_one, CALLS, EPERM, EPERM, EPERM, EPERM, 0},
    {"start a thread", start_thread, CALLS, 0, 0, 0, 0, 0},
    {"trace a process", trace, CALLS, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS},
    {"read another's memory", read_memory, CALLS, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS},
    {"load a BPF program", load_program, CALLS, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS},
    {"mount", mount_something, CALLS, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS},
    {"make a name space", leave_name_space, CALLS, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS, -SIGSYS},
    {"signal others", signal_others, CALLS, EPERM, EPERM, EPERM, EPERM, 0},
    {"signal itself", signal_itself, CALLS, 0, 0, 0, 0, 0},
    {"map memory to write and execute", map_code, CALLS, EPERM, EPERM, EPERM, EPERM, 0},
    {"make code of data", make_code_of_data, CALLS, EPERM, EPERM, EPERM, EPERM, 0},
    {"set a limit", raise_limit, CALLS, EPERM, EPERM, EPERM, EPERM, 0},
};

static void
each_role_is_refused_what_it_does_not_need(void **state)
{
	int version = confine_files_version();
	bool good = true;

	(void)state;
	if (CONFINE_SANITIZED)
		skip();
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		const struct {
			const char *role;
			int wanted;
		} columns[] = {
		    {"receiver", attempts[i].receiver},     {"forwarder", attempts[i].forwarder},
		    {"poller", attempts[i].poller},         {"console", attempts[i].console},
		    {"supervisor", attempts[i].supervisor},
		};

		if (version < attempts[i].version)
			continue;
		for (size_t j = 0; j < sizeof(columns) / sizeof(columns[0]); j++) {
			int got = try_as(columns[j].role, attempts[i].attempt);

			if (got == columns[j].wanted)
				continue;
			print_message("%s, %s: %d, not %d\n", columns[j].role, attempts[i].what,
				      got, columns[j].wanted);
			good = false;
		}
	}
	assert_true(good);
}

static int ends[2]; /* of a child that waits, and the test */

static int
wait_to_be_looked_at(void)
{
	char byte;

	return write(ends[1], "c", 1) == 1 && read(ends[1], &byte, 1) == 1 ? 0 : DIFFERENT;
}

static bool
file_of_process_has(pid_t process, const char *name, const char *const *lines)
{
	char path[64], content[8192];
	int descriptor;
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)process, name);
	descriptor = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(descriptor >= 0);
	length = read(descriptor, content, sizeof(content) - 1);
	close(descriptor);
	content[length > 0 ? length : 0] = '\0';
	for (; *lines != NULL; lines++) {
		if (strstr(content, *lines) == NULL) {
			print_message("%s has no \"%s\":\n%s\n", path, *lines, content);
			return false;
		}
	}
	return true;
}

static void
no_role_has_capabilities_or_leaves_a_core(void **state)
{
	static const char *const status_lines[] = {"CapInh:\t0000000000000000",
						   "CapPrm:\t0000000000000000",
						   "CapEff:\t0000000000000000",
						   "CapAmb:\t0000000000000000",
						   "NoNewPrivs:\t1",
						   "Seccomp:\t2",
						   NULL};
	static const char *const limit_lines[] = {
	    "Max core file size        0                    0", NULL};
	static const char *const roles[] = {"receiver", "forwarder", "poller", "console",
					    "supervisor"};
	char byte;

	(void)state;
	if (CONFINE_SANITIZED)
		skip();
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		pid_t process;
		int status;

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		process = start_as(roles[i], wait_to_be_looked_at);
		assert_int_equal(read(ends[0], &byte, 1), 1);
		assert_true(file_of_process_has(process, "status", status_lines));
		/* which belongs to root alone, where nobody else may dump it */
		assert_true(geteuid() != 0 || file_of_process_has(process, "limits", limit_lines));
		assert_int_equal(write(ends[0], "g", 1), 1);
		assert_int_equal(waitpid(process, &status, 0), process);
		assert_int_equal(status, 0);
		close(ends[0]);
		close(ends[1]);
	}
}

static void
a_role_cannot_change_its_user(void **state)
{
	(void)state;
	if (CONFINE_SANITIZED)
		skip();
	assert_int_equal(try_as("receiver", become_root), EPERM);
	assert_int_equal(try_as("forwarder", become_root), EPERM);
}

static int
look_for_replaced(void)
{
	const char *path = NULL;

	return !confine_files_are_stale(&path) ? DONE
	       : strcmp(path, authority) == 0  ? 0
					       : DIFFERENT;
}

static int
wait_and_look(void)
{
	int status = wait_to_be_looked_at();

	return status != 0 ? status : look_for_replaced();
}

static void
a_file_that_was_replaced_is_noticed(void **state)
{
	char fresh[80], byte;
	pid_t process;
	int status;

	(void)state;
	if (CONFINE_SANITIZED || confine_files_version() == 0)
		skip();
	assert_int_equal(try_as("forwarder", look_for_replaced), DONE);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	process = start_as("forwarder", wait_and_look);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", authority);
	assert_int_equal(open_and_close(fresh, O_WRONLY | O_CREAT), 0);
	assert_int_equal(rename(fresh, authority), 0);
	assert_int_equal(write(ends[0], "g", 1), 1);
	assert_int_equal(waitpid(process, &status, 0), process);
	assert_int_equal(status, 0);
	close(ends[0]);
	close(ends[1]);
}

static void
a_role_without_a_row_does_not_start(void **state)
{
	struct error error;

	(void)state;
	assert_false(confine_enter("nobody", &config, &error));
	assert_string_equal(error.text, "confinement: there is no row for the role nobody");
}

static void
what_the_kernel_gives_can_be_read(void **state)
{
	char bytes[512];
	struct text text;

	(void)state;
	text_start(&text, bytes, sizeof(bytes));
	confine_describe(&text);
	assert_false(text.overflowed);
	if (!CONFINE_SANITIZED)
		assert_non_null(strstr(bytes, "system calls"));
	if (!CONFINE_SANITIZED && confine_files_version() >= 4)
		assert_non_null(strstr(bytes, ", TCP ports"));
}

/* As `siembridge check --confinement` does, whose test looks at each word. */
static void
each_role_is_told_and_fits_where_it_is_printed(void **state)
{
	static char bytes[64 * 1024];
	struct text text;

	(void)state;
	text_start(&text, bytes, sizeof(bytes));
	confine_describe_roles(&text, &config);
	assert_false(text.overflowed);
	assert_true(text.length < sizeof(bytes) / 2); /* newer libraries know more calls */
	for (size_t i = 0; confine_row(i) != NULL; i++)
		assert_non_null(strstr(bytes, confine_row(i)->role));
	for (const char *line = bytes; *line != '\0'; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 110);
}

/* ---- ports ---- */

static size_t ports_count;
static uint16_t ports_found[16];

static bool
note_port(void *context, uint16_t port)
{
	(void)context;
	assert_true(ports_count < sizeof(ports_found) / sizeof(ports_found[0]));
	ports_found[ports_count++] = port;
	return true;
}

static void
ports_are(enum confine_ports ports, const struct config *of, const uint16_t *wanted)
{
	ports_count = 0;
	assert_true(confine_ports_each(ports, of, note_port, NULL));
	for (size_t i = 0; i < ports_count; i++)
		assert_int_equal(ports_found[i], wanted[i]);
	assert_int_equal(wanted[ports_count], 0);
}

static void
the_ports_of_each_kind_are_known(void **state)
{
	static char tcp[] = "siem.example.com:6514", second[] = "[2001:db8::1]:601";
	static char local[] = "/dev/log", mail[] = "mail.example.com:587";
	static char hec[] = "https://splunk.example.com:8088/x?y=1", plain[] = "http://splunk";
	static char proxy[] = "http://proxy.example.com:3128", bare[] = "http://proxy";
	static char page[] = "https://[::1]/v2/enqueue", url_file[96];
	static char list[] = "https://api.example.com:8443/events?since={since}";
	static char *more[] = {second};
	static char spare[] = "https://spare.example.com:8089", *urls[] = {plain, spare};
	struct config_syslog syslogs[] = {
	    {.address = tcp, .several = {.addresses = more, .count = 1}}, {.address = local}};
	struct config_email email = {.server = mail};
	struct config_splunk_hec hecs[] = {{.url = hec},
					   {.several = {.addresses = urls, .count = 2}},
					   {.url = hec, .proxy = proxy}};
	struct config_http https[] = {
	    {.url = page}, {.url = page, .proxy = bare}, {.url_file = url_file}};
	struct config_destination all[] = {{.syslog = &syslogs[0]},  {.syslog = &syslogs[1]},
					   {.email = &email},        {.splunk_hec = &hecs[0]},
					   {.splunk_hec = &hecs[1]}, {.splunk_hec = &hecs[2]},
					   {.http = &https[0]},      {.http = &https[1]},
					   {.http = &https[2]},      {.file = &file}};
	struct config_poll poll = {.url = list};
	struct config_source sources[] = {{.poll = NULL}, {.poll = &poll}};
	const struct config of = {.destinations = all,
				  .destinations_count = sizeof(all) / sizeof(all[0]),
				  .sources = sources,
				  .sources_count = 2};
	static const char text[] = "https://hooks.example.com:9443/services/T0\n";
	int descriptor;

	(void)state;
	(void)snprintf(url_file, sizeof(url_file), "%s/url", directory);
	descriptor = open(url_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(descriptor, text, sizeof(text) - 1), sizeof(text) - 1);
	close(descriptor);
	ports_are(CONFINE_PORTS_DESTINATIONS, &of,
		  (const uint16_t[]){601, 6514, 587, 8088, 80, 8089, 3128, 443, 1080, 9443, 53, 0});
	ports_are(CONFINE_PORTS_POLLS, &of, (const uint16_t[]){8443, 53, 0});
	ports_are(CONFINE_PORTS_NONE, &of, (const uint16_t[]){0});
	assert_int_equal(unlink(url_file), 0);
}

/* ---- the scene ---- */

static int
listen_somewhere(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(address);
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(descriptor, 64) != 0 ||
	    getsockname(descriptor, (struct sockaddr *)&address, &length) != 0)
		return -1;
	*port = ntohs(address.sin_port);
	return descriptor;
}

static int
set_scene(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	(void)snprintf(spool, sizeof(spool), "%s/spool", directory);
	(void)snprintf(output_directory, sizeof(output_directory), "%s/out", directory);
	(void)snprintf(output, sizeof(output), "%s/events.log", output_directory);
	(void)snprintf(authority, sizeof(authority), "%s/ca.pem", directory);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", directory);
	configured_listener = listen_somewhere(&configured_port);
	other_listener = listen_somewhere(&other_port);
	(void)snprintf(configured, sizeof(configured), "127.0.0.1:%u", configured_port);
	(void)snprintf(list_url, sizeof(list_url), "https://%s/events", configured);
	if (configured_listener < 0 || other_listener < 0 || mkdir(spool, 0700) != 0 ||
	    mkdir(output_directory, 0700) != 0)
		return -1;
	return open_and_close(authority, O_WRONLY | O_CREAT);
}

static int
clear_scene(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/spool.db", spool);
	(void)unlink(path);
	(void)unlink(output);
	(void)unlink(authority);
	(void)unlink(elsewhere);
	(void)rmdir(spool);
	(void)rmdir(output_directory);
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_role_is_refused_what_it_does_not_need),
	    cmocka_unit_test(no_role_has_capabilities_or_leaves_a_core),
	    cmocka_unit_test(a_role_cannot_change_its_user),
	    cmocka_unit_test(a_file_that_was_replaced_is_noticed),
	    cmocka_unit_test(the_ports_of_each_kind_are_known),
	    cmocka_unit_test(a_role_without_a_row_does_not_start),
	    cmocka_unit_test(what_the_kernel_gives_can_be_read),
	    cmocka_unit_test(each_role_is_told_and_fits_where_it_is_printed),
	};

	log_start("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, set_scene, clear_scene);
}
