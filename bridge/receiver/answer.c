/*
 * The sentences are for a stranger who may be an attacker: they say which rule of
 * HTTP was not kept, never what this bridge is, holds or checked.
 */
#include "bridge/receiver/answer.h"

#include "formats/memory.h"

#define ALLOWED       "POST, OPTIONS"
#define RETRY_SECONDS "30"
#define RATE_SECONDS  "1" /* until a bucket of limit.h is full again */

static const struct answer_row rows[ANSWERS] = {
    [ANSWER_ACCEPTED] = {202, "Accepted", NULL, NULL, NULL, NULL, false},
    /* it may hold what the asker sent: no browser is to take it for a page */
    [ANSWER_CHALLENGE] = {200, "OK", NULL, NULL, "X-Content-Type-Options", "nosniff", false},
    [ANSWER_HANDSHAKE] = {200, "OK", NULL, NULL, "Allow", "POST", false},
    [ANSWER_OPTIONS] = {204, "No Content", NULL, NULL, "Allow", ALLOWED, false},
    [ANSWER_MALFORMED] = {400, "Bad Request", "malformed_request",
			  "This is not one unambiguous HTTP/1.1 request.", NULL, NULL, true},
    [ANSWER_NOT_AN_EVENT] = {400, "Bad Request", "not_an_event", "The body is not an event.", NULL,
			     NULL, false},
    /* RFC 9110 15.5.2: a 401 names a challenge. */
    [ANSWER_UNAUTHORIZED] = {401, "Unauthorized", "signature_invalid",
			     "The signature is missing, wrong or not of this time.",
			     "WWW-Authenticate", "Signature realm=\"webhooks\"", false},
    [ANSWER_NOT_FOUND] = {404, "Not Found", "not_found", "There is no such path here.", NULL, NULL,
			  false},
    [ANSWER_METHOD] = {405, "Method Not Allowed", "method_not_allowed",
		       "Events are sent here with POST.", "Allow", ALLOWED, false},
    [ANSWER_TIMEOUT] = {408, "Request Timeout", "request_timeout",
			"The request did not arrive whole in time.", NULL, NULL, true},
    [ANSWER_LENGTH_REQUIRED] = {411, "Length Required", "length_required",
				"A POST needs Content-Length or Transfer-Encoding: chunked.", NULL,
				NULL, true},
    [ANSWER_BODY_TOO_LARGE] = {413, "Content Too Large", "body_too_large",
			       "The body is longer than is accepted here.", NULL, NULL, true},
    [ANSWER_TARGET_TOO_LONG] = {414, "URI Too Long", "target_too_long",
				"The request target is longer than 2048 bytes.", NULL, NULL, true},
    [ANSWER_MEDIA_TYPE] = {415, "Unsupported Media Type", "unsupported_media_type",
			   "Send application/json or a JSON form of CloudEvents, in an encoding "
			   "that is accepted here.",
			   NULL, NULL, false},
    [ANSWER_TOO_MANY] = {429, "Too Many Requests", "too_many_requests",
			 "There are too many requests; send it again later.", "Retry-After",
			 RATE_SECONDS, false},
    /* what costs least next: the rate of handshakes is limited as well */
    [ANSWER_TOO_MANY_REFUSED] = {429, "Too Many Requests", "too_many_requests",
				 "There are too many requests from this address.", "Retry-After",
				 RATE_SECONDS, true},
    [ANSWER_HEADERS_TOO_LARGE] = {431, "Request Header Fields Too Large", "headers_too_large",
				  "At most 64 header lines and 16 KiB of them are accepted.", NULL,
				  NULL, true},
    [ANSWER_UNEXPECTED] = {500, "Internal Server Error", "internal_error",
			   "Something went wrong here; send it again later.", NULL, NULL, true},
    [ANSWER_UNAVAILABLE] = {503, "Service Unavailable", "unavailable",
			    "Nothing can be stored at present; send it again later.", "Retry-After",
			    RETRY_SECONDS, false},
    [ANSWER_HEC_DONE] = {200, "OK", NULL, NULL, NULL, NULL, false},
    [ANSWER_HEC_WRONG] = {400, "Bad Request", NULL, NULL, NULL, NULL, false},
    [ANSWER_HEC_UNAUTHORIZED] = {401, "Unauthorized", NULL, NULL, "WWW-Authenticate",
				 "Splunk realm=\"collector\"", false},
    [ANSWER_HEC_FORBIDDEN] = {403, "Forbidden", NULL, NULL, NULL, NULL, false},
    [ANSWER_HEC_BUSY] = {503, "Service Unavailable", NULL, NULL, "Retry-After", RETRY_SECONDS,
			 false},
};

const struct answer_row *
answer_row(enum answer answer)
{
	if ((unsigned)answer >= ANSWERS)
		memory_panic("answer %d has no row", (int)answer);
	return &rows[answer];
}

bool
answer_is_verbatim(enum answer answer)
{
	return answer == ANSWER_CHALLENGE || answer >= ANSWER_HEC_DONE;
}

/* A JSON string's inside (RFC 8259 7). */
static void
append_escaped(struct text *text, struct slice sentence)
{
	for (size_t i = 0; i < sentence.length; i++) {
		unsigned char byte = (unsigned char)sentence.bytes[i];

		if (byte < 0x20) {
			text_append_format(text, "\\u%04x", byte);
			continue;
		}
		if (byte == '"' || byte == '\\')
			text_append_byte(text, '\\');
		text_append_byte(text, (char)byte);
	}
}

void
answer_write(enum answer answer, struct slice sentence, struct text *text)
{
	const struct answer_row *row = answer_row(answer);

	if (answer_is_verbatim(answer))
		text_append_slice(text, sentence);
	if (row->code == NULL)
		return;
	text_append_string(text, "{\"code\":\"");
	text_append_string(text, row->code);
	text_append_string(text, "\",\"message\":\"");
	append_escaped(text, sentence.bytes != NULL ? sentence : text_of(row->sentence));
	text_append_string(text, "\"}");
}
