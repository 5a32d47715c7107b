/*
 * What http_connection.c and http_admission.c share.
 */
#ifndef HTTP_CONNECTION_INTERNAL_H
#define HTTP_CONNECTION_INTERNAL_H

#include <event2/event_struct.h>

#include "bridge/receiver/http_connection.h"
#include "bridge/receiver/http_gate.h"
#include "bridge/receiver/tls_stream.h"

enum {
	HTTP_ADDRESS = 64 /* bytes: of IPv6 with the name of an interface */
};

/* In the order of a connection's life; after PHASE_ANSWER it is idle again, or closed. */
enum phase {
	PHASE_ARRIVED, /* its handshake has to wait (limit.h) */
	PHASE_HANDSHAKE,
	PHASE_IDLE,
	PHASE_HEAD,
	PHASE_BODY,
	PHASE_HELD, /* its request is somebody else's: at the disk, most of the time */
	PHASE_ANSWER,
};

struct http_connection {
	struct http_connection_group *group;
	int socket;               /* owned; -1: somebody else has it */
	struct tls_stream stream; /* not begun while ARRIVED */
	struct http_gate gate;
	struct http_asked asked; /* of the request that was handed on */
	enum phase phase;
	bool has_ended;      /* the peer has said all it has to, or is gone */
	int64_t deadline;    /* monotonic milliseconds; 0: none */
	int64_t timer_fires; /* 0: the timer is not running */
	struct event timer;
	char address[HTTP_ADDRESS];

	/* http_admission.c */
	struct limit_peer *peer; /* NULL: not counted */
	uint64_t counted;        /* bytes of memory taken from the limit */
	bool proven;
	TAILQ_ENTRY(http_connection) by_age;
	TAILQ_ENTRY(http_connection) by_weight; /* where something is counted */
};

/* Into a phase that ends `timeout` milliseconds from now; 0: without a deadline. */
void http_connection_enter(struct http_connection *connection, enum phase phase, int64_t timeout);

/* Hands on a refusal of what is under way. */
void http_connection_refuse(struct http_connection *connection, enum answer why);

void http_connection_close(struct http_connection *connection);

#endif
