#include "bridge/console/console_serve.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "bridge/console/console_answer.h"
#include "bridge/log.h"
#include "bridge/tls_server.h"
#include "formats/memory.h"

enum {
	LONGEST_HEAD = 8 * 1024, /* bytes */
	LONGEST_BODY = 16 * 1024,
	ACCEPT_PAUSE = 100 * 1000, /* microseconds */
	PATIENCE = 20,             /* seconds without a byte */
};

struct console_serve {
	struct evhttp *http;
	struct evconnlistener *listener; /* evhttp's, once it is bound */
	struct event *accept_again;
	struct tls_server *server;
	struct desk *desk;
};

static struct slice
header(struct evhttp_request *request, const char *name)
{
	return text_of(evhttp_find_header(evhttp_request_get_input_headers(request), name));
}

/* What the request line names, without a host that some clients put there. */
static void
split_target(struct evhttp_request *request, struct console_request *to)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);

	to->path = text_of(uri != NULL ? evhttp_uri_get_path(uri) : "/");
	to->query = text_of(uri != NULL ? evhttp_uri_get_query(uri) : NULL);
	if (to->path.length == 0)
		to->path = SLICE_LITERAL("/");
}

static void
set_headers(struct evhttp_request *request, const struct console_reply *reply)
{
	static const char *const fixed[][2] = {
	    {"Content-Security-Policy",
	     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
	     "'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"},
	    {"X-Content-Type-Options", "nosniff"},
	    {"X-Frame-Options", "DENY"},
	    {"Referrer-Policy", "no-referrer"},
	    {"Cross-Origin-Resource-Policy", "same-origin"},
	    {"Cross-Origin-Opener-Policy", "same-origin"},
	};
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	char number[24];
	struct text text;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		(void)evhttp_add_header(headers, fixed[i][0], fixed[i][1]);
	(void)evhttp_add_header(headers, "Cache-Control", reply->lasts ? "no-cache" : "no-store");
	if (reply->content_type != NULL)
		(void)evhttp_add_header(headers, "Content-Type", reply->content_type);
	if (reply->cookie[0] != '\0')
		(void)evhttp_add_header(headers, "Set-Cookie", reply->cookie);
	if (reply->retry_after == 0)
		return;
	text_start(&text, number, sizeof(number) - 1);
	text_append_number(&text, reply->retry_after);
	number[text.length] = '\0';
	(void)evhttp_add_header(headers, "Retry-After", number);
}

static void
serve_on_request(struct evhttp_request *request, void *context)
{
	struct console_serve *serve = context;
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	struct evbuffer *output = evbuffer_new();
	struct console_request asked = {
	    .post = evhttp_request_get_command(request) == EVHTTP_REQ_POST,
	    .host = header(request, "Host"),
	    .origin = header(request, "Origin"),
	    .site = header(request, "Sec-Fetch-Site"),
	    .cookie = header(request, "Cookie"),
	    .authorization = header(request, "Authorization"),
	    .content_type = header(request, "Content-Type"),
	    .body = {"", evbuffer_get_length(input)},
	};
	struct console_reply reply;

	if (output == NULL)
		memory_panic("no memory for an answer");
	split_target(request, &asked);
	if (asked.body.length > 0)
		asked.body.bytes = (const char *)evbuffer_pullup(input, -1);
	console_answer(serve->desk, &asked, &reply);
	set_headers(request, &reply);
	/* evhttp would send it with an answer to HEAD as well */
	if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD)
		reply.body.length = 0;
	if (reply.body.length > 0 && evbuffer_add(output, reply.body.bytes, reply.body.length) != 0)
		memory_panic("no memory for an answer");
	evhttp_send_reply(request, reply.status, NULL, output);
	evbuffer_free(output);
	console_answer_free(&reply);
}

static struct bufferevent *
serve_on_connection(struct event_base *base, void *context)
{
	struct console_serve *serve = context;

	return tls_server_bufferevent(serve->server, base);
}

/* evconnlistener's error callback is given evhttp's context, not ours. */
static struct console_serve *only;

/* Out of descriptors, mostly: asking again at once would only burn the core. */
static void
serve_on_accept_error(struct evconnlistener *listener, void *context)
{
	static const struct timeval pause = {0, ACCEPT_PAUSE};

	(void)context;
	log_warning("console", "no connection can be accepted: %m");
	(void)evconnlistener_disable(listener);
	(void)event_add(only->accept_again, &pause);
}

static void
serve_on_accept_again(evutil_socket_t socket, short what, void *context)
{
	struct console_serve *serve = context;

	(void)socket, (void)what;
	(void)evconnlistener_enable(serve->listener);
}

bool
console_serve_new(struct console_serve **out, struct event_base *base, int socket,
		  struct tls_server *server, struct desk *desk, struct error *error)
{
	struct console_serve *serve = memory_allocate(sizeof(*serve));

	serve->desk = desk;
	serve->server = server;
	serve->http = evhttp_new(base);
	serve->listener = evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, socket);
	serve->accept_again = event_new(base, -1, 0, serve_on_accept_again, serve);
	if (serve->http == NULL || serve->listener == NULL || serve->accept_again == NULL ||
	    evhttp_bind_listener(serve->http, serve->listener) == NULL) {
		error_set(error, "the console cannot be served on descriptor %d", socket);
		console_serve_free(serve);
		return false;
	}
	evhttp_set_max_headers_size(serve->http, LONGEST_HEAD);
	evhttp_set_max_body_size(serve->http, LONGEST_BODY);
	evhttp_set_timeout(serve->http, PATIENCE);
	evhttp_set_default_content_type(serve->http, NULL);
	evhttp_set_allowed_methods(serve->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST);
	evhttp_set_gencb(serve->http, serve_on_request, serve);
	only = serve;
	evconnlistener_set_error_cb(serve->listener, serve_on_accept_error);
	if (server != NULL)
		evhttp_set_bevcb(serve->http, serve_on_connection, serve);
	*out = serve;
	return true;
}

void
console_serve_free(struct console_serve *serve)
{
	if (serve == NULL)
		return;
	if (serve->http != NULL)
		evhttp_free(serve->http);
	if (serve->accept_again != NULL)
		event_free(serve->accept_again);
	free(serve);
}
