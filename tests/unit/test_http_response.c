/* What is said, and how it was asked -> the bytes of the answer. */
#include "bridge/receiver/http_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/memory.h"

#define DATE "Thu, 26 Nov 2026 12:00:00 GMT"

enum { ROOM = 8192 };

/* Writes it into exactly the room that it says it needs. */
static struct slice
write(const struct http_response *response, const struct http_asked *asked, char bytes[ROOM])
{
	struct text text;

	assert_true(http_response_room(response) <= ROOM);
	text_start(&text, bytes, http_response_room(response));
	http_response_write(response, asked, &text);
	assert_false(text.overflowed);
	return text_slice(&text);
}

static void
every_answer_is_written_as_it_was_asked(void **state)
{
	static const struct {
		struct http_response response;
		struct http_asked asked;
		const char *bytes;
	} rows[] = {
	    {{.answer = ANSWER_ACCEPTED},
	     {.minor = 1},
	     "HTTP/1.1 202 Accepted\r\nDate: " DATE "\r\nContent-Length: 0\r\n\r\n"},
	    {{.answer = ANSWER_ACCEPTED, .closes = true},
	     {.minor = 1},
	     "HTTP/1.1 202 Accepted\r\nDate: " DATE
	     "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
	    {{.answer = ANSWER_ACCEPTED},
	     {.minor = 1, .closes = true},
	     "HTTP/1.1 202 Accepted\r\nDate: " DATE
	     "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
	    {{.answer = ANSWER_ACCEPTED},
	     {.minor = 0, .keeps = true},
	     "HTTP/1.0 202 Accepted\r\nDate: " DATE
	     "\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"},
	    {{.answer = ANSWER_LENGTH_REQUIRED},
	     {.minor = 0, .keeps = true},
	     "HTTP/1.0 411 Length Required\r\nDate: " DATE
	     "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: "
	     "97\r\n\r\n{\"code\":\"length_required\",\"message\":\"A POST needs Content-Length "
	     "or Transfer-Encoding: chunked.\"}"},
	    {{.answer = ANSWER_NOT_FOUND},
	     {.minor = 1, .is_head = true},
	     "HTTP/1.1 404 Not Found\r\nDate: " DATE
	     "\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n"},
	    {{.answer = ANSWER_NOT_AN_EVENT, .sentence = SLICE_LITERAL("a \"b\"")},
	     {.minor = 1},
	     "HTTP/1.1 400 Bad Request\r\nDate: " DATE
	     "\r\nContent-Type: application/json\r\nContent-Length: 43\r\n\r\n"
	     "{\"code\":\"not_an_event\",\"message\":\"a \\\"b\\\"\"}"},
	    /* RFC 9110 8.6: a 204 has no length */
	    {{.answer = ANSWER_OPTIONS},
	     {.minor = 1},
	     "HTTP/1.1 204 No Content\r\nDate: " DATE "\r\nAllow: POST, OPTIONS\r\n\r\n"},
	    {{.answer = ANSWER_HANDSHAKE, .fields = SLICE_LITERAL("A: b\r\nC: d\r\n")},
	     {.minor = 1},
	     "HTTP/1.1 200 OK\r\nDate: " DATE
	     "\r\nAllow: POST\r\nA: b\r\nC: d\r\nContent-Length: 0\r\n\r\n"},
	    {{.answer = ANSWER_HEC_DONE, .sentence = SLICE_LITERAL("{\"code\":0}")},
	     {.minor = 1},
	     "HTTP/1.1 200 OK\r\nDate: " DATE
	     "\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"code\":0}"},
	};
	char bytes[ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_response response = rows[i].response;
		struct slice written;

		response.date = DATE;
		written = write(&response, &rows[i].asked, bytes);
		if (!text_slice_is(written, rows[i].bytes))
			fail_msg("row %zu: %.*s", i, (int)written.length, written.bytes);
	}
}

static void
a_sentence_that_is_too_long_gives_way_to_the_answers_own(void **state)
{
	static const struct http_asked asked = {.minor = 1};
	struct http_response response = {.answer = ANSWER_NOT_AN_EVENT, .date = DATE};
	char *sentence = memory_allocate(4000), *bytes = memory_allocate(ROOM);
	struct slice written;

	(void)state;
	memset(sentence, '"', 4000);
	response.sentence = (struct slice){sentence, 4000};
	written = write(&response, &asked, bytes);
	assert_non_null(memmem(written.bytes, written.length, "The body is not an event.", 25));
	/* but what is the whole body is never cut */
	response.answer = ANSWER_HEC_DONE;
	written = write(&response, &asked, bytes);
	assert_memory_equal(written.bytes + written.length - 4000, sentence, 4000);
	free(sentence);
	free(bytes);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_answer_is_written_as_it_was_asked),
	    cmocka_unit_test(a_sentence_that_is_too_long_gives_way_to_the_answers_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
