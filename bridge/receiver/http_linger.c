#include "bridge/receiver/http_linger.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "bridge/deadline.h"
#include "formats/memory.h"

enum { LINGER_MILLISECONDS = 2000, READ_LENGTH = 16 * 1024, READS_A_TURN = 4 };

struct http_linger {
	struct http_linger **link; /* what points here */
	struct http_linger *next;
	struct event event;
	struct deadline deadline;
	int socket;
};

static void
stop(struct http_linger *linger)
{
	*linger->link = linger->next;
	if (linger->next != NULL)
		linger->next->link = linger->link;
	(void)event_del(&linger->event);
	(void)close(linger->socket);
	free(linger);
}

/* The deadline is absolute: a peer that keeps sending does not prolong it. */
static void
wait_on(struct http_linger *linger)
{
	long left = deadline_left(linger->deadline);
	struct timeval time = {left / 1000, (left % 1000) * 1000};

	if (left == 0 || event_add(&linger->event, &time) < 0)
		stop(linger);
}

static void
linger_on_input(evutil_socket_t socket, short what, void *context)
{
	struct http_linger *linger = context;
	char bytes[READ_LENGTH];

	if ((what & EV_TIMEOUT) != 0) {
		stop(linger);
		return;
	}
	/* a few reads a turn: one that floods us does not hold up the loop */
	for (int i = 0; i < READS_A_TURN; i++) {
		ssize_t length = read(socket, bytes, sizeof(bytes));

		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (length <= 0) {
			stop(linger);
			return;
		}
	}
	wait_on(linger);
}

void
http_linger_start(struct http_lingers *lingers, struct event_base *base, int socket)
{
	struct http_linger *linger = memory_allocate(sizeof(*linger));

	linger->socket = socket;
	linger->deadline = deadline_after(LINGER_MILLISECONDS);
	linger->link = &lingers->first;
	linger->next = lingers->first;
	if (linger->next != NULL)
		linger->next->link = &linger->next;
	lingers->first = linger;
	(void)shutdown(socket, SHUT_WR);
	if (event_assign(&linger->event, base, socket, EV_READ, linger_on_input, linger) < 0)
		memory_panic("event_assign for a lingering socket");
	wait_on(linger);
}

void
http_linger_stop(struct http_lingers *lingers)
{
	struct http_linger *next;

	for (struct http_linger *linger = lingers->first; linger != NULL; linger = next) {
		next = linger->next;
		stop(linger);
	}
}
