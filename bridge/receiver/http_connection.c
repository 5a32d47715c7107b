/*
 * Phases, each with an absolute deadline, in the order of a connection's life:
 *
 *   ARRIVED -> HANDSHAKE -> IDLE -> HEAD -> BODY -> HELD -> ANSWER -> IDLE ...
 *
 * In HELD the request is at the disk, and there is no deadline.  The first that comes
 * meanwhile, bytes or the end, turns reading off until the answer is out, so what a
 * connection holds is bounded by one request and one TLS record.  (Off at once, and on
 * again, would be two system calls a request.)  A peer that has said all it has to
 * (close_notify), or is gone, gets its answer tried all the same.
 *
 * An answer that is out at once, as nearly all are, with nothing that came behind its
 * request, ends in IDLE; else what follows is done in a turn of its own, because the
 * request may still be somebody's who is answering it.
 *
 * One timer a connection.  It is left alone when a deadline moves further away and
 * looks again when it fires, so a busy connection rarely touches it.
 */
#include "bridge/receiver/http_connection_internal.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "bridge/deadline.h"
#include "bridge/receiver/http_admission.h"
#include "formats/memory.h"

enum {
	ANSWER_TIMEOUT_MILLISECONDS = 10000,
	READ_SIZE = 16 * 1024, /* bytes: what a TLS record holds at most (RFC 8446 5.1) */
};

/* ---- phases ---- */

static bool
is_busy(enum phase phase)
{
	return phase > PHASE_IDLE;
}

static void
start_timer(struct http_connection *connection, int64_t now)
{
	int64_t left = connection->deadline > now ? connection->deadline - now : 0;
	struct timeval time = {left / 1000, (left % 1000) * 1000};

	if (event_add(&connection->timer, &time) < 0)
		memory_panic("no timer for a connection");
	connection->timer_fires = connection->deadline;
}

void
http_connection_enter(struct http_connection *connection, enum phase phase, int64_t timeout)
{
	int64_t now;

	connection->group->busy += is_busy(phase);
	connection->group->busy -= is_busy(connection->phase);
	connection->phase = phase;
	connection->deadline = 0;
	if (timeout == 0)
		return;
	now = deadline_now();
	connection->deadline = now + timeout;
	if (connection->timer_fires == 0 || connection->timer_fires > connection->deadline)
		start_timer(connection, now);
}

static void
become_idle(struct http_connection *connection)
{
	http_connection_enter(connection, PHASE_IDLE, connection->group->limits.idle_timeout);
}

void
http_connection_close(struct http_connection *connection)
{
	connection->group->busy -= is_busy(connection->phase);
	http_admission_leave(connection);
	(void)event_del(&connection->timer);
	tls_stream_stop(&connection->stream);
	if (connection->socket >= 0)
		(void)close(connection->socket);
	http_gate_stop(&connection->gate);
	free(connection);
}

/* ---- requests ---- */

/* The whole request, or the refusal, is somebody else's until it is answered. */
static void
hand_on(struct http_connection *connection)
{
	struct http_connection_group *group = connection->group;
	struct http_gate *gate = &connection->gate;
	struct http_request request;

	http_connection_enter(connection, PHASE_HELD, 0);
	/* from here on it is the commit thread's queue that is bounded */
	http_admission_release(connection);
	connection->asked = (struct http_asked){.minor = 1, .closes = http_gate_closes(gate)};
	if (gate->state == HTTP_GATE_REFUSED) {
		group->on_refusal(connection, gate->refusal, group->context);
		return;
	}
	connection->asked.minor = gate->head.minor;
	connection->asked.is_head = gate->head.method == HTTP_METHOD_HEAD;
	connection->asked.keeps = gate->head.keeps;
	http_gate_take(gate, &request);
	request.connection = connection;
	group->on_request(&request, group->context);
	http_gate_drop(gate);
}

void
http_connection_refuse(struct http_connection *connection, enum answer why)
{
	http_gate_refuse(&connection->gate, why);
	hand_on(connection);
}

static void
send_continue(struct http_connection *connection)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

	/* where it cannot be sent, that is found out by reading as well */
	(void)tls_stream_write(&connection->stream, line, sizeof(line) - 1);
}

