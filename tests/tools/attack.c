/*
 * The attacker of the tests: takes whatever one address can get and holds it.
 *
 *   attack --to 127.0.0.1:8443 --from 127.0.0.2 --path /w --seconds 5
 *          --silent 100 --heads 500 --bodies 500 --readers 50 --handshakes 500
 *
 *   --silent N      connects and says nothing, not even TLS
 *   --heads N       sends a header, one byte a second
 *   --bodies N      sends 90 KB of a body of 100 KB, then a byte a second
 *   --readers N     asks and asks and never reads an answer
 *   --handshakes R  makes so many handshakes a second and hangs up
 *
 * What is closed comes back at once.  At its end it prints one line of figures.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "formats/memory.h"
#include "formats/text.h"

enum kind { SILENT, HEADS, BODIES, READERS, HANDSHAKES, KINDS };

enum { BODY_SENT = 90000, ASKED_AT_ONCE = 200, TICKS = 50 /* a second */, RETURN_TICKS = 5 };

static const char *const kind_names[KINDS] = {"--silent", "--heads", "--bodies", "--readers",
					      "--handshakes"};

struct connection {
	enum kind kind;
	struct bufferevent *stream; /* NULL: not there */
	bool ready;                 /* its handshake is over */
	int wait;                   /* ticks until it comes back */
};

static struct {
	const char *path;
	struct sockaddr_in to, from;
	uint64_t seconds;
	uint64_t wanted[KINDS];
	struct event_base *base;
	SSL_CTX *tls;
	struct connection *connections;
	size_t count;
	uint64_t ticks;
	uint64_t connected, ready, closed, handshakes, most_at_once;
	size_t open;
} attack;

static void
hang_up(struct connection *connection)
{
	if (connection->stream == NULL)
		return;
	bufferevent_free(connection->stream);
	connection->stream = NULL;
	connection->wait = RETURN_TICKS;
	attack.open -= connection->ready;
	connection->ready = false;
}

static void
say(struct connection *connection)
{
	struct evbuffer *output = bufferevent_get_output(connection->stream);
	static char filler[BODY_SENT];

	if (connection->kind == READERS) {
		(void)bufferevent_disable(connection->stream, EV_READ);
		for (int i = 0; i < ASKED_AT_ONCE; i++)
			(void)evbuffer_add_printf(output, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
						  attack.path);
		return;
	}
	(void)evbuffer_add_printf(output, "POST %s HTTP/1.1\r\nHost: a\r\n", attack.path);
	if (connection->kind == HEADS) {
		(void)evbuffer_add_printf(output, "X-Slow: ");
		return;
	}
	memset(filler, 'x', sizeof(filler));
	(void)evbuffer_add_printf(output, "Content-Type: application/json\r\n"
					  "Content-Length: 100000\r\n\r\n");
	(void)evbuffer_add(output, filler, sizeof(filler));
}

static void
on_event(struct bufferevent *stream, short what, void *context)
{
	struct connection *connection = context;

	(void)stream;
	if ((what & BEV_EVENT_CONNECTED) == 0) {
		attack.closed++;
		hang_up(connection);
		if (connection->kind == HANDSHAKES)
			free(connection);
		return;
	}
	attack.ready++;
	if (connection->kind == HANDSHAKES) {
		attack.handshakes++;
		hang_up(connection);
		free(connection);
		return;
	}
	connection->ready = true;
	attack.open++;
	if (attack.open > attack.most_at_once)
		attack.most_at_once = attack.open;
	say(connection);
}

/* Whatever is answered is thrown away. */
static void
on_read(struct bufferevent *stream, void *context)
{
	(void)context;
	(void)evbuffer_drain(bufferevent_get_input(stream),
			     evbuffer_get_length(bufferevent_get_input(stream)));
}

