#include "bridge/forwarder/stream.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <netinet/in.h>

#include <cmocka.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/settle.h"

/* A stream over TCP or a unix socket, and the other end of it as a bare descriptor. */
struct pair {
	struct stream *stream;
	int other;
	struct sockaddr_un path;
};

static struct connect_patience patience;
static atomic_bool stopping;

static void
accept_stream(struct pair *pair, int listener, struct config_syslog *syslog, const char *address)
{
	struct error error;

	patience = (struct connect_patience){.wake = -1, .stopping = &stopping};
	assert_int_equal(listen(listener, 1), 0);
	if (!stream_open(&pair->stream, syslog, address, &patience, &error))
		fail_msg("%s", error.text);
	pair->other = accept(listener, NULL, NULL);
	assert_true(pair->other >= 0);
	close(listener);
}

/* `buffer`: bytes of the other end's, for what it has not read; 0: as the system has it. */
static void
open_tcp_with(struct pair *pair, int buffer)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct config_syslog syslog = {.transport = CONFIG_TRANSPORT_TCP};
	char text[32];

	memset(pair, 0, sizeof(*pair));
	if (buffer > 0)
		assert_int_equal(
		    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer)), 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
	accept_stream(pair, listener, &syslog, text);
	assert_string_equal(stream_peer(pair->stream), text);
}

static void
open_tcp(struct pair *pair)
{
	open_tcp_with(pair, 0);
}

static void
open_unix(struct pair *pair)
{
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	struct config_syslog syslog = {.transport = CONFIG_TRANSPORT_UNIX_STREAM};

	memset(pair, 0, sizeof(*pair));
	pair->path.sun_family = AF_UNIX;
	snprintf(pair->path.sun_path, sizeof(pair->path.sun_path), "/tmp/test_stream.%d", getpid());
	assert_int_equal(bind(listener, (struct sockaddr *)&pair->path, sizeof(pair->path)), 0);
	accept_stream(pair, listener, &syslog, pair->path.sun_path);
	assert_string_equal(stream_peer(pair->stream), pair->path.sun_path);
	unlink(pair->path.sun_path);
}

static void (*const kinds[])(struct pair *pair) = {open_tcp, open_unix};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static bool
turns_dead(struct stream *stream, struct error *error)
{
	struct deadline deadline = deadline_after(5000);

	while (stream_is_alive(stream, error))
		if (deadline_passed(deadline))
			return false;
	return true;
}

static void
an_end_of_the_connection_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct error error = {.text = ""};
		struct pair pair;

		kinds[i](&pair);
		assert_true(stream_is_alive(pair.stream, &error));
		assert_int_equal(send(pair.other, "whatever it says", 16, 0), 16);
		assert_true(stream_is_alive(pair.stream, &error));
		assert_int_equal(shutdown(pair.other, SHUT_WR), 0);
		assert_true(turns_dead(pair.stream, &error));
		assert_non_null(strstr(error.text, " closed the connection"));
		stream_close(pair.stream);
		close(pair.other);
	}
}

static void
a_collector_killed_with_unread_bytes_is_a_broken_connection(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct error error = {.text = ""};
		struct pair pair;
		size_t taken;

		kinds[i](&pair);
		assert_true(stream_write(pair.stream, "never read", 10, &taken, &error));
		assert_int_equal(taken, 10);
		close(pair.other);
		assert_true(turns_dead(pair.stream, &error));
		assert_non_null(strstr(error.text, stream_peer(pair.stream)));
		stream_close(pair.stream);
	}
}

/* Fills it; the bytes written. */
static uint64_t
fill(struct stream *stream)
{
	static const char block[1 << 16];
	struct error error;
	uint64_t written = 0;
	size_t taken = 1;

	while (taken > 0) {
		assert_true(stream_write(stream, block, sizeof(block), &taken, &error));
		written += taken;
	}
	return written;
}

