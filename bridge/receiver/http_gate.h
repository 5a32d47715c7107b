/*
 * The gate: bytes of a connection in, whole and unambiguous requests out
 * (reliability.md 2.3).  Knows no socket and no clock, so that every case of its corpus
 * is a row of a test.
 *
 * Nothing of a request leaves before all of it is there and was checked.  After a
 * refusal nothing more is read.
 */
#ifndef HTTP_GATE_H
#define HTTP_GATE_H

#include "bridge/receiver/http_chunk.h"
#include "bridge/receiver/http_head.h"
#include "bridge/receiver/http_request.h"

enum http_gate_state {
	HTTP_GATE_IDLE, /* not a byte of a request */
	HTTP_GATE_HEAD,
	HTTP_GATE_BODY,
	HTTP_GATE_WHOLE,   /* to be taken, and dropped */
	HTTP_GATE_REFUSED, /* with `refusal`; it stays so */
};

struct http_gate {
	enum http_gate_state state;
	uint64_t limit; /* bytes of a body */
	char *bytes;    /* owned; NULL while idle */
	size_t length;
	size_t capacity;
	size_t body_length;
	struct http_head head;
	struct http_chunk chunk;
	bool continue_due;
	enum answer refusal;
};

void http_gate_start(struct http_gate *gate, uint64_t limit);
void http_gate_stop(struct http_gate *gate);

/* Room for `size` bytes of the connection behind those that are there. */
char *http_gate_room(struct http_gate *gate, size_t size);
void http_gate_added(struct http_gate *gate, size_t size);

/* Reads as far as it goes, at most to the end of one request. */
enum http_gate_state http_gate_read(struct http_gate *gate);

/* True once where the sender waits for "100 Continue" before it sends its body. */
bool http_gate_wants_continue(struct http_gate *gate);

/* True where the request or refusal to be taken is the connection's last. */
bool http_gate_closes(const struct http_gate *gate);

/* Refuses what is under way: for deadlines. */
void http_gate_refuse(struct http_gate *gate, enum answer answer);

/* Gives the whole request, all of it borrowed until http_gate_drop(), for the next one. */
void http_gate_take(struct http_gate *gate, struct http_request *request);
void http_gate_drop(struct http_gate *gate);

#endif
