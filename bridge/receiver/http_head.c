/*
 * Lines are judged one by one as they come, so that a bad one is answered at
 * once.  A known header has a row in a table: may it be there twice, is it kept for
 * those behind the gate, what does it tell.  What has no row is kept, as often as it is
 * there: the configuration may name any header as a signature's, and verify.c refuses
 * what it reads twice.  Framing and connection headers are not kept: they have been
 * understood here, and nobody is to understand them once more.
 */
#include "bridge/receiver/http_head.h"

#include <string.h>

#include "bridge/receiver/http_line.h"

enum { METHOD_LENGTH = 32, CONTENT_LENGTH_DIGITS = 10 };

struct known_header {
	struct slice name;
	bool once; /* a second one refuses the request */
	bool kept;
	/* What it tells; false: not a value that it may have.  NULL: nothing. */
	bool (*take)(struct http_head *head, struct slice value);
};

/* RFC 3986 3.2.2, 3.2.3 without the comma, which joins two Hosts into one. */
static bool
take_host(struct http_head *head, struct slice value)
{
	(void)head;
	for (size_t i = 0; i < value.length; i++) {
		unsigned char byte = (unsigned char)value.bytes[i];

		if (!http_line_is_alphanumeric(byte) &&
		    !http_line_is_one_of(byte, "-._~%!$&'()*+;=:[]"))
			return false;
	}
	return value.length > 0;
}

static bool
take_content_length(struct http_head *head, struct slice value)
{
	head->has_content_length = true;
	return value.length <= CONTENT_LENGTH_DIGITS &&
	       text_parse_unsigned(value, UINT64_MAX, &head->content_length);
}

static bool
take_transfer_encoding(struct http_head *head, struct slice value)
{
	head->chunked = true;
	return text_slices_equal_any_case(value, SLICE_LITERAL("chunked"));
}

/* RFC 9110 7.6.1: a list of options. */
static bool
take_connection(struct http_head *head, struct slice value)
{
	while (value.length > 0) {
		const char *comma = memchr(value.bytes, ',', value.length);
		size_t length = comma == NULL ? value.length : (size_t)(comma - value.bytes);
		struct slice option = http_line_trim((struct slice){value.bytes, length});

		if (text_slices_equal_any_case(option, SLICE_LITERAL("close")))
			head->closes = true;
		if (text_slices_equal_any_case(option, SLICE_LITERAL("keep-alive")))
			head->keeps = true;
		if (option.length > 0 && !http_line_is_token(option))
			return false;
		if (comma == NULL)
			break;
		value.bytes += length + 1;
		value.length -= length + 1;
	}
	return true;
}

static bool
take_expect(struct http_head *head, struct slice value)
{
	head->expects = text_slices_equal_any_case(value, SLICE_LITERAL("100-continue"));
	head->expects_unknown = !head->expects;
	return true;
}

static bool
take_content_encoding(struct http_head *head, struct slice value)
{
	/* which source takes gzip is not known yet: request.c */
	head->packed = text_slices_equal_any_case(value, SLICE_LITERAL("gzip")) ||
		       text_slices_equal_any_case(value, SLICE_LITERAL("x-gzip"));
	head->encoded =
	    !head->packed && !text_slices_equal_any_case(value, SLICE_LITERAL("identity"));
	return true;
}

