#include "bridge/forwarder/settle.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/deadline.h"

enum { OPEN = 65536, SHUT = 4096 }; /* windows */

static void
a_byte_is_confirmed_settle_after_its_acknowledgement(void **state)
{
	struct settle settle;

	(void)state;
	settle_start(&settle, 1000);
	settle_note(&settle, 0, OPEN, 5000);
	assert_true(settle_next(&settle, 0, 5000) == INT64_MAX);
	settle_note(&settle, 100, OPEN, 5000);
	assert_int_equal(settle_confirm(&settle, 5999), 0);
	assert_int_equal(settle_next(&settle, 100, 5999), 6000);
	assert_int_equal(settle_confirm(&settle, 6000), 100);
	assert_true(settle_next(&settle, 100, 6000) == INT64_MAX);
}

static void
what_came_later_is_not_confirmed_with_what_came_before(void **state)
{
	struct settle settle;

	(void)state;
	settle_start(&settle, 1000);
	settle_note(&settle, 100, OPEN, 5000);
	settle_note(&settle, 200, OPEN, 5001); /* too near: waits for the next look */
	assert_true(settle_next(&settle, 200, 5001) <= 5001 + settle.interval);
	settle_note(&settle, 200, OPEN, 5500);
	assert_int_equal(settle_confirm(&settle, 6000), 100);
	assert_int_equal(settle_confirm(&settle, 6499), 100);
	assert_int_equal(settle_confirm(&settle, 6500), 200);
}

static void
a_steady_stream_is_never_late_by_more_than_a_step(void **state)
{
	static const int64_t durations[] = {0, 1, 50, 200, 1000, 60000};

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		int64_t duration = durations[i];
		struct settle settle;

		settle_start(&settle, duration);
		/* One byte is acknowledged each millisecond: offset == time. */
		for (int64_t now = 1; now < 3 * duration + 100; now++) {
			uint64_t confirmed;

			settle_note(&settle, (uint64_t)now, OPEN, now);
			confirmed = settle_confirm(&settle, now);
			assert_true((int64_t)confirmed <= now - duration || confirmed == 0);
			if (now > duration + 2 * settle.interval)
				assert_true((int64_t)confirmed >= now - duration - settle.interval);
		}
	}
}

static void
what_a_slow_collector_may_not_have_read_is_held_back(void **state)
{
	struct settle settle;

	(void)state;
	settle_start(&settle, 1000);
	settle_note(&settle, 1000, OPEN, 5000);
	settle_note(&settle, 50000, OPEN / 2 - 1, 5500);
	assert_int_equal(settle_confirm(&settle, 7000), 0);
	assert_true(settle_next(&settle, 50000, 7000) > 7000);
	/* One window on, the first bytes must have been read. */
	settle_note(&settle, 1000 + OPEN, 0, 7100);
	assert_int_equal(settle_confirm(&settle, 7100), 1000);
	/* All of it was read: the window is open again. */
	settle_note(&settle, 1000 + OPEN, OPEN / 2, 7200);
	assert_int_equal(settle_confirm(&settle, 7200), 50000);
	assert_int_equal(settle_confirm(&settle, 8100), 1000 + OPEN);
}

static void
a_window_that_never_opens_again_does_not_hold_for_ever(void **state)
{
	struct settle settle;

	(void)state;
	settle_start(&settle, 1000);
	settle_note(&settle, 1000, OPEN, 5000);
	settle_note(&settle, 1000, 1, 5100);
	assert_int_equal(settle_confirm(&settle, 6000 + SETTLE_LAG - 1), 0);
	assert_int_equal(settle_confirm(&settle, 6000 + SETTLE_LAG), 1000);
}

/* A connected pair over loopback, for what a socketpair(2) does not have. */
static void
connect_pair(int pair[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(pair[0], (struct sockaddr *)&address, length), 0);
	pair[1] = accept(listener, NULL, NULL);
	assert_true(pair[1] >= 0);
	close(listener);
}

static bool
turns_dead(int descriptor, struct error *error)
{
	struct deadline deadline = deadline_after(5000);

	while (settle_alive(descriptor, "peer", error))
		if (deadline_passed(deadline))
			return false;
	return true;
}

static void
an_end_of_the_connection_is_seen(void **state)
{
	struct error error = {.text = ""};
	int pair[2];

	(void)state;
	connect_pair(pair);
	assert_true(settle_alive(pair[0], "peer", &error));
	assert_int_equal(send(pair[1], "whatever it says", 16, 0), 16);
	assert_true(settle_alive(pair[0], "peer", &error));
	assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
	assert_true(turns_dead(pair[0], &error));
	assert_string_equal(error.text, "peer closed the connection");
	close(pair[0]);
	close(pair[1]);
}

static void
a_collector_killed_with_unread_bytes_is_a_broken_connection(void **state)
{
	struct error error = {.text = ""};
	int pair[2];

	(void)state;
	connect_pair(pair);
	assert_int_equal(send(pair[0], "never read", 10, MSG_NOSIGNAL), 10);
	close(pair[1]);
	assert_true(turns_dead(pair[0], &error));
	assert_non_null(strstr(error.text, "peer"));
	close(pair[0]);
}

static void
what_the_peer_has_no_room_for_is_not_acknowledged(void **state)
{
	static char block[1 << 16];
	struct error error = {.text = ""};
	struct deadline deadline = deadline_after(5000);
	uint64_t unacknowledged = 0;
	uint64_t window = OPEN;
	uint64_t written = 0;
	uint64_t read_back = 0;
	ssize_t length;
	int pair[2];

	(void)state;
	connect_pair(pair);
	while (unacknowledged == 0 || window >= SHUT) {
		assert_false(deadline_passed(deadline));
		length = send(pair[0], block, sizeof(block), MSG_DONTWAIT);
		if (length > 0)
			written += (uint64_t)length;
		assert_true(settle_ask(pair[0], &unacknowledged, &window, &error));
	}
	assert_true(unacknowledged < written);
	while (unacknowledged > 0 && !deadline_passed(deadline)) {
		length = recv(pair[1], block, sizeof(block), MSG_DONTWAIT);
		if (length > 0)
			read_back += (uint64_t)length;
		assert_true(settle_ask(pair[0], &unacknowledged, &window, &error));
	}
	assert_int_equal(unacknowledged, 0);
	assert_true(window >= SHUT);
	assert_true(read_back <= written);
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_byte_is_confirmed_settle_after_its_acknowledgement),
	    cmocka_unit_test(what_came_later_is_not_confirmed_with_what_came_before),
	    cmocka_unit_test(a_steady_stream_is_never_late_by_more_than_a_step),
	    cmocka_unit_test(what_a_slow_collector_may_not_have_read_is_held_back),
	    cmocka_unit_test(a_window_that_never_opens_again_does_not_hold_for_ever),
	    cmocka_unit_test(an_end_of_the_connection_is_seen),
	    cmocka_unit_test(a_collector_killed_with_unread_bytes_is_a_broken_connection),
	    cmocka_unit_test(what_the_peer_has_no_room_for_is_not_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