/* Reads on in what is there. */
static void
advance(struct http_connection *connection)
{
	const struct http_limits *limits = &connection->group->limits;

	switch (http_gate_read(&connection->gate)) {
	case HTTP_GATE_IDLE:
		if (is_busy(connection->phase))
			become_idle(connection);
		break;
	case HTTP_GATE_HEAD:
		if (connection->phase != PHASE_HEAD)
			http_connection_enter(connection, PHASE_HEAD, limits->header_timeout);
		break;
	case HTTP_GATE_BODY:
		if (connection->phase != PHASE_BODY)
			http_connection_enter(connection, PHASE_BODY, limits->body_timeout);
		if (http_gate_wants_continue(&connection->gate))
			send_continue(connection);
		break;
	case HTTP_GATE_WHOLE:
	case HTTP_GATE_REFUSED:
		hand_on(connection);
		break;
	}
}

/* One whose request is somebody else's stays until it is answered. */
static void
end_input(struct http_connection *connection)
{
	if (connection->phase < PHASE_HELD) {
		http_connection_close(connection);
		return;
	}
	connection->has_ended = true;
	tls_stream_listen(&connection->stream, false);
}

static void
take(struct http_connection *connection, const char *bytes, size_t length)
{
	if (connection->gate.state == HTTP_GATE_REFUSED) {
		/* nothing more is read */
		tls_stream_listen(&connection->stream, false);
		return;
	}
	memcpy(http_gate_room(&connection->gate, length), bytes, length);
	http_gate_added(&connection->gate, length);
	if (connection->phase >= PHASE_HELD) {
		tls_stream_listen(&connection->stream, false);
		return;
	}
	tls_stream_again_if_pending(&connection->stream);
	if (http_admission_count(connection))
		advance(connection);
	else
		http_connection_refuse(connection, ANSWER_UNAVAILABLE);
}

static void
read_some(struct http_connection *connection)
{
	char bytes[READ_SIZE];
	size_t length;

	switch (tls_stream_read(&connection->stream, bytes, sizeof(bytes), &length)) {
	case TLS_STREAM_DONE:
		take(connection, bytes, length);
		break;
	case TLS_STREAM_WAITS:
		break;
	case TLS_STREAM_ENDED:
		end_input(connection);
		break;
	}
}

/* ---- answers ---- */

static enum tls_stream_result
send_answer(struct http_connection *connection, const struct http_response *response)
{
	size_t room = http_response_room(response);
	char *bytes = memory_allocate(room);
	enum tls_stream_result result;
	struct text text;

	text_start(&text, bytes, room);
	http_response_write(response, &connection->asked, &text);
	if (text.overflowed)
		memory_panic("an answer is longer than its room");
	result = tls_stream_write(&connection->stream, text.bytes, text.length);
	free(bytes);
	return result;
}

/* Behind this answer nothing is to be done but to wait for a request. */
static bool
is_done(const struct http_connection *connection)
{
	return !connection->asked.closes && !connection->has_ended &&
	       connection->gate.length == 0 && connection->stream.reads;
}

void
http_connection_answer(struct http_connection *connection, const struct http_response *response)
{
	enum tls_stream_result sent;

	connection->asked.closes = http_response_closes(response, &connection->asked);
	sent = send_answer(connection, response);
	if (sent == TLS_STREAM_DONE && is_done(connection)) {
		become_idle(connection);
		return;
	}
	connection->has_ended |= sent == TLS_STREAM_ENDED;
	http_connection_enter(connection, PHASE_ANSWER, ANSWER_TIMEOUT_MILLISECONDS);
	if (sent != TLS_STREAM_WAITS)
		tls_stream_again(&connection->stream);
}

/* Nothing more is read or written here; but see http_linger.h. */
static void
close_behind_answer(struct http_connection *connection)
{
	struct http_connection_group *group = connection->group;
	bool lingers = connection->gate.state == HTTP_GATE_REFUSED && !connection->has_ended;
	int socket = connection->socket;

	tls_stream_say_end(&connection->stream);
	if (lingers)
		connection->socket = -1;
	http_connection_close(connection);
	if (lingers)
		http_linger_start(&group->lingers, group->base, socket);
}

/*
 * The answer is out: to the next request.  Where that is here already no more is read
 * before it is answered, too, or one who sends ever more would have it all kept.
 */
