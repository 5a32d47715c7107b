#include "bridge/receiver/hec_input.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/receiver/submission.h"

static struct {
	struct config_source source;
	struct normalise *normalise;
	struct arena *arena;
	struct hec_input input;
	struct error error;
} bench;

static int
set_up(void **state)
{
	static char name[] = "splunk", any[] = "*", *events[] = {any};
	const struct normalise_settings settings = {.profile = "hec", .default_type = "hec.event"};

	(void)state;
	bench.source = (struct config_source){.name = name, .events = events, .events_count = 1};
	bench.arena = arena_new();
	return normalise_new_with(&bench.normalise, &settings, &bench.error) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	normalise_free(bench.normalise);
	arena_free(bench.arena);
	return 0;
}

static void
take_at(enum hec_endpoint endpoint, const char *body, int64_t now)
{
	bench.error.text[0] = '\0';
	bench.input = (struct hec_input){.config = &bench.source,
					 .normalise = bench.normalise,
					 .endpoint = endpoint,
					 .body = text_of(body),
					 .now = now};
	hec_input_read(&bench.input, bench.arena, &bench.error);
}

static void
take(enum hec_endpoint endpoint, const char *body)
{
	take_at(endpoint, body, INT64_C(1790856000000));
}

static void
expect(const char *body, size_t count, enum hec_code code, size_t invalid)
{
	take(HEC_EVENT, body);
	if (bench.input.count != count || bench.input.code != code)
		fail_msg("%s: %zu events, code %d, %s", body, bench.input.count,
			 (int)bench.input.code, bench.error.text);
	if (code != HEC_SUCCESS && code != HEC_NO_DATA)
		assert_int_equal(bench.input.invalid, invalid);
}

static void
envelopes_stand_one_after_another(void **state)
{
	(void)state;
	expect("{\"time\":1790856000.000,\"host\":\"gw1\",\"event\":{\"id\":\"key_01\"},"
	       "\"fields\":{\"a\":\"b\",\"c\":[\"d\"]}}",
	       1, HEC_SUCCESS, 0);                                       /* H1 */
	expect("{\"event\":\"a\"}{\"event\":\"b\"}", 2, HEC_SUCCESS, 0); /* H2 */
	assert_true(text_slice_is(bench.input.events[1].body, "{\"event\":\"b\"}"));
	assert_true(text_slice_is(bench.input.events[1].type, "hec.event"));
	expect("{\"event\":1}\r\n {\"event\":{}}\n", 2, HEC_SUCCESS, 0);
	expect("[{\"event\":1},{\"event\":2}]", 2, HEC_SUCCESS, 0);
}

static void
a_bad_one_is_named_and_those_before_it_count(void **state)
{
	(void)state;
	expect("", 0, HEC_NO_DATA, 0);
	expect(" \n", 0, HEC_NO_DATA, 0);
	expect("x", 0, HEC_INVALID_DATA, 0);
	expect("{\"event\":1}{\"event\":2}{\"event\":", 2, HEC_INVALID_DATA, 2);
	expect("{\"event\":1}{\"event\":NaN}{\"event\":3}", 1, HEC_INVALID_DATA, 1);
	expect("{\"event\":1},{\"event\":2}", 1, HEC_INVALID_DATA, 1);
	expect("{\"event\":1}7", 1, HEC_INVALID_DATA, 1);
	expect("{\"event\":1}{\"host\":\"a\"}", 1, HEC_EVENT_REQUIRED, 1);
	expect("{\"event\":\"\"}", 0, HEC_EVENT_BLANK, 0);
	expect("{\"event\":null}", 0, HEC_EVENT_BLANK, 0);
	expect("{\"event\":1,\"time\":1.790856e9}", 0, HEC_INDEXED_FIELDS, 0); /* H3 */
	expect("{\"event\":1,\"time\":\"now\"}", 0, HEC_INDEXED_FIELDS, 0);
	expect("{\"event\":1,\"time\":\"1790856000.5\"}", 1, HEC_SUCCESS, 0);
	expect("{\"event\":1,\"fields\":{\"a\":{\"b\":1}}}", 0, HEC_INDEXED_FIELDS, 0); /* H4 */
	expect("{\"event\":1,\"fields\":[]}", 0, HEC_INDEXED_FIELDS, 0);
}

static void
lines_are_events_of_the_raw_endpoint(void **state)
{
	(void)state;
	take(HEC_RAW, "first line\r\n\n  \n{\"message\":\"second\"}\nlast \xff");
	assert_int_equal(bench.input.code, HEC_SUCCESS);
	assert_int_equal(bench.input.count, 3);
	assert_true(text_slice_is(bench.input.events[0].body, "first line"));
	assert_true(text_slice_is(bench.input.events[1].body, "{\"message\":\"second\"}"));
	assert_true(text_slice_is(bench.input.events[2].body, "last \xff"));
	take(HEC_RAW, "\n\n");
	assert_int_equal(bench.input.code, HEC_NO_DATA);
}

