/*
 * The connection of one peer, from accept() to close(): its TLS session, its deadlines,
 * and the gate (http_gate.h) that makes requests of what comes.  One request at a time is
 * handed on, and the next one only after the former was answered.  Belongs to its loop's
 * thread.
 *
 * Whether a connection may stay is decided when it comes, and again when there is no room
 * for a later one, which then takes the place of the oldest that never proved itself:
 * http_admission.h.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "bridge/receiver/http_linger.h"
#include "bridge/receiver/http_request.h"
#include "bridge/receiver/http_response.h"

struct counters;
struct event_base;
struct http_connection;
struct limit;
struct tls_server;

TAILQ_HEAD(http_connection_list, http_connection);

/* Deadlines are absolute, in milliseconds from the beginning of their phase. */
struct http_limits {
	uint64_t max_body_size; /* bytes */
	int64_t handshake_timeout;
	int64_t header_timeout; /* first byte of a request to its last header */
	int64_t body_timeout;
	int64_t idle_timeout; /* between requests */
};

/* The connections of one loop, and what they share. */
struct http_connection_group {
	/* Filled by the loop; borrowed. */
	struct event_base *base;
	struct tls_server *server;
	struct http_limits limits;
	struct limit *limit; /* NULL: there is none; shared with other loops */
	struct counters *counters;
	/* Each is to be answered with http_connection_answer(), at once or later. */
	void (*on_request)(struct http_request *request, void *context);
	void (*on_refusal)(struct http_connection *connection, enum answer why, void *context);
	void *context;

	/* By http_connection_group_start(). */
	size_t busy;                       /* with a request begun and not answered whole */
	struct http_connection_list all;   /* the oldest first */
	struct http_connection_list heavy; /* those with a body that counts in `limit`, likewise */
	struct http_lingers lingers;
};

void http_connection_group_start(struct http_connection_group *group);

/* Closes all: none may be waiting for its answer any more. */
void http_connection_group_stop(struct http_connection_group *group);

/* One more: takes the socket of a peer at that address, and closes it in the end. */
void http_connection_open(struct http_connection_group *group, int socket,
			  const struct sockaddr *address, socklen_t length);

/* It is there until its request is answered, though its peer may be gone. */
void http_connection_answer(struct http_connection *connection,
			    const struct http_response *response);

/* Borrowed. */
SSL *http_connection_session(const struct http_connection *connection);

/* The peer's address as text, without its port. */
const char *http_connection_address(const struct http_connection *connection);

#endif
