/*
 * The head of a request: request line and header lines, read so strictly that nothing
 * in it can be understood in two ways.
 *
 * Grammar (RFC 9112 3, 5; what lenient servers take beyond it is in reliability.md 2.3):
 * METHOD SP origin-form SP HTTP/1.[01] CRLF, then `token ":" OWS value CRLF` lines.
 * Pure: bytes in, facts out.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "bridge/receiver/answer.h"
#include "formats/text.h"

enum {
	HTTP_HEAD_LENGTH = 16 * 1024, /* bytes, the empty line included */
	HTTP_HEAD_LINES = 64,
	HTTP_HEAD_TARGET = 2048, /* bytes */
};

enum http_method {
	HTTP_METHOD_POST,
	HTTP_METHOD_GET,
	HTTP_METHOD_OPTIONS,
	HTTP_METHOD_HEAD,
	HTTP_METHOD_OTHER,
};

/* A part of the head by its place, since its bytes may move while it is read. */
struct http_span {
	uint16_t start;
	uint16_t length;
};

struct http_field {
	struct http_span name;
	struct http_span value;
};

enum http_head_result {
	HTTP_HEAD_MORE, /* all good so far */
	HTTP_HEAD_DONE,
	HTTP_HEAD_REFUSED, /* see `refusal` */
};

struct http_head {
	size_t line;    /* where the line under way starts */
	size_t scanned; /* bytes up to here were searched for its end */
	size_t lines;   /* header lines, known ones too */
	bool begun;     /* the request line was read */
	bool skipped;   /* an empty line before it was */

	enum http_method method;
	int minor; /* of HTTP/1.x */
	struct http_span target;
	struct http_field fields[HTTP_HEAD_LINES]; /* those that somebody may ask for */
	size_t field_count;
	uint32_t seen; /* one bit a known header */

	size_t length; /* of the whole head; once done */
	uint64_t content_length;
	bool has_content_length;
	bool chunked;
	bool closes;          /* the connection is not used after this request */
	bool keeps;           /* "Connection: keep-alive" was asked for */
	bool expects;         /* 100-continue is waited for */
	bool packed;          /* Content-Encoding is gzip (RFC 9110 8.4.1.3) */
	bool encoded;         /* it is another one, and not identity either */
	bool expects_unknown; /* another expectation */
	enum answer refusal;
};

void http_head_start(struct http_head *head);

/*
 * Reads on in the `length` bytes of the request that have come so far; `bytes`
 * is always its first one.  A line is judged as soon as it is there.  `limit` is
 * the longest body that will be taken: a Content-Length above it refuses.
 */
enum http_head_result http_head_read(struct http_head *head, const char *bytes, size_t length,
				     uint64_t limit);

/* A part of the head whose first byte is `bytes`. */
struct slice http_head_part(const char *bytes, struct http_span span);

#endif
