/*
 * Stopping: the listener goes first (the socket itself is the supervisor's, so
 * the kernel keeps queueing for the next receiver), then the loop looks every few
 * milliseconds whether a request is still under way.  Idle connections are closed
 * at the end, when the commit thread has given everything back: a submission points to
 * the connection that waits for it.
 */
#include "bridge/receiver/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "bridge/deadline.h"
#include "bridge/log.h"
#include "bridge/receiver/commit.h"
#include "bridge/receiver/commit_returns.h"
#include "bridge/receiver/tls_memory.h"
#include "bridge/wake.h"
#include "formats/memory.h"

enum {
	DRAIN_MILLISECONDS = 4000,
	DRAIN_LOOK_MICROSECONDS = 5000,
	ACCEPT_PAUSE_MICROSECONDS = 100 * 1000,
	TICK_SECONDS = 5,
	SILENCE = 3 * TICK_SECONDS * 1000,
};

struct loop {
	const struct loop_settings *settings;
	pthread_t thread;
	struct event_base *base;
	struct evconnlistener *listener; /* NULL once it stops */
	struct http_connection_group connections;
	struct commit_returns *returns;
	struct request_handler *handler;
	struct event *on_returns;
	struct event *on_stop;
	struct event *accept_again;
	struct event *drain_look;
	struct event *tick;
	_Atomic int64_t turned_at; /* deadline_now() of the last tick */
	struct deadline drain;
	int stop; /* wake */
};

static void
loop_on_connection(struct evconnlistener *listener, evutil_socket_t socket,
		   struct sockaddr *address, int length, void *context)
{
	struct loop *loop = context;

	(void)listener;
	counters_add(loop->settings->counters, COUNTER_CONNECTIONS, 1);
	http_connection_open(&loop->connections, socket, address, (socklen_t)length);
}

/* Out of descriptors, mostly: asking again at once would only burn the core. */
static void
loop_on_accept_error(struct evconnlistener *listener, void *context)
{
	static const struct timeval pause = {0, ACCEPT_PAUSE_MICROSECONDS};
	struct loop *loop = context;

	log_warning("listen", "no connection can be accepted: %m; raise the limit of open files");
	(void)evconnlistener_disable(listener);
	(void)event_add(loop->accept_again, &pause);
}

static void
loop_on_accept_again(evutil_socket_t socket, short what, void *context)
{
	struct loop *loop = context;

	(void)socket, (void)what;
	if (loop->listener != NULL)
		(void)evconnlistener_enable(loop->listener);
}

static void
loop_on_returns(evutil_socket_t socket, short what, void *context)
{
	struct loop *loop = context;

	(void)socket, (void)what;
	request_finish(loop->handler);
}

static void
loop_on_drain_look(evutil_socket_t socket, short what, void *context)
{
	struct loop *loop = context;

	(void)socket, (void)what;
	if (loop->connections.busy == 0 || deadline_passed(loop->drain))
		(void)event_base_loopbreak(loop->base);
}

static void
loop_on_tick(evutil_socket_t socket, short what, void *context)
{
	struct loop *loop = context;

	(void)socket, (void)what;
	atomic_store_explicit(&loop->turned_at, deadline_now(), memory_order_relaxed);
	request_tick(loop->handler);
}

static void
loop_on_stop(evutil_socket_t socket, short what, void *context)
{
	static const struct timeval period = {0, DRAIN_LOOK_MICROSECONDS};
	struct loop *loop = context;

	(void)socket, (void)what;
	wake_clear(loop->stop);
	if (loop->listener == NULL)
		return;
	evconnlistener_free(loop->listener);
	loop->listener = NULL;
	loop->drain = deadline_after(DRAIN_MILLISECONDS);
	request_drain(loop->handler);
	(void)event_add(loop->drain_look, &period);
}

static void *
run(void *context)
{
	struct loop *loop = context;
	int result;

	do {
		result = event_base_loop(loop->base, EVLOOP_ONCE);
		request_flush(loop->handler);
	} while (result == 0 && !event_base_got_break(loop->base));
	if (result < 0)
		log_error("loop", "the event loop failed; what it held is lost to its senders");
	tls_memory_release();
	return NULL;
}

/* ---- life ---- */

