/* What a peer may take; the clock is real, so rates are tried by what comes at once. */
#include "bridge/receiver/limit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PATIENCE = 5000, THREADS = 4, ROUNDS = 20000 };

static struct sockaddr_storage
address_of(const char *text)
{
	struct sockaddr_storage address = {0};
	struct sockaddr_in *four = (void *)&address;
	struct sockaddr_in6 *six = (void *)&address;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		address.ss_family = AF_INET;
	} else {
		memset(&address, 0, sizeof(address));
		assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
		address.ss_family = AF_INET6;
	}
	return address;
}

static enum limit_verdict
enter(struct limit *limit, const char *text, struct limit_peer **peer, int64_t *wait)
{
	struct sockaddr_storage address = address_of(text);

	return limit_enter(limit, (struct sockaddr *)&address, PATIENCE, peer, wait);
}

static void
an_address_has_its_connections_and_no_more(void **state)
{
	const struct limit_settings settings = {.connections = 10, .connections_per_address = 3};
	struct limit *limit = limit_new(&settings, 1);
	struct limit_peer *peers[3], *other, *none = NULL;
	int64_t wait = -1;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(enter(limit, "192.0.2.1", &peers[i], &wait), LIMIT_ADMITTED);
		assert_int_equal(wait, 0);
	}
	assert_int_equal(enter(limit, "192.0.2.1", &none, &wait), LIMIT_REFUSED);
	assert_null(none);
	/* the same in another notation is the same; another is another */
	assert_int_equal(enter(limit, "::ffff:192.0.2.1", &none, &wait), LIMIT_REFUSED);
	assert_int_equal(enter(limit, "192.0.2.2", &other, &wait), LIMIT_ADMITTED);
	limit_leave(limit, peers[0]);
	assert_int_equal(enter(limit, "192.0.2.1", &peers[0], &wait), LIMIT_ADMITTED);
	for (int i = 0; i < 3; i++)
		limit_leave(limit, peers[i]);
	limit_leave(limit, other);
	limit_free(limit);
}

static void
a_subnet_of_ipv6_is_one_address(void **state)
{
	const struct limit_settings settings = {.connections = 10, .connections_per_address = 1};
	struct limit *limit = limit_new(&settings, 1);
	struct limit_peer *first, *second;
	int64_t wait;

	(void)state;
	assert_int_equal(enter(limit, "2001:db8:0:1::1", &first, &wait), LIMIT_ADMITTED);
	assert_int_equal(enter(limit, "2001:db8:0:1:ffff::9", &second, &wait), LIMIT_REFUSED);
	assert_int_equal(enter(limit, "2001:db8:0:2::1", &second, &wait), LIMIT_ADMITTED);
	limit_leave(limit, first);
	limit_leave(limit, second);
	limit_free(limit);
}

static void
a_full_house_is_told(void **state)
{
	const struct limit_settings settings = {.connections = 2};
	struct limit *limit = limit_new(&settings, 1);
	struct limit_peer *peers[3];
	int64_t wait;

	(void)state;
	assert_int_equal(enter(limit, "192.0.2.1", &peers[0], &wait), LIMIT_ADMITTED);
	assert_int_equal(enter(limit, "192.0.2.2", &peers[1], &wait), LIMIT_ADMITTED);
	assert_int_equal(enter(limit, "192.0.2.3", &peers[2], &wait), LIMIT_FULL);
	limit_leave(limit, peers[0]);
	limit_leave(limit, peers[1]);
	assert_int_equal(enter(limit, "192.0.2.3", &peers[0], &wait), LIMIT_ADMITTED);
	limit_leave(limit, peers[0]);
	limit_leave(limit, peers[2]);
	limit_free(limit);
}

