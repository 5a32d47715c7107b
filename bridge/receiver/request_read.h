/*
 * What a request says, as evhttp has read it.
 */
#ifndef REQUEST_READ_H
#define REQUEST_READ_H

#include "formats/text.h"

struct evhttp_request;

/*
 * As `header` of struct verify_request; `request` is an evhttp_request.  The value is
 * NUL-terminated, too.
 */
struct slice request_read_header(void *request, const char *name, size_t *count);

/* As `headers` of struct intake. */
void request_read_headers(void *request, const char *prefix, struct text *text);

/* Borrowed from the request; "" where there is none. */
struct slice request_read_body(struct evhttp_request *request);

/* Is the body gzip?  The gate lets through that and identity, which is nothing. */
bool request_read_is_packed(struct evhttp_request *request);

#endif
