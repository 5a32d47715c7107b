#include "bridge/listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/config.h"

enum { BACKLOG = 4096 };

static bool
set_option(int socket, int level, int option, int value)
{
	return setsockopt(socket, level, option, &value, sizeof(value)) == 0;
}

/* What is set on a listening socket here, the accepted ones have. */
static bool
set_options(int socket, int family)
{
	return set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1) &&
	       set_option(socket, SOL_SOCKET, SO_REUSEPORT, 1) &&
	       set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1) &&
	       /* [::] takes IPv4 too, whatever net.ipv6.bindv6only says */
	       (family != AF_INET6 || set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0));
}

static bool
open_one(const char *address, const struct addrinfo *place, int *out, struct error *error)
{
	int descriptor =
	    socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

	if (descriptor < 0)
		return error_set_errno(error, "cannot open a socket for %s", address);
	if (!set_options(descriptor, place->ai_family) ||
	    bind(descriptor, place->ai_addr, place->ai_addrlen) != 0 ||
	    listen(descriptor, BACKLOG) != 0) {
		error_set_errno(error, "cannot listen on %s", address);
		(void)close(descriptor);
		return false;
	}
	*out = descriptor;
	return true;
}

bool
listen_open(const char *address, int *sockets, size_t count, struct error *error)
{
	const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
				       .ai_family = AF_UNSPEC,
				       .ai_socktype = SOCK_STREAM};
	struct addrinfo *places;
	char host[256];
	char port[8];
	size_t opened = 0;
	int failed;

	if (!config_parse_address(address, host, port, error))
		return false;
	failed = getaddrinfo(host[0] != '\0' ? host : "::", port, &hints, &places);
	if (failed != 0)
		return error_set(error, "cannot listen on %s: %s", address, gai_strerror(failed));
	/* the first place: one address is one configuration */
	while (opened < count && open_one(address, places, &sockets[opened], error))
		opened++;
	freeaddrinfo(places);
	if (opened == count)
		return true;
	while (opened > 0)
		(void)close(sockets[--opened]);
	return false;
}
