/*
 * Phases, each with an absolute deadline, in the order of a connection's life:
 *
 *   ARRIVED -> HANDSHAKE -> IDLE -> HEAD -> BODY -> HELD -> ANSWER -> IDLE ...
 *                                                                 -> CLOSING
 *
 * ARRIVED is for what evhttp does not let us know when it asks for a connection: whose
 * it is.  The timer is made to fire at once, which is after evhttp has given the socket
 * and before anything is read from it; and where the handshake has to wait, once more.
 *
 * Only up to BODY evhttp may be given something (it waits for a first line
 * then).  In HELD the request is at the disk, and there is no deadline; the first that
 * comes meanwhile, bytes or the end, turns reading off until the answer is out, so what
 * a guard holds is bounded by one request and one TLS record.  (evhttp turned it off at
 * once; off and on again would be two system calls a request.)
 *
 * OpenSSL reads ahead, or each record would be two system calls.  So it may hold bytes
 * of which the socket says nothing any more: after each input, and when evhttp reads
 * again, it is asked for them (ask_again()).  In the handshake it does not, because
 * nobody tells us of its end.
 *
 * One timer a connection.  It is left alone when a deadline moves further away and
 * looks again when it fires, so a busy connection rarely touches it.
 *
 * What of libevent 2.1.12 this rests on: evbuffer callbacks run inside
 * evbuffer_commit_space(), before consider_reading() calls evhttp's read callback;
 * evhttp_start_read_() schedules that callback itself where input already has
 * something, which is how a pipelined request gets on; a freed bufferevent's SSL is
 * freed by its loop.
 */
#include "bridge/receiver/http_guard.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_struct.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "bridge/counters.h"
#include "bridge/deadline.h"
#include "bridge/receiver/http_gate.h"
#include "bridge/receiver/limit.h"
#include "bridge/tls_server.h"
#include "formats/memory.h"

enum {
	ANSWER_TIMEOUT_MILLISECONDS = 10000,
	LIGHT_BODY = 16 * 1024, /* bytes of a request that every connection may hold uncounted */
	LOOKS = 32,             /* at connections, for one to close */
};

enum phase {
	PHASE_ARRIVED,
	PHASE_HANDSHAKE,
	PHASE_IDLE,
	PHASE_HEAD,
	PHASE_BODY,
	PHASE_HELD,
	PHASE_ANSWER,
	PHASE_CLOSING,
};

struct http_guard {
	struct http_guard_group *group;
	struct bufferevent *stream; /* borrowed: it owns the session, which owns this */
	SSL *session;               /* borrowed */
	struct http_gate gate;
	struct limit_peer *peer; /* NULL: not counted, or no more */
	uint64_t counted;        /* bytes of memory taken from the limit */
	TAILQ_ENTRY(http_guard) by_age;
	TAILQ_ENTRY(http_guard) by_weight; /* where something is counted */
	bool proven;
	enum phase phase;
	bool moving;         /* our own change of the input buffer is under way */
	bool closes;         /* the request handed on is the last one */
	bool has_ended;      /* the peer has said all it has to, or is gone */
	int64_t deadline;    /* monotonic milliseconds; 0: none */
	int64_t timer_fires; /* 0: the timer is not running */
	struct event timer;
};

static int session_index = -1;
static pthread_once_t session_index_once = PTHREAD_ONCE_INIT;

static bool
is_busy(enum phase phase)
{
	return phase > PHASE_IDLE;
}

static void
start_timer(struct http_guard *guard, int64_t now)
{
	int64_t left = guard->deadline > now ? guard->deadline - now : 0;
	struct timeval time = {left / 1000, (left % 1000) * 1000};

	if (event_add(&guard->timer, &time) < 0)
		memory_panic("no timer for a connection");
	guard->timer_fires = guard->deadline;
}

