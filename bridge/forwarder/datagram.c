#include "bridge/forwarder/datagram.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/deadline.h"

enum {
	DATAGRAMS = 64,        /* a system call */
	STARVED_INTERVAL = 20, /* milliseconds */
};

const char *
datagram_peer(const void *connection)
{
	const struct datagram *datagram = connection;

	return datagram->peer.name;
}

static size_t
message_start(const struct batch *batch, size_t message)
{
	return message > 0 ? batch->messages[message - 1].end : 0;
}

static unsigned
smaller(size_t a, size_t b)
{
	return (unsigned)(a < b ? a : b);
}

/* So many messages, at most DATAGRAMS: how many went out, or -1 with errno. */
static int
send_some(int descriptor, const struct batch *batch, unsigned wanted)
{
	struct mmsghdr headers[DATAGRAMS] = {0};
	struct iovec pieces[DATAGRAMS];

	for (unsigned i = 0; i < wanted; i++) {
		size_t message = batch->next + i;
		size_t start = message_start(batch, message);

		pieces[i].iov_base = batch->output.bytes + start;
		pieces[i].iov_len = batch->messages[message].end - start;
		headers[i].msg_hdr.msg_iov = &pieces[i];
		headers[i].msg_hdr.msg_iovlen = 1;
	}
	return sendmmsg(descriptor, headers, wanted, MSG_NOSIGNAL);
}

/*
 * Where some went out, sendmmsg(2) does not tell why the next one did not, and with that
 * a refusal by ICMP is forgotten.  So then a single one goes out, whose refusal is told
 * to the next call.
 */
static void
adapt(struct datagram *datagram, unsigned wanted, unsigned count)
{
	datagram->few = count < wanted ? 1 : smaller(2 * (size_t)datagram->few, DATAGRAMS);
}

enum send_result
datagram_send(void *connection, struct batch *batch, struct error *error)
{
	struct datagram *datagram = connection;
	size_t limit = datagram->few > 0 ? datagram->few : DATAGRAMS;
	unsigned wanted = smaller(limit, batch->message_count - batch->next);
	int count = send_some(datagram->descriptor, batch, wanted);

	datagram->starved = false;
	if (count > 0) {
		adapt(datagram, wanted, (unsigned)count);
		batch_advance(batch,
			      batch->messages[batch->next + (size_t)count - 1].end - batch->sent);
		return SEND_PROGRESS;
	}
	switch (errno) {
	case EINTR:
	case EAGAIN:
		return SEND_IDLE;
	case ENOBUFS:
	case ENOMEM:
		datagram->starved = true;
		return SEND_IDLE;
	case EMSGSIZE:
		error_set(error, "%zu bytes are too long for a datagram to %s",
			  batch->messages[batch->next].end - message_start(batch, batch->next),
			  datagram->peer.name);
		return SEND_REFUSED;
	case ECONNREFUSED: /* UDP: by ICMP, for one of those before */
		error_set(error, "refused by %s: connection refused", datagram->peer.name);
		return SEND_LATER;
	default:
		error_set_errno(error, "cannot send to %s", datagram->peer.name);
		return SEND_LATER;
	}
}

enum send_result
datagram_confirm(void *connection, uint64_t written, uint64_t *confirmed, struct error *error)
{
	(void)connection;
	(void)error;
	*confirmed = written;
	return SEND_IDLE;
}

/* An error that waits on a quiet socket would wake us without end: it is not watched. */
void
datagram_watch(const void *connection, bool blocked, uint64_t written, struct send_watch *watch)
{
	const struct datagram *datagram = connection;

	(void)written;
	watch->descriptor = blocked && !datagram->starved ? datagram->descriptor : -1;
	watch->events = POLLOUT;
	watch->at = blocked && datagram->starved ? deadline_now() + STARVED_INTERVAL : INT64_MAX;
}

void
datagram_close(void *connection)
{
	struct datagram *datagram = connection;

	close(datagram->descriptor);
	free(datagram);
}
