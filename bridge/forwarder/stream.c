#include "bridge/forwarder/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h> /* glibc's own has no tcpi_snd_wnd */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/forwarder/tls_client.h"
#include "formats/memory.h"

enum {
	DISCARD_BYTES = 4096,
	DISCARD_READS = 16, /* a turn: a peer that talks without end does not hold us */
};

struct stream {
	int descriptor;
	bool is_local; /* a unix socket */
	struct connect_peer peer;
	struct tls_client *tls; /* NULL: without */
	uint64_t written;       /* bytes taken, where there is no TLS */
};

/* ---- opening ---- */

static bool
secure(struct stream *stream, const struct config_tls *settings, const char *address,
       const struct connect_patience *patience, struct error *error)
{
	char host[256];
	char port[8];

	return config_parse_address(address, host, port, error) &&
	       tls_client_open(&stream->tls, stream->descriptor, settings, host, stream->peer.name,
			       patience, error);
}

bool
stream_open(struct stream **out, const struct config_syslog *syslog, const char *address,
	    const struct connect_patience *patience, struct error *error)
{
	struct stream *stream = memory_allocate(sizeof(*stream));
	bool has_tls = syslog->transport == CONFIG_TRANSPORT_TLS ||
		       syslog->transport == CONFIG_TRANSPORT_RELP_TLS;
	bool connected;

	stream->is_local = syslog->transport == CONFIG_TRANSPORT_UNIX_STREAM;
	connected =
	    stream->is_local
		? connect_unix(&stream->descriptor, address, SOCK_STREAM, &stream->peer, error)
		: connect_stream(&stream->descriptor, address, patience, &stream->peer, error);
	if (connected && (!has_tls || secure(stream, &syslog->tls, address, patience, error))) {
		*out = stream;
		return true;
	}
	if (connected)
		close(stream->descriptor);
	free(stream);
	return false;
}

const char *
stream_peer(const struct stream *stream)
{
	return stream->peer.name;
}

void
stream_describe(const struct stream *stream, struct text *text)
{
	if (stream->tls != NULL)
		tls_client_describe(stream->tls, text);
}

int
stream_descriptor(const struct stream *stream)
{
	return stream->descriptor;
}

/* ---- bytes ---- */

static bool
is_not_ready(int code)
{
	return code == EAGAIN || code == EWOULDBLOCK || code == EINTR;
}

bool
stream_write(struct stream *stream, const char *bytes, size_t length, size_t *taken,
	     struct error *error)
{
	ssize_t sent;

	if (stream->tls != NULL)
		return tls_client_write(stream->tls, bytes, length, taken, error);
	sent = send(stream->descriptor, bytes, length, MSG_NOSIGNAL);
	*taken = sent > 0 ? (size_t)sent : 0;
	stream->written += *taken;
	if (sent >= 0 || is_not_ready(errno))
		return true;
	return error_set_errno(error, "connection to %s broken", stream->peer.name);
}

bool
stream_read(struct stream *stream, char *buffer, size_t size, size_t *length, struct error *error)
{
	ssize_t received;

	if (stream->tls != NULL)
		return tls_client_read(stream->tls, buffer, size, length, error);
	received = recv(stream->descriptor, buffer, size, MSG_DONTWAIT);
	*length = received > 0 ? (size_t)received : 0;
	if (received == 0)
		return error_set(error, "%s closed the connection", stream->peer.name);
	if (received > 0 || is_not_ready(errno))
		return true;
	return error_set_errno(error, "connection to %s broken", stream->peer.name);
}

bool
stream_is_alive(struct stream *stream, struct error *error)
{
	char discarded[DISCARD_BYTES];
	size_t length = 1;

	for (int i = 0; length > 0 && i < DISCARD_READS; i++)
		if (!stream_read(stream, discarded, sizeof(discarded), &length, error))
			return false;
	return true;
}

/* ---- how far the peer is ---- */

/*
 * SIOCOUTQ counts what the peer's kernel has not acknowledged (tcp(7)); of a unix
 * socket, the memory of what the peer has not read, which is more than its bytes.
 */
static bool
ask_kernel(const struct stream *stream, uint64_t *queued, uint64_t *window, struct error *error)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);
	int bytes = 0;

	if (ioctl(stream->descriptor, SIOCOUTQ, &bytes) != 0 ||
	    (!stream->is_local &&
	     getsockopt(stream->descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0))
		return error_set_errno(error, "cannot ask how far %s is", stream->peer.name);
	*queued = bytes > 0 ? (uint64_t)bytes : 0;
	*window = info.tcpi_snd_wnd; /* before Linux 5.4, which does not tell: 0 for ever */
	return true;
}

bool
stream_ask(struct stream *stream, struct stream_progress *progress, struct error *error)
{
	uint64_t wire = stream->tls != NULL ? tls_client_wire(stream->tls) : stream->written;
	uint64_t queued = 0;

	if (!ask_kernel(stream, &queued, &progress->window, error))
		return false;
	wire -= queued < wire ? queued : wire;
	progress->acknowledged = stream->tls != NULL ? tls_client_plain(stream->tls, wire) : wire;
	return true;
}

void
stream_forsake(struct stream *stream)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	/* where that cannot be set, late duplicates are all it costs */
	(void)setsockopt(stream->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	stream_close(stream);
}

void
stream_close(struct stream *stream)
{
	if (stream->tls != NULL)
		tls_client_close(stream->tls);
	close(stream->descriptor);
	free(stream);
}
