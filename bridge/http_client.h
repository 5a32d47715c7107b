/*
 * HTTPS requests, one after the other over one connection that is kept: the only
 * file that knows libcurl.  It never follows a redirect, speaks nothing but https,
 * uses no proxy and no .netrc, and reads at most 64 KiB of an answer.
 *
 * Errors say what the network did, never what was sent.  One thread at a time.
 * The process has to ignore SIGPIPE, as main() sees to.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdint.h>

#include "formats/error.h"
#include "formats/text.h"

enum { HTTP_CLIENT_LONGEST_ANSWER = 64 * 1024 };

struct http_client;

/* Whom to believe and how long to wait.  Borrowed as long as the client lives. */
struct http_client_settings {
	/*
	 * "sha256//BASE64" of the peer's public key: exactly this key is believed,
	 * whatever name or signature its certificate has.  NULL: the certificate must
	 * be good for the name in the address.
	 */
	const char *pinned_key;
	const char *ca_file;     /* PEM; NULL: the system's.  Of no effect with a pinned key */
	int64_t connect_timeout; /* milliseconds, handshake included */
	int64_t timeout;         /* milliseconds, for a request in all */
};

struct http_client_answer {
	int status;        /* of HTTP: 202 */
	struct slice body; /* borrowed from the client until its next request; cut at the limit */
};

/* Gives *client, freed with http_client_free(). */
MUST_CHECK bool http_client_new(struct http_client **client,
				const struct http_client_settings *settings, struct error *error);
void http_client_free(struct http_client *client); /* NULL is fine */

/*
 * Posts `body`; `headers` are "name: value\n" lines.  True where there was an
 * answer, of whatever status.
 */
MUST_CHECK bool http_client_post(struct http_client *client, const char *url, struct slice headers,
				 struct slice body, struct http_client_answer *answer,
				 struct error *error);

#endif