static void
what_the_peer_has_no_room_for_is_not_acknowledged(void **state)
{
	static char block[1 << 16];

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct error error = {.text = ""};
		struct deadline deadline = deadline_after(5000);
		struct stream_progress progress;
		uint64_t read_back = 0;
		uint64_t written;
		struct pair pair;

		kinds[i](&pair);
		written = fill(pair.stream);
		assert_true(stream_ask(pair.stream, &progress, &error));
		assert_true(progress.acknowledged < written);
		while (progress.acknowledged < written && !deadline_passed(deadline)) {
			ssize_t length = recv(pair.other, block, sizeof(block), MSG_DONTWAIT);

			if (length > 0)
				read_back += (uint64_t)length;
			assert_true(stream_ask(pair.stream, &progress, &error));
			/* Of a unix socket, it is what was read, and never more. */
			assert_true(kinds[i] == open_tcp || progress.acknowledged <= read_back);
		}
		assert_int_equal(progress.acknowledged, written);
		stream_close(pair.stream);
		close(pair.other);
	}
}

static void
the_window_of_a_peer_that_does_not_read_closes(void **state)
{
	enum { SHUT = 4096 };
	struct error error = {.text = ""};
	struct deadline deadline = deadline_after(5000);
	struct stream_progress progress;
	struct pair pair;

	(void)state;
	open_tcp(&pair);
	assert_true(stream_ask(pair.stream, &progress, &error));
	assert_true(progress.window > SHUT);
	while (progress.window > SHUT && !deadline_passed(deadline)) {
		fill(pair.stream);
		assert_true(stream_ask(pair.stream, &progress, &error));
	}
	assert_true(progress.window <= SHUT);
	stream_close(pair.stream);
	close(pair.other);
}

/* Linux takes more than the window that it opens first: up to what its buffer holds. */
static void
nothing_is_confirmed_by_the_window_that_was_not_read(void **state)
{
	static const char line[300];
	const int small = 4096;
	struct error error = {.text = ""};
	struct deadline deadline = deadline_after(1000);
	struct stream_progress progress = {.window = 1};
	struct settle settle;
	struct pair pair;
	size_t taken;

	(void)state;
	open_tcp_with(&pair, small);
	settle_start(&settle, 1000);
	assert_true(stream_ask(pair.stream, &progress, &error));
	settle_note(&settle, progress.acknowledged, progress.window, 5000);
	/* small pieces, at one time: then the first step is a small offset */
	while (!deadline_passed(deadline)) {
		assert_true(stream_write(pair.stream, line, sizeof(line), &taken, &error));
		assert_true(stream_ask(pair.stream, &progress, &error));
		settle_note(&settle, progress.acknowledged, progress.window, 5000);
	}
	assert_true(settle.lagging);
	assert_true(progress.acknowledged > settle.widest);
	assert_int_equal(settle_confirm(&settle, 6000), 0);
	stream_close(pair.stream);
	close(pair.other);
}

/* All that a peer reads to the end, which is a reset or not. */
static uint64_t
read_to_the_end(int descriptor, bool *was_reset)
{
	static char block[1 << 16];
	const struct timeval patience_of_recv = {.tv_sec = 10};
	uint64_t read_back = 0;
	ssize_t length;

	(void)setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience_of_recv,
			 sizeof(patience_of_recv));
	while ((length = recv(descriptor, block, sizeof(block), 0)) > 0)
		read_back += (uint64_t)length;
	*was_reset = length < 0 && errno == ECONNRESET;
	assert_true(length == 0 || *was_reset);
	return read_back;
}

static void
what_is_not_at_the_peer_comes_after_a_close_and_never_when_forsaken(void **state)
{
	uint64_t written, read_back;
	struct pair pair;
	bool was_reset;

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		kinds[i](&pair);
		written = fill(pair.stream);
		stream_close(pair.stream);
		assert_int_equal(read_to_the_end(pair.other, &was_reset), written);
		assert_false(was_reset);
		close(pair.other);
	}
	open_tcp(&pair);
	written = fill(pair.stream);
	stream_forsake(pair.stream);
	read_back = read_to_the_end(pair.other, &was_reset);
	assert_true(was_reset);
	assert_true(read_back > 0); /* its kernel had that, and keeps it */
	assert_true(read_back < written);
	close(pair.other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_end_of_the_connection_is_seen),
	    cmocka_unit_test(a_collector_killed_with_unread_bytes_is_a_broken_connection),
	    cmocka_unit_test(what_the_peer_has_no_room_for_is_not_acknowledged),
	    cmocka_unit_test(nothing_is_confirmed_by_the_window_that_was_not_read),
	    cmocka_unit_test(what_is_not_at_the_peer_comes_after_a_close_and_never_when_forsaken),
	    cmocka_unit_test(the_window_of_a_peer_that_does_not_read_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
