/*
 * A session against a collector of a few lines in a thread of its own: what each row
 * of the table does to a batch.
 */
#include "bridge/forwarder/send.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/acks.h"
#include "bridge/forwarder/hec_reply.h"

enum { EVENTS = 5, REQUEST = 16384 };

struct fixture {
	int listener;
	pthread_t thread;
	char answer[512];        /* to the next request with events; "": it is taken */
	char health[512];        /* likewise, to each look */
	char bodies[8][512];     /* of the requests with events */
	_Atomic size_t requests; /* with events */

	char url[64], token[64];
	struct config_splunk_hec hec;
	struct config_destination configuration;
	atomic_bool stopping;
	struct connect_patience patience;
	struct spool_event stored[EVENTS];
	struct acks *acks;
	void *session;
	struct batch *batch;
	struct error error;
};

/* ---- the collector ---- */

/* One request; false: the client is gone. */
static bool
hear(int client, char *request)
{
	size_t length = 0, whole = 0;

	while (whole == 0 || length < whole) {
		ssize_t more = recv(client, request + length, REQUEST - 1 - length, 0);
		const char *end, *said;

		if (more <= 0)
			return false;
		length += (size_t)more;
		request[length] = '\0';
		end = strstr(request, "\r\n\r\n");
		said = strstr(request, "Content-Length: ");
		if (end != NULL)
			whole = (size_t)(end + 4 - request) +
				(said != NULL && said < end ? (size_t)atol(said + 16) : 0);
	}
	return true;
}

static void
respond(int client, const char *answer)
{
	send(client, answer, strlen(answer), MSG_NOSIGNAL);
}

static void
write_answer(char *answer, size_t size, int status, const char *more, const char *body)
{
	snprintf(answer, size, "HTTP/1.1 %d Said\r\n%sContent-Length: %zu\r\n\r\n%s", status, more,
		 strlen(body), body);
}

static void
serve_request(struct fixture *fixture, int client, const char *request)
{
	char answer[512];
	bool events = strncmp(request, "POST /services/collector/event ", 31) == 0;

	write_answer(answer, sizeof(answer), 200, "",
		     events              ? "{\"text\":\"Success\",\"code\":0,\"ackId\":3}"
		     : request[0] == 'G' ? "{\"text\":\"HEC is healthy\",\"code\":17}"
					 : "{\"acks\":{\"3\":true,\"0\":false}}");
	if (request[0] == 'G' && fixture->health[0] != '\0')
		memcpy(answer, fixture->health, sizeof(answer));
	if (events) {
		snprintf(fixture->bodies[fixture->requests % 8], sizeof(fixture->bodies[0]), "%s",
			 strstr(request, "\r\n\r\n") + 4);
		fixture->requests++;
		if (fixture->answer[0] != '\0')
			memcpy(answer, fixture->answer, sizeof(answer));
		fixture->answer[0] = '\0';
	}
	respond(client, answer);
}

static void *
serve(void *context)
{
	struct fixture *fixture = context;
	char request[REQUEST];
	int client;

	while ((client = accept(fixture->listener, NULL, NULL)) >= 0) {
		while (hear(client, request))
			serve_request(fixture, client, request);
		close(client);
	}
	return NULL;
}

/* ---- a session ---- */

static void
open_session(struct fixture *fixture)
{
	assert_true(send_hec.open(&fixture->session, &fixture->configuration, fixture->url,
				  &fixture->patience, &fixture->error));
	if (fixture->hec.acknowledge) {
		fixture->acks = acks_new();
		send_hec.recall(fixture->session, fixture->acks);
	}
}

static void
fill_batch(struct fixture *fixture)
{
	struct batch *batch = fixture->batch;

	batch_clear(batch);
	batch->offset = 0;
	for (size_t i = 0; i < EVENTS; i++) {
		fixture->stored[i].sequence = i + 1;
		batch->items[i].stored = &fixture->stored[i];
		text_append_format(&batch->output, "{\"event\":%zu}\n", i);
		batch_add_message(batch, i, i + 1);
	}
	batch->count = EVENTS;
}

