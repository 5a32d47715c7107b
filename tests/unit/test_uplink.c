#include "bridge/forwarder/uplink.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/deadline.h"
#include "bridge/wake.h"

enum { PLACES = 3, SHORTLY = 20 /* milliseconds */ };

/* Some ports of loopback, each listening or not, and a destination that has them all. */
struct fixture {
	int listeners[PLACES]; /* -1: refuses */
	uint16_t ports[PLACES];
	char addresses[PLACES][32];
	char *list[PLACES];
	struct config_syslog syslog;
	struct config_destination configuration;
	struct connect_patience patience;
	atomic_bool stopping;
	struct uplink uplink;
};

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* Bound at least, so that nobody else gets the port. */
static void
place_open(struct fixture *fixture, size_t i, bool accepts)
{
	const int on = 1;
	struct sockaddr_in address;
	socklen_t length = sizeof(address);

	if (fixture->listeners[i] >= 0)
		close(fixture->listeners[i]);
	address = loopback(fixture->ports[i]);
	fixture->listeners[i] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
	    setsockopt(fixture->listeners[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fixture->listeners[i], (struct sockaddr *)&address, length), 0);
	if (accepts)
		assert_int_equal(listen(fixture->listeners[i], 8), 0);
	assert_int_equal(getsockname(fixture->listeners[i], (struct sockaddr *)&address, &length),
			 0);
	fixture->ports[i] = ntohs(address.sin_port);
	snprintf(fixture->addresses[i], sizeof(fixture->addresses[i]), "127.0.0.1:%u",
		 fixture->ports[i]);
}

static int
set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	for (size_t i = 0; i < PLACES; i++) {
		fixture.listeners[i] = -1;
		fixture.list[i] = fixture.addresses[i];
		place_open(&fixture, i, false);
	}
	fixture.syslog.several.addresses = fixture.list;
	fixture.syslog.several.count = PLACES;
	fixture.syslog.several.failback = SHORTLY;
	fixture.syslog.several.rotate = SHORTLY;
	fixture.configuration.syslog = &fixture.syslog;
	fixture.patience.wake = -1;
	fixture.patience.stopping = &fixture.stopping;
	uplink_start(&fixture.uplink, &fixture.configuration);
	*state = &fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	uplink_close(&fixture->uplink);
	for (size_t i = 0; i < PLACES; i++)
		close(fixture->listeners[i]);
	return 0;
}

static void
assert_at(const struct fixture *fixture, size_t place)
{
	assert_non_null(fixture->uplink.connection);
	assert_string_equal(fixture->uplink.kind->peer(fixture->uplink.connection),
			    fixture->addresses[place]);
}

static void
open_at(struct fixture *fixture, size_t place)
{
	struct error error;

	if (!uplink_open(&fixture->uplink, &fixture->patience, &error))
		fail_msg("%s", error.text);
	assert_at(fixture, place);
}

/* Not before its time, and then for certain. */
static void
becomes_due(const struct fixture *fixture)
{
	struct deadline deadline = deadline_after(5000);

	while (!uplink_is_due(&fixture->uplink) && !deadline_passed(deadline))
		;
	assert_true(uplink_is_due(&fixture->uplink));
}

static void
the_first_address_that_accepts_is_taken(void **state)
{
	struct fixture *fixture = *state;

	place_open(fixture, 1, true);
	place_open(fixture, 2, true);
	open_at(fixture, 1);
}

static void
where_all_refuse_each_is_named(void **state)
{
	struct fixture *fixture = *state;
	struct error error;

	assert_false(uplink_open(&fixture->uplink, &fixture->patience, &error));
	assert_null(fixture->uplink.connection);
	for (size_t i = 0; i < PLACES; i++)
		assert_non_null(strstr(error.text, fixture->addresses[i]));
	assert_non_null(strstr(error.text, "refused; refused by"));
}

static void
on_the_primary_there_is_nowhere_to_go(void **state)
{
	struct fixture *fixture = *state;

	place_open(fixture, 0, true);
	place_open(fixture, 1, true);
	open_at(fixture, 0);
	assert_true(fixture->uplink.due == INT64_MAX);
}