/* False: there is nobody to connect to. */
static bool
come(struct connection *connection)
{
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int yes = 1;

	if (descriptor < 0)
		memory_panic("socket: %s", strerror(errno));
	/* so that its ports last for both: one for each peer, not one for all */
	if (setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes)) != 0 ||
	    bind(descriptor, (struct sockaddr *)&attack.from, sizeof(attack.from)) != 0)
		memory_panic("bind: %s", strerror(errno));
	if (connect(descriptor, (struct sockaddr *)&attack.to, sizeof(attack.to)) != 0 &&
	    errno != EINPROGRESS) {
		(void)close(descriptor);
		connection->wait = RETURN_TICKS;
		return false;
	}
	attack.connected++;
	if (connection->kind == SILENT)
		connection->stream =
		    bufferevent_socket_new(attack.base, descriptor, BEV_OPT_CLOSE_ON_FREE);
	else
		connection->stream = bufferevent_openssl_socket_new(
		    attack.base, descriptor, SSL_new(attack.tls), BUFFEREVENT_SSL_CONNECTING,
		    BEV_OPT_CLOSE_ON_FREE);
	if (connection->stream == NULL)
		memory_panic("no memory for a connection");
	bufferevent_setcb(connection->stream, on_read, NULL, on_event, connection);
	(void)bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
	return true;
}

static void
on_tick(evutil_socket_t socket, short what, void *context)
{
	uint64_t due = attack.wanted[HANDSHAKES] / TICKS;

	(void)socket, (void)what, (void)context;
	if (++attack.ticks > attack.seconds * TICKS) {
		(void)event_base_loopbreak(attack.base);
		return;
	}
	for (size_t i = 0; i < attack.count; i++) {
		struct connection *connection = &attack.connections[i];

		if (connection->stream == NULL && connection->wait-- <= 0)
			(void)come(connection);
		else if (connection->ready && attack.ticks % TICKS == i % TICKS)
			(void)bufferevent_write(connection->stream, "x", 1);
	}
	for (uint64_t i = 0; i < due; i++) {
		struct connection *connection = memory_allocate(sizeof(*connection));

		connection->kind = HANDSHAKES;
		if (!come(connection))
			free(connection);
	}
}

static struct sockaddr_in
address_of(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	const char *colon = strchr(text, ':');
	char *host = memory_copy_text(text, colon != NULL ? (size_t)(colon - text) : strlen(text));
	uint64_t port = 0;

	if (inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
	    (colon != NULL && !text_parse_unsigned(text_of(colon + 1), 65535, &port)))
		memory_panic("%s is not ADDRESS or ADDRESS:PORT", text);
	address.sin_port = htons((uint16_t)port);
	free(host);
	return address;
}

static bool
read_option(const char *name, const char *value)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(name, kind_names[i]) == 0)
			return text_parse_unsigned(text_of(value), 100000, &attack.wanted[i]);
	if (strcmp(name, "--to") == 0)
		attack.to = address_of(value);
	else if (strcmp(name, "--from") == 0)
		attack.from = address_of(value);
	else if (strcmp(name, "--path") == 0)
		attack.path = value;
	else if (strcmp(name, "--seconds") == 0)
		return text_parse_unsigned(text_of(value), 3600, &attack.seconds);
	else
		return false;
	return true;
}

static void
prepare(void)
{
	struct rlimit limit;

	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || getrlimit(RLIMIT_NOFILE, &limit) != 0)
		memory_panic("set-up: %s", strerror(errno));
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	attack.base = event_base_new();
	attack.tls = SSL_CTX_new(TLS_client_method());
	if (attack.base == NULL || attack.tls == NULL)
		memory_panic("no memory");
	for (size_t i = 0; i < HANDSHAKES; i++)
		attack.count += attack.wanted[i];
	attack.connections = memory_allocate_array(attack.count, sizeof(*attack.connections));
	for (size_t i = 0, at = 0; i < HANDSHAKES; i++)
		for (size_t j = 0; j < attack.wanted[i]; j++)
			attack.connections[at++].kind = (enum kind)i;
}

int
main(int argc, char **argv)
{
	const struct timeval period = {0, 1000000 / TICKS};
	struct event *tick;

	attack.from = address_of("127.0.0.1");
	attack.path = "/webhooks/anyint";
	attack.seconds = 5;
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 < argc && read_option(argv[i], argv[i + 1]))
			continue;
		(void)fprintf(stderr, "attack: what is %s?\n", argv[i]);
		return 2;
	}
	prepare();
	tick = event_new(attack.base, -1, EV_PERSIST, on_tick, NULL);
	if (tick == NULL || event_add(tick, &period) != 0)
		memory_panic("no timer");
	(void)event_base_dispatch(attack.base);
	printf("connected=%llu handshakes=%llu closed=%llu held=%llu floods=%llu\n",
	       (unsigned long long)attack.connected, (unsigned long long)attack.ready,
	       (unsigned long long)attack.closed, (unsigned long long)attack.most_at_once,
	       (unsigned long long)attack.handshakes);
	return 0;
}
