#include "bridge/forwarder/hec_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { EVENTS = 5 };

static struct hec_reply
reply_of(int status, const char *body)
{
	struct hec_reply reply;

	hec_reply_read(status, text_of(body), EVENTS, &reply);
	return reply;
}

/* The table of Splunk's codes, written a second time: code, status, action. */
static const struct {
	int code, status;
	enum hec_action action;
} codes[] = {
    {0, 200, HEC_DONE},   {1, 403, HEC_HOLD},   {2, 401, HEC_HOLD},   {3, 401, HEC_HOLD},
    {4, 403, HEC_HOLD},   {5, 400, HEC_SPLIT},  {6, 400, HEC_SPLIT},  {7, 400, HEC_HOLD},
    {8, 500, HEC_RETRY},  {9, 503, HEC_RETRY},  {10, 400, HEC_HOLD},  {11, 400, HEC_HOLD},
    {12, 400, HEC_SPLIT}, {13, 400, HEC_SPLIT}, {14, 400, HEC_HOLD},  {15, 400, HEC_SPLIT},
    {16, 400, HEC_HOLD},  {17, 200, HEC_DONE},  {18, 503, HEC_RETRY}, {19, 503, HEC_RETRY},
    {20, 503, HEC_RETRY}, {21, 400, HEC_HOLD},  {22, 400, HEC_HOLD},  {23, 503, HEC_ELSEWHERE},
    {24, 200, HEC_SLOW},  {25, 200, HEC_SLOW},  {26, 429, HEC_RETRY}, {27, 429, HEC_RETRY},
    {28, 400, HEC_HOLD},
};

static void
each_code_has_its_action(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct hec_reply reply;
		char body[64];

		assert_true(snprintf(body, sizeof(body), "{\"text\":\"words\",\"code\":%d}",
				     codes[i].code) > 0);
		reply = reply_of(codes[i].status, body);
		assert_int_equal(reply.code, codes[i].code);
		assert_int_equal(reply.action, codes[i].action);
		assert_true(strlen(reply.meaning) > 0);
	}
}