/* Into a phase that ends `timeout` milliseconds from now; 0: without a deadline. */
static void
enter(struct http_guard *guard, enum phase phase, int64_t timeout)
{
	int64_t now;

	guard->group->busy += is_busy(phase);
	guard->group->busy -= is_busy(guard->phase);
	guard->phase = phase;
	guard->deadline = 0;
	if (timeout == 0)
		return;
	now = deadline_now();
	guard->deadline = now + timeout;
	if (guard->timer_fires == 0 || guard->timer_fires > guard->deadline)
		start_timer(guard, now);
}

/* ---- limits ---- */

static void
release_memory(struct http_guard *guard)
{
	if (guard->counted == 0)
		return;
	limit_release(guard->group->limit, guard->counted);
	guard->counted = 0;
	TAILQ_REMOVE(&guard->group->heavy, guard, by_weight);
}

/* It does not count any more, whenever libevent gets to closing its socket. */
static void
leave(struct http_guard *guard)
{
	release_memory(guard);
	if (guard->peer == NULL)
		return;
	limit_leave(guard->group->limit, guard->peer);
	guard->peer = NULL;
	TAILQ_REMOVE(&guard->group->all, guard, by_age);
}

void
http_guard_group_start(struct http_guard_group *group)
{
	TAILQ_INIT(&group->all);
	TAILQ_INIT(&group->heavy);
}

bool
http_guard_may_ask(struct http_guard *guard)
{
	return guard->peer == NULL || limit_request(guard->group->limit, guard->peer);
}

bool
http_guard_may_err(struct http_guard *guard)
{
	return guard->peer == NULL || limit_refusal(guard->group->limit, guard->peer);
}

void
http_guard_prove(struct http_guard *guard)
{
	guard->proven = true;
}

static void
guard_on_session_free(void *session, void *pointer, CRYPTO_EX_DATA *data, int index, long number,
		      void *context)
{
	struct http_guard *guard = pointer;

	(void)session, (void)data, (void)index, (void)number, (void)context;
	if (guard == NULL)
		return;
	guard->group->busy -= is_busy(guard->phase);
	leave(guard);
	(void)event_del(&guard->timer);
	http_gate_stop(&guard->gate);
	free(guard);
}

static void
make_session_index(void)
{
	session_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, guard_on_session_free);
	if (session_index < 0)
		memory_panic("OpenSSL has no room for our data in its sessions");
}

/* Puts the whole request, or the refusal, where evhttp reads. */
static void
hand_on(struct http_guard *guard)
{
	struct evbuffer *input = bufferevent_get_input(guard->stream);
	struct evbuffer_iovec space;
	struct text text;

	guard->closes = http_gate_closes(&guard->gate);
	enter(guard, PHASE_HELD, 0);
	/* from here on it is the commit thread's queue that is bounded */
	release_memory(guard);
	if (evbuffer_reserve_space(input, (ev_ssize_t)http_gate_take_room(&guard->gate), &space,
				   1) < 1)
		memory_panic("no memory for a request");
	text_start(&text, space.iov_base, space.iov_len);
	http_gate_take(&guard->gate, &text);
	if (text.overflowed)
		memory_panic("a canonical request is longer than its room");
	space.iov_len = text.length;
	guard->moving = true;
	if (evbuffer_commit_space(input, &space, 1) < 0)
		memory_panic("a canonical request has no place");
	guard->moving = false;
}

/*
 * RFC 9110 10.1.1.  evhttp's write callback is taken off, because it would take
 * the end of this writing for the end of an answer; it puts it back for one.
 */
static void
send_continue(struct http_guard *guard)
{
	bufferevent_data_cb on_read;
	bufferevent_event_cb on_event;
	void *context;

	bufferevent_getcb(guard->stream, &on_read, NULL, &on_event, &context);
	bufferevent_setcb(guard->stream, on_read, NULL, on_event, context);
	(void)bufferevent_enable(guard->stream, EV_WRITE);
	(void)evbuffer_add(bufferevent_get_output(guard->stream), "HTTP/1.1 100 Continue\r\n\r\n",
			   25);
}