static const struct known_header known_headers[] = {
    {SLICE_LITERAL("host"), true, false, take_host},
    {SLICE_LITERAL("content-length"), true, false, take_content_length},
    {SLICE_LITERAL("transfer-encoding"), true, false, take_transfer_encoding},
    {SLICE_LITERAL("connection"), false, false, take_connection},
    {SLICE_LITERAL("expect"), true, false, take_expect},
    {SLICE_LITERAL("content-encoding"), true, true, take_content_encoding},
    {SLICE_LITERAL("content-type"), true, true, NULL},
    {SLICE_LITERAL("authorization"), true, true, NULL},
    {SLICE_LITERAL("webhook-id"), true, true, NULL},
    {SLICE_LITERAL("webhook-timestamp"), true, true, NULL},
    {SLICE_LITERAL("webhook-signature"), true, true, NULL},
    /* hop by hop (RFC 9110 7.6.1): nothing that is done here */
    {SLICE_LITERAL("proxy-connection"), false, false, NULL},
    {SLICE_LITERAL("keep-alive"), false, false, NULL},
    {SLICE_LITERAL("te"), false, false, NULL},
    {SLICE_LITERAL("trailer"), false, false, NULL},
    {SLICE_LITERAL("upgrade"), false, false, NULL},
    /* of every client, and read by nobody: not to be searched */
    {SLICE_LITERAL("user-agent"), false, false, NULL},
    {SLICE_LITERAL("accept"), false, false, NULL},
    {SLICE_LITERAL("accept-encoding"), false, false, NULL},
};

enum { KNOWN_HEADERS = sizeof(known_headers) / sizeof(known_headers[0]) };

static enum http_head_result
refuse(struct http_head *head, enum answer answer)
{
	head->refusal = answer;
	return HTTP_HEAD_REFUSED;
}

void
http_head_start(struct http_head *head)
{
	*head = (struct http_head){0};
}

static struct http_span
span(const char *bytes, struct slice part)
{
	return (struct http_span){(uint16_t)(part.bytes - bytes), (uint16_t)part.length};
}

struct slice
http_head_part(const char *bytes, struct http_span span)
{
	return (struct slice){bytes + span.start, span.length};
}

static enum http_method
method_of(struct slice method)
{
	if (text_slice_is(method, "POST"))
		return HTTP_METHOD_POST;
	if (text_slice_is(method, "GET"))
		return HTTP_METHOD_GET;
	if (text_slice_is(method, "OPTIONS"))
		return HTTP_METHOD_OPTIONS;
	if (text_slice_is(method, "HEAD"))
		return HTTP_METHOD_HEAD;
	return HTTP_METHOD_OTHER;
}

/* RFC 9112 3.2.1: origin-form and nothing else; a fragment is never sent. */
static bool
is_target(struct slice target)
{
	for (size_t i = 0; i < target.length; i++) {
		unsigned char byte = (unsigned char)target.bytes[i];

		if (byte < '!' || byte > '~' || byte == '#')
			return false;
	}
	return target.length > 0 && target.bytes[0] == '/';
}

static enum http_head_result
read_request_line(struct http_head *head, const char *bytes, struct slice line)
{
	const char *first = memchr(line.bytes, ' ', line.length);
	const char *last = memrchr(line.bytes, ' ', line.length);
	const char *end = line.bytes + line.length;
	struct slice method;
	struct slice target;
	struct slice version;

	if (first == NULL || first == last)
		return refuse(head, ANSWER_MALFORMED);
	method = (struct slice){line.bytes, (size_t)(first - line.bytes)};
	target = (struct slice){first + 1, (size_t)(last - first - 1)};
	version = (struct slice){last + 1, (size_t)(end - last - 1)};
	if (!http_line_is_token(method) || method.length > METHOD_LENGTH)
		return refuse(head, ANSWER_MALFORMED);
	if (target.length > HTTP_HEAD_TARGET)
		return refuse(head, ANSWER_TARGET_TOO_LONG);
	if (!text_slice_is(version, "HTTP/1.1") && !text_slice_is(version, "HTTP/1.0"))
		return refuse(head, ANSWER_MALFORMED);
	/* its target is an authority; what it asks for is not done here */
	if (text_slice_is(method, "CONNECT"))
		return refuse(head, ANSWER_METHOD);
	if (!is_target(target))
		return refuse(head, ANSWER_MALFORMED);
	head->method = method_of(method);
	head->target = span(bytes, target);
	head->minor = version.bytes[version.length - 1] - '0';
	head->begun = true;
	return HTTP_HEAD_MORE;
}

