#include "formats/normalise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/catalogue.h"
#include "tests/unit/vectors.h"

static struct normalise *normalise;
static struct arena *arena;

static int
set_up(void **state)
{
	struct error error;

	(void)state;
	arena = arena_new();
	return normalise_new(&normalise, "anyint", &error) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	normalise_free(normalise);
	arena_free(arena);
	return 0;
}

static struct slice
found(const struct event *event, const char *name)
{
	for (enum event_field field = 0; field < EVENT_FIELDS; field++)
		if (strcmp(event_field_name(field), name) == 0)
			return event->fields[field];
	if (strcmp(name, "severity of it") == 0)
		return text_of(severity_row(event->severity)->name);
	if (strcmp(name, "family") == 0)
		return event->family;
	if (strcmp(name, "name") == 0)
		return event->name;
	if (strcmp(name, "does") == 0)
		return event->action;
	if (strcmp(name, "result") == 0)
		return event->outcome;
	fail_msg("no such field: %s", name);
	return text_of(NULL);
}

/* Each record: its title, a body, then what must be found in it. */
static void
check_record(const struct vector *vector)
{
	struct event event = {.received_at = 1};
	struct error error;

	if (!normalise_event(normalise, vector_get(vector, "body"), arena, &event, &error))
		fail_msg("%s", error.text);
	for (size_t i = 2; i < vector->count; i++) {
		struct slice expected = vector->values[i];
		struct slice value = found(&event, vector->keys[i]);

		if (text_slice_is(expected, "(absent)"))
			expected = text_of(NULL);
		if (!text_slices_equal(value, expected))
			fail_msg("%s is '%.*s'", vector->keys[i], (int)value.length,
				 value.bytes != NULL ? value.bytes : "");
	}
}

static void
vectors_are_found_in_their_bodies(void **state)
{
	(void)state;
	vectors_each("tests/vectors/normalise.txt", check_record);
}

static void
types_are_checked(void **state)
{
	static const struct {
		const char *body;
		bool good;
	} cases[] = {
	    {"{\"type\":\"key.created\"}", true},
	    {"{\"event\":\"a_B-9.c\"}", true},
	    {"{}", false},
	    {"{\"type\":\"\"}", false},
	    {"{\"type\":1}", false},
	    {"{\"type\":true}", false},
	    {"{\"type\":null}", false},
	    {"{\"type\":\"key created\"}", false},
	    {"{\"type\":\"key\\u0000created\"}", false},
	    {"{\"type\":\"schl\xC3\xBCssel\"}", false},
	    {"{\"type\":\"a\",\"type\":\"a\"}", false},
	    {"[{\"type\":\"a\"}]", false},
	};
	char longest[256] = "{\"type\":\"";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event event = {0};
		struct error error = {.text = ""};

		if (normalise_read(normalise, text_of(cases[i].body), arena, &event, &error) !=
		    cases[i].good)
			fail_msg("%s: %s", cases[i].body, error.text);
		assert_int_equal(error.text[0] == '\0', cases[i].good);
	}
	for (size_t length = 127; length <= 128; length++) {
		struct event event = {0};
		struct error error;

		memset(longest + 9, 'x', length);
		memcpy(longest + 9 + length, "\"}", 3);
		assert_int_equal(normalise_read(normalise, text_of(longest), arena, &event, &error),
				 length == 127);
	}
}

static void
time_of_receipt_stands_in_for_an_unreadable_one(void **state)
{
	struct event event = {.received_at = 77};
	struct error error;

	(void)state;
	assert_true(normalise_read(normalise, text_of("{\"type\":\"a\",\"timestamp\":\"soon\"}"),
				   arena, &event, &error));
	assert_int_equal(event.occurred_at, 77);
	assert_true(normalise_read(normalise, text_of("{\"type\":\"a\",\"created\":1790856000}"),
				   arena, &event, &error));
	assert_int_equal(event.occurred_at, 1790856000000);
	assert_int_equal(event.received_at, 77);
}

static void
unknown_profiles_are_named(void **state)
{
	struct normalise *none;
	struct error error;

	(void)state;
	assert_false(normalise_new(&none, "acme", &error));
	assert_string_equal(error.text, "there is no profile 'acme'; there is: anyint");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_are_found_in_their_bodies),
	    cmocka_unit_test(types_are_checked),
	    cmocka_unit_test(time_of_receipt_stands_in_for_an_unreadable_one),
	    cmocka_unit_test(unknown_profiles_are_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
