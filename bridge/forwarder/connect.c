#include "bridge/forwarder/connect.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/deadline.h"
#include "bridge/wake.h"
#include "formats/text.h"

enum {
	DEAD_AFTER = 20000,     /* milliseconds without an acknowledgement */
	KEEPALIVE_IDLE = 10,    /* seconds */
	KEEPALIVE_INTERVAL = 5, /* seconds */
	KEEPALIVE_PROBES = 3,
};

/* Every option of a stream socket, with its value. */
static const struct {
	int level;
	int option;
	int value;
} stream_options[] = {
    {SOL_SOCKET, SO_KEEPALIVE, 1},
    {IPPROTO_TCP, TCP_NODELAY, 1},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, DEAD_AFTER},
    {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE},
    {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL},
    {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
};

static void
name_peer(struct connect_peer *peer, struct slice host, const char *port)
{
	bool brackets = memchr(host.bytes, ':', host.length) != NULL;
	struct text text;

	text_start(&text, peer->name, sizeof(peer->name) - 1);
	text_append_string(&text, brackets ? "[" : "");
	text_append_slice(&text, host);
	text_append_string(&text, brackets ? "]:" : ":");
	text_append_string(&text, port);
	peer->name[text.length] = '\0';
}

static void
name_address(struct connect_peer *peer, const struct addrinfo *address)
{
	char host[64] = "?";
	char port[8] = "?";

	if (getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		host[0] = port[0] = '?';
	name_peer(peer, text_of(host), port);
}

static bool
resolve(const char *address, int type, struct addrinfo **addresses, struct error *error)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = type};
	char host[256];
	char port[8];
	int status;

	if (!config_parse_address(address, host, port, error))
		return false;
	status = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, addresses);
	if (status == EAI_SYSTEM)
		return error_set_errno(error, "cannot resolve %s", address);
	if (status != 0)
		return error_set(error, "cannot resolve %s: %s", address, gai_strerror(status));
	return true;
}

/* What connect(2) said, in the operator's words. */
static bool
explain(struct error *error, const struct connect_peer *peer, int code)
{
	if (code == ECONNREFUSED)
		return error_set(error, "refused by %s: connection refused", peer->name);
	errno = code;
	return error_set_errno(error, "cannot connect to %s", peer->name);
}

bool
connect_wait(int descriptor, short events, struct deadline deadline,
	     const struct connect_patience *patience, struct error *error)
{
	while (!deadline_passed(deadline)) {
		struct pollfd waits[] = {
		    {.fd = descriptor, .events = events},
		    {.fd = patience->wake, .events = POLLIN},
		};

		if (poll(waits, 2, deadline_left(deadline)) < 0 && errno != EINTR)
			return error_set_errno(error, "poll");
		if (waits[1].revents != 0)
			wake_clear(patience->wake); /* news from the spool: looked at later */
		if (atomic_load(patience->stopping))
			return error_set(error, "told to stop");
		if (waits[0].revents != 0)
			return true;
	}
	return error_set(error, "no answer in time");
}

static bool
set_stream_options(int descriptor, struct error *error)
{
	for (size_t i = 0; i < sizeof(stream_options) / sizeof(stream_options[0]); i++)
		if (setsockopt(descriptor, stream_options[i].level, stream_options[i].option,
			       &stream_options[i].value, sizeof(stream_options[i].value)) != 0)
			return error_set_errno(error, "socket option %d", stream_options[i].option);
	return true;
}

static bool
connect_in_time(int descriptor, const struct addrinfo *address,
		const struct connect_patience *patience, const struct connect_peer *peer,
		struct error *error)
{
	int64_t limit = patience->limit > 0 ? patience->limit : CONNECT_LIMIT;
	int code = 0;
	socklen_t length = sizeof(code);

	if (connect(descriptor, address->ai_addr, address->ai_addrlen) == 0)
		return true;
	if (errno != EINPROGRESS)
		return explain(error, peer, errno);
	if (!connect_wait(descriptor, POLLOUT, deadline_after(limit), patience, error))
		return error_prefix(error, "cannot connect to %s", peer->name);
	if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) != 0)
		code = errno;
	return code == 0 || explain(error, peer, code);
}

/* One address: the connected socket, or -1 and why. */
static int
try_address(const struct addrinfo *address, const struct connect_patience *patience,
	    struct connect_peer *peer, struct error *error)
{
	int descriptor =
	    socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
		   address->ai_protocol);

	name_address(peer, address);
	if (descriptor < 0) {
		error_set_errno(error, "no socket for %s", peer->name);
		return -1;
	}
	if ((address->ai_socktype != SOCK_STREAM || set_stream_options(descriptor, error)) &&
	    connect_in_time(descriptor, address, patience, peer, error))
		return descriptor;
	close(descriptor);
	return -1;
}

static bool
connect_any(int *descriptor, const char *name, int type, const struct connect_patience *patience,
	    struct connect_peer *peer, struct error *error)
{
	struct addrinfo *addresses = NULL;

	*descriptor = -1;
	if (!resolve(name, type, &addresses, error))
		return false;
	for (const struct addrinfo *each = addresses; each != NULL; each = each->ai_next) {
		*descriptor = try_address(each, patience, peer, error);
		if (*descriptor >= 0 || atomic_load(patience->stopping))
			break;
	}
	freeaddrinfo(addresses);
	return *descriptor >= 0;
}

bool
connect_stream(int *descriptor, const char *address, const struct connect_patience *patience,
	       struct connect_peer *peer, struct error *error)
{
	return connect_any(descriptor, address, SOCK_STREAM, patience, peer, error);
}

bool
connect_datagram(int *descriptor, const char *address, const struct connect_patience *patience,
		 struct connect_peer *peer, struct error *error)
{
	return connect_any(descriptor, address, SOCK_DGRAM, patience, peer, error);
}

bool
connect_unix(int *descriptor, const char *path, int type, struct connect_peer *peer,
	     struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	struct text text;

	if (length >= sizeof(address.sun_path))
		return error_set(error, "%s is longer than the %zu bytes of a socket's path", path,
				 sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, length);
	text_start(&text, peer->name, sizeof(peer->name) - 1);
	text_append(&text, path, length);
	peer->name[text.length] = '\0';
	*descriptor = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*descriptor < 0)
		return error_set_errno(error, "no socket for %s", path);
	if (connect(*descriptor, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	explain(error, peer, errno);
	close(*descriptor);
	return false;
}
