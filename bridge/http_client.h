/*
 * HTTPS requests, one after the other over one connection that is kept: the only
 * file that knows libcurl.  It never follows a redirect, speaks nothing but https
 * unless told so, looks at no .netrc and no environment, and keeps at most 64 KiB
 * of an answer.
 *
 * Errors name the peer (scheme, host, port) and what the network did, never a path,
 * a header or what was sent: a path can be a secret.  One thread at a time.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "formats/error.h"
#include "formats/text.h"

enum {
	HTTP_CLIENT_LONGEST_ANSWER = 64 * 1024,
	HTTP_CLIENT_LONGEST_PAUSE = 60 * 60 * 1000, /* of Retry-After, milliseconds */
	HTTP_CLIENT_LONGEST_COOKIES = 8192,
};

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
	const char *certificate; /* PEM, our own with its chain; NULL: none */
	const char *private_key; /* PEM; of the certificate */
	const char *proxy;       /* "http://proxy:3128"; NULL: none */
	size_t longest_answer;   /* bytes kept of one; 0: HTTP_CLIENT_LONGEST_ANSWER */
	bool plain;              /* http:// is spoken too */
	bool cookies;            /* what the peer sets is sent back to it */
	int64_t connect_timeout; /* milliseconds, handshake included */
	int64_t timeout;         /* milliseconds, for a request in all */
	const atomic_bool
	    *stopping; /* once true, a request has a second left; NULL: nobody stops */
};

struct http_client_request {
	const char *method; /* "POST", "PUT", "GET"; a GET has no body */
	const char *url;
	struct slice headers; /* "name: value\n" lines */
	struct slice body;
	int64_t timeout; /* milliseconds, for this one in all; 0: that of the client */
};

struct http_client_answer {
	int status;          /* of HTTP: 202 */
	struct slice body;   /* borrowed from the client until its next request; cut at the limit */
	int64_t retry_after; /* milliseconds, at most HTTP_CLIENT_LONGEST_PAUSE; 0: not said */
};

enum http_client_result {
	HTTP_CLIENT_ANSWERED,    /* with whatever status */
	HTTP_CLIENT_UNREACHABLE, /* nothing of the request was sent */
	HTTP_CLIENT_LOST,        /* no answer; the peer may have the request or not */
	HTTP_CLIENT_UNTRUSTED,   /* nothing was sent: a certificate or another setting is wrong */
};

/* Gives *client, freed with http_client_free(). */
MUST_CHECK bool http_client_new(struct http_client **client,
				const struct http_client_settings *settings, struct error *error);
void http_client_free(struct http_client *client); /* NULL is fine */

/* One request.  *answer is filled where there was one, else the error is. */
MUST_CHECK enum http_client_result http_client_perform(struct http_client *client,
						       const struct http_client_request *request,
						       struct http_client_answer *answer,
						       struct error *error);

/* Posts `body`.  True where there was an answer, of whatever status. */
MUST_CHECK bool http_client_post(struct http_client *client, const char *url, struct slice headers,
				 struct slice body, struct http_client_answer *answer,
				 struct error *error);

/*
 * The cookies that the peer has set, as lines for http_client_set_cookies() of
 * another client.  Too many of them: text->overflowed.
 */
void http_client_cookies(const struct http_client *client, struct text *text);
void http_client_set_cookies(struct http_client *client, struct slice cookies);

/* scheme://host:port of a URL, without the path that may be secret: for logs. */
struct slice http_client_origin(const char *url);

/*
 * The TCP port that is connected to for this URL, or for this proxy: where it names
 * none, that of its scheme, and of a proxy what curl takes (1080).  False: it is no URL.
 */
MUST_CHECK bool http_client_port(const char *url, bool is_proxy, uint16_t *port);

#endif
