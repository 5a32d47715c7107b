/*
 * OpenSSL reads ahead, or each record would be two system calls.  So it may hold bytes of
 * which the socket says nothing any more: tls_stream_again_if_pending().
 *
 * SSL_get_error() looks into the thread's queue of errors, where what an earlier call
 * left, for whatever it did, would be taken for this one's: forget_errors() before each.
 */
#include "bridge/receiver/tls_stream.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "bridge/tls_server.h"
#include "formats/memory.h"

static void
forget_errors(void)
{
	if (ERR_peek_error() != 0) /* to clear an empty queue costs more than all else here */
		ERR_clear_error();
}

static void
add(struct event *event)
{
	if (event_add(event, NULL) != 0)
		memory_panic("no event for a connection");
}

/* What a call that did not succeed is to be followed by. */
static enum tls_stream_result
judge(struct tls_stream *stream, int result)
{
	switch (SSL_get_error(stream->session, result)) {
	case SSL_ERROR_WANT_READ:
		return TLS_STREAM_WAITS;
	case SSL_ERROR_WANT_WRITE:
		add(&stream->writable);
		return TLS_STREAM_WAITS;
	default:
		return TLS_STREAM_ENDED;
	}
}

void
tls_stream_start(struct tls_stream *stream, struct tls_server *server, struct event_base *base,
		 int socket, void (*on_turn)(evutil_socket_t, short, void *), void *context)
{
	*stream = (struct tls_stream){.session = tls_server_session(server)};
	if (SSL_set_fd(stream->session, socket) != 1 ||
	    event_assign(&stream->readable, base, socket, EV_READ | EV_PERSIST, on_turn, context) !=
		0 ||
	    event_assign(&stream->writable, base, socket, EV_WRITE, on_turn, context) != 0)
		memory_panic("no memory for a TLS session");
	SSL_set_read_ahead(stream->session, 1);
	tls_stream_listen(stream, true);
}

void
tls_stream_stop(struct tls_stream *stream)
{
	if (stream->session == NULL)
		return;
	(void)event_del(&stream->readable);
	(void)event_del(&stream->writable);
	SSL_free(stream->session);
	free(stream->unsent);
	*stream = (struct tls_stream){.session = NULL};
}

enum tls_stream_result
tls_stream_accept(struct tls_stream *stream)
{
	int result;

	forget_errors();
	result = SSL_accept(stream->session);
	return result == 1 ? TLS_STREAM_DONE : judge(stream, result);
}

enum tls_stream_result
tls_stream_read(struct tls_stream *stream, char *bytes, size_t size, size_t *length)
{
	int result;

	forget_errors();
	result = SSL_read_ex(stream->session, bytes, size, length);
	return result == 1 ? TLS_STREAM_DONE : judge(stream, result);
}

static enum tls_stream_result
send_bytes(struct tls_stream *stream, const char *bytes, size_t length)
{
	size_t sent; /* all: without SSL_MODE_ENABLE_PARTIAL_WRITE it is all or nothing */
	int result;

	forget_errors();
	result = SSL_write_ex(stream->session, bytes, length, &sent);
	return result == 1 ? TLS_STREAM_DONE : judge(stream, result);
}

static void
keep(struct tls_stream *stream, const char *bytes, size_t length)
{
	stream->unsent = memory_resize_array(stream->unsent, stream->unsent_size + length, 1);
	memcpy(stream->unsent + stream->unsent_size, bytes, length);
	stream->unsent_size += length;
}

enum tls_stream_result
tls_stream_write(struct tls_stream *stream, const char *bytes, size_t length)
{
	enum tls_stream_result result = TLS_STREAM_WAITS;

	if (stream->unsent_size == 0)
		result = send_bytes(stream, bytes, length);
	if (result == TLS_STREAM_WAITS)
		keep(stream, bytes, length);
	return result;
}

enum tls_stream_result
tls_stream_flush(struct tls_stream *stream)
{
	enum tls_stream_result result;

	if (stream->unsent_size == 0)
		return TLS_STREAM_DONE;
	result = send_bytes(stream, stream->unsent, stream->unsent_size);
	if (result == TLS_STREAM_WAITS)
		return result;
	free(stream->unsent);
	stream->unsent = NULL;
	stream->unsent_size = 0;
	return result;
}

void
tls_stream_listen(struct tls_stream *stream, bool reads)
{
	if (reads == stream->reads)
		return;
	if (reads)
		add(&stream->readable);
	else
		(void)event_del(&stream->readable);
	stream->reads = reads;
}

void
tls_stream_again(struct tls_stream *stream)
{
	event_active(&stream->writable, EV_WRITE, 0);
}

void
tls_stream_again_if_pending(struct tls_stream *stream)
{
	if (SSL_has_pending(stream->session) == 1)
		tls_stream_again(stream);
}

void
tls_stream_say_end(struct tls_stream *stream)
{
	(void)SSL_shutdown(stream->session);
}
