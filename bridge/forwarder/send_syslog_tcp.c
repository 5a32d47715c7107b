/*
 * Syslog over plain TCP (RFC 6587).  The connection's end is looked for before
 * each write and before each confirmation; see settle.h for what is confirmed.
 * Its weakness is there as well.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/send.h"
#include "bridge/forwarder/settle.h"
#include "formats/memory.h"

struct stream {
	int descriptor;
	struct connect_peer peer;
	struct settle settle;
};

static bool
stream_open(void **connection, const struct config_destination *destination, const char *address,
	    const struct connect_patience *patience, struct error *error)
{
	struct stream *stream = memory_allocate(sizeof(*stream));

	if (!connect_stream(&stream->descriptor, address, patience, &stream->peer, error)) {
		free(stream);
		return false;
	}
	settle_start(&stream->settle, destination->syslog->settle);
	*connection = stream;
	return true;
}

static const char *
stream_peer(const void *connection)
{
	const struct stream *stream = connection;

	return stream->peer.name;
}

static enum send_result
stream_send(void *connection, struct batch *batch, struct error *error)
{
	struct stream *stream = connection;
	ssize_t length;

	if (!settle_alive(stream->descriptor, stream->peer.name, error))
		return SEND_LATER;
	length = send(stream->descriptor, batch->output.bytes + batch->sent,
		      batch->output.length - batch->sent, MSG_NOSIGNAL);
	if (length >= 0) {
		batch_advance(batch, (size_t)length);
		return SEND_PROGRESS;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return SEND_IDLE;
	error_set_errno(error, "connection to %s broken", stream->peer.name);
	return SEND_LATER;
}

static enum send_result
stream_confirm(void *connection, uint64_t written, uint64_t *confirmed, struct error *error)
{
	struct stream *stream = connection;
	int64_t now = deadline_now();
	uint64_t unacknowledged = 0;
	uint64_t window = 0;

	/* Alive at `now` or later, and only then is anything of before confirmed. */
	if (!settle_alive(stream->descriptor, stream->peer.name, error))
		return SEND_LATER;
	if (!settle_ask(stream->descriptor, &unacknowledged, &window, error))
		return SEND_LATER;
	if (unacknowledged <= written)
		settle_note(&stream->settle, written - unacknowledged, window, deadline_now());
	*confirmed = settle_confirm(&stream->settle, now);
	return SEND_IDLE;
}

static void
stream_watch(const void *connection, bool blocked, uint64_t written, struct send_watch *watch)
{
	const struct stream *stream = connection;

	watch->descriptor = stream->descriptor;
	watch->events = (short)(blocked ? POLLIN | POLLOUT : POLLIN);
	watch->at = settle_next(&stream->settle, written, deadline_now());
}

static void
stream_close(void *connection)
{
	struct stream *stream = connection;

	close(stream->descriptor);
	free(stream);
}

const struct send_kind send_syslog_tcp = {
    .name = "syslog over tcp",
    .open = stream_open,
    .peer = stream_peer,
    .send = stream_send,
    .confirm = stream_confirm,
    .watch = stream_watch,
    .close = stream_close,
};
