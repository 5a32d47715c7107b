/*
 * One libevent loop: requests, a tick a second for the rates, and SIGTERM.  What a
 * question costs is bounded (console_api.c), so that nobody waits for long.
 */
#include "bridge/console/console.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "bridge/config.h"
#include "bridge/console/console_serve.h"
#include "bridge/log.h"
#include "bridge/tls_server.h"

struct console {
	struct config *config;
	struct counters *counters;
	struct tls_server *server; /* NULL: in the clear */
	struct desk desk;
	struct event_base *base;
	struct event *tick, *stop;
	struct console_serve *serve;
};

static void
on_tick(evutil_socket_t descriptor, short what, void *context)
{
	struct console *console = context;

	(void)descriptor, (void)what;
	counters_beat(console->counters, COUNTERS_LIFE_CONSOLE);
	if (console->serve != NULL)
		history_add(console->desk.history, console->counters);
}

static void
on_stop(evutil_socket_t descriptor, short what, void *context)
{
	struct console *console = context;

	(void)descriptor, (void)what;
	(void)event_base_loopbreak(console->base);
}

static bool
open_loop(struct console *console, struct error *error)
{
	static const struct timeval second = {1, 0};

	console->base = event_base_new();
	if (console->base == NULL)
		return error_set_errno(error, "an event loop cannot be made");
	console->tick = event_new(console->base, -1, EV_PERSIST, on_tick, console);
	console->stop = evsignal_new(console->base, SIGTERM, on_stop, console);
	if (console->tick == NULL || console->stop == NULL ||
	    event_add(console->tick, &second) != 0 || event_add(console->stop, NULL) != 0)
		return error_set(error, "no events for the loop");
	return true;
}

static bool
start(struct console *console, const struct child_inheritance *inheritance, struct error *error)
{
	const struct config_console *wanted = console->config->console;

	if (!counters_map(inheritance->counters, &console->counters, error) ||
	    !open_loop(console, error))
		return false;
	/* a reload took it away: the socket is the supervisor's until the next start */
	if (wanted == NULL) {
		log_info("console", "it is not configured any more, and serves nothing");
		return child_confine(inheritance, console->config, error);
	}
	if (inheritance->console < 0)
		return error_set(error, "no listening socket was handed down");
	if (wanted->certificate != NULL &&
	    !tls_server_new(&console->server, wanted->certificate, wanted->private_key, error))
		return false;
	if (!desk_open(&console->desk, console->config, console->counters, error) ||
	    !console_serve_new(&console->serve, console->base, inheritance->console,
			       console->server, &console->desk, error) ||
	    !child_confine(inheritance, console->config, error))
		return false;
	history_add(console->desk.history, console->counters);
	log_info("console", "%s is served", wanted->address);
	return true;
}

static void
release(struct console *console)
{
	console_serve_free(console->serve);
	desk_close(&console->desk);
	if (console->tick != NULL)
		event_free(console->tick);
	if (console->stop != NULL)
		event_free(console->stop);
	if (console->base != NULL)
		event_base_free(console->base);
	tls_server_free(console->server);
	config_free(console->config);
}

int
console_run(const struct child_inheritance *inheritance)
{
	struct console console = {.config = NULL};
	struct error error;
	int status = CHILD_EXIT_OK;

	if (!config_read(&console.config, inheritance->config_path, &error)) {
		log_error("config", "%s", error.text);
		return CHILD_EXIT_CONFIGURATION;
	}
	if (!start(&console, inheritance, &error)) {
		log_error("start", "%s", error.text);
		status = CHILD_EXIT_FAILED;
	} else {
		counters_beat(console.counters, COUNTERS_LIFE_CONSOLE);
		if (event_base_dispatch(console.base) < 0) {
			log_error("console", "the event loop has failed");
			status = CHILD_EXIT_FAILED;
		}
	}
	release(&console);
	return status;
}
