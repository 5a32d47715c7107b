/*
 * A session against a server that is played by hand: only its greeting has a thread
 * of its own.  The file is included so that its clock and numbers can be set.
 */
#include "bridge/forwarder/send_relp.c" /* NOLINT(bugprone-suspicious-include) */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define S1    "<109>1 2026-10-01T12:00:00.000Z gw1.example.com siembridge 4242 key.created -"
#define READY "1 rsp 46 200 OK\nrelp_version=0\ncommands=syslog,starttls\n"

enum { WAIT = 5000 /* milliseconds until a test gives up */, BATCH_SIZE = 1 << 21 };

struct fixture {
	int listener;
	char address[32];
	const char *greeting; /* what the server answers to `open`; NULL: nothing */
	char asked[256];      /* the `open` */
	int server;           /* its connection */

	struct config_syslog syslog;
	struct config_destination configuration;
	atomic_bool stopping;
	struct connect_patience patience;
	struct session *session;
	struct batch *batch;
	uint64_t confirmed;
	struct error error;
};

static int
set_up(void **state)
{
	static struct fixture fixture;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);

	memset(&fixture, 0, sizeof(fixture));
	fixture.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fixture.listener, (struct sockaddr *)&address, length) != 0 ||
	    listen(fixture.listener, 4) != 0 ||
	    getsockname(fixture.listener, (struct sockaddr *)&address, &length) != 0)
		return -1;
	snprintf(fixture.address, sizeof(fixture.address), "127.0.0.1:%d", ntohs(address.sin_port));
	fixture.server = -1;
	fixture.syslog.transport = CONFIG_TRANSPORT_RELP;
	fixture.syslog.max_message_size = 8192;
	fixture.configuration.syslog = &fixture.syslog;
	fixture.patience = (struct connect_patience){.wake = -1, .stopping = &fixture.stopping};
	fixture.batch = batch_new(BATCH_SIZE);
	*state = &fixture;
	return 0;
}

static void
hang_up(struct fixture *fixture)
{
	if (fixture->server >= 0)
		close(fixture->server);
	fixture->server = -1;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	hang_up(fixture);
	if (fixture->session != NULL)
		send_relp.close(fixture->session);
	fixture->session = NULL;
	close(fixture->listener);
	batch_free(fixture->batch);
	return 0;
}

/* ---- the server ---- */

static void *
greet_client(void *context)
{
	struct fixture *fixture = context;
	size_t length = 0;

	fixture->server = accept(fixture->listener, NULL, NULL);
	while (length == 0 || fixture->asked[length - 1] != '\n' ||
	       strstr(fixture->asked, "commands=") == NULL) {
		ssize_t more = recv(fixture->server, fixture->asked + length,
				    sizeof(fixture->asked) - 1 - length, 0);

		if (more <= 0)
			return NULL;
		length += (size_t)more;
		fixture->asked[length] = '\0';
	}
	if (fixture->greeting != NULL)
		send(fixture->server, fixture->greeting, strlen(fixture->greeting), MSG_NOSIGNAL);
	return NULL;
}

static bool
begin(struct fixture *fixture, const char *greeting)
{
	void *session = NULL;
	pthread_t thread;
	bool done;

	fixture->greeting = greeting;
	fixture->confirmed = 0;
	memset(fixture->asked, 0, sizeof(fixture->asked));
	batch_clear(fixture->batch);
	assert_int_equal(pthread_create(&thread, NULL, greet_client, fixture), 0);
	done = send_relp.open(&session, &fixture->configuration, fixture->address,
			      &fixture->patience, &fixture->error);
	assert_int_equal(pthread_join(thread, NULL), 0);
	fixture->session = done ? session : NULL;
	return done;
}

static void
begin_well(struct fixture *fixture)
{
	if (!begin(fixture, READY))
		fail_msg("%s", fixture->error.text);
}