static void
handshakes_wait_for_their_turn_and_not_for_ever(void **state)
{
	const struct limit_settings settings = {.connections = 1000, .handshake_rate = 10};
	struct limit *limit = limit_new(&settings, 1);
	struct limit_peer *peer;
	int64_t wait;

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(enter(limit, "192.0.2.1", &peer, &wait), LIMIT_ADMITTED);
		assert_int_equal(wait, 0);
		limit_leave(limit, peer);
	}
	/* 10 a second: the next fifty wait up to the patience of five seconds */
	for (int i = 0; i < 49; i++) {
		assert_int_equal(enter(limit, "192.0.2.1", &peer, &wait), LIMIT_ADMITTED);
		assert_in_range(wait, 1, PATIENCE);
		limit_leave(limit, peer);
	}
	for (int i = 0; i < 50; i++)
		if (enter(limit, "192.0.2.1", &peer, &wait) == LIMIT_ADMITTED)
			limit_leave(limit, peer);
	assert_int_equal(enter(limit, "192.0.2.1", &peer, &wait), LIMIT_REFUSED);
	/* nobody else waits for it */
	assert_int_equal(enter(limit, "192.0.2.2", &peer, &wait), LIMIT_ADMITTED);
	assert_int_equal(wait, 0);
	limit_leave(limit, peer);
	limit_free(limit);
}

static void
requests_refusals_and_sources_have_a_rate_each(void **state)
{
	const struct limit_settings settings = {
	    .connections = 10, .request_rate = 3, .refusal_rate = 2};
	struct limit *limit = limit_new(&settings, 2);
	struct limit_peer *peer;
	int64_t wait;

	(void)state;
	assert_int_equal(enter(limit, "192.0.2.1", &peer, &wait), LIMIT_ADMITTED);
	for (int i = 0; i < 3; i++)
		assert_true(limit_request(limit, peer));
	assert_false(limit_request(limit, peer));
	for (int i = 0; i < 2; i++)
		assert_true(limit_refusal(limit, peer));
	assert_false(limit_refusal(limit, peer));
	for (int i = 0; i < 5; i++)
		assert_true(limit_source(limit, 0, 5));
	assert_false(limit_source(limit, 0, 5));
	assert_true(limit_source(limit, 1, 5));
	for (int i = 0; i < 100; i++)
		assert_true(limit_source(limit, 0, 0));
	limit_leave(limit, peer);
	/* one that reconnects is the same */
	assert_int_equal(enter(limit, "192.0.2.1", &peer, &wait), LIMIT_ADMITTED);
	assert_false(limit_refusal(limit, peer));
	limit_leave(limit, peer);
	limit_free(limit);
}

static void
memory_is_one_sum(void **state)
{
	const struct limit_settings settings = {.memory = 1000};
	struct limit *limit = limit_new(&settings, 1);

	(void)state;
	assert_true(limit_take(limit, 600));
	assert_false(limit_take(limit, 401));
	assert_true(limit_take(limit, 400));
	assert_false(limit_take(limit, 1));
	limit_release(limit, 1000);
	assert_false(limit_take(limit, UINT64_MAX));
	assert_true(limit_take(limit, 1000));
	limit_free(limit);
}

/* Comes and goes under many addresses, takes and gives memory. */
static void *
stay_briefly(void *context)
{
	struct limit *limit = context;

	for (int i = 0; i < ROUNDS; i++) {
		char text[32];
		struct limit_peer *peer;
		int64_t wait;

		(void)snprintf(text, sizeof(text), "10.%d.%d.1", i / 200 % 200, i % 200);
		assert_int_equal(enter(limit, text, &peer, &wait), LIMIT_ADMITTED);
		(void)limit_request(limit, peer);
		if (limit_take(limit, 10))
			limit_release(limit, 10);
		limit_leave(limit, peer);
	}
	return NULL;
}

static void
loops_share_it(void **state)
{
	const struct limit_settings settings = {
	    .connections = THREADS, .handshake_rate = 1000000, .request_rate = 1000, .memory = 100};
	struct limit *limit = limit_new(&settings, 1);
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, stay_briefly, limit), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(limit_take(limit, 100));
	limit_free(limit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_has_its_connections_and_no_more),
	    cmocka_unit_test(a_subnet_of_ipv6_is_one_address),
	    cmocka_unit_test(a_full_house_is_told),
	    cmocka_unit_test(handshakes_wait_for_their_turn_and_not_for_ever),
	    cmocka_unit_test(requests_refusals_and_sources_have_a_rate_each),
	    cmocka_unit_test(memory_is_one_sum),
	    cmocka_unit_test(loops_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
