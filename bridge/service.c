#include "bridge/service.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "formats/text.h"

enum { FIRST_SOCKET = 3 /* SD_LISTEN_FDS_START */, MOST_SOCKETS = 16 };

static int manager = -1; /* a connected datagram socket */
static int64_t watchdog; /* milliseconds */
static size_t socket_count;

/* The number in that variable; 0 where there is none. */
static bool
read_variable(const char *name, uint64_t *number, struct error *error)
{
	const char *text = getenv(name);

	*number = 0;
	if (text == NULL || text_parse_unsigned(text_of(text), UINT64_MAX, number))
		return true;
	return error_set(error, "the environment's %s is no number: '%.40s'", name, text);
}

/* Is that variable about this process?  Where it is not set, it is. */
static bool
is_for_us(const char *name, bool *ours, struct error *error)
{
	uint64_t process;

	if (!read_variable(name, &process, error))
		return false;
	*ours = process == 0 || process == (uint64_t)getpid();
	return true;
}

static bool
open_manager(struct error *error)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = path != NULL ? strlen(path) : 0;

	if (length == 0)
		return true;
	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(address.sun_path))
		return error_set(error, "the environment's NOTIFY_SOCKET is no socket: '%.80s'",
				 path);
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (manager < 0 ||
	    connect(manager, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) != 0)
		return error_set_errno(error, "the service manager's socket %.80s", path);
	return true;
}

static bool
read_numbers(struct error *error)
{
	uint64_t microseconds, sockets;
	bool watches, listens;

	if (!read_variable("WATCHDOG_USEC", &microseconds, error) ||
	    !is_for_us("WATCHDOG_PID", &watches, error) ||
	    !read_variable("LISTEN_FDS", &sockets, error) ||
	    !is_for_us("LISTEN_PID", &listens, error))
		return false;
	if (watches && microseconds / 1000 <= INT64_MAX)
		watchdog = (int64_t)(microseconds / 1000);
	if (listens && sockets > MOST_SOCKETS)
		return error_set(error, "the service manager hands down %llu sockets; at most %d",
				 (unsigned long long)sockets, MOST_SOCKETS);
	if (listens)
		socket_count = (size_t)sockets;
	return true;
}

bool
service_open(struct error *error)
{
	static const char *const names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
					    "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES"};
	bool done = read_numbers(error) && open_manager(error);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unsetenv(names[i]);
	for (size_t i = 0; i < socket_count; i++)
		(void)fcntl(FIRST_SOCKET + (int)i, F_SETFD, FD_CLOEXEC);
	return done;
}

void
service_notify(const char *format, ...)
{
	char message[1024];
	va_list arguments;
	int length;

	if (manager < 0)
		return;
	va_start(arguments, format);
	length = vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (length > 0 && (size_t)length < sizeof(message))
		(void)send(manager, message, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int64_t
service_watchdog(void)
{
	return watchdog;
}

/* ---- sockets ---- */

static bool
describe(int descriptor, struct text *text)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	char host[64], port[8];

	if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0 ||
	    getnameinfo((struct sockaddr *)&address, length, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return false;
	text_append_format(text, strchr(host, ':') != NULL ? "%s[%s]:%s" : "%s%s:%s",
			   text->length > 0 ? ", " : "", host, port);
	return true;
}

/* As listen_open() makes its own. */
static bool
prepare(int descriptor, struct text *text, struct error *error)
{
	int listens = 0, on = 1;
	socklen_t length = sizeof(listens);
	int flags = fcntl(descriptor, F_GETFL);

	if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0 ||
	    listens == 0 || !describe(descriptor, text))
		return error_set(error,
				 "descriptor %d, which the service manager handed down, is no "
				 "listening TCP socket (ListenStream=, Accept=no)",
				 descriptor);
	if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		return error_set_errno(error, "the socket handed down as descriptor %d",
				       descriptor);
	return true;
}

bool
service_sockets(int *sockets, size_t count, bool *given, struct text *text, struct error *error)
{
	*given = socket_count > 0;
	for (size_t i = 0; i < socket_count; i++)
		if (!prepare(FIRST_SOCKET + (int)i, text, error))
			return false;
	text_append_byte(text, '\0');
	for (size_t i = 0; i < count && socket_count > 0; i++) {
		int descriptor = FIRST_SOCKET + (int)(i % socket_count);

		/* a loop of its own for each, on the one queue of the kernel */
		sockets[i] = i < socket_count ? descriptor
					      : fcntl(descriptor, F_DUPFD_CLOEXEC, FIRST_SOCKET);
		if (sockets[i] < 0)
			return error_set_errno(error, "a socket cannot be duplicated");
	}
	return true;
}
