/*
 * An answer as bytes (RFC 9112 4, RFC 9110 8.6 and 6.6.1): status line, headers, body.
 * Pure: knows no connection.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "bridge/receiver/answer.h"
#include "formats/text.h"

/* What is said. */
struct http_response {
	enum answer answer;
	struct slice sentence; /* as answer_write() takes it */
	struct slice fields;   /* more header lines, CRLF behind each; absent: none */
	const char *date;      /* of now, RFC 9110 5.6.7 */
	bool closes;           /* the connection is not used after it, whatever was asked */
};

/* How it was asked. */
struct http_asked {
	int minor;    /* of HTTP/1.x */
	bool is_head; /* no body is wanted */
	bool keeps;   /* "Connection: keep-alive" was there */
	bool closes;  /* no other request comes on this connection */
};

/* Is it the connection's last? */
bool http_response_closes(const struct http_response *response, const struct http_asked *asked);

/*
 * Appends all of it, at most http_response_room() bytes.  Where the sentence is too long
 * for a body of 2 KiB, the answer's own stands there.
 */
void http_response_write(const struct http_response *response, const struct http_asked *asked,
			 struct text *text);
size_t http_response_room(const struct http_response *response);

#endif
