/*
 * Bytes of a connection -> what leaves the gate.  The rows are reliability.md 2.3
 * and the chunk tricks of the corpora named in its 4.6; each runs whole and byte by
 * byte.
 */
#include "bridge/receiver/http_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/memory.h"

enum { LIMIT = 4096, TEXT = 128 * 1024 };

struct gate_case {
	struct slice bytes;
	const char
	    *outcome; /* "ok" or the refusal's status, one a request; then "+" if more is awaited */
};

#define POST(rest)    "POST /w HTTP/1.1\r\nHost: a\r\n" rest
#define CHUNKED(rest) POST("Transfer-Encoding: chunked\r\n\r\n" rest)
#define ROW(bytes, outcome)                                                                        \
	{                                                                                          \
		SLICE_LITERAL(bytes), outcome                                                      \
	}

static const struct gate_case cases[] = {
    /* good ones */
    ROW(POST("Content-Length: 2\r\n\r\n{}"), "ok"),
    ROW(POST("Content-Length: 0\r\n\r\n"), "ok"),
    ROW(POST("Content-Length: 0000000002\r\n\r\n{}"), "ok"),
    ROW("GET /w HTTP/1.1\r\nHost: a\r\n\r\n", "ok"),
    ROW("HEAD /w HTTP/1.1\r\nHost: a\r\n\r\n", "ok"),
    ROW("OPTIONS /w HTTP/1.1\r\nHost: a\r\n\r\n", "ok"),
    ROW("BREW /w HTTP/1.1\r\nHost: a\r\n\r\n", "ok"),
    ROW("PUT /w HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", "ok"),
    ROW("POST /w HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", "ok"),
    ROW("POST /w?a=b%00&c HTTP/1.1\r\nhost: [::1]:8443\r\ncontent-length: 2\r\n\r\n{}", "ok"),
    ROW("\r\nGET /w HTTP/1.1\r\nHost: a\r\n\r\n", "ok"),
    ROW(POST("X: \xc3\xa9\t\xff\r\nContent-Length: 2\r\n\r\n{}"), "ok"),
    ROW(POST("Empty:\r\nContent-Length:\t2 \r\n\r\n{}"), "ok"),
    ROW(POST("Content-Encoding: Identity\r\nContent-Length: 2\r\n\r\n{}"), "ok"),
    ROW(POST("Content-Encoding: GZIP\r\nContent-Length: 2\r\n\r\n{}"), "ok"),
    ROW("", "+"),
    ROW("POST /w HT", "+"),
    ROW(POST("Content-Length: 3\r\n\r\n{}"), "+"),
    /* pipelined */
    ROW(POST("Content-Length: 2\r\n\r\n{}") POST("Content-Length: 2\r\n\r\n[]"), "ok ok"),
    ROW(CHUNKED("2\r\n{}\r\n0\r\n\r\n") "GET /w HTTP/1.1\r\nHost: a\r\n\r\nPOST", "ok ok +"),
    ROW(POST("Content-Length: 2\r\n\r\n{}") "\r\nnonsense\r\n", "ok 400"),
    /* two lengths, or none */
    ROW(POST("\r\n"), "411"),
    ROW(POST("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW(POST("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "), "400"),
    ROW(POST("Content-Length: 2, 2\r\n\r\n{}"), "400"),
    ROW(POST("Content-Length: +2\r\n\r\n{}"), "400"),
    ROW(POST("Content-Length: -0\r\n\r\n"), "400"),
    ROW(POST("Content-Length: 0x2\r\n\r\n{}"), "400"),
    ROW(POST("Content-Length: 2 x\r\n\r\n{}"), "400"),
    ROW(POST("Content-Length:\r\n\r\n{}"), "400"),
    ROW(POST("Content-Length: 00000000002\r\n\r\n{}"), "400"),
    ROW(POST("Content-Length: 18446744073709551618\r\n\r\n{}"), "400"),
    ROW(POST("Content-Length : 2\r\n\r\n{}"), "400"),
    ROW(POST("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400"),
    ROW(POST("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), "400"),
    ROW(POST("Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW("GET /w HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "400"),
    /* transfer codings */
    ROW(POST("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), "400"),
    ROW(POST("Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"), "400"),
    ROW(POST("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "400"),
    ROW(POST("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"), "400"),
    ROW(POST("Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n"), "400"),
    ROW(POST("Transfer-Encoding: identity\r\n\r\n{}"), "400"),
    ROW(POST("Transfer-Encoding:\r\n\r\n{}"), "400"),
    ROW(POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400"),
    ROW("POST /w HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
    ROW(POST("Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n"), "ok"),
    /* chunks */
    ROW(CHUNKED("2\r\n{}\r\n0\r\n\r\n"), "ok"),
    ROW(CHUNKED("1\r\n{\r\n1\r\n}\r\n00\r\n\r\n"), "ok"),
    ROW(CHUNKED("00000002\r\n{}\r\n0\r\n\r\n"), "ok"),
    ROW(CHUNKED("2;a=b\r\n{}\r\n0;c=\"d \\\"\"\r\n\r\n"), "ok"),
    ROW(CHUNKED("2\r\n{}\r\n0\r\nwebhook-signature: x\r\n\r\n"), "ok"),
    ROW(CHUNKED("2\r\n{}\r\n"), "+"),
    ROW(CHUNKED("000000002\r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("0x2\r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("+2\r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED(" 2\r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("2 \r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("2 junk\r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("-0\r\n\r\n"), "400"),
    ROW(CHUNKED("2\0zz\r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("\r\n2\r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("2\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("2\r\n{}0\r\n\r\n"), "400"),
    ROW(CHUNKED("2\r\n{}\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("2\r\n{}x\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("2;\r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("2;a\nxx\r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("2;a\rxx\r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("2;a=\"\r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("2;a =b\r\n{}\r\n0\r\n\r\n"), "400"),
    ROW(CHUNKED("2\r\n{}\r\n0\r\nnonsense\r\n\r\n"), "400"),
    ROW(CHUNKED("2\r\n{}\r\n0\r\na: b\n\r\n"), "400"),
    ROW(CHUNKED("ffffffff\r\n"), "413"),
    ROW(CHUNKED("1001\r\n"), "413"),
    /* bytes that a line may not have */
    ROW(POST("X: a\0b\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW(POST("X\0: a\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW(POST("X: a\rb\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW(POST("X: a\x7f\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW(POST("X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW(POST("X: a\r\n\tb\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW(POST("X: a\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW(POST("Content-Length: 2\r\n\n{}"), "400"),
    ROW(POST("Content-Length: 2\n\n{}"), "400"),
    ROW(POST(": a\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW(POST("X y: a\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW(POST("X\x01: a\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW(POST("X\xe9: a\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW(POST("nocolon\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    /* hosts */
    ROW("POST /w HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "400"),
    ROW(POST("Host: a\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW("GET /w HTTP/1.1\r\nHost: a b\r\n\r\n", "400"),
    ROW("GET /w HTTP/1.1\r\nHost: a, b\r\n\r\n", "400"),
    ROW("GET /w HTTP/1.1\r\nHost: u@a\r\n\r\n", "400"),
    ROW("GET /w HTTP/1.1\r\nHost:\r\n\r\n", "400"),
    ROW("GET /w HTTP/1.1\r\n Host: a\r\n\r\n", "400"),
    /* headers that a verifier reads */
    ROW(POST("webhook-signature: a\r\nwebhook-signature: b\r\nContent-Length: 0\r\n\r\n"), "400"),
    ROW(POST("webhook-id: a\r\nWebhook-Id: a\r\nContent-Length: 0\r\n\r\n"), "400"),
    ROW(POST("webhook-timestamp: 1\r\nwebhook-timestamp: 1\r\nContent-Length: 0\r\n\r\n"), "400"),
    ROW(POST("Authorization: a\r\nAuthorization: a\r\nContent-Length: 0\r\n\r\n"), "400"),
    ROW(POST("Content-Type: a\r\nContent-Type: a\r\nContent-Length: 0\r\n\r\n"), "400"),
    ROW(POST("Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"), "415"),
    ROW(POST("Content-Encoding: identity, gzip\r\nContent-Length: 2\r\n\r\n{}"), "415"),
    /* request lines */
    ROW("GET http://a/w HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
    ROW("GET /w#x HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("GET /w x HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("GET  /w HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("GET /w  HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("GET\t/w HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW(" GET /w HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("G(T /w HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("GET /w\r\n\r\n", "400"),
    ROW("GET /w HTTP/1.2\r\nHost: a\r\n\r\n", "400"),
    ROW("GET /w HTTP/2.0\r\nHost: a\r\n\r\n", "400"),
    ROW("GET /w HTTP/11.1\r\nHost: a\r\n\r\n", "400"),
    ROW("GET /w HTTP/1.1x\r\nHost: a\r\n\r\n", "400"),
    ROW("GET /w http/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("GET /w HTTP/1.1 \r\nHost: a\r\n\r\n", "400"),
    ROW("GET /w HTTP/1.1\nHost: a\r\n\r\n", "400"),
    ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"),
    ROW("GET refused:3 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("\r\n\r\nGET /w HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("\nGET /w HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ROW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", "400"),
    /* expectations */
    ROW(POST("Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"), "ok"),
    ROW(POST("Expect: something\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    ROW("POST /w HTTP/1.0\r\nExpect: something\r\nContent-Length: 2\r\n\r\n{}", "ok"),
    ROW(POST("Connection: a b\r\nContent-Length: 2\r\n\r\n{}"), "400"),
    /* bodies over the limit are refused by their announcement */
    ROW(POST("Content-Length: 4097\r\n\r\n"), "413"),
    ROW(POST("Content-Length: 9999999999\r\n\r\n"), "413"),
};

static void
note(struct text *outcome, const char *word)
{
	if (outcome->length > 0)
		text_append_byte(outcome, ' ');
	text_append_string(outcome, word);
}

static void
write_request(const struct http_request *request, struct text *text)
{
	static const char *const methods[] = {
	    [HTTP_METHOD_POST] = "POST",       [HTTP_METHOD_GET] = "GET",
	    [HTTP_METHOD_OPTIONS] = "OPTIONS", [HTTP_METHOD_HEAD] = "HEAD",
	    [HTTP_METHOD_OTHER] = "OTHER",
	};
	const struct http_head *head = request->head;

	text_append_string(text, methods[head->method]);
	text_append_byte(text, ' ');
	text_append_string(text, request->target);
	text_append_string(text, head->minor == 0 ? " 1.0" : " 1.1");
	text_append_string(text, head->closes ? " closes\n" : "\n");
	for (size_t i = 0; i < head->field_count; i++) {
		text_append_slice(text, http_head_part(request->bytes, head->fields[i].name));
		text_append_byte(text, '=');
		text_append_slice(text, http_head_part(request->bytes, head->fields[i].value));
		text_append_byte(text, '\n');
	}
	text_append_slice(text, request->body);
}

/* Takes what is there; false after a refusal. */
static bool
take(struct http_gate *gate, struct text *outcome, struct text *taken)
{
	bool refused = gate->state == HTTP_GATE_REFUSED;
	struct http_request request;

	note(outcome, refused ? "" : "ok");
	if (refused) {
		text_append_number(outcome, answer_row(gate->refusal)->status);
		return false;
	}
	http_gate_take(gate, &request);
	write_request(&request, taken);
	assert_false(taken->overflowed);
	http_gate_drop(gate);
	return true;
}

/* Feeds the bytes in runs of `step` and says what left the gate. */
static void
feed(struct slice bytes, size_t step, struct text *outcome, struct text *taken)
{
	struct http_gate gate;
	bool open = true;

	http_gate_start(&gate, LIMIT);
	for (size_t at = 0; at < bytes.length && open; at += step) {
		size_t run = bytes.length - at < step ? bytes.length - at : step;

		memcpy(http_gate_room(&gate, run), bytes.bytes + at, run);
		http_gate_added(&gate, run);
		while (open && http_gate_read(&gate) >= HTTP_GATE_WHOLE)
			open = take(&gate, outcome, taken);
	}
	if (open && gate.state != HTTP_GATE_IDLE)
		note(outcome, "+");
	if (bytes.length == 0)
		note(outcome, "+");
	http_gate_stop(&gate);
}

static void
every_case_has_its_outcome_however_it_is_split(void **state)
{
	static const size_t steps[] = {SIZE_MAX / 2, 1, 7};
	char *taken_bytes = memory_allocate(TEXT);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
			char outcome_bytes[64];
			struct text outcome;
			struct text taken;

			text_start(&outcome, outcome_bytes, sizeof(outcome_bytes));
			text_start(&taken, taken_bytes, TEXT);
			feed(cases[i].bytes, steps[j], &outcome, &taken);
			if (!text_slice_is(text_slice(&outcome), cases[i].outcome))
				fail_msg("case %zu step %zu: %.*s instead of %s: %.*s", i, steps[j],
					 (int)outcome.length, outcome.bytes, cases[i].outcome,
					 (int)cases[i].bytes.length, cases[i].bytes.bytes);
		}
	}
	free(taken_bytes);
}

static void
what_leaves_the_gate_has_one_meaning(void **state)
{
	static const struct {
		const char *bytes;
		const char *taken;
	} rows[] = {
	    {CHUNKED("2;x=y\r\n{}\r\n1\r\n \r\n0\r\nT: t\r\n\r\n"), "POST /w 1.1\n{} "},
	    {POST("X-Hub-Signature-256:\tb\r\nX-HUB-signature-256: c\r\nUser-Agent: "
		  "a\r\nContent-Type:a\t\r\nWebhook-Id:\r\nExpect: 100-continue\r\nUpgrade: "
		  "h2c\r\n"
		  "Connection: upgrade, Close\r\ncontent-length: 02\r\n\r\n{}"),
	     "POST /w 1.1 closes\nX-Hub-Signature-256=b\nX-HUB-signature-256=c\n"
	     "Content-Type=a\nWebhook-Id=\n{}"},
	    {"DELETE //w?a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
	     "GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
	     "OTHER //w?a 1.1\n{}GET /x 1.1\n"},
	    {"POST /w HTTP/1.0\r\nContent-Length: 0\r\n\r\n", "POST /w 1.0 closes\n"},
	    {"GET /w HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /w 1.0\n"},
	    {"HEAD /w HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HEAD /w 1.0\n"},
	    {"OPTIONS /w HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS /w 1.1\n"},
	    {"GET /w\r\n\r\n", ""},
	};
	char taken_bytes[1024];
	char outcome_bytes[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text outcome;
		struct text taken;

		text_start(&outcome, outcome_bytes, sizeof(outcome_bytes));
		text_start(&taken, taken_bytes, sizeof(taken_bytes));
		feed(text_of(rows[i].bytes), 3, &outcome, &taken);
		if (!text_slice_is(text_slice(&taken), rows[i].taken))
			fail_msg("row %zu: %.*s", i, (int)taken.length, taken.bytes);
	}
}

/* A head of a request line and `lines` lines that fill `length` bytes, CRLF at the end left out. */
static void
write_long_head(struct text *text, size_t target, size_t lines, size_t line_length)
{
	text_append_string(text, "GET /");
	for (size_t i = 1; i < target; i++)
		text_append_byte(text, 'a');
	text_append_string(text, " HTTP/1.1\r\nHost: a\r\n");
	for (size_t i = 0; i < lines; i++) {
		text_append_string(text, "X:");
		for (size_t j = 4; j < line_length; j++)
			text_append_byte(text, 'y');
		text_append_string(text, "\r\n");
	}
}

static void
limits_hold_to_the_byte(void **state)
{
	static const struct {
		size_t target;
		size_t lines; /* beside Host */
		size_t line_length;
		const char *outcome;
	} rows[] = {
	    {HTTP_HEAD_TARGET, 0, 0, "ok"},
	    {HTTP_HEAD_TARGET + 1, 0, 0, "414"},
	    {16000, 0, 0, "414"},
	    {40000, 0, 0, "414"},
	    {2, HTTP_HEAD_LINES - 1, 4, "ok"},
	    {2, HTTP_HEAD_LINES, 4, "431"},
	    {2, 3000, 4, "431"},
	    /* request line, Host and the empty line take 28 bytes */
	    {2, 1, HTTP_HEAD_LENGTH - 28, "ok"},
	    {2, 1, HTTP_HEAD_LENGTH - 27, "431"},
	    {2, 1, 60000, "431"},
	};
	char *bytes = memory_allocate(TEXT);
	char *taken_bytes = memory_allocate(TEXT);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t step = 1; step <= TEXT; step *= 64) {
			char outcome_bytes[64];
			struct text outcome;
			struct text taken;
			struct text head;

			text_start(&head, bytes, TEXT);
			text_start(&outcome, outcome_bytes, sizeof(outcome_bytes));
			text_start(&taken, taken_bytes, TEXT);
			write_long_head(&head, rows[i].target, rows[i].lines, rows[i].line_length);
			text_append_string(&head, "\r\n");
			feed(text_slice(&head), step, &outcome, &taken);
			if (!text_slice_is(text_slice(&outcome), rows[i].outcome))
				fail_msg("row %zu step %zu: %.*s", i, step, (int)outcome.length,
					 outcome.bytes);
		}
	}
	free(bytes);
	free(taken_bytes);
}

static void
what_never_ends_is_refused(void **state)
{
	static const struct {
		const char *start;
		char endless;
		enum answer refusal;
	} rows[] = {
	    {"", 'A', ANSWER_MALFORMED},
	    {"GET /", 'a', ANSWER_TARGET_TOO_LONG},
	    {"GET / HTTP/1.1\r\nX: ", 'a', ANSWER_HEADERS_TOO_LARGE},
	    {CHUNKED(""), '0', ANSWER_MALFORMED},
	    {CHUNKED("0\r\nX: "), 'a', ANSWER_HEADERS_TOO_LARGE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_gate gate;
		size_t length = strlen(rows[i].start);

		http_gate_start(&gate, LIMIT);
		if (length > 0)
			memcpy(http_gate_room(&gate, length), rows[i].start, length);
		http_gate_added(&gate, length);
		for (size_t j = 0; j < 40000 && http_gate_read(&gate) < HTTP_GATE_WHOLE; j++) {
			*http_gate_room(&gate, 1) = rows[i].endless;
			http_gate_added(&gate, 1);
		}
		assert_int_equal(gate.state, HTTP_GATE_REFUSED);
		assert_int_equal(gate.refusal, rows[i].refusal);
		http_gate_stop(&gate);
	}
}

static void
continue_is_due_once_and_only_to_who_waits(void **state)
{
	static const struct {
		const char *bytes;
		bool due;
	} rows[] = {
	    {POST("Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n"), true},
	    {POST("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"), true},
	    {POST("Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{"), false},
	    {POST("Expect: 100-continue\r\nContent-Length: 0\r\n\r\n"), false},
	    {POST("Expect: 100-continue\r\nContent-Length: 9999\r\n\r\n"), false},
	    {POST("Content-Length: 2\r\n\r\n"), false},
	    {"POST /w HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_gate gate;
		size_t length = strlen(rows[i].bytes);

		http_gate_start(&gate, LIMIT);
		memcpy(http_gate_room(&gate, length), rows[i].bytes, length);
		http_gate_added(&gate, length);
		(void)http_gate_read(&gate);
		assert_int_equal(http_gate_wants_continue(&gate), rows[i].due);
		assert_false(http_gate_wants_continue(&gate));
		http_gate_stop(&gate);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_case_has_its_outcome_however_it_is_split),
	    cmocka_unit_test(what_leaves_the_gate_has_one_meaning),
	    cmocka_unit_test(limits_hold_to_the_byte),
	    cmocka_unit_test(what_never_ends_is_refused),
	    cmocka_unit_test(continue_is_due_once_and_only_to_who_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