static int
set_up(void **state)
{
	static struct fixture the_only_one;
	struct fixture *fixture = &the_only_one;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int file;

	memset(fixture, 0, sizeof(*fixture));
	fixture->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fixture->listener, (struct sockaddr *)&address, length) != 0 ||
	    listen(fixture->listener, 4) != 0 ||
	    getsockname(fixture->listener, (struct sockaddr *)&address, &length) != 0)
		return -1;
	strcpy(fixture->token, "/tmp/siembridge-test-XXXXXX");
	file = mkstemp(fixture->token);
	if (file < 0 || write(file, "the-token\n", 10) != 10)
		return -1;
	close(file);
	snprintf(fixture->url, sizeof(fixture->url), "http://127.0.0.1:%d",
		 ntohs(address.sin_port));
	fixture->hec = (struct config_splunk_hec){.url = fixture->url,
						  .token_file = fixture->token,
						  .batch_size = 1 << 20,
						  .batch_events = 1000,
						  .ack_interval = 1,
						  .ack_timeout = 60000,
						  .timeout = 5000};
	fixture->configuration.splunk_hec = &fixture->hec;
	fixture->patience = (struct connect_patience){.wake = -1, .stopping = &fixture->stopping};
	fixture->batch = batch_new(1 << 16);
	fill_batch(fixture);
	*state = fixture;
	return pthread_create(&fixture->thread, NULL, serve, fixture);
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->session != NULL)
		send_hec.close(fixture->session);
	shutdown(fixture->listener, SHUT_RDWR);
	pthread_join(fixture->thread, NULL);
	close(fixture->listener);
	acks_free(fixture->acks);
	batch_free(fixture->batch);
	unlink(fixture->token);
	return 0;
}

static enum send_result
turn(struct fixture *fixture)
{
	return send_hec.send(fixture->session, fixture->batch, &fixture->error);
}

static void
answer_is(struct fixture *fixture, int status, const char *body)
{
	write_answer(fixture->answer, sizeof(fixture->answer), status, "", body);
}

/* Until all is sent, or refused. */
static size_t
send_all(struct fixture *fixture)
{
	size_t refused = 0;

	while (!batch_is_sent(fixture->batch)) {
		const struct batch *batch = fixture->batch;
		enum send_result result = turn(fixture);

		if (result == SEND_REFUSED) {
			refused++;
			batch_advance(fixture->batch,
				      batch->messages[batch->next].end - batch->sent);
		} else {
			assert_int_equal(result, SEND_PROGRESS);
		}
	}
	return refused;
}

/* ---- tests ---- */

static enum send_result
result_of(enum hec_action action)
{
	switch (action) {
	case HEC_RETRY:
	case HEC_ELSEWHERE: /* there is one url alone */
		return SEND_AGAIN;
	case HEC_HOLD:
		return SEND_HOLD;
	case HEC_DONE:
	case HEC_SLOW:
	case HEC_DROP:
	case HEC_SPLIT:
		break;
	}
	return SEND_PROGRESS;
}

static void
each_row_of_the_table_has_its_action(void **state)
{
	struct fixture *fixture = *state;
	const struct hec_reply_row *row;

	for (size_t i = 0; (row = hec_reply_row(i)) != NULL; i++) {
		char body[64];

		if (row->code >= 0)
			snprintf(body, sizeof(body), "{\"text\":\"\",\"code\":%d}", row->code);
		else
			snprintf(body, sizeof(body), "<html>");
		fill_batch(fixture);
		open_session(fixture);
		answer_is(fixture, row->last < 600 ? row->last : 504, body);
		assert_int_equal(turn(fixture), result_of(row->action));
		/* and then it is well: nothing is missing, whatever was said */
		if (row->action == HEC_DONE || row->action == HEC_SLOW)
			assert_true(batch_is_sent(fixture->batch));
		else
			assert_int_equal(fixture->batch->sent, 0);
		assert_int_equal(send_all(fixture), 0);
		send_hec.close(fixture->session);
	}
	fixture->session = NULL;
}

static void
a_bad_event_is_refused_and_those_before_it_are_done(void **state)
{
	struct fixture *fixture = *state;

	open_session(fixture);
	answer_is(fixture, 400, "{\"text\":\"\",\"code\":12,\"invalid-event-number\":2}");
	assert_int_equal(turn(fixture), SEND_PROGRESS);
	assert_int_equal(fixture->batch->next, 2);
	assert_int_equal(turn(fixture), SEND_REFUSED);
	assert_non_null(strstr(fixture->error.text, "answered 400: event field is required"));
	batch_advance(fixture->batch, fixture->batch->messages[2].end - fixture->batch->sent);
	assert_int_equal(send_all(fixture), 0);
	assert_int_equal(fixture->requests, 2);
	assert_string_equal(fixture->bodies[1], "{\"event\":3}\n{\"event\":4}\n");
}

static void
with_acknowledgement_those_before_it_are_sent_again(void **state)
{
	struct fixture *fixture = *state;

	fixture->hec.acknowledge = true;
	open_session(fixture);
	answer_is(fixture, 400, "{\"text\":\"\",\"code\":12,\"invalid-event-number\":2}");
	assert_int_equal(send_all(fixture), 1);
	assert_int_equal(fixture->requests, 3);
	assert_string_equal(fixture->bodies[1], "{\"event\":0}\n{\"event\":1}\n");
	assert_string_equal(fixture->bodies[2], "{\"event\":3}\n{\"event\":4}\n");
}