/* The id of the event in that place, kept until the end of the test. */
static struct slice
id_at(const char *body, size_t place, int64_t now)
{
	take_at(HEC_EVENT, body, now);
	assert_in_range(place + 1, 1, bench.input.count);
	return bench.input.events[place].id;
}

#define HOUR  INT64_C(3600000)
#define START (INT64_C(497460) * HOUR)

static void
the_same_request_is_known_and_equal_events_in_it_are_two(void **state)
{
	static const char twice[] = "{\"event\":\"a\"}{\"event\":\"a\"}";
	static const char timed[] = "{\"event\":\"a\",\"time\":1790856000}";

	(void)state;
	assert_true(text_slices_equal(id_at(twice, 0, START), id_at(twice, 0, START + HOUR - 1)));
	assert_false(text_slices_equal(id_at(twice, 0, START), id_at(twice, 1, START)));
	/* what names no time may come again in the next hour */
	assert_false(text_slices_equal(id_at(twice, 0, START), id_at(twice, 0, START + HOUR)));
	assert_true(text_slices_equal(id_at(timed, 0, START), id_at(timed, 0, START + HOUR)));
	assert_false(
	    text_slices_equal(id_at("{\"event\":\"a\"}", 0, START), id_at(twice, 0, START)));
}

static void
an_event_with_an_id_is_known_wherever_it_stands(void **state)
{
	static const char one[] = "{\"event\":{\"id\":\"e1\",\"x\":1},\"time\":1790856000}";
	static const char other[] = "{\"event\":{\"id\":\"e1\",\"x\":2},\"time\":1790856000}";
	static const char both[] = "{\"event\":2}"
				   "{\"event\":{\"id\":\"e1\",\"x\":1},\"time\":1790856000}";

	(void)state;
	assert_true(text_slices_equal(id_at(one, 0, START), id_at(both, 1, START + HOUR)));
	assert_false(text_slices_equal(id_at(one, 0, START), id_at(other, 0, START)));
}

static void
what_is_not_subscribed_is_left_out(void **state)
{
	static char keys[] = "key.*", *events[] = {keys};

	(void)state;
	bench.source.events = events;
	take(HEC_EVENT, "{\"event\":\"a\"}{\"event\":\"b\"}");
	assert_int_equal(bench.input.count, 0);
	assert_int_equal(bench.input.unwanted, 2);
	assert_int_equal(bench.input.code, HEC_SUCCESS);
}