static void
listen_on(struct loop *loop, int socket)
{
	const struct loop_settings *settings = loop->settings;
	struct http_connection_group *connections = &loop->connections;

	connections->base = loop->base;
	connections->server = settings->server;
	connections->limits = settings->limits;
	connections->limit = settings->limit;
	connections->counters = settings->counters;
	connections->on_request = request_handle;
	connections->on_refusal = request_handle_refusal;
	connections->context = loop->handler;
	loop->listener = evconnlistener_new(loop->base, loop_on_connection, loop,
					    LEV_OPT_CLOSE_ON_EXEC, 0, socket);
	if (loop->listener == NULL)
		memory_panic("no memory for a listener");
	evconnlistener_set_error_cb(loop->listener, loop_on_accept_error);
}

static bool
add_tick(struct loop *loop)
{
	static const struct timeval period = {TICK_SECONDS, 0};

	loop->turned_at = deadline_now();
	loop->tick = event_new(loop->base, -1, EV_PERSIST, loop_on_tick, loop);
	return loop->tick != NULL && event_add(loop->tick, &period) == 0;
}

static bool
add_events(struct loop *loop, int returned, struct error *error)
{
	loop->on_returns =
	    event_new(loop->base, returned, EV_READ | EV_PERSIST, loop_on_returns, loop);
	loop->on_stop = event_new(loop->base, loop->stop, EV_READ | EV_PERSIST, loop_on_stop, loop);
	loop->accept_again = event_new(loop->base, -1, 0, loop_on_accept_again, loop);
	loop->drain_look = event_new(loop->base, -1, EV_PERSIST, loop_on_drain_look, loop);
	if (loop->on_returns == NULL || loop->on_stop == NULL || loop->accept_again == NULL ||
	    loop->drain_look == NULL || event_add(loop->on_returns, NULL) != 0 ||
	    event_add(loop->on_stop, NULL) != 0 || !add_tick(loop))
		return error_set_errno(error, "no events for a loop");
	return true;
}

/*
 * Nothing in it is locked: what crosses threads are two descriptors.  Writing is turned
 * on for each answer, and off when it is out; the change list makes no system call of
 * that.  (It must not see duplicated descriptors, and does not.)
 */
static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;
	int flags = EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST;

	if (config != NULL && event_config_set_flag(config, flags) == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	if (base == NULL)
		memory_panic("no event loop");
	return base;
}

bool
loop_start(struct loop **out, const struct loop_settings *settings, int socket, struct error *error)
{
	struct loop *loop = memory_allocate(sizeof(*loop));
	int returned;
	int failed;

	loop->settings = settings;
	loop->base = new_base();
	http_connection_group_start(&loop->connections);
	loop->stop = -1;
	if (!wake_open(&loop->stop, error) || !commit_returns_new(&loop->returns, &returned, error))
		goto fail;
	loop->handler = request_handler_new(settings->sources, settings->source_count,
					    settings->commit, loop->returns, settings->report,
					    settings->limit, settings->counters);
	listen_on(loop, socket);
	if (!add_events(loop, returned, error))
		goto fail;
	failed = pthread_create(&loop->thread, NULL, run, loop);
	if (failed != 0) {
		error_set(error, "cannot start the thread of a loop: %s", strerror(failed));
		goto fail;
	}
	*out = loop;
	return true;
fail:
	loop_free(loop);
	return false;
}

bool
loop_is_alive(const struct loop *loop)
{
	return deadline_now() - atomic_load_explicit(&loop->turned_at, memory_order_relaxed) <
	       SILENCE;
}

void
loop_stop(struct loop *loop)
{
	wake_raise(loop->stop);
}

void
loop_join(struct loop *loop)
{
	(void)pthread_join(loop->thread, NULL);
}

static void
free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

void
loop_free(struct loop *loop)
{
	if (loop->handler != NULL)
		request_finish(loop->handler);
	if (loop->listener != NULL)
		evconnlistener_free(loop->listener);
	http_connection_group_stop(&loop->connections);
	free_event(loop->on_returns);
	free_event(loop->on_stop);
	free_event(loop->accept_again);
	free_event(loop->drain_look);
	free_event(loop->tick);
	/* connections are freed by the loop, a turn after they were given up */
	(void)event_base_loop(loop->base, EVLOOP_NONBLOCK);
	event_base_free(loop->base);
	request_handler_free(loop->handler);
	commit_returns_free(loop->returns);
	if (loop->stop >= 0)
		(void)close(loop->stop);
	free(loop);
}