/* Reads on in what is there, where evhttp waits for a request. */
static void
advance(struct http_guard *guard)
{
	const struct http_guard_limits *limits = &guard->group->limits;

	switch (http_gate_read(&guard->gate)) {
	case HTTP_GATE_IDLE:
		if (is_busy(guard->phase))
			enter(guard, PHASE_IDLE, limits->idle_timeout);
		break;
	case HTTP_GATE_HEAD:
		if (guard->phase != PHASE_HEAD)
			enter(guard, PHASE_HEAD, limits->header_timeout);
		break;
	case HTTP_GATE_BODY:
		if (guard->phase != PHASE_BODY)
			enter(guard, PHASE_BODY, limits->body_timeout);
		if (http_gate_wants_continue(&guard->gate))
			send_continue(guard);
		break;
	case HTTP_GATE_WHOLE:
	case HTTP_GATE_REFUSED:
		hand_on(guard);
		break;
	}
}

/*
 * The oldest body that has not come whole makes room for this one: who stalls loses,
 * and who sends what he announced is done in a moment.
 */
static bool
take_memory_of_another(struct http_guard *guard, uint64_t bytes)
{
	struct http_guard *other;

	for (other = TAILQ_FIRST(&guard->group->heavy); other != NULL;
	     other = TAILQ_FIRST(&guard->group->heavy)) {
		if (other == guard)
			return false;
		http_gate_refuse(&other->gate, ANSWER_UNAVAILABLE);
		hand_on(other);
		bufferevent_trigger(other->stream, EV_READ, 0);
		if (limit_take(guard->group->limit, bytes))
			return true;
	}
	return false;
}

/* Counts what the gate holds; false: there is no memory for it. */
static bool
count_memory(struct http_guard *guard)
{
	uint64_t more;

	if (guard->gate.length <= LIGHT_BODY + guard->counted || guard->group->limit == NULL)
		return true;
	more = guard->gate.length - LIGHT_BODY - guard->counted;
	if (!limit_take(guard->group->limit, more) && !take_memory_of_another(guard, more))
		return false;
	if (guard->counted == 0)
		TAILQ_INSERT_TAIL(&guard->group->heavy, guard, by_weight);
	guard->counted += more;
	return true;
}

/* Moves the `size` bytes at the end of the input into the gate. */
static void
collect(struct http_guard *guard, struct evbuffer *input, size_t size)
{
	size_t ours = evbuffer_get_length(input) - size;
	char *room = http_gate_room(&guard->gate, size);
	struct evbuffer_ptr place;

	guard->moving = true;
	if (ours == 0) {
		(void)evbuffer_remove(input, room, size);
	} else {
		/* a request that evhttp has not read yet stands in front: seldom */
		struct evbuffer *request = evbuffer_new();

		if (request == NULL ||
		    evbuffer_ptr_set(input, &place, ours, EVBUFFER_PTR_SET) < 0 ||
		    evbuffer_copyout_from(input, &place, room, size) != (ev_ssize_t)size ||
		    evbuffer_remove_buffer(input, request, ours) != (int)ours ||
		    evbuffer_drain(input, size) < 0 || evbuffer_add_buffer(input, request) < 0)
			memory_panic("no memory for a pipelined request");
		evbuffer_free(request);
	}
	guard->moving = false;
	http_gate_added(&guard->gate, size);
}

/* What OpenSSL has read ahead comes in the next turn of the loop. */
static void
ask_again(struct http_guard *guard)
{
	if (SSL_has_pending(guard->session) == 1)
		event_active(&guard->stream->ev_read, EV_READ, 1);
}

static void
guard_on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *context)
{
	struct http_guard *guard = context;

	if (guard->moving || info->n_added == 0)
		return;
	SSL_set_read_ahead(guard->session, 1);
	/* after a refusal nothing more is read: what still comes stays behind our request */
	if (guard->gate.state == HTTP_GATE_REFUSED || guard->phase == PHASE_CLOSING)
		return;
	collect(guard, input, info->n_added);
	if (guard->phase >= PHASE_HELD) {
		(void)bufferevent_disable(guard->stream, EV_READ);
		return;
	}
	ask_again(guard);
	if (!count_memory(guard))
		http_gate_refuse(&guard->gate, ANSWER_UNAVAILABLE);
	advance(guard);
}

