/*
 * The gate: bytes of a connection in, whole and unambiguous requests out, each
 * written in a canonical form (reliability.md 2.3).  Knows no socket, no clock and
 * no evhttp, so that every case of its corpus is a row of a test.
 *
 * Nothing of a request leaves before all of it is there and was checked.  After a
 * refusal nothing more is read.
 */
#ifndef HTTP_GATE_H
#define HTTP_GATE_H

#include "bridge/receiver/http_chunk.h"
#include "bridge/receiver/http_head.h"

/* A refusal leaves as a request for this target and its `enum answer` as a number:
 * no target from outside is like it, since those start with "/". */
#define HTTP_GATE_REFUSAL "refused:"

enum http_gate_state {
	HTTP_GATE_IDLE, /* not a byte of a request */
	HTTP_GATE_HEAD,
	HTTP_GATE_BODY,
	HTTP_GATE_WHOLE,   /* to be taken */
	HTTP_GATE_REFUSED, /* to be taken, once; then it stays so */
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

/* Appends what is to be taken, at most http_gate_take_room() bytes, and forgets it. */
size_t http_gate_take_room(const struct http_gate *gate);
void http_gate_take(struct http_gate *gate, struct text *text);

#endif
