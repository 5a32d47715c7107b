#include "formats/normalise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/catalogue.h"
#include "tests/unit/arena_fixture.h"
#include "tests/unit/vectors.h"

static struct normalise *normalise;

static int
set_up(void **state)
{
	struct error error;

	(void)make_arena(state);
	return normalise_new(&normalise, "anyint", &error) ? 0 : -1;
}

static int
tear_down(void **state)
{
	normalise_free(normalise);
	return free_arena(state);
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

static bool
is_given(const char *key)
{
	return strcmp(key, "vector") == 0 || strcmp(key, "profile") == 0 ||
	       strcmp(key, "headers") == 0 || strcmp(key, "body") == 0;
}

/* Each record: its title, what came, then what must be found in it. */
static void
check_event(const struct vector *vector, const struct normalise *made)
{
	struct event event = {.received_at = 1, .headers = vector_get(vector, "headers")};
	struct error error;

	if (!normalise_event(made, vector_get(vector, "body"), arena, &event, &error))
		fail_msg("%s", error.text);
	for (size_t i = 0; i < vector->count; i++) {
		struct slice expected = vector->values[i], value;

		if (is_given(vector->keys[i]))
			continue;
		value = found(&event, vector->keys[i]);

		if (text_slice_is(expected, "(absent)"))
			expected = text_of(NULL);
		if (!text_slices_equal(value, expected))
			fail_msg("%s is '%.*s'", vector->keys[i], (int)value.length,
				 value.bytes != NULL ? value.bytes : "");
	}
}

static void
check_record(const struct vector *vector)
{
	check_event(vector, normalise);
}

static void
check_profile(const struct vector *vector)
{
	struct slice profile = vector_get(vector, "profile");
	struct normalise_settings settings = {.profile = profile.bytes};
	struct normalise *made;
	struct error error;

	if (text_slice_is(profile, "hec"))
		settings.default_type = "hec.event";
	if (!normalise_new_with(&made, &settings, &error))
		fail_msg("%s", error.text);
	check_event(vector, made);
	normalise_free(made);
}

static void
each_profile_reads_its_senders_bodies(void **state)
{
	(void)state;
	vectors_each("tests/vectors/profiles.txt", check_profile);
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
	assert_string_equal(error.text, "there is no profile 'acme'; there is: anyint, "
					"cloudevents, generic, github, hec");
}

/* ---- what the configuration adds ---- */

static const char own_body[] =
    "{\"kind\":\"deploy.finished\",\"who\":{\"a/b\":\"alice\",\"m~n\":\"bob\"},"
    "\"list\":[{\"id\":\"t0\"},{\"id\":\"t1\"}],\"actor\":{\"name\":\"the profile's\"},"
    "\"urgency\":\"Defcon 1\",\"organization_id\":\"org_9\"}";

static const char *const type_pointers[] = {"/nowhere", "/kind"};
static const char *const actor_pointers[] = {"/who/a~1b", "/who/m~0n"};
static const char *const target_pointers[] = {"/list/1/id"};
static const char *const severity_pointers[] = {"/urgency"};
static const struct mapping_own own_fields[] = {
    {FIELD_TYPE, type_pointers, 2},
    {FIELD_ACTOR_NAME, actor_pointers, 2},
    {FIELD_TARGET_ID, target_pointers, 1},
    {FIELD_SEVERITY_WORD, severity_pointers, 1},
};
static const struct normalise_constant own_constants[] = {{FIELD_ORGANIZATION_ID, "acme"}};
static const struct severity_word own_words[] = {{"DEFCON-1", SEVERITY_CRITICAL}};
static const struct alias own_aliases[] = {{"rollout.*", "deploy.finished"},
					   {"api_key.revoked", "api_key.revoked"},
					   {"api_key.created", "key.minted"}};
static const struct vocabulary_type own_types[] = {
    {.glob = "deploy.*",
     .name = "Deployment",
     .severity_of_body = true,
     .family = FAMILY_SECURITY,
     .has_family = true},
    {.glob = "key.*", .severity = SEVERITY_HIGH, .has_severity = true},
};
static const struct normalise_settings own_settings = {
    .fields = own_fields,
    .field_count = 4,
    .constants = own_constants,
    .constant_count = 1,
    .severity_words = own_words,
    .severity_word_count = 1,
    .aliases = own_aliases,
    .alias_count = 3,
    .types = own_types,
    .type_count = 2,
};

static void
own_pointers_come_before_the_profile_and_constants_before_all(void **state)
{
	static const struct {
		const char *field, *value;
	} expected[] = {
	    {"type", "deploy.finished"},    {"actor.name", "alice"}, {"target.id", "t1"},
	    {"organization.id", "acme"},    {"name", "Deployment"},  {"family", "security"},
	    {"severity of it", "critical"},
	};
	struct normalise *own;
	struct event event = {0};
	struct error error;

	(void)state;
	assert_true(normalise_new_with(&own, &own_settings, &error));
	if (!normalise_event(own, text_of(own_body), arena, &event, &error))
		fail_msg("%s", error.text);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (!text_slice_is(found(&event, expected[i].field), expected[i].value))
			fail_msg("%s is not %s", expected[i].field, expected[i].value);
	normalise_free(own);
}

static void
own_aliases_and_types_come_before_the_built_in_ones(void **state)
{
	static const struct {
		const char *from, *to, *name;
		enum severity severity;
	} cases[] = {
	    {"rollout.done", "deploy.finished", "Deployment", SEVERITY_INFO},
	    {"api_key.revoked", "api_key.revoked", "api_key.revoked", SEVERITY_INFO},
	    {"api_key.created", "key.minted", "key.minted", SEVERITY_HIGH},
	    {"key.disabled", "key.disabled", "API key disabled", SEVERITY_HIGH},
	    {"credits.low", "usage.alert", "Usage threshold crossed", SEVERITY_MEDIUM},
	};
	struct normalise *own;
	struct error error;

	(void)state;
	assert_true(normalise_new_with(&own, &own_settings, &error));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event event = {0};
		char body[128];

		(void)snprintf(body, sizeof(body), "{\"kind\":\"%s\"}", cases[i].from);
		assert_true(normalise_event(own, text_of(body), arena, &event, &error));
		assert_true(text_slice_is(event.fields[FIELD_TYPE], cases[i].to));
		assert_true(text_slice_is(event.name, cases[i].name));
		assert_int_equal(event.severity, cases[i].severity);
		assert_int_equal(event.fields[FIELD_ORIGINAL_TYPE].bytes != NULL,
				 strcmp(cases[i].from, cases[i].to) != 0);
		assert_true(
		    text_slice_is(normalise_type(own, text_of(cases[i].from)), cases[i].to));
	}
	normalise_free(own);
}

