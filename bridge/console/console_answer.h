/*
 * One request to the console -> its answer, without the network: who may ask, and who
 * answers.
 *
 *   Host      an address, localhost, this host's name or one of `hosts`: a page that
 *             somebody else's DNS points at us is not let in (DNS rebinding)
 *   POST      only as JSON and from our own page (Origin, Sec-Fetch-Site)
 *   password  where there is one, everything but the page itself, /healthz, /readyz
 *             and the login: by cookie, or by Authorization (Basic, Bearer)
 */
#ifndef CONSOLE_ANSWER_H
#define CONSOLE_ANSWER_H

#include "bridge/console/desk.h"

/* All is borrowed; what is absent has no bytes. */
struct console_request {
	bool post; /* else GET or HEAD */
	struct slice path;
	struct slice query;
	struct slice host;
	struct slice origin;
	struct slice site; /* Sec-Fetch-Site */
	struct slice cookie;
	struct slice authorization;
	struct slice content_type;
	struct slice body;
};

enum { CONSOLE_ANSWER_COOKIE = 192 };

struct console_reply {
	int status;
	const char *content_type;
	struct slice body;                  /* of `own`, or lasting */
	char *own;                          /* NULL, or to be freed */
	char cookie[CONSOLE_ANSWER_COOKIE]; /* Set-Cookie; empty: none */
	bool lasts;                         /* may be kept by the browser for a while */
	int retry_after;                    /* seconds; 0: not said */
};

/* Fills *reply, to be freed with console_answer_free(). */
void console_answer(struct desk *desk, const struct console_request *request,
		    struct console_reply *reply);
void console_answer_free(struct console_reply *reply);

/* {"error": "..."} with that status. */
void console_answer_error(struct console_reply *reply, int status, const char *text);

/* Takes the document. */
void console_answer_json(struct console_reply *reply, int status, struct json_node *document,
			 size_t capacity);

#endif