static void
an_index_that_is_missing_holds_from_its_event_on(void **state)
{
	struct fixture *fixture = *state;

	open_session(fixture);
	answer_is(fixture, 400, "{\"text\":\"\",\"code\":7,\"invalid-event-number\":4}");
	assert_int_equal(turn(fixture), SEND_HOLD);
	assert_int_equal(fixture->batch->next, 3);
	assert_int_equal(send_all(fixture), 0);
}

static void
a_peer_that_refuses_all_alike_makes_no_dead_letter(void **state)
{
	struct fixture *fixture = *state;

	fixture->hec.batch_events = 1;
	open_session(fixture);
	write_answer(fixture->health, sizeof(fixture->health), 400, "", "<html>");
	answer_is(fixture, 400, "<html>");
	assert_int_equal(turn(fixture), SEND_HOLD);
	fixture->health[0] = '\0';
	answer_is(fixture, 400, "<html>");
	assert_int_equal(turn(fixture), SEND_REFUSED);
}

static void
it_may_say_when_to_come_again(void **state)
{
	struct fixture *fixture = *state;
	struct send_watch watch = {.at = INT64_MAX};

	open_session(fixture);
	write_answer(fixture->answer, sizeof(fixture->answer), 503, "Retry-After: 7\r\n", "");
	assert_int_equal(turn(fixture), SEND_AGAIN);
	send_hec.watch(fixture->session, true, 0, &watch);
	assert_in_range(watch.not_before - deadline_now(), 6000, 7000);
	assert_int_equal(turn(fixture), SEND_IDLE);
	assert_int_equal(fixture->requests, 1);
}

static void
requests_keep_to_their_size(void **state)
{
	struct fixture *fixture = *state;

	fixture->hec.batch_size = 25;
	fixture->hec.batch_events = 4;
	open_session(fixture);
	assert_int_equal(send_all(fixture), 0);
	assert_int_equal(fixture->requests, 3);
	assert_string_equal(fixture->bodies[0], "{\"event\":0}\n{\"event\":1}\n");
	assert_string_equal(fixture->bodies[2], "{\"event\":4}\n");
}

static void
confirmed_is_what_is_acknowledged(void **state)
{
	struct fixture *fixture = *state;
	struct deadline deadline = deadline_after(5000);
	uint64_t confirmed = 1;

	fixture->hec.acknowledge = true;
	fixture->hec.ack_interval = 50;
	open_session(fixture);
	assert_int_equal(send_all(fixture), 0);
	assert_int_equal(
	    send_hec.confirm(fixture->session, fixture->batch->sent, &confirmed, &fixture->error),
	    SEND_IDLE);
	assert_int_equal(confirmed, 0);
	while (confirmed != fixture->batch->sent) {
		assert_false(deadline_passed(deadline));
		assert_int_equal(send_hec.confirm(fixture->session, fixture->batch->sent,
						  &confirmed, &fixture->error),
				 SEND_IDLE);
	}
}

static enum send_result
ask_what_is_confirmed(struct fixture *fixture)
{
	uint64_t confirmed = 0;

	return send_hec.confirm(fixture->session, fixture->batch->sent, &confirmed,
				&fixture->error);
}

static void
a_wall_clock_that_jumps_neither_sends_again_nor_waits_for_ever(void **state)
{
	static const int64_t year = (int64_t)365 * 24 * 60 * 60 * 1000;
	struct fixture *fixture = *state;
	struct deadline deadline = deadline_after(5000);
	enum send_result result = SEND_IDLE;

	fixture->hec.acknowledge = true;
	fixture->hec.ack_interval = 60000; /* it is not asked meanwhile */
	open_session(fixture);
	assert_int_equal(send_all(fixture), 0);
	deadline_shift_wall(year);
	assert_int_equal(ask_what_is_confirmed(fixture), SEND_IDLE);
	deadline_shift_wall(-year);
	fixture->hec.ack_timeout = 10;
	while (result == SEND_IDLE && !deadline_passed(deadline))
		result = ask_what_is_confirmed(fixture);
	deadline_shift_wall(0);
	assert_int_equal(result, SEND_ANEW);
}

static void
a_token_that_is_none_holds(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->token);
	open_session(fixture);
	assert_int_equal(turn(fixture), SEND_HOLD);
	assert_non_null(strstr(fixture->error.text, "token_file"));
	assert_int_equal(fixture->requests, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(each_row_of_the_table_has_its_action),
	    TEST(a_bad_event_is_refused_and_those_before_it_are_done),
	    TEST(with_acknowledgement_those_before_it_are_sent_again),
	    TEST(an_index_that_is_missing_holds_from_its_event_on),
	    TEST(a_peer_that_refuses_all_alike_makes_no_dead_letter),
	    TEST(it_may_say_when_to_come_again),
	    TEST(requests_keep_to_their_size),
	    TEST(confirmed_is_what_is_acknowledged),
	    TEST(a_wall_clock_that_jumps_neither_sends_again_nor_waits_for_ever),
	    TEST(a_token_that_is_none_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
