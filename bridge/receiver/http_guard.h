/*
 * Stands between the decrypted bytes of a connection and evhttp, which is lenient
 * and knows no absolute deadline (reliability.md 2.3, section 0 rows 6 and 7).
 *
 * As bytes arrive in the bufferevent's input they are moved into the gate
 * (http_gate.h); what evhttp gets to see is one whole canonical request at a time,
 * and the next one only after the former was answered.  Refusals come to it as
 * requests for HTTP_GATE_REFUSAL targets, so that every answer is written in one
 * place.  A guard lives as long as its TLS session and belongs to its loop's thread.
 *
 * It also keeps the limits of limit.h: whether a connection may stay is decided when it
 * comes, and again when there is no room for a later one, which then takes the place of
 * the oldest that never proved itself.
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>
#include <sys/queue.h>

#include "bridge/receiver/http_linger.h"

struct bufferevent;
struct counters;
struct event_base;
struct http_guard;
struct limit;

TAILQ_HEAD(http_guards, http_guard);

/* Deadlines are absolute, in milliseconds from the beginning of their phase. */
struct http_guard_limits {
	uint64_t max_body_size; /* bytes */
	int64_t handshake_timeout;
	int64_t header_timeout; /* first byte of a request to its last header */
	int64_t body_timeout;
	int64_t idle_timeout; /* between requests */
};

/* What the guards of one loop share; filled by the loop, outlives them. */
struct http_guard_group {
	struct event_base *base;
	struct http_guard_limits limits;
	struct http_lingers lingers;
	size_t busy;         /* connections with a request begun and not answered whole */
	struct limit *limit; /* NULL: there is none; shared with other loops */
	struct counters *counters;
	struct http_guards all;   /* the oldest first */
	struct http_guards heavy; /* those with a body that counts in `limit`, likewise */
};

void http_guard_group_start(struct http_guard_group *group);

/*
 * Guards a fresh connection.  Freed with the session, by OpenSSL, which must
 * happen before the loop's base is freed.
 */
void http_guard_new(struct http_guard_group *group, struct bufferevent *stream, SSL *session);

/* The guard of a session, borrowed. */
struct http_guard *http_guard_of(const SSL *session);

/* One more request of its peer; one more that is refused; false: too many (limit.h). */
bool http_guard_may_ask(struct http_guard *guard);
bool http_guard_may_err(struct http_guard *guard);

/* It has shown a good signature: when the house is full others have to go first. */
void http_guard_prove(struct http_guard *guard);

/*
 * evhttp's handler was given a request: until the answer is sent nothing may wake
 * evhttp for input, which would end the process.
 */
void http_guard_hold(struct http_guard *guard);

/*
 * The answer has been handed to evhttp: the deadline of its sending begins.
 * `closes`: because of the answer evhttp closes the connection behind it.
 */
void http_guard_answering(struct http_guard *guard, bool closes);

/* The answer is sent, and evhttp is about to close or to wait for the next request. */
void http_guard_answered(struct http_guard *guard);

#endif