static void
read_on(struct http_connection *connection)
{
	advance(connection);
	if (connection->phase >= PHASE_HELD)
		return;
	if (connection->has_ended) {
		http_connection_close(connection);
		return;
	}
	tls_stream_listen(&connection->stream, true);
	tls_stream_again_if_pending(&connection->stream);
}

/* ---- life ---- */

static void
shake_hands(struct http_connection *connection)
{
	switch (tls_stream_accept(&connection->stream)) {
	case TLS_STREAM_DONE:
		become_idle(connection);
		tls_stream_again_if_pending(&connection->stream);
		break;
	case TLS_STREAM_WAITS:
		break;
	case TLS_STREAM_ENDED:
		http_connection_close(connection);
		break;
	}
}

static void
connection_on_turn(evutil_socket_t socket, short what, void *context)
{
	struct http_connection *connection = context;
	enum tls_stream_result sent;

	(void)socket, (void)what;
	if (connection->phase == PHASE_HANDSHAKE) {
		shake_hands(connection);
		return;
	}
	/* it may be "100 Continue" that is out, and an answer may have come behind it */
	sent = tls_stream_flush(&connection->stream);
	connection->has_ended |= sent == TLS_STREAM_ENDED;
	if (connection->phase != PHASE_ANSWER || sent == TLS_STREAM_WAITS) {
		if (connection->stream.reads)
			read_some(connection);
	} else if (connection->asked.closes) {
		close_behind_answer(connection);
	} else {
		read_on(connection);
	}
}

static void
begin_handshake(struct http_connection *connection)
{
	struct http_connection_group *group = connection->group;

	tls_stream_start(&connection->stream, group->server, group->base, connection->socket,
			 connection_on_turn, connection);
	http_connection_enter(connection, PHASE_HANDSHAKE, group->limits.handshake_timeout);
}

static void
overrun(struct http_connection *connection)
{
	switch (connection->phase) {
	case PHASE_ARRIVED:
		begin_handshake(connection);
		break;
	case PHASE_HEAD:
	case PHASE_BODY:
		http_connection_refuse(connection, ANSWER_TIMEOUT);
		break;
	case PHASE_HANDSHAKE:
	case PHASE_IDLE:
	case PHASE_ANSWER:
		http_connection_close(connection);
		break;
	case PHASE_HELD:
		break;
	}
}

static void
connection_on_timer(evutil_socket_t socket, short what, void *context)
{
	struct http_connection *connection = context;
	int64_t now = deadline_now();

	(void)socket, (void)what;
	connection->timer_fires = 0;
	if (connection->deadline == 0)
		return;
	if (now < connection->deadline)
		start_timer(connection, now);
	else
		overrun(connection);
}

void
http_connection_open(struct http_connection_group *group, int socket,
		     const struct sockaddr *address, socklen_t length)
{
	struct http_connection *connection = memory_allocate(sizeof(*connection));
	int64_t wait;

	connection->group = group;
	connection->socket = socket;
	if (!http_admission_enter(connection, address, &wait)) {
		(void)close(socket);
		free(connection);
		return;
	}
	http_gate_start(&connection->gate, group->limits.max_body_size);
	if (getnameinfo(address, length, connection->address, sizeof(connection->address), NULL, 0,
			NI_NUMERICHOST) != 0)
		connection->address[0] = '\0';
	if (event_assign(&connection->timer, group->base, -1, 0, connection_on_timer, connection) <
	    0)
		memory_panic("no timer for a connection");
	if (wait > 0)
		http_connection_enter(connection, PHASE_ARRIVED, wait);
	else
		begin_handshake(connection);
}

SSL *
http_connection_session(const struct http_connection *connection)
{
	return connection->stream.session;
}

const char *
http_connection_address(const struct http_connection *connection)
{
	return connection->address;
}

void
http_connection_group_start(struct http_connection_group *group)
{
	group->busy = 0;
	TAILQ_INIT(&group->all);
	TAILQ_INIT(&group->heavy);
	group->lingers = (struct http_lingers){0};
}

void
http_connection_group_stop(struct http_connection_group *group)
{
	struct http_connection *next;

	for (struct http_connection *connection = TAILQ_FIRST(&group->all); connection != NULL;
	     connection = next) {
		next = TAILQ_NEXT(connection, by_age);
		http_connection_close(connection);
	}
	http_linger_stop(&group->lingers);
}
