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
 * OpenSSL reads ahead, or each record would be two system calls.  So it may hold bytes
 * of which the socket says nothing any more: whenever bytes are wanted, it is asked for
 * them (ask_again()).
 *
 * One timer a connection.  It is left alone when a deadline moves further away and
 * looks again when it fires, so a busy connection rarely touches it.
 *
 * What of libevent 2.1.12 this rests on: a bufferevent of OpenSSL's waits for its socket
 * to become writable before it writes, and writes when it is told that it is
 * (http_connection_answer()); its callback after writing comes in a later turn; and it is
 * freed by its loop, in a turn after bufferevent_free(), its events at once.
 */
#include "bridge/receiver/http_connection_internal.h"

#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_struct.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "bridge/deadline.h"
#include "bridge/receiver/http_admission.h"
#include "bridge/tls_server.h"
#include "formats/memory.h"

enum { ANSWER_TIMEOUT_MILLISECONDS = 10000 };

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

void
http_connection_close(struct http_connection *connection)
{
	connection->group->busy -= is_busy(connection->phase);
	http_admission_leave(connection);
	(void)event_del(&connection->timer);
	if (connection->stream != NULL)
		bufferevent_free(connection->stream);
	else
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

	if (evbuffer_add(bufferevent_get_output(connection->stream), line, sizeof(line) - 1) != 0)
		memory_panic("no memory for 100 Continue");
}

/* Reads on in what is there. */
static void
advance(struct http_connection *connection)
{
	const struct http_limits *limits = &connection->group->limits;

	switch (http_gate_read(&connection->gate)) {
	case HTTP_GATE_IDLE:
		if (is_busy(connection->phase))
			http_connection_enter(connection, PHASE_IDLE, limits->idle_timeout);
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

/* What OpenSSL has read ahead comes in the next turn of the loop. */
static void
ask_again(struct http_connection *connection)
{
	if (SSL_has_pending(connection->session) == 1)
		event_active(&connection->stream->ev_read, EV_READ, 1);
}

static void
connection_on_input(struct bufferevent *stream, void *context)
{
	struct http_connection *connection = context;
	struct evbuffer *input = bufferevent_get_input(stream);
	size_t size = evbuffer_get_length(input);

	if (connection->gate.state == HTTP_GATE_REFUSED) {
		/* nothing more is read */
		(void)evbuffer_drain(input, size);
		(void)bufferevent_disable(stream, EV_READ);
		return;
	}
	(void)evbuffer_remove(input, http_gate_room(&connection->gate, size), size);
	http_gate_added(&connection->gate, size);
	if (connection->phase >= PHASE_HELD) {
		(void)bufferevent_disable(stream, EV_READ);
		return;
	}
	ask_again(connection);
	if (http_admission_count(connection))
		advance(connection);
	else
		http_connection_refuse(connection, ANSWER_UNAVAILABLE);
}

/* ---- answers ---- */

void
http_connection_answer(struct http_connection *connection, const struct http_response *response)
{
	struct evbuffer *output = bufferevent_get_output(connection->stream);
	ev_ssize_t room = (ev_ssize_t)http_response_room(response);
	struct evbuffer_iovec space;
	struct text text;

	connection->asked.closes = http_response_closes(response, &connection->asked);
	if (evbuffer_reserve_space(output, room, &space, 1) < 1)
		memory_panic("no memory for an answer");
	text_start(&text, space.iov_base, space.iov_len);
	http_response_write(response, &connection->asked, &text);
	if (text.overflowed)
		memory_panic("an answer is longer than its room");
	space.iov_len = text.length;
	if (evbuffer_commit_space(output, &space, 1) < 0)
		memory_panic("an answer has no place");
	http_connection_enter(connection, PHASE_ANSWER, ANSWER_TIMEOUT_MILLISECONDS);
	/* the socket has room for it, nearly always: written now, not after epoll says so */
	event_active(&connection->stream->ev_write, EV_WRITE, 1);
}

/* Nothing more is read or written here; but see http_linger.h. */
static void
close_behind_answer(struct http_connection *connection)
{
	struct http_connection_group *group = connection->group;
	bool lingers = connection->gate.state == HTTP_GATE_REFUSED && !connection->has_ended;
	int socket = connection->socket;

	/* so that the peer knows that nothing was cut off (RFC 8446 6.1) */
	if (SSL_shutdown(connection->session) < 0)
		ERR_clear_error();
	if (lingers) /* without its BIO the session does not close the socket when it is freed */
		SSL_set_bio(connection->session, NULL, NULL);
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
	if ((bufferevent_get_enabled(connection->stream) & EV_READ) == 0)
		(void)bufferevent_enable(connection->stream, EV_READ);
	ask_again(connection);
}

static void
connection_on_output(struct bufferevent *stream, void *context)
{
	struct http_connection *connection = context;

	/* it may be "100 Continue" that is out, and an answer may have come behind it */
	if (connection->phase != PHASE_ANSWER ||
	    evbuffer_get_length(bufferevent_get_output(stream)) > 0)
		return;
	if (connection->asked.closes)
		close_behind_answer(connection);
	else
		read_on(connection);
}

/* ---- life ---- */

static void
connection_on_event(struct bufferevent *stream, short what, void *context)
{
	struct http_connection *connection = context;

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		http_connection_enter(connection, PHASE_IDLE,
				      connection->group->limits.idle_timeout);
		ask_again(connection);
	} else if (connection->phase == PHASE_HELD ||
		   (connection->phase == PHASE_ANSWER && (what & BEV_EVENT_EOF) != 0 &&
		    (what & BEV_EVENT_READING) != 0)) {
		connection->has_ended = true;
		(void)bufferevent_disable(stream, EV_READ);
		/* libevent has stopped writing, too */
		(void)bufferevent_enable(stream, EV_WRITE);
	} else {
		http_connection_close(connection);
	}
}

static void
begin_handshake(struct http_connection *connection)
{
	struct http_connection_group *group = connection->group;

	connection->stream = tls_server_accept(group->server, group->base, connection->socket);
	connection->session = tls_server_session(connection->stream);
	SSL_set_read_ahead(connection->session, 1);
	bufferevent_setcb(connection->stream, connection_on_input, connection_on_output,
			  connection_on_event, connection);
	if (bufferevent_enable(connection->stream, EV_READ) != 0)
		memory_panic("no event for a connection");
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
	return connection->session;
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