static void
endpoints_stand_behind_the_path(void **state)
{
	static const struct {
		const char *target;
		enum hec_endpoint endpoint;
	} cases[] = {
	    {"/services/collector", HEC_EVENT},
	    {"/services/collector?channel=x", HEC_EVENT},
	    {"/services/collector/event", HEC_EVENT},
	    {"/services/collector/event/1.0", HEC_EVENT},
	    {"/services/collector/raw?a=/ack", HEC_RAW},
	    {"/services/collector/ack", HEC_ACK},
	    {"/services/collector/health", HEC_HEALTH},
	    {"/services/collector/", HEC_NOWHERE},
	    {"/services/collectors", HEC_NOWHERE},
	    {"/services/collector/events", HEC_NOWHERE},
	    {"/services", HEC_NOWHERE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (hec_input_endpoint("/services/collector", cases[i].target) != cases[i].endpoint)
			fail_msg("%s", cases[i].target);
}

#define CHANNEL "0aeeac95-ac74-4aa9-b30d-6c4c0ac581ba"

static void
a_channel_is_a_guid(void **state)
{
	const struct slice absent = {NULL, 0};

	(void)state;
	assert_int_equal(hec_input_channel(SLICE_LITERAL(CHANNEL), "/x"), HEC_SUCCESS);
	assert_int_equal(hec_input_channel(absent, "/x?a=b&channel=" CHANNEL "&c"), HEC_SUCCESS);
	assert_int_equal(hec_input_channel(absent, "/x?xchannel=" CHANNEL), HEC_CHANNEL_MISSING);
	assert_int_equal(hec_input_channel(absent, "/x"), HEC_CHANNEL_MISSING);
	assert_int_equal(hec_input_channel(SLICE_LITERAL("1"), "/x?channel=" CHANNEL),
			 HEC_CHANNEL_INVALID);
	assert_int_equal(hec_input_channel(SLICE_LITERAL(CHANNEL "0"), "/x"), HEC_CHANNEL_INVALID);
	assert_int_equal(hec_input_channel(absent, "/x?channel="), HEC_CHANNEL_INVALID);
}

static void
who_is_not_believed_is_told_as_splunk_does(void **state)
{
	(void)state;
	assert_int_equal(hec_input_refusal(text_of(NULL), "/x"), HEC_TOKEN_REQUIRED);
	assert_int_equal(hec_input_refusal(text_of(NULL), "/x?token=a"), HEC_QUERY_AUTHORIZATION);
	assert_int_equal(hec_input_refusal(text_of("Bearer a"), "/x"), HEC_INVALID_AUTHORIZATION);
	assert_int_equal(hec_input_refusal(text_of("Splunk "), "/x"), HEC_INVALID_AUTHORIZATION);
	assert_int_equal(hec_input_refusal(text_of("splunk a"), "/x"), HEC_INVALID_TOKEN);
}

static void
assert_written(struct hec_answer answer, enum answer outcome, const char *expected)
{
	char bytes[256];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	hec_input_write(&answer, &text);
	if (!text_slice_is(text_slice(&text), expected))
		fail_msg("%.*s", (int)text.length, bytes);
	assert_int_equal(hec_input_outcome(answer.code), outcome);
}

static void
answers_are_splunks(void **state)
{
	(void)state;
	assert_written((struct hec_answer){HEC_SUCCESS, -1, -1}, ANSWER_HEC_DONE,
		       "{\"text\":\"Success\",\"code\":0}");
	assert_written((struct hec_answer){HEC_SUCCESS, -1, 7}, ANSWER_HEC_DONE,
		       "{\"text\":\"Success\",\"code\":0,\"ackId\":7}"); /* H9 */
	assert_written((struct hec_answer){HEC_INVALID_DATA, 2, -1}, ANSWER_HEC_WRONG,
		       "{\"text\":\"Invalid data format\",\"code\":6,"
		       "\"invalid-event-number\":2}"); /* H5 */
	assert_written((struct hec_answer){HEC_BUSY, -1, -1}, ANSWER_HEC_BUSY,
		       "{\"text\":\"Server is busy\",\"code\":9}");
	assert_written((struct hec_answer){HEC_INVALID_TOKEN, -1, -1}, ANSWER_HEC_FORBIDDEN,
		       "{\"text\":\"Invalid token\",\"code\":4}");
}

static void
acks_are_true_up_to_what_is_durable(void **state)
{
	static const char *const wrong[] = {
	    "", "{}", "[]", "{\"acks\":1}", "{\"acks\":[-1]}", "{\"acks\":[\"1\"]}"};
	struct slice answer;

	(void)state;
	assert_true(hec_input_acks(SLICE_LITERAL("{\"acks\":[0,7,8]}"), 7, bench.arena, &answer));
	assert_true(text_slice_is(answer, "{\"acks\":{\"0\":true,\"7\":true,\"8\":false}}"));
	assert_true(hec_input_acks(SLICE_LITERAL("{\"acks\":[]}"), 7, bench.arena, &answer));
	assert_true(text_slice_is(answer, "{\"acks\":{}}"));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(hec_input_acks(text_of(wrong[i]), 7, bench.arena, &answer));
}

static size_t
memory_in_use(void)
{
	struct mallinfo2 all = mallinfo2();

	return all.uordblks + all.hblkhd;
}

/* Of a body of many short lines no more is made than of the most that one may have. */
static void
a_line_too_many_ends_it_and_costs_no_memory(void **state)
{
	static char body[2 * 1024 * 1024 + 1];
	size_t before, taken;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(body); i++)
		body[i] = i % 2 == 0 ? 'a' : '\n';
	before = memory_in_use();
	take(HEC_RAW, body);
	taken = memory_in_use() - before;
	assert_int_equal(bench.input.code, HEC_INVALID_DATA);
	assert_int_equal(bench.input.count, SUBMISSION_MOST);
	assert_true(taken < 16 * 1024 * 1024);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(envelopes_stand_one_after_another),
	    TEST(a_bad_one_is_named_and_those_before_it_count),
	    TEST(lines_are_events_of_the_raw_endpoint),
	    TEST(the_same_request_is_known_and_equal_events_in_it_are_two),
	    TEST(an_event_with_an_id_is_known_wherever_it_stands),
	    TEST(what_is_not_subscribed_is_left_out),
	    TEST(endpoints_stand_behind_the_path),
	    TEST(a_channel_is_a_guid),
	    TEST(who_is_not_believed_is_told_as_splunk_does),
	    TEST(answers_are_splunks),
	    TEST(acks_are_true_up_to_what_is_durable),
	    TEST(a_line_too_many_ends_it_and_costs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
