#include "bridge/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/normalise.h"
#include "tests/unit/arena_fixture.h"

static void
read_event(const char *body, struct event *event)
{
	struct normalise *normalise;
	struct error error;

	assert_true(normalise_new(&normalise, "anyint", &error));
	*event = (struct event){.id = SLICE_LITERAL("msg_1"), .source = SLICE_LITERAL("acme")};
	if (!normalise_event(normalise, text_of(body), arena, event, &error))
		fail_msg("%s", error.text);
	normalise_free(normalise);
}

/* The first is the example of standards.md 14.1. */
static void
what_belongs_together_has_one_key(void **state)
{
	static const struct {
		const char *body, *key;
		enum incident_action action;
	} cases[] = {
	    {"{\"type\":\"usage.limit_reached\",\"organization\":{\"id\":\"org_1\"},"
	     "\"usage\":{\"metric\":\"requests\"}}",
	     "acme:org_1:usage:requests", INCIDENT_TRIGGER},
	    {"{\"type\":\"key.disabled\",\"api_key\":{\"id\":\"key_1\"}}", "acme::key:key_1",
	     INCIDENT_TRIGGER},
	    {"{\"type\":\"key.enabled\",\"api_key\":{\"id\":\"key_1\"}}", "acme::key:key_1",
	     INCIDENT_RESOLVE},
	    {"{\"type\":\"billing.overdue\",\"invoice\":{\"id\":\"in_1\"}}", "acme::billing:in_1",
	     INCIDENT_TRIGGER},
	    {"{\"type\":\"billing.paid\",\"invoice\":{\"id\":\"in_1\"}}", "acme::billing:in_1",
	     INCIDENT_RESOLVE},
	    {"{\"type\":\"security.alert\",\"alert\":{\"id\":\"a_1\"}}", "acme::security:a_1",
	     INCIDENT_TRIGGER},
	    {"{\"type\":\"security.alert\",\"alert\":{\"id\":\"a_1\",\"status\":\"resolved\"}}",
	     "acme::security:a_1", INCIDENT_RESOLVE},
	    {"{\"type\":\"security.alert\",\"alert\":{\"id\":\"a_1\",\"status\":\"acknowledged\"}}",
	     "acme::security:a_1", INCIDENT_TRIGGER},
	    /* nothing is known of what it is about: an incident of its own */
	    {"{\"type\":\"security.alert\"}", "acme::security:msg_1", INCIDENT_TRIGGER},
	    {"{\"type\":\"source.silent\",\"resource_id\":\"anyint\"}", "acme::source:anyint",
	     INCIDENT_TRIGGER},
	    {"{\"type\":\"source.heard_again\",\"resource_id\":\"anyint\"}", "acme::source:anyint",
	     INCIDENT_RESOLVE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct incident incident;
		struct event event;

		read_event(cases[i].body, &event);
		incident_of(&event, &incident);
		if (!text_slice_is(incident_key(&incident), cases[i].key) ||
		    incident.action != cases[i].action)
			fail_msg("%s: %.*s", cases[i].body, (int)incident.length, incident.key);
	}
}

static void
a_long_key_is_cut_and_keeps_what_tells_it_apart(void **state)
{
	char object[400];
	struct incident first, second;
	struct event event;

	(void)state;
	memset(object, 'x', sizeof(object));
	read_event("{\"type\":\"key.disabled\"}", &event);
	event.fields[FIELD_KEY_ID] = (struct slice){object, sizeof(object)};
	incident_of(&event, &first);
	object[399] = 'y';
	incident_of(&event, &second);
	assert_int_equal(first.length, 190 + 1 + 64);
	assert_int_equal(second.length, INCIDENT_KEY);
	assert_memory_equal(first.key, second.key, 191);
	assert_memory_not_equal(first.key, second.key, INCIDENT_KEY);
	assert_memory_equal(first.key, "acme::key:xxx", 13);
}

static void
a_key_of_255_is_whole(void **state)
{
	char object[INCIDENT_KEY];
	struct incident incident;
	struct event event;

	(void)state;
	memset(object, 'x', sizeof(object));
	read_event("{\"type\":\"key.disabled\"}", &event);
	event.fields[FIELD_KEY_ID] = (struct slice){object, INCIDENT_KEY - strlen("acme::key:")};
	incident_of(&event, &incident);
	assert_int_equal(incident.length, INCIDENT_KEY);
	assert_null(memchr(incident.key + strlen("acme::key:"), ':', 100));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_belongs_together_has_one_key),
	    cmocka_unit_test(a_long_key_is_cut_and_keeps_what_tells_it_apart),
	    cmocka_unit_test(a_key_of_255_is_whole),
	};

	return cmocka_run_group_tests(tests, make_arena, free_arena);
}