static void
say(struct fixture *fixture, const char *text)
{
	assert_int_equal(send(fixture->server, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* ---- the client ---- */

static void
add(struct fixture *fixture, const char *message)
{
	text_append_string(&fixture->batch->output, message);
	batch_add_message(fixture->batch, 0, 0);
}

static enum send_result
turn(struct fixture *fixture)
{
	if (send_relp.send(fixture->session, fixture->batch, &fixture->error) == SEND_LATER)
		return SEND_LATER;
	return send_relp.confirm(fixture->session, fixture->batch->sent, &fixture->confirmed,
				 &fixture->error);
}

/* Turns until there is something else than SEND_IDLE. */
static enum send_result
turn_until_news(struct fixture *fixture)
{
	struct deadline deadline = deadline_after(WAIT);
	enum send_result result;

	while ((result = turn(fixture)) == SEND_IDLE)
		assert_false(deadline_passed(deadline));
	return result;
}

static void
turn_until_confirmed(struct fixture *fixture, uint64_t confirmed)
{
	struct deadline deadline = deadline_after(WAIT);

	while (fixture->confirmed != confirmed) {
		assert_int_equal(turn(fixture), SEND_IDLE);
		assert_false(deadline_passed(deadline));
	}
}

/* The server reads exactly that. */
static void
hears(struct fixture *fixture, const char *text)
{
	static char heard[1 << 20];
	size_t wanted = strlen(text), length = 0;
	struct deadline deadline = deadline_after(WAIT);

	while (length < wanted) {
		ssize_t more;

		if (fixture->session != NULL)
			(void)turn(fixture);
		more = recv(fixture->server, heard + length, wanted - length, MSG_DONTWAIT);
		if (more > 0)
			length += (size_t)more;
		assert_false(deadline_passed(deadline));
	}
	assert_memory_equal(heard, text, wanted);
}

static bool
is_silent(const struct fixture *fixture)
{
	char byte;

	return recv(fixture->server, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

static void *
close_client(void *context)
{
	send_relp.close(context);
	return NULL;
}

/* ---- what must hold ---- */

/* R1 to R4, R6 and R7 of standards.md 4.4. */
static void
a_session_goes_as_the_vectors_say(void **state)
{
	struct fixture *fixture = *state;
	pthread_t thread;

	begin_well(fixture);
	assert_memory_equal(fixture->asked, "1 open ", 7);
	assert_non_null(strstr(fixture->asked, " relp_version=0\n"));
	assert_string_equal(send_relp.peer(fixture->session), fixture->address);
	add(fixture, S1);
	hears(fixture, "2 syslog 77 " S1 "\n");
	say(fixture, "2 rsp 6 200 OK\n");
	turn_until_confirmed(fixture, 77);
	assert_int_equal(pthread_create(&thread, NULL, close_client, fixture->session), 0);
	fixture->session = NULL;
	hears(fixture, "3 close 0\n");
	say(fixture, "3 rsp 0\n0 serverclose 0\n");
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(recv(fixture->server, &(char){0}, 1, 0), 0); /* an end, and no reset */
}

static void
a_server_that_cannot_be_used_is_told_why(void **state)
{
	static const struct {
		const char *greeting;
		const char *error;
	} cases[] = {
	    {"1 rsp 22 200 OK\ncommands=syslog\n", "does not say which version"},
	    {"1 rsp 37 200 OK\nrelp_version=1\ncommands=syslog\n", "does not speak version 0"},
	    {"1 rsp 21 200 OK\nrelp_version=0\n", "takes no syslog"},
	    {"1 rsp 14 500 not today!\n", "refused by 127.0.0.1:"},
	    {"1 rsp 14 500 not today!\n", "500 not today!"},
	    {"2 rsp 6 200 OK\n", "does not answer `open`"},
	    {"0 serverclose 0\n", "does not answer `open`"},
	    {"220 mail.example.com ESMTP\r\n", "is no RELP: no space behind the command"},
	    {"1 rsp 8193 200 OK\n", "is no RELP: an answer that is too long"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(begin(fixture, cases[i].greeting));
		if (strstr(fixture->error.text, cases[i].error) == NULL)
			fail_msg("%s: %s", cases[i].greeting, fixture->error.text);
		hang_up(fixture);
	}
}

static void
a_server_that_does_not_answer_is_not_waited_for_long(void **state)
{
	struct fixture *fixture = *state;

	fixture->patience.limit = 50;
	assert_false(begin(fixture, NULL));
	assert_non_null(strstr(fixture->error.text, "no answer in time"));
	hang_up(fixture);
	assert_false(begin(fixture, "1 rsp 46 200 OK\nrelp_ver"));
	assert_non_null(strstr(fixture->error.text, "no answer in time"));
}

static void
no_more_than_the_window_is_under_way(void **state)
{
	struct fixture *fixture = *state;
	char frame[64];

	begin_well(fixture);
	for (int i = 0; i < RELP_WINDOW + 10; i++)
		add(fixture, "message");
	for (int i = 0; i < RELP_WINDOW; i++) {
		snprintf(frame, sizeof(frame), "%d syslog 7 message\n", i + 2);
		hears(fixture, frame);
	}
	assert_int_equal(turn(fixture), SEND_IDLE);
	assert_true(is_silent(fixture));
	say(fixture, "2 rsp 6 200 OK\n");
	turn_until_confirmed(fixture, 7);
	hears(fixture, "130 syslog 7 message\n");
	assert_int_equal(turn(fixture), SEND_IDLE);
	assert_true(is_silent(fixture));
}

static void
answers_come_in_any_order(void **state)
{
	struct fixture *fixture = *state;

	begin_well(fixture);
	for (int i = 0; i < 4; i++)
		add(fixture, "message");
	hears(fixture, "2 syslog 7 message\n3 syslog 7 message\n4 syslog 7 message\n"
		       "5 syslog 7 message\n");
	say(fixture, "5 rsp 6 200 OK\n3 rsp 6 200 OK\n");
	/* Both have been read once the first one's answer counts for three. */
	assert_int_equal(turn(fixture), SEND_IDLE);
	assert_int_equal(fixture->confirmed, 0);
	say(fixture, "2 rsp 6 200 OK\n");
	turn_until_confirmed(fixture, 14);
	say(fixture, "4 rsp 6 200 OK\n");
	turn_until_confirmed(fixture, 28);
}

/* R5.  The third is refused first, and told when those before it are through. */
static void
a_refusal_is_of_that_message_alone_and_in_its_turn(void **state)
{
	struct fixture *fixture = *state;

	begin_well(fixture);
	for (int i = 0; i < 4; i++)
		add(fixture, "message");
	hears(fixture, "2 syslog 7 message\n3 syslog 7 message\n4 syslog 7 message\n"
		       "5 syslog 7 message\n");
	say(fixture, "4 rsp 20 500 command disabled\n5 rsp 6 200 OK\n3 rsp 6 200 OK\n");
	assert_int_equal(turn(fixture), SEND_IDLE);
	assert_int_equal(fixture->confirmed, 0);
	say(fixture, "2 rsp 6 200 OK\n");
	assert_int_equal(turn_until_news(fixture), SEND_REFUSED);
	assert_int_equal(fixture->confirmed, 21);
	assert_non_null(strstr(fixture->error.text, "refused by 127.0.0.1:"));
	assert_non_null(strstr(fixture->error.text, ": command disabled"));
	turn_until_confirmed(fixture, 28);
}

static void
what_a_refusal_says_is_made_printable(void **state)
{
	struct fixture *fixture = *state;

	begin_well(fixture);
	add(fixture, "message");
	hears(fixture, "2 syslog 7 message\n");
	say(fixture, "2 rsp 13 500 a\x1b[2J\xff\x07"
		     "bc\n");
	assert_int_equal(turn_until_news(fixture), SEND_REFUSED);
	assert_non_null(strstr(fixture->error.text, ": a?[2J??bc"));
}

/* R9, for two answers at once and wherever they are cut. */
static void
it_does_not_matter_where_a_read_ends(void **state)
{
	static const char answers[] = "2 rsp 6 200 OK\n3 rsp 20 500 command disabled\n";
	struct fixture *fixture = *state;

	for (size_t cut = 0; cut < sizeof(answers); cut++) {
		char front[sizeof(answers)];

		begin_well(fixture);
		add(fixture, "one");
		add(fixture, "two");
		hears(fixture, "2 syslog 3 one\n3 syslog 3 two\n");
		snprintf(front, sizeof(front), "%.*s", (int)cut, answers);
		say(fixture, front);
		if (cut < 15)
			assert_int_equal(turn(fixture), SEND_IDLE);
		say(fixture, answers + cut);
		assert_int_equal(turn_until_news(fixture), SEND_REFUSED);
		assert_int_equal(fixture->confirmed, 6);
		hang_up(fixture);
		send_relp.close(fixture->session);
		fixture->session = NULL;
	}
}

/* Two are answered, the second half of a third answer never comes. */
static void
what_was_answered_before_a_break_is_confirmed(void **state)
{
	struct fixture *fixture = *state;

	begin_well(fixture);
	for (int i = 0; i < 4; i++)
		add(fixture, "message");
	hears(fixture, "2 syslog 7 message\n3 syslog 7 message\n4 syslog 7 message\n"
		       "5 syslog 7 message\n");
	say(fixture, "2 rsp 6 200 OK\n3 rsp 6 200 OK\n5 rsp 6 200 OK\n4 rsp 6 20");
	hang_up(fixture);
	assert_int_equal(turn_until_news(fixture), SEND_LATER);
	assert_int_equal(fixture->confirmed, 14);
	assert_non_null(strstr(fixture->error.text, " closed the connection"));
	send_relp.close(fixture->session);
	/* R10: the numbers begin anew, and so do the offsets. */
	begin_well(fixture);
	add(fixture, "third");
	add(fixture, "fourth");
	hears(fixture, "2 syslog 5 third\n3 syslog 6 fourth\n");
	say(fixture, "2 rsp 6 200 OK\n3 rsp 6 200 OK\n");
	turn_until_confirmed(fixture, 11);
}

static void
an_answer_that_makes_no_sense_ends_the_session(void **state)
{
	static const struct {
		const char *answer;
		const char *error;
	} cases[] = {
	    {"0 serverclose 0\n", " closed the session"},
	    {"7 rsp 6 200 OK\n", " answered command 7, which does not wait for an answer"},
	    {"1 rsp 6 200 OK\n", " answered command 1, which does not wait"},
	    {"0 rsp 6 200 OK\n", " answered command 0, which does not wait"},
	    {"3 rsp 6 200 OK\n3 rsp 6 200 OK\n", " answered command 3, which does not wait"},
	    {"2 rsp 9 302 Found\n", " answered 302 Found, which means nothing in RELP"},
	    {"2 rsp 0\n", "is no RELP: an answer without a status"},
	    {"2 syslog 5 hello\n", "is no RELP: a command"},
	    {"2 rsp 6 200 OK!", "is no RELP: no line feed behind the data"},
	    {"2 rsp 9000 200 ", "is no RELP: an answer that is too long"},
	    {"1000000000", "is no RELP: a number or a command that is too long"},
	    {"\x15\x03\x03", "is no RELP: a number or a command is missing"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin_well(fixture);
		add(fixture, "message");
		add(fixture, "message");
		hears(fixture, "2 syslog 7 message\n3 syslog 7 message\n");
		say(fixture, cases[i].answer);
		assert_int_equal(turn_until_news(fixture), SEND_LATER);
		if (strstr(fixture->error.text, cases[i].error) == NULL)
			fail_msg("%s: %s", cases[i].answer, fixture->error.text);
		assert_int_equal(fixture->confirmed, 0);
		send_relp.close(fixture->session);
		fixture->session = NULL;
		hang_up(fixture);
	}
}

/* Trap 10: neither side's buffers may be full of what the other does not read. */
static void
answers_are_read_while_nothing_can_be_written(void **state)
{
	static char message[8000];
	struct fixture *fixture = *state;
	struct deadline deadline = deadline_after(WAIT);
	const int small = 4096;

	begin_well(fixture);
	assert_int_equal(setsockopt(stream_descriptor(fixture->session->stream), SOL_SOCKET,
				    SO_SNDBUF, &small, sizeof(small)),
			 0);
	assert_int_equal(setsockopt(fixture->server, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)),
			 0);
	memset(message, 'x', sizeof(message) - 1);
	for (int i = 0; i < RELP_WINDOW; i++)
		add(fixture, message);
	while (fixture->session->outgoing.length == 0 || fixture->session->flushed == 0) {
		assert_int_equal(turn(fixture), SEND_IDLE);
		assert_false(deadline_passed(deadline));
	}
	assert_false(batch_is_sent(fixture->batch));
	say(fixture, "2 rsp 6 200 OK\n");
	turn_until_confirmed(fixture, sizeof(message) - 1);
	assert_false(batch_is_sent(fixture->batch));
}

static void
a_server_that_answers_nothing_more_is_left(void **state)
{
	struct fixture *fixture = *state;
	struct send_watch watch;

	begin_well(fixture);
	fixture->session->heard_at -= PATIENCE; /* a long quiet time before is no fault of it */
	add(fixture, "message");
	hears(fixture, "2 syslog 7 message\n");
	assert_int_equal(turn(fixture), SEND_IDLE);
	send_relp.watch(fixture->session, false, 7, &watch);
	assert_true(watch.at > deadline_now());
	assert_true(watch.at <= deadline_now() + PATIENCE);
	fixture->session->heard_at -= PATIENCE;
	assert_int_equal(turn(fixture), SEND_LATER);
	assert_non_null(strstr(fixture->error.text, "has answered nothing for 90 s"));
}

static void
a_new_session_begins_before_the_numbers_end(void **state)
{
	struct fixture *fixture = *state;

	begin_well(fixture);
	fixture->session->next = RELP_TXNR_HIGHEST - 1;
	add(fixture, "message");
	add(fixture, "message");
	hears(fixture, "999999998 syslog 7 message\n");
	assert_int_equal(turn(fixture), SEND_IDLE);
	assert_true(is_silent(fixture));
	say(fixture, "999999998 rsp 6 200 OK\n");
	assert_int_equal(turn_until_news(fixture), SEND_LATER);
	assert_int_equal(fixture->confirmed, 7);
	assert_non_null(strstr(fixture->error.text, "all numbers of the session"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_session_goes_as_the_vectors_say),
	    TEST(a_server_that_cannot_be_used_is_told_why),
	    TEST(a_server_that_does_not_answer_is_not_waited_for_long),
	    TEST(no_more_than_the_window_is_under_way),
	    TEST(answers_come_in_any_order),
	    TEST(a_refusal_is_of_that_message_alone_and_in_its_turn),
	    TEST(what_a_refusal_says_is_made_printable),
	    TEST(it_does_not_matter_where_a_read_ends),
	    TEST(what_was_answered_before_a_break_is_confirmed),
	    TEST(an_answer_that_makes_no_sense_ends_the_session),
	    TEST(answers_are_read_while_nothing_can_be_written),
	    TEST(a_server_that_answers_nothing_more_is_left),
	    TEST(a_new_session_begins_before_the_numbers_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
