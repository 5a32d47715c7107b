#include "formats/cef.h"

#include "tests/unit/vector_event.h"

static const char *const expected_keys[] = {"vector",      "length", "line", "syslog",
					    "syslog 3164", "cef 1",  NULL};

static struct arena *arena;

static void
compare(struct text *text, struct slice expected)
{
	struct slice line = text->overflowed ? text_of("(overflow)") : text_slice(text);

	if (!text_slices_equal(line, expected))
		fail_msg("%.*s", (int)line.length, line.bytes);
}

static void
check_syslog(const char *name, struct slice expected, const struct event *event,
	     const struct format_options *options)
{
	char bytes[4096];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	format_write_syslog(format_find(text_of(name)), event, options, &text);
	compare(&text, expected);
}

static void
check_record(const struct vector *vector)
{
	struct format_options options;
	struct event event;
	char bytes[4096];
	struct text text;

	vector_event_take(vector, expected_keys, arena, &event, &options);
	text_start(&text, bytes, sizeof(bytes));
	format_write(format_find(text_of("cef")), &event, &options, &text);
	compare(&text, vector_get(vector, "line"));
	if (vector_get(vector, "length").bytes != NULL)
		assert_int_equal(text.length, vector_event_number(vector_get(vector, "length")));
	if (vector_get(vector, "syslog").bytes != NULL)
		check_syslog("cef", vector_get(vector, "syslog"), &event, &options);
	if (vector_get(vector, "cef 1").bytes != NULL) {
		text_cut(&text, 0);
		cef_write_1(&event, &options, &text);
		compare(&text, vector_get(vector, "cef 1"));
	}
	if (vector_get(vector, "syslog 3164").bytes != NULL)
		check_syslog("cef-3164", vector_get(vector, "syslog 3164"), &event, &options);
}

static void
vectors_are_written(void **state)
{
	(void)state;
	arena = arena_new();
	vectors_each("tests/vectors/cef.txt", check_record);
	arena_free(arena);
}

static void
too_little_room_is_an_overflow_at_every_size(void **state)
{
	struct format_options options;
	struct event event;
	char bytes[4096];
	struct text text;
	size_t whole;

	(void)state;
	vector_event_start(&event, &options);
	for (enum event_field field = 0; field < EVENT_FIELDS; field++)
		event.fields[field] = text_of("a=\\\n|");
	text_start(&text, bytes, sizeof(bytes));
	cef_write(&event, &options, &text);
	assert_false(text.overflowed);
	whole = text.length;
	vector_event_overflows(cef_write, &event, &options, whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_are_written),
	    cmocka_unit_test(too_little_room_is_an_overflow_at_every_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
