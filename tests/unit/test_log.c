/*
 * What is written to stderr goes through a pipe and is looked at here.  The
 * source itself is included, so that a test can let its ten seconds pass.
 */
#include "bridge/log.c" // NOLINT(bugprone-suspicious-include)

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int real_stderr, pipe_end;
static char captured[1 << 16];

static int
start_capture(void **state)
{
	int ends[2];

	(void)state;
	log_start("tester", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	real_stderr = dup(STDERR_FILENO);
	pipe_end = ends[0];
	return dup2(ends[1], STDERR_FILENO) < 0 || close(ends[1]) != 0 ? -1 : 0;
}

static int
stop_capture(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	return close(pipe_end);
}

/* All that was written since the last call. */
static const char *
take(void)
{
	ssize_t length = read(pipe_end, captured, sizeof(captured) - 1);

	captured[length > 0 ? length : 0] = '\0';
	return captured;
}

/* Behind the time, which is as long in each line. */
static const char *
take_after_time(void)
{
	return take() + strlen("2026-10-01T12:00:00.123Z ");
}

static void
a_line_has_time_level_role_object_and_text(void **state)
{
	const char *pattern = "dddd-dd-ddTdd:dd:dd.dddZ "; /* d: a digit */
	const char *line;

	(void)state;
	log_warning("destination=siem", "refused by %s", "10.0.0.5:6514");
	for (line = take(); *pattern != '\0'; pattern++, line++)
		if (*pattern == 'd')
			assert_in_range(*line, '0', '9');
		else
			assert_int_equal(*line, *pattern);
	assert_string_equal(line, "warning tester destination=siem \"refused by 10.0.0.5:6514\"\n");
}

static void
what_is_below_the_level_is_not_written(void **state)
{
	(void)state;
	log_debug("spool", "detail");
	assert_string_equal(take(), "");
	log_start("tester", LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
	log_debug("spool", "detail");
	assert_string_equal(take_after_time(), "debug tester spool \"detail\"\n");
}

static void
foreign_bytes_cannot_forge_a_line(void **state)
{
	static const struct {
		const char *foreign, *shown;
	} cases[] = {
	    {"a\nb", "a\\x0ab"},
	    {"say \"hi\"", "say \\\"hi\\\""},
	    {"back\\slash", "back\\\\slash"},
	    {"\033[2J", "\\x1b[2J"},
	    {"\x7f", "\\x7f"},
	    {"\xff\xfe", "\\xff\\xfe"},
	    {"\xc2\x85", "\\xc2\\x85"},
	    {"\xe2\x80\xae", "\\xe2\\x80\\xae"}, /* turns the text around */
	    {"\xc3\xbc \xe2\x82\xac", "\xc3\xbc \xe2\x82\xac"},
	    {"\xc3", "\\xc3"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char object[32], expected[128];

		assert_true(snprintf(object, sizeof(object), "case=%zu", i) > 0);
		assert_true(snprintf(expected, sizeof(expected), "info tester %s \"<%s>\"\n",
				     object, cases[i].shown) > 0);
		log_info(object, "<%s>", cases[i].foreign);
		assert_string_equal(take_after_time(), expected);
	}
}

static void
a_message_is_not_repeated_within_ten_seconds(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		log_info("destination=again", "attempt %d", i);
	assert_string_equal(take_after_time(), "info tester destination=again \"attempt 0\"\n");
}

static void
the_next_one_after_ten_seconds_says_how_many_were_left_out(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		log_info("destination=later", "attempt %d", i);
	assert_string_not_equal(take(), "");
	for (size_t i = 0; i < SLOTS; i++)
		slots[i].at -= QUIET;
	log_info("destination=later", "attempt %d", 100);
	assert_string_equal(take_after_time(), "info tester destination=later \"attempt 100 "
					       "(99 more like this left out)\"\n");
}

static void
another_object_or_another_message_is_not_held_back(void **state)
{
	(void)state;
	log_info("destination=one", "is back");
	assert_string_not_equal(take(), "");
	log_info("destination=two", "is back");
	assert_string_not_equal(take(), "");
	log_info("destination=one", "is away");
	assert_string_not_equal(take(), "");
	log_info("destination=one", "is back");
	assert_string_equal(take(), "");
}

static void
where_the_format_says_nothing_the_text_is_the_site(void **state)
{
	(void)state;
	log_info("check", "%s", "the key is readable by all");
	assert_string_not_equal(take(), "");
	log_info("check", "%s", "the disk is nearly full");
	assert_string_not_equal(take(), "");
	log_info("check", "%s", "refused by 10.0.0.1:4000");
	assert_string_not_equal(take(), "");
	log_info("check", "%s", "refused by 10.0.0.1:4001");
	assert_string_equal(take(), "");
}

static void
a_long_message_is_cut_to_a_line_that_a_pipe_takes_whole(void **state)
{
	char message[5000];

	(void)state;
	memset(message, '\001', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	log_info("long", "long %s", message);
	assert_in_range(strlen(take()), 4000, PIPE_BUF);
	assert_string_equal(captured + strlen(captured) - 9, "\\x01...\"\n");
}

static void *
talk(void *object)
{
	for (int i = 0; i < 1000; i++)
		log_info(object, "talking");
	return NULL;
}

static void
threads_that_talk_at_once_write_whole_lines(void **state)
{
	static char objects[8][16];
	pthread_t threads[8];
	size_t lines = 0;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		assert_true(snprintf(objects[i], sizeof(objects[i]), "thread=%zu", i) > 0);
		assert_int_equal(pthread_create(&threads[i], NULL, talk, objects[i]), 0);
	}
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (const char *at = take(); *at != '\0'; at = strchr(at, '\n') + 1) {
		assert_non_null(strstr(at, "info tester thread="));
		lines++;
	}
	assert_int_equal(lines, 8);
}

static void
as_logfmt_the_object_is_a_field(void **state)
{
	(void)state;
	log_start("tester", LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	log_warning("destination=logfmt", "refused by \"%s\"", "x\ny");
	take();
	assert_memory_equal(captured, "time=2", 6);
	assert_string_equal(strchr(captured, ' '),
			    " level=warning role=tester destination=\"logfmt\" "
			    "msg=\"refused by \\\"x\\x0ay\\\"\"\n");
	log_info("logfmt-spool", "opened");
	assert_non_null(strstr(take(), " object=\"logfmt-spool\" msg=\"opened\"\n"));
}

static void
as_json_it_is_one_document_whatever_was_said(void **state)
{
	char message[LONGEST_MESSAGE * 2];

	(void)state;
	log_start("tester", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_warning("destination=json", "say \"%s\"", "x\ny");
	take();
	assert_memory_equal(captured, "{\"time\":\"2", 10);
	assert_string_equal(strchr(captured, ','),
			    ",\"level\":\"warning\",\"role\":\"tester\",\"destination\":\"json\","
			    "\"message\":\"say \\\"x\\ny\\\"\"}\n");
	memset(message, '\001', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	log_info("json-long", "%s", message);
	assert_in_range(strlen(take()), 1000, PIPE_BUF);
	assert_string_equal(captured + strlen(captured) - 19, ",\"truncated\":true}\n");
}

static void
what_was_left_out_is_a_field(void **state)
{
	(void)state;
	log_start("tester", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	for (int i = 0; i < 4; i++)
		log_info("json-again", "attempt %d", i);
	take();
	for (size_t i = 0; i < SLOTS; i++)
		slots[i].at -= QUIET;
	log_info("json-again", "attempt %d", 4);
	assert_non_null(strstr(take(), "\"left_out\":3}\n"));
}

/* What systemd would do: stderr is named in the environment, and its socket takes fields. */
static void
to_the_journal_it_goes_with_fields(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char received[LONGEST_LINE], stream[64];
	struct stat status;
	int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t length;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	assert_true(snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
			     (unsigned long long)status.st_ino) > 0);
	assert_false(stderr_is_journal());
	assert_int_equal(setenv("JOURNAL_STREAM", "1:2", 1), 0);
	assert_false(stderr_is_journal());
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	assert_true(stderr_is_journal());
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);

	assert_true(snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/test_log.%d",
			     (int)getpid()) > 0);
	assert_int_equal(bind(descriptor, (struct sockaddr *)&address, sizeof(address)), 0);
	journal = connect_journal(address.sun_path);
	assert_int_equal(unlink(address.sun_path), 0);
	assert_true(journal >= 0);
	log_warning("destination=journal", "refused\nPRIORITY=0");
	length = recv(descriptor, received, sizeof(received) - 1, MSG_DONTWAIT);
	assert_true(length > 0);
	received[length] = '\0';
	assert_string_equal(received,
			    "PRIORITY=4\nSYSLOG_IDENTIFIER=siembridge\nSIEMBRIDGE_ROLE=tester\n"
			    "SIEMBRIDGE_OBJECT=destination=journal\nSIEMBRIDGE_LEFT_OUT=0\n"
			    "MESSAGE=destination=journal: refused\\x0aPRIORITY=0\n");
	assert_string_equal(take(), "");

	/* a journal that is gone: stderr leads there as well */
	assert_int_equal(close(descriptor), 0);
	log_warning("destination=journal-gone", "refused");
	assert_non_null(strstr(take(), "journal-gone \"refused\"\n"));
	log_start("tester", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	assert_int_equal(journal, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define LOGGED(test) cmocka_unit_test_setup_teardown(test, start_capture, stop_capture)
	    LOGGED(a_line_has_time_level_role_object_and_text),
	    LOGGED(what_is_below_the_level_is_not_written),
	    LOGGED(foreign_bytes_cannot_forge_a_line),
	    LOGGED(a_message_is_not_repeated_within_ten_seconds),
	    LOGGED(the_next_one_after_ten_seconds_says_how_many_were_left_out),
	    LOGGED(another_object_or_another_message_is_not_held_back),
	    LOGGED(where_the_format_says_nothing_the_text_is_the_site),
	    LOGGED(a_long_message_is_cut_to_a_line_that_a_pipe_takes_whole),
	    LOGGED(as_logfmt_the_object_is_a_field),
	    LOGGED(as_json_it_is_one_document_whatever_was_said),
	    LOGGED(what_was_left_out_is_a_field),
	    LOGGED(to_the_journal_it_goes_with_fields),
	    LOGGED(threads_that_talk_at_once_write_whole_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