/* As evhttp closes for its own time-outs. */
static void
close_connection(struct http_guard *guard)
{
	enter(guard, PHASE_CLOSING, 0);
	leave(guard);
	/* the guard may be gone after this */
	bufferevent_trigger_event(guard->stream, BEV_EVENT_TIMEOUT | BEV_EVENT_READING, 0);
}

/*
 * Closes one for a newcomer: the oldest that never showed a good signature, else the
 * oldest that does nothing.  One that has shown one goes to the end of the line, so
 * that some looks are enough.  False: all that were looked at are at work.
 */
static bool
make_room(struct http_guard *newcomer)
{
	struct http_guard_group *group = newcomer->group;
	struct http_guard *idle = NULL;

	for (int i = 0; i < LOOKS; i++) {
		struct http_guard *guard = TAILQ_FIRST(&group->all);
		bool waits = guard->phase != PHASE_HELD;

		if (guard == newcomer)
			break;
		if (waits && !guard->proven) {
			close_connection(guard);
			return true;
		}
		TAILQ_REMOVE(&group->all, guard, by_age);
		TAILQ_INSERT_TAIL(&group->all, guard, by_age);
		if (idle == NULL && guard->phase == PHASE_IDLE)
			idle = guard;
	}
	if (idle != NULL)
		close_connection(idle);
	return idle != NULL;
}

static void
turn_away(struct http_guard *guard)
{
	counters_add(guard->group->counters, COUNTER_TURNED_AWAY, 1);
	close_connection(guard);
}

/* The socket is there: whose is it, and may he? */
static void
admit(struct http_guard *guard)
{
	struct http_guard_group *group = guard->group;
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	enum limit_verdict verdict;
	int64_t wait;

	if (getpeername(bufferevent_getfd(guard->stream), (struct sockaddr *)&address, &length) !=
	    0) {
		close_connection(guard);
		return;
	}
	verdict = limit_enter(group->limit, (struct sockaddr *)&address,
			      group->limits.handshake_timeout, &guard->peer, &wait);
	if (verdict == LIMIT_REFUSED) {
		turn_away(guard);
		return;
	}
	TAILQ_INSERT_TAIL(&group->all, guard, by_age);
	if (verdict == LIMIT_FULL && !make_room(guard)) {
		turn_away(guard);
	} else if (wait > 0) {
		/* a bufferevent cannot be disabled before its handshake is over */
		(void)event_del(&guard->stream->ev_read);
		(void)event_del(&guard->stream->ev_write);
		enter(guard, PHASE_ARRIVED, wait);
	} else {
		enter(guard, PHASE_HANDSHAKE, group->limits.handshake_timeout);
	}
}

static void
begin_handshake(struct http_guard *guard)
{
	if (event_add(&guard->stream->ev_read, NULL) < 0)
		memory_panic("no event for a connection");
	enter(guard, PHASE_HANDSHAKE, guard->group->limits.handshake_timeout);
}

static void
overrun(struct http_guard *guard)
{
	switch (guard->phase) {
	case PHASE_ARRIVED:
		if (guard->peer == NULL)
			admit(guard);
		else
			begin_handshake(guard);
		break;
	case PHASE_HANDSHAKE:
		/* nobody tells us of its end: it is looked up when it would be too late */
		if (SSL_is_init_finished(guard->session))
			enter(guard, PHASE_IDLE, guard->group->limits.idle_timeout);
		else
			close_connection(guard);
		break;
	case PHASE_HEAD:
	case PHASE_BODY:
		http_gate_refuse(&guard->gate, ANSWER_TIMEOUT);
		hand_on(guard);
		bufferevent_trigger(guard->stream, EV_READ, 0);
		break;
	case PHASE_IDLE:
	case PHASE_ANSWER:
		close_connection(guard);
		break;
	case PHASE_HELD:
	case PHASE_CLOSING:
		break;
	}
}

