/*
 * One whole request, as the gate (http_gate.h) has read it: its parts stand where they
 * came, so that nothing of it is copied.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "bridge/receiver/http_head.h"
#include "formats/text.h"

struct http_connection;

/* All borrowed, and gone when its handler returns; but not the connection. */
struct http_request {
	struct http_connection *connection; /* where it is answered */
	const struct http_head *head;
	const char *bytes;  /* which the parts of `head` are parts of */
	const char *target; /* path and query, NUL-terminated */
	struct slice body;  /* "" where there is none */
};

/* As `header` of struct verify_request; `request` is a struct http_request. */
struct slice http_request_header(void *request, const char *name, size_t *count);

/* As `headers` of struct intake. */
void http_request_headers(void *request, const char *prefix, struct text *text);
#endif
