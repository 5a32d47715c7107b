#include "bridge/receiver/identify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct bench {
	struct normalise *normalise;
	struct arena *arena;
};

static int
set_up(void **state)
{
	static struct bench bench;
	struct error error;

	bench.arena = arena_new();
	*state = &bench;
	return normalise_new(&bench.normalise, "anyint", &error) ? 0 : -1;
}

static int
tear_down(void **state)
{
	struct bench *bench = *state;

	normalise_free(bench->normalise);
	arena_free(bench->arena);
	return 0;
}

static struct slice
id_of(struct bench *bench, const char *delivery_id, const char *body)
{
	struct spool_event event;
	struct error error;

	memset(&event, 0, sizeof(event));
	if (!identify_event(bench->normalise, text_of(delivery_id), text_of(body), bench->arena,
			    &event, &error))
		fail_msg("%s", error.text);
	return event.id;
}

static void
the_delivery_id_comes_first(void **state)
{
	assert_true(text_slice_is(
	    id_of(*state, "msg_1", "{\"type\":\"key.created\",\"id\":\"evt_1\"}"), "msg_1"));
}

static void
a_body_whose_id_is_its_resources_is_told_apart_by_type_and_time(void **state)
{
	static const char *const bodies[] = {
	    "{\"type\":\"key.created\",\"created_at\":\"2026-10-01T12:00:00Z\",\"id\":\"key_01\"}",
	    "{\"type\":\"key.disabled\",\"created_at\":\"2026-10-01T12:00:00Z\",\"id\":\"key_01\"}",
	    "{\"type\":\"key.disabled\",\"created_at\":\"2026-10-02T12:00:00Z\",\"id\":\"key_01\"}",
	    "{\"type\":\"key.disabled\",\"id\":\"key_01\",\"reason\":\"leaked\"}",
	    "{\"type\":\"key.disabled\",\"id\":\"key_01\",\"reason\":\"unused\"}",
	};
	enum { BODIES = sizeof(bodies) / sizeof(bodies[0]) };
	struct slice ids[BODIES];

	for (size_t i = 0; i < BODIES; i++) {
		ids[i] = id_of(*state, NULL, bodies[i]);
		assert_true(text_slices_equal(ids[i], id_of(*state, NULL, bodies[i])));
		for (size_t j = 0; j < i; j++)
			assert_false(text_slices_equal(ids[i], ids[j]));
	}
	assert_true(text_slice_is(ids[0], "key_01/key.created/2026-10-01T12:00:00Z"));
}

static void
a_body_without_id_is_its_hash(void **state)
{
	/* printf '{"type":"key.created"}' | sha256sum */
	assert_true(text_slice_is(
	    id_of(*state, NULL, "{\"type\":\"key.created\"}"),
	    "sha256:16ca5937311ccf4544d688b82b76450526a21eee90f8f99f23621fc100600481"));
}

static void
type_and_resource_are_read(void **state)
{
	struct bench *bench = *state;
	struct spool_event event;
	struct error error;

	memset(&event, 0, sizeof(event));
	assert_true(
	    identify_event(bench->normalise, text_of("msg_1"),
			   text_of("{\"type\":\"key.created\",\"data\":{\"id\":\"key_01\"}}"),
			   bench->arena, &event, &error));
	assert_true(text_slice_is(event.type, "key.created"));
	assert_true(text_slice_is(event.resource, "key_01"));
}

static void
what_is_no_event_is_told_so(void **state)
{
	static const char *const bodies[] = {"{\"type\":",        "", "[]", "{}", "{\"type\":7}",
					     "{\"type\":\"a b\"}"};
	struct bench *bench = *state;
	struct spool_event event;
	struct error error;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		error.text[0] = '\0';
		assert_false(identify_event(bench->normalise, text_of("msg_1"), text_of(bodies[i]),
					    bench->arena, &event, &error));
		assert_true(strlen(error.text) > 10);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_delivery_id_comes_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_body_whose_id_is_its_resources_is_told_apart_by_type_and_time, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_body_without_id_is_its_hash, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(type_and_resource_are_read, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_no_event_is_told_so, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
