/*
 * Bytes in their order to a collector and back: TCP, TLS over TCP, or a unix stream
 * socket.  Nothing here waits but stream_open().
 */
#ifndef STREAM_H
#define STREAM_H

#include "bridge/config.h"
#include "bridge/forwarder/connect.h"
#include "formats/text.h"

struct stream;

/* Connects as the transport says.  Gives *stream, closed with stream_close(). */
MUST_CHECK bool stream_open(struct stream **stream, const struct config_syslog *syslog,
			    const char *address, const struct connect_patience *patience,
			    struct error *error);

/* Who is at the other end; borrowed. */
const char *stream_peer(const struct stream *stream);

/* Appends what its TLS is; nothing where it has none. */
void stream_describe(const struct stream *stream, struct text *text);

/* For poll(2). */
int stream_descriptor(const struct stream *stream);

/*
 * Writes what can be written of it now: *taken bytes, which may be 0.  What was not
 * taken must begin the next call.  False: the connection is broken.
 */
MUST_CHECK bool stream_write(struct stream *stream, const char *bytes, size_t length, size_t *taken,
			     struct error *error);

/* Reads what is there: *length bytes, 0 for nothing.  False: it has ended, or is broken. */
MUST_CHECK bool stream_read(struct stream *stream, char *buffer, size_t size, size_t *length,
			    struct error *error);

/* Reads and throws away what the peer sent.  False: it has ended, or is broken. */
MUST_CHECK bool stream_is_alive(struct stream *stream, struct error *error);

/* How far the peer is. */
struct stream_progress {
	uint64_t acknowledged; /* bytes taken by stream_write() that its kernel has, or fewer */
	uint64_t window;       /* bytes that it has room for, as its kernel says */
};

/*
 * Of a unix socket, where there is one kernel, what the peer has read is what it has
 * acknowledged.
 */
MUST_CHECK bool stream_ask(struct stream *stream, struct stream_progress *progress,
			   struct error *error);

/* What was taken and is not at the peer yet, the kernel still brings there, in its own time. */
void stream_close(struct stream *stream);

/*
 * The same for what goes out once more on another connection: what is not at the peer yet
 * never gets there (a reset), or a peer that had stalled would be told it between the
 * lines of the other one.  What lies unread in the peer's kernel it may lose; Linux keeps
 * it.  Of a unix socket all that was taken is at the peer.
 */
void stream_forsake(struct stream *stream);

#endif
