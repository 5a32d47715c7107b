/*
 * 0 .. head.length .. + body_length .. length: head as it came, body (decoded in
 * place where it was chunked), and what already came of the next request.
 */
#include "bridge/receiver/http_gate.h"

#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"

enum {
	FIRST_CAPACITY = 1024,      /* malloc() has that at hand, more is searched for */
	TRUSTED_LENGTH = 64 * 1024, /* room for a body that is made before any of it came */
};

void
http_gate_start(struct http_gate *gate, uint64_t limit)
{
	*gate = (struct http_gate){.state = HTTP_GATE_IDLE, .limit = limit};
	http_head_start(&gate->head);
}

void
http_gate_stop(struct http_gate *gate)
{
	free(gate->bytes);
	gate->bytes = NULL;
	gate->length = gate->capacity = 0;
}

static void
grow(struct http_gate *gate, size_t size)
{
	size_t capacity = gate->capacity > 0 ? gate->capacity : FIRST_CAPACITY;

	while (size > capacity - gate->length)
		capacity *= 2;
	if (capacity == gate->capacity)
		return;
	gate->bytes = memory_resize_array(gate->bytes, capacity, 1);
	gate->capacity = capacity;
}

char *
http_gate_room(struct http_gate *gate, size_t size)
{
	grow(gate, size);
	return gate->bytes + gate->length;
}

void
http_gate_added(struct http_gate *gate, size_t size)
{
	gate->length += size;
}

void
http_gate_refuse(struct http_gate *gate, enum answer answer)
{
	gate->state = HTTP_GATE_REFUSED;
	gate->refusal = answer;
	http_gate_stop(gate);
}

static void
begin_body(struct http_gate *gate)
{
	http_chunk_start(&gate->chunk);
	gate->body_length = gate->head.chunked ? 0 : (size_t)gate->head.content_length;
	gate->state = HTTP_GATE_BODY;
	/* RFC 9110 10.1.1: not to one who sends already, or has nothing to send */
	gate->continue_due = gate->head.expects && gate->length == gate->head.length &&
			     (gate->head.chunked || gate->body_length > 0);
	if (gate->body_length > gate->length - gate->head.length) {
		size_t missing = gate->body_length - (gate->length - gate->head.length);

		grow(gate, missing < TRUSTED_LENGTH ? missing : TRUSTED_LENGTH);
	}
}

static void
read_head(struct http_gate *gate)
{
	switch (http_head_read(&gate->head, gate->bytes, gate->length, gate->limit)) {
	case HTTP_HEAD_MORE:
		gate->state = HTTP_GATE_HEAD;
		break;
	case HTTP_HEAD_DONE:
		begin_body(gate);
		break;
	case HTTP_HEAD_REFUSED:
		http_gate_refuse(gate, gate->head.refusal);
		break;
	}
}

static void
read_chunks(struct http_gate *gate)
{
	size_t length = gate->length - gate->head.length;
	enum http_chunk_result result;

	result =
	    http_chunk_read(&gate->chunk, gate->bytes + gate->head.length, &length, gate->limit);
	gate->length = gate->head.length + length;
	gate->body_length = gate->chunk.written;
	if (result == HTTP_CHUNK_DONE)
		gate->state = HTTP_GATE_WHOLE;
	else if (result == HTTP_CHUNK_REFUSED)
		http_gate_refuse(gate, gate->chunk.refusal);
}

enum http_gate_state
http_gate_read(struct http_gate *gate)
{
	if (gate->length > 0 && (gate->state == HTTP_GATE_IDLE || gate->state == HTTP_GATE_HEAD))
		read_head(gate);
	if (gate->state == HTTP_GATE_BODY) {
		if (gate->head.chunked)
			read_chunks(gate);
		else if (gate->length - gate->head.length >= gate->body_length)
			gate->state = HTTP_GATE_WHOLE;
	}
	return gate->state;
}

bool
http_gate_wants_continue(struct http_gate *gate)
{
	bool due = gate->continue_due && gate->state == HTTP_GATE_BODY;

	gate->continue_due = false;
	return due;
}

bool
http_gate_closes(const struct http_gate *gate)
{
	return gate->state == HTTP_GATE_REFUSED || gate->head.closes;
}

void
http_gate_take(struct http_gate *gate, struct http_request *request)
{
	struct http_span target = gate->head.target;

	gate->bytes[target.start + target.length] = '\0'; /* the blank there has been read */
	*request = (struct http_request){
	    .head = &gate->head,
	    .bytes = gate->bytes,
	    .target = gate->bytes + target.start,
	    .body = {gate->bytes + gate->head.length, gate->body_length},
	};
}

void
http_gate_drop(struct http_gate *gate)
{
	size_t dropped = gate->head.length + gate->body_length;

	gate->length -= dropped;
	gate->state = HTTP_GATE_IDLE;
	gate->body_length = 0;
	http_head_start(&gate->head);
	if (gate->length == 0)
		http_gate_stop(gate); /* thousands of idle connections hold no buffer */
	else
		memmove(gate->bytes, gate->bytes + dropped, gate->length);
}