static enum http_head_result
read_field(struct http_head *head, const char *bytes, struct slice line)
{
	struct slice name;
	struct slice value;
	bool kept = true;

	if (++head->lines > HTTP_HEAD_LINES)
		return refuse(head, ANSWER_HEADERS_TOO_LARGE);
	if (!http_line_split(line, &name, &value))
		return refuse(head, ANSWER_MALFORMED);
	for (size_t i = 0; i < KNOWN_HEADERS; i++) {
		const struct known_header *known = &known_headers[i];

		if (!text_slices_equal_any_case(name, known->name))
			continue;
		if (known->once && (head->seen & 1U << i) != 0)
			return refuse(head, ANSWER_MALFORMED);
		head->seen |= 1U << i;
		if (known->take != NULL && !known->take(head, value))
			return refuse(head, ANSWER_MALFORMED);
		kept = known->kept;
		break;
	}
	if (kept) {
		struct http_field *field = &head->fields[head->field_count++];

		field->name = span(bytes, name);
		field->value = span(bytes, value);
	}
	return HTTP_HEAD_MORE;
}

/* What only the whole head can tell. */
static enum http_head_result
finish(struct http_head *head, uint64_t limit)
{
	bool has_host = (head->seen & 1U) != 0; /* the first row */

	if (head->minor == 1 && !has_host)
		return refuse(head, ANSWER_MALFORMED);
	/* RFC 9112 6.1: both, or chunked on 1.0, is how requests are smuggled */
	if (head->chunked && (head->has_content_length || head->minor == 0))
		return refuse(head, ANSWER_MALFORMED);
	if (head->method == HTTP_METHOD_POST && !head->chunked && !head->has_content_length)
		return refuse(head, ANSWER_LENGTH_REQUIRED);
	if (head->content_length > limit)
		return refuse(head, ANSWER_BODY_TOO_LARGE);
	/* RFC 9110 10.1.1: of HTTP/1.0 it is passed over */
	if (head->minor == 0)
		head->expects = head->expects_unknown = false;
	if (head->expects_unknown)
		return refuse(head, ANSWER_MALFORMED);
	if (head->encoded)
		return refuse(head, ANSWER_MEDIA_TYPE);
	if (head->minor == 0 && !head->keeps)
		head->closes = true;
	head->length = head->line;
	return HTTP_HEAD_DONE;
}

/* The line has not ended: may it still? */
static enum http_head_result
judge_length(struct http_head *head, const char *bytes, size_t length)
{
	size_t line = length - head->line;

	if (!head->begun && line > METHOD_LENGTH + HTTP_HEAD_TARGET + sizeof("  HTTP/1.1")) {
		bool has_method = memchr(bytes + head->line, ' ', METHOD_LENGTH + 1) != NULL;

		return refuse(head, has_method ? ANSWER_TARGET_TOO_LONG : ANSWER_MALFORMED);
	}
	if (length >= HTTP_HEAD_LENGTH)
		return refuse(head, ANSWER_HEADERS_TOO_LARGE);
	return HTTP_HEAD_MORE;
}

enum http_head_result
http_head_read(struct http_head *head, const char *bytes, size_t length, uint64_t limit)
{
	enum http_head_result result = HTTP_HEAD_MORE;

	while (result == HTTP_HEAD_MORE) {
		struct slice line;

		switch (http_line_end(bytes, length, head->line, &head->scanned, &line)) {
		case HTTP_LINE_MORE:
			return judge_length(head, bytes, length);
		case HTTP_LINE_BAD:
			return refuse(head, ANSWER_MALFORMED);
		case HTTP_LINE_WHOLE:
			break;
		}
		head->line = head->scanned;
		if (head->line > HTTP_HEAD_LENGTH)
			return refuse(head, head->begun ? ANSWER_HEADERS_TOO_LARGE
							: ANSWER_TARGET_TOO_LONG);
		if (head->begun && line.length == 0)
			return finish(head, limit);
		if (head->begun) {
			result = read_field(head, bytes, line);
		} else if (line.length == 0 && !head->skipped) {
			head->skipped = true; /* RFC 9112 2.2: at least one is passed over */
		} else {
			result = read_request_line(head, bytes, line);
		}
	}
	return result;
}
