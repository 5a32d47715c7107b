#include "formats/hec.h"

#include "formats/json_read.h"
#include "tests/unit/vector_event.h"

enum { LONGEST = 8192 };

static struct arena *arena;

/* True where the key was one of Splunk's own options. */
static bool
set_option(const char *key, struct slice value, struct event *event, struct format_options *options)
{
	struct {
		const char *key;
		struct slice *place;
	} places[] = {
	    {"hec host", &options->hec.host},
	    {"hec source", &options->hec.source},
	    {"hec sourcetype", &options->hec.sourcetype},
	    {"hec index", &options->hec.index},
	    {"source", &event->source},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strcmp(key, places[i].key) != 0)
			continue;
		*places[i].place = value;
		return true;
	}
	return false;
}

static void
assert_flat(const struct json_value *fields)
{
	struct json_member member;

	for (bool more = json_read_first(fields, &member); more; more = json_read_next(&member))
		assert_int_equal(json_read_kind(member.value), JSON_STRING);
}

/* Whatever the event: JSON that a strict reader takes, on one line, with flat fields. */
static void
assert_envelope(struct slice line)
{
	struct json_value *document;
	struct json_member member;
	struct error error;
	bool found = false;

	assert_null(memchr(line.bytes, '\n', line.length));
	if (!json_read(&document, line, &error))
		fail_msg("%s: %.*s", error.text, (int)line.length, line.bytes);
	for (bool more = json_read_first(document, &member); more; more = json_read_next(&member)) {
		if (!text_slice_is(member.name, "fields"))
			continue;
		assert_flat(member.value);
		found = true;
	}
	assert_true(found);
	json_read_free(document);
}

static void
check_record(const struct vector *vector)
{
	struct format_options options;
	char bytes[LONGEST];
	struct event event;
	struct text text;

	vector_event_start(&event, &options);
	options.hostname = text_of("gw1.example.com");
	event.id = text_of("msg_0");
	for (size_t i = 0; i < vector->count; i++) {
		const char *key = vector->keys[i];

		if (strcmp(key, "vector") != 0 && strcmp(key, "has") != 0 &&
		    strcmp(key, "not") != 0 &&
		    !set_option(key, vector->values[i], &event, &options))
			assert_true(
			    vector_event_set(key, vector->values[i], arena, &event, &options));
	}
	text_start(&text, bytes, sizeof(bytes));
	hec_write(&event, &options, &text);
	assert_false(text.overflowed);
	assert_envelope(text_slice(&text));
	for (size_t i = 0; i < vector->count; i++) {
		bool has = memmem(text.bytes, text.length, vector->values[i].bytes,
				  vector->values[i].length) != NULL;

		if ((strcmp(vector->keys[i], "has") == 0 && !has) ||
		    (strcmp(vector->keys[i], "not") == 0 && has))
			fail_msg("%s %s: %.*s", vector->keys[i], vector->values[i].bytes,
				 (int)text.length, text.bytes);
	}
}

static void
envelopes_are_as_in_the_vectors(void **state)
{
	(void)state;
	arena = arena_new();
	vectors_each("tests/vectors/hec.txt", check_record);
	arena_free(arena);
}

/* H2: a batch is one behind the other, with no comma and no brackets. */
static void
two_envelopes_stand_side_by_side(void **state)
{
	struct format_options options;
	char bytes[LONGEST];
	struct event event;
	struct text text;

	(void)state;
	vector_event_start(&event, &options);
	event.occurred_at = 1790856000000;
	event.id = text_of("msg_0");
	text_start(&text, bytes, sizeof(bytes));
	hec_write(&event, &options, &text);
	hec_write(&event, &options, &text);
	assert_non_null(memmem(bytes, text.length, "}}{\"time\":", 10));
}

static void
what_does_not_fit_overflows(void **state)
{
	struct format_options options;
	struct event event;
	char bytes[64];
	struct text text;

	(void)state;
	vector_event_start(&event, &options);
	text_start(&text, bytes, sizeof(bytes));
	hec_write(&event, &options, &text);
	assert_true(text.overflowed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(envelopes_are_as_in_the_vectors),
	    cmocka_unit_test(two_envelopes_stand_side_by_side),
	    cmocka_unit_test(what_does_not_fit_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
