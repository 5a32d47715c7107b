/*
 * Lines of HTTP (RFC 9112 2.2, RFC 9110 5), read strictly: of a head and of a
 * chunked body alike.
 */
#ifndef HTTP_LINE_H
#define HTTP_LINE_H

#include "formats/text.h"

enum http_line_result {
	HTTP_LINE_MORE, /* its end has not come */
	HTTP_LINE_WHOLE,
	HTTP_LINE_BAD, /* LF without CR */
};

/*
 * Looks for the end of the line that starts at `start`, from *scanned on, among
 * `length` bytes.  WHOLE: the line without its CRLF, and *scanned behind that.
 */
enum http_line_result http_line_end(const char *bytes, size_t length, size_t start, size_t *scanned,
				    struct slice *line);

/* `token ":" OWS value OWS`, no control character but HTAB in the value; false: it is none. */
bool http_line_split(struct slice line, struct slice *name, struct slice *value);

/* Without the blanks and tabs at its ends. */
struct slice http_line_trim(struct slice text);

/* RFC 9110 5.6.2; the empty one is none. */
bool http_line_is_token(struct slice text);

/* ASCII letters and digits, whatever the locale. */
bool http_line_is_alphanumeric(unsigned char byte);
bool http_line_is_one_of(unsigned char byte, const char *set); /* NUL is not */

#endif