/* Freed, and waiting for its loop to take it away: libevent has taken its callbacks. */
static bool
is_gone(struct bufferevent *stream)
{
	bufferevent_event_cb on_event;

	bufferevent_getcb(stream, NULL, NULL, &on_event, NULL);
	return on_event == NULL;
}

static void
guard_on_timer(evutil_socket_t socket, short what, void *context)
{
	struct http_guard *guard = context;
	int64_t now = deadline_now();

	(void)socket, (void)what;
	guard->timer_fires = 0;
	if ((guard->deadline == 0 && guard->phase != PHASE_ARRIVED) || is_gone(guard->stream))
		return;
	if (now < guard->deadline)
		start_timer(guard, now);
	else
		overrun(guard);
}

void
http_guard_new(struct http_guard_group *group, struct bufferevent *stream, SSL *session)
{
	struct http_guard *guard = memory_allocate(sizeof(*guard));

	(void)pthread_once(&session_index_once, make_session_index);
	guard->group = group;
	guard->stream = stream;
	guard->session = session;
	http_gate_start(&guard->gate, group->limits.max_body_size);
	if (event_assign(&guard->timer, group->base, -1, 0, guard_on_timer, guard) < 0 ||
	    evbuffer_add_cb(bufferevent_get_input(stream), guard_on_input, guard) == NULL ||
	    SSL_set_ex_data(session, session_index, guard) != 1)
		memory_panic("no memory for a connection");
	if (group->limit != NULL)
		event_active(&guard->timer, EV_TIMEOUT, 1);
	else
		enter(guard, PHASE_HANDSHAKE, group->limits.handshake_timeout);
}

struct http_guard *
http_guard_of(const SSL *session)
{
	return SSL_get_ex_data(session, session_index);
}

/*
 * The peer has said all it has to, or is gone: its answer is tried all the same, and
 * evhttp, which puts its own callbacks back for that, is told again.
 */
static void
guard_on_held_event(struct bufferevent *stream, short what, void *context)
{
	(void)what, (void)context;
	(void)bufferevent_disable(stream, EV_READ);
	http_guard_of(tls_server_session(stream))->has_ended = true;
}

void
http_guard_hold(struct http_guard *guard)
{
	bufferevent_data_cb on_write;
	void *context;

	bufferevent_getcb(guard->stream, NULL, &on_write, NULL, &context);
	bufferevent_setcb(guard->stream, NULL, on_write, guard_on_held_event, context);
	(void)bufferevent_enable(guard->stream, EV_READ);
}

void
http_guard_answering(struct http_guard *guard, bool closes)
{
	guard->closes |= closes;
	enter(guard, PHASE_ANSWER, ANSWER_TIMEOUT_MILLISECONDS);
	/*
	 * evhttp reads on while it writes, to see the peer leave; a sender that has
	 * said all it has to (close_notify) would lose its answer by that.
	 */
	if (guard->has_ended)
		(void)bufferevent_disable(guard->stream, EV_READ);
	/* the socket has room for it, nearly always: written now, not after epoll says so */
	event_active(&guard->stream->ev_write, EV_WRITE, 1);
}

void
http_guard_answered(struct http_guard *guard)
{
	if (!guard->closes) {
		advance(guard);
		ask_again(guard);
		return;
	}
	enter(guard, PHASE_CLOSING, 0);
	/* so that the peer knows that nothing was cut off (RFC 8446 6.1) */
	if (SSL_shutdown(guard->session) < 0)
		ERR_clear_error();
	if (guard->gate.state == HTTP_GATE_REFUSED) {
		int socket = SSL_get_fd(guard->session);

		/* without its BIO the session does not close the socket when it is freed */
		SSL_set_bio(guard->session, NULL, NULL);
		http_linger_start(&guard->group->lingers, guard->group->base, socket);
	}
}