static void
what_is_not_the_collectors_goes_by_its_status(void **state)
{
	static const struct {
		const char *body;
		int status;
		enum hec_action action;
	} rows[] = {
	    {"", 200, HEC_RETRY},
	    {"<html>welcome</html>", 200, HEC_RETRY},
	    {"{\"text\":\"Success\",\"code\":0", 200, HEC_RETRY},
	    {"{\"text\":\"Success\",\"code\":\"0\"}", 200, HEC_RETRY},
	    {"{\"text\":\"Success\",\"code\":0,\"code\":0}", 200, HEC_RETRY},
	    {"", 204, HEC_RETRY},
	    {"{\"text\":\"Success\",\"code\":0}", 301, HEC_HOLD},
	    {"{\"text\":\"Server is busy\",\"code\":9}", 200, HEC_RETRY},
	    {"{\"text\":\"Success\",\"code\":0}", 500, HEC_RETRY},
	    {"{\"text\":\"?\",\"code\":99}", 400, HEC_SPLIT},
	    {"", 400, HEC_SPLIT},
	    {"", 401, HEC_HOLD},
	    {"<html>", 403, HEC_HOLD},
	    {"{\"text\":\"The requested URL was not found on this server.\",\"code\":404}", 404,
	     HEC_HOLD},
	    {"", 405, HEC_HOLD},
	    {"", 408, HEC_RETRY},
	    {"<html>Request Entity Too Large</html>", 413, HEC_SPLIT},
	    {"", 415, HEC_HOLD},
	    {"", 429, HEC_RETRY},
	    {"<html>bad gateway</html>", 502, HEC_RETRY},
	    {"<html>unavailable</html>", 503, HEC_RETRY},
	    {"", 504, HEC_RETRY},
	    {"", 100, HEC_RETRY},
	    {"", 0, HEC_RETRY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hec_reply reply = reply_of(rows[i].status, rows[i].body);

		assert_int_equal(reply.action, rows[i].action);
		assert_int_equal(reply.code, -1);
	}
}

/* standards.md 9.4, H5 and H6. */
static void
the_bad_event_is_the_one_named_and_for_code_7_the_one_before(void **state)
{
	struct hec_reply reply = reply_of(
	    400, "{\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":2}");

	(void)state;
	assert_int_equal(reply.action, HEC_DROP);
	assert_true(reply.names_event);
	assert_int_equal(reply.event, 2);

	reply =
	    reply_of(400, "{\"text\":\"Incorrect index\",\"code\":7,\"invalid-event-number\":1}");
	assert_int_equal(reply.action, HEC_HOLD);
	assert_true(reply.names_event);
	assert_int_equal(reply.event, 0);
}

static void
a_number_that_no_event_has_is_not_believed(void **state)
{
	static const char *const bodies[] = {
	    "{\"code\":6,\"invalid-event-number\":5}",
	    "{\"code\":6,\"invalid-event-number\":-1}",
	    "{\"code\":6,\"invalid-event-number\":1.5}",
	    "{\"code\":6,\"invalid-event-number\":\"2\"}",
	    "{\"code\":6,\"invalid-event-number\":99999999999999999999}",
	    "{\"code\":6,\"invalid-event-number\":null}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct hec_reply reply = reply_of(400, bodies[i]);

		assert_false(reply.names_event);
		assert_int_equal(reply.action, HEC_SPLIT);
	}
	assert_false(reply_of(400, "{\"code\":7,\"invalid-event-number\":0}").names_event);
}

static void
the_ack_id_is_read(void **state)
{
	struct hec_reply reply = reply_of(200, "{\"text\":\"Success\",\"code\":0,\"ackId\":7}");

	(void)state;
	assert_true(reply.has_ack_id);
	assert_int_equal(reply.ack_id, 7);
	assert_false(reply_of(200, "{\"text\":\"Success\",\"code\":0}").has_ack_id);
	assert_false(reply_of(200, "{\"code\":0,\"ackId\":\"7\"}").has_ack_id);
	assert_false(reply_of(200, "{\"code\":0,\"ackId\":-7}").has_ack_id);
}

struct acks {
	uint64_t ids[8];
	size_t count;
};

static void
on_indexed(void *context, uint64_t ack_id)
{
	struct acks *acks = context;

	assert_true(acks->count < 8);
	acks->ids[acks->count++] = ack_id;
}

static void
only_true_is_an_acknowledgement(void **state)
{
	struct acks acks = {.count = 0};

	(void)state;
	assert_true(hec_reply_acks(200,
				   text_of("{\"acks\":{\"0\":true,\"1\":false,\"7\":true,"
					   "\"2\":\"true\",\"3\":1,\"x\":true,\"-4\":true}}"),
				   on_indexed, &acks));
	assert_int_equal(acks.count, 2);
	assert_int_equal(acks.ids[0], 0);
	assert_int_equal(acks.ids[1], 7);
}

static void
other_answers_acknowledge_nothing(void **state)
{
	static const struct {
		int status;
		const char *body;
	} rows[] = {
	    {200, ""},
	    {200, "[]"},
	    {200, "{\"acks\":[0,1]}"},
	    {200, "{\"acks\":{\"0\":true}"},
	    {200, "{\"acks\":true}"},
	    {200, "{\"text\":\"Success\",\"code\":0}"},
	    {503, "{\"acks\":{\"0\":true}}"},
	    {400, "{\"text\":\"ACK is disabled\",\"code\":14}"},
	};
	struct acks acks = {.count = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(
		    hec_reply_acks(rows[i].status, text_of(rows[i].body), on_indexed, &acks));
	assert_int_equal(acks.count, 0);
}

static void
each_action_has_a_name_and_each_row_is_reached(void **state)
{
	size_t i = 0;

	(void)state;
	for (; hec_reply_row(i) != NULL; i++)
		assert_true(strlen(hec_reply_action_name(hec_reply_row(i)->action)) > 0);
	assert_true(i > sizeof(codes) / sizeof(codes[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_code_has_its_action),
	    cmocka_unit_test(what_is_not_the_collectors_goes_by_its_status),
	    cmocka_unit_test(the_bad_event_is_the_one_named_and_for_code_7_the_one_before),
	    cmocka_unit_test(a_number_that_no_event_has_is_not_believed),
	    cmocka_unit_test(the_ack_id_is_read),
	    cmocka_unit_test(only_true_is_an_acknowledgement),
	    cmocka_unit_test(other_answers_acknowledge_nothing),
	    cmocka_unit_test(each_action_has_a_name_and_each_row_is_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