static void
a_default_type_stands_in_for_none_and_for_what_is_none(void **state)
{
	static const char *const bodies[] = {"{}", "{\"type\":\"User signed in\"}", "{\"type\":7}"};
	const struct normalise_settings settings = {.default_type = "app.event"};
	struct normalise *own;
	struct error error;

	(void)state;
	assert_true(normalise_new_with(&own, &settings, &error));
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct event event = {0};

		assert_true(normalise_read(own, text_of(bodies[i]), arena, &event, &error));
		assert_true(text_slice_is(event.fields[FIELD_TYPE], "app.event"));
	}
	normalise_free(own);
}

static void
pointers_are_checked(void **state)
{
	static const struct {
		const char *pointer;
		bool good;
	} cases[] = {{"/a", true},   {"/a/0/b~0~1c", true}, {"/a b", true},
		     {"", false},    {"/", false},          {"a", false},
		     {"/a/", false}, {"/a~", false},        {"/a~2", false}};
	static const char *many[4096];
	struct mapping_own own = {FIELD_TITLE, many, 4096};
	const struct normalise_settings settings = {.fields = &own, .field_count = 1};
	struct normalise *made;
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (mapping_check_pointer(cases[i].pointer, &error) != cases[i].good)
			fail_msg("%s", cases[i].pointer);
	for (size_t i = 0; i < 4096; i++)
		many[i] = "/the/same";
	assert_false(normalise_new_with(&made, &settings, &error));
	assert_string_equal(error.text, "too many JSON Pointers; leave some of them out");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_are_found_in_their_bodies),
	    cmocka_unit_test(each_profile_reads_its_senders_bodies),
	    cmocka_unit_test(own_pointers_come_before_the_profile_and_constants_before_all),
	    cmocka_unit_test(own_aliases_and_types_come_before_the_built_in_ones),
	    cmocka_unit_test(a_default_type_stands_in_for_none_and_for_what_is_none),
	    cmocka_unit_test(pointers_are_checked),
	    cmocka_unit_test(types_are_checked),
	    cmocka_unit_test(time_of_receipt_stands_in_for_an_unreadable_one),
	    cmocka_unit_test(unknown_profiles_are_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
