/*
 * TLS on the socket of an accepted connection, in the turns of its loop: handshake, read,
 * write.  Nothing here waits: what cannot go on now calls back when the socket lets it.
 */
#ifndef TLS_STREAM_H
#define TLS_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/event_struct.h>
#include <openssl/types.h>

struct event_base;
struct tls_server;

enum tls_stream_result {
	TLS_STREAM_DONE,
	TLS_STREAM_WAITS, /* it calls back */
	TLS_STREAM_ENDED, /* the peer has closed its side, or the connection is broken */
};

struct tls_stream {
	SSL *session; /* owned; NULL: not begun */
	struct event readable;
	struct event writable;
	bool reads;         /* it calls back when bytes come */
	char *unsent;       /* owned */
	size_t unsent_size; /* bytes */
};

/*
 * Begins on a socket that does not block; it stays the caller's.  `on_turn` is called
 * whenever something may go on, in a turn of the loop of its own: never by a function of
 * this module.
 */
void tls_stream_start(struct tls_stream *stream, struct tls_server *server, struct event_base *base,
		      int socket, void (*on_turn)(evutil_socket_t, short, void *), void *context);
void tls_stream_stop(struct tls_stream *stream); /* also one that was not begun */

/* The handshake's next step. */
enum tls_stream_result tls_stream_accept(struct tls_stream *stream);

/* Gives what one record holds, at most `size` bytes of it. */
enum tls_stream_result tls_stream_read(struct tls_stream *stream, char *bytes, size_t size,
				       size_t *length);

/*
 * Sends behind all that is not out yet; what the socket does not take is copied.  With
 * TLS_STREAM_WAITS tls_stream_flush() is asked for the rest in the next turn.
 */
enum tls_stream_result tls_stream_write(struct tls_stream *stream, const char *bytes,
					size_t length);
enum tls_stream_result tls_stream_flush(struct tls_stream *stream);

/* Whether it calls back when bytes come. */
void tls_stream_listen(struct tls_stream *stream, bool reads);

/*
 * Calls back in this turn of the loop; the latter where bytes are here already, of which
 * the socket says nothing any more.
 */
void tls_stream_again(struct tls_stream *stream);
void tls_stream_again_if_pending(struct tls_stream *stream);

/* Tells the peer that nothing was cut off (close_notify, RFC 8446 6.1), if it can. */
void tls_stream_say_end(struct tls_stream *stream);

#endif
