/*
 * Syslog over a stream: TCP (RFC 6587), TLS (RFC 5425) or a unix socket.  The
 * connection's end is looked for before each write and before each confirmation;
 * see settle.h for what is confirmed.  Its weakness is there as well.
 *
 *   confirmation  the peer's kernel has the bytes, and the connection lives on
 *   order         that of the spool, on each connection
 *   duplicates    after a break, what was sent in the last `settle`
 *
 * A peer that stalls and comes back still has an old connection to read when there is a
 * new one already, on which all that is not confirmed comes again.  What it reads of the
 * old one is at most what its kernel had: the rest is dropped with the connection, by the
 * kernel when TCP_USER_TIMEOUT has passed (connect.h), by close_stream() when we leave.
 * So its lines are duplicates, out of order between connections, and no more than a
 * window of them.  Where something that is confirmed may still be unread, nothing is
 * dropped: a reset might take that away, and late duplicates are better than a loss.
 */
#include <poll.h>
#include <stdlib.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/send.h"
#include "bridge/forwarder/settle.h"
#include "bridge/forwarder/stream.h"
#include "formats/memory.h"

struct sender {
	struct stream *stream;
	struct settle settle;
	uint64_t taken; /* bytes, by the stream */
};

static bool
open_stream(void **connection, const struct config_destination *destination, const char *address,
	    const struct connect_patience *patience, struct error *error)
{
	struct sender *sender = memory_allocate(sizeof(*sender));

	if (!stream_open(&sender->stream, destination->syslog, address, patience, error)) {
		free(sender);
		return false;
	}
	settle_start(&sender->settle, destination->syslog->settle);
	*connection = sender;
	return true;
}

static const char *
peer(const void *connection)
{
	const struct sender *sender = connection;

	return stream_peer(sender->stream);
}

static void
describe(const void *connection, struct text *text)
{
	const struct sender *sender = connection;

	stream_describe(sender->stream, text);
}

static enum send_result
send_some(void *connection, struct batch *batch, struct error *error)
{
	struct sender *sender = connection;
	size_t taken = 0;

	if (!stream_is_alive(sender->stream, error) ||
	    !stream_write(sender->stream, batch->output.bytes + batch->sent,
			  batch->output.length - batch->sent, &taken, error))
		return SEND_LATER;
	sender->taken += taken;
	batch_advance(batch, taken);
	return taken > 0 ? SEND_PROGRESS : SEND_IDLE;
}

static enum send_result
confirm(void *connection, uint64_t written, uint64_t *confirmed, struct error *error)
{
	struct sender *sender = connection;
	int64_t now = deadline_now();
	struct stream_progress progress;

	(void)written;
	/* Alive at `now` or later, and only then is anything of before confirmed. */
	if (!stream_is_alive(sender->stream, error) ||
	    !stream_ask(sender->stream, &progress, error))
		return SEND_LATER;
	settle_note(&sender->settle, progress.acknowledged, progress.window, deadline_now());
	*confirmed = settle_confirm(&sender->settle, now);
	return SEND_IDLE;
}

static void
watch(const void *connection, bool blocked, uint64_t written, struct send_watch *watch)
{
	const struct sender *sender = connection;

	watch->descriptor = stream_descriptor(sender->stream);
	watch->events = (short)(blocked ? POLLIN | POLLOUT : POLLIN);
	watch->at = settle_next(&sender->settle, written, deadline_now());
}

/* Is something under way that the peer's kernel does not have? */
static bool
is_behind(const struct sender *sender)
{
	struct stream_progress progress;
	struct error ignored;

	return stream_ask(sender->stream, &progress, &ignored) &&
	       progress.acknowledged < sender->taken;
}

static void
close_stream(void *connection)
{
	struct sender *sender = connection;

	if (is_behind(sender) && settle_is_read(&sender->settle))
		stream_forsake(sender->stream);
	else
		stream_close(sender->stream);
	free(sender);
}

const struct send_kind send_syslog_stream = {
    .name = "syslog over a stream",
    .open = open_stream,
    .peer = peer,
    .describe = describe,
    .send = send_some,
    .confirm = confirm,
    .watch = watch,
    .close = close_stream,
};
