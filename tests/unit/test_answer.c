#include "bridge/receiver/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* standards.md 12.2: the status of each outcome. */
static void
every_answer_has_its_status(void **state)
{
	static const struct {
		enum answer answer;
		int status;
		const char *header;
		bool closes;
	} cases[] = {
	    {ANSWER_ACCEPTED, 202, NULL, false},
	    {ANSWER_CHALLENGE, 200, "X-Content-Type-Options", false},
	    {ANSWER_HANDSHAKE, 200, "Allow", false},
	    {ANSWER_OPTIONS, 204, "Allow", false},
	    {ANSWER_MALFORMED, 400, NULL, true},
	    {ANSWER_NOT_AN_EVENT, 400, NULL, false},
	    {ANSWER_UNAUTHORIZED, 401, "WWW-Authenticate", false},
	    {ANSWER_NOT_FOUND, 404, NULL, false},
	    {ANSWER_METHOD, 405, "Allow", false},
	    {ANSWER_TIMEOUT, 408, NULL, true},
	    {ANSWER_LENGTH_REQUIRED, 411, NULL, true},
	    {ANSWER_BODY_TOO_LARGE, 413, NULL, true},
	    {ANSWER_TARGET_TOO_LONG, 414, NULL, true},
	    {ANSWER_MEDIA_TYPE, 415, NULL, false},
	    {ANSWER_TOO_MANY, 429, "Retry-After", false},
	    {ANSWER_TOO_MANY_REFUSED, 429, "Retry-After", true},
	    {ANSWER_HEADERS_TOO_LARGE, 431, NULL, true},
	    {ANSWER_UNEXPECTED, 500, NULL, true},
	    {ANSWER_UNAVAILABLE, 503, "Retry-After", false},
	    {ANSWER_HEC_DONE, 200, NULL, false},
	    {ANSWER_HEC_WRONG, 400, NULL, false},
	    {ANSWER_HEC_UNAUTHORIZED, 401, "WWW-Authenticate", false},
	    {ANSWER_HEC_FORBIDDEN, 403, NULL, false},
	    {ANSWER_HEC_BUSY, 503, "Retry-After", false},
	};

	(void)state;
	assert_int_equal(sizeof(cases) / sizeof(cases[0]), ANSWERS);
	for (size_t i = 0; i < ANSWERS; i++) {
		const struct answer_row *row = answer_row(cases[i].answer);

		assert_int_equal(row->status, cases[i].status);
		assert_non_null(row->reason);
		assert_int_equal(row->closes, cases[i].closes);
		assert_int_equal(row->header != NULL, cases[i].header != NULL);
		assert_int_equal(row->header != NULL, row->value != NULL);
		if (cases[i].header != NULL)
			assert_string_equal(row->header, cases[i].header);
		assert_int_equal(row->code == NULL,
				 row->status < 300 || answer_is_verbatim(cases[i].answer));
		assert_int_equal(row->code == NULL, row->sentence == NULL);
	}
}

static void
a_refusal_is_json_and_an_acceptance_is_empty(void **state)
{
	char bytes[512];
	struct text text;

	(void)state;
	text_start(&text, bytes, sizeof(bytes));
	answer_write(ANSWER_ACCEPTED, (struct slice){NULL, 0}, &text);
	answer_write(ANSWER_OPTIONS, (struct slice){NULL, 0}, &text);
	assert_int_equal(text.length, 0);
	answer_write(ANSWER_NOT_FOUND, (struct slice){NULL, 0}, &text);
	assert_true(text_slice_is(text_slice(&text),
				  "{\"code\":\"not_found\","
				  "\"message\":\"There is no such path here.\"}"));
}

static void
a_sentence_cannot_leave_its_string(void **state)
{
	char bytes[512];
	struct text text;

	(void)state;
	text_start(&text, bytes, sizeof(bytes));
	answer_write(ANSWER_NOT_AN_EVENT, SLICE_LITERAL("a\"b\\c\n\x01"), &text);
	assert_false(text.overflowed);
	assert_true(text_slice_is(text_slice(&text), "{\"code\":\"not_an_event\","
						     "\"message\":\"a\\\"b\\\\c\\u000a\\u0001\"}"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_answer_has_its_status),
	    cmocka_unit_test(a_refusal_is_json_and_an_acceptance_is_empty),
	    cmocka_unit_test(a_sentence_cannot_leave_its_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