static void
it_goes_back_once_the_primary_accepts_and_not_before(void **state)
{
	struct fixture *fixture = *state;

	place_open(fixture, 1, true);
	open_at(fixture, 1);
	becomes_due(fixture);
	assert_false(uplink_move(&fixture->uplink, &fixture->patience));
	assert_at(fixture, 1);
	place_open(fixture, 0, true);
	becomes_due(fixture);
	assert_true(uplink_move(&fixture->uplink, &fixture->patience));
	assert_at(fixture, 0);
	assert_false(uplink_is_due(&fixture->uplink));
}

static void
after_a_break_the_primary_is_the_first_to_be_asked(void **state)
{
	struct fixture *fixture = *state;

	place_open(fixture, 2, true);
	open_at(fixture, 2);
	place_open(fixture, 0, true);
	uplink_close(&fixture->uplink);
	open_at(fixture, 0);
}

static void
one_that_is_shunned_is_the_last_to_be_asked(void **state)
{
	struct fixture *fixture = *state;

	place_open(fixture, 0, true);
	place_open(fixture, 2, true);
	open_at(fixture, 0);
	uplink_shun(&fixture->uplink);
	assert_null(fixture->uplink.connection);
	open_at(fixture, 2);
	becomes_due(fixture);
	assert_true(uplink_move(&fixture->uplink, &fixture->patience));
	assert_at(fixture, 0);
	place_open(fixture, 2, false);
	uplink_shun(&fixture->uplink);
	open_at(fixture, 0);
	place_open(fixture, 2, true);
	uplink_close(&fixture->uplink);
	open_at(fixture, 0);
}

static void
in_round_robin_each_connection_goes_to_the_next_that_accepts(void **state)
{
	struct fixture *fixture = *state;

	fixture->syslog.several.balance = CONFIG_BALANCE_ROUND_ROBIN;
	place_open(fixture, 0, true);
	place_open(fixture, 2, true);
	open_at(fixture, 0);
	becomes_due(fixture);
	assert_true(uplink_move(&fixture->uplink, &fixture->patience));
	assert_at(fixture, 2);
	uplink_close(&fixture->uplink);
	open_at(fixture, 0);
	uplink_close(&fixture->uplink);
	open_at(fixture, 2);
}

static void
in_round_robin_the_only_one_that_accepts_is_not_left(void **state)
{
	struct fixture *fixture = *state;

	fixture->syslog.several.balance = CONFIG_BALANCE_ROUND_ROBIN;
	place_open(fixture, 1, true);
	open_at(fixture, 1);
	becomes_due(fixture);
	assert_false(uplink_move(&fixture->uplink, &fixture->patience));
	assert_at(fixture, 1);
}

static void
one_address_is_never_left(void **state)
{
	struct fixture *fixture = *state;

	fixture->syslog.several.balance = CONFIG_BALANCE_ROUND_ROBIN;
	fixture->syslog.several.count = 1;
	place_open(fixture, 0, true);
	open_at(fixture, 0);
	assert_true(fixture->uplink.due == INT64_MAX);
}

static void
an_address_may_be_ipv6(void **state)
{
	struct fixture *fixture = *state;
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET6, SOCK_STREAM, 0);
	char text[32];

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0) {
		print_message("this host has no IPv6\n");
		skip();
	}
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	snprintf(text, sizeof(text), "[::1]:%u", ntohs(address.sin6_port));
	fixture->syslog.several.count = 0;
	fixture->syslog.address = text;
	if (!uplink_open(&fixture->uplink, &fixture->patience, &(struct error){.text = ""}))
		fail_msg("no connection to %s", text);
	assert_string_equal(fixture->uplink.kind->peer(fixture->uplink.connection), text);
	close(listener);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(the_first_address_that_accepts_is_taken),
	    TEST(where_all_refuse_each_is_named),
	    TEST(on_the_primary_there_is_nowhere_to_go),
	    TEST(it_goes_back_once_the_primary_accepts_and_not_before),
	    TEST(after_a_break_the_primary_is_the_first_to_be_asked),
	    TEST(one_that_is_shunned_is_the_last_to_be_asked),
	    TEST(in_round_robin_each_connection_goes_to_the_next_that_accepts),
	    TEST(in_round_robin_the_only_one_that_accepts_is_not_left),
	    TEST(one_address_is_never_left),
	    TEST(an_address_may_be_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
