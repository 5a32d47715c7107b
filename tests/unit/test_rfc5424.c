#include "formats/rfc5424.h"

#include "tests/unit/vector_event.h"

static const char *const expected_keys[] = {"vector",    "length", "line",    "header",
					    "parameter", "sd-id",  "element", NULL};

static struct arena *arena;

/* Of "name=value" in a record. */
static void
write_parameter(struct text *text, struct slice parameter)
{
	char name[32];
	struct slice value = vector_event_pair(parameter, name);

	rfc5424_parameter(text, name, value);
}

static void
write_element(const struct vector *vector, struct text *text)
{
	rfc5424_open(text, vector_get(vector, "sd-id").bytes, 0);
	for (size_t i = 0; i < vector->count; i++)
		if (strcmp(vector->keys[i], "parameter") == 0)
			write_parameter(text, vector->values[i]);
	rfc5424_close(text);
}

static void
check_record(const struct vector *vector)
{
	struct slice expected = vector_get(vector, "line"), line;
	struct format_options options;
	struct event event;
	char bytes[4096];
	struct text text;

	vector_event_take(vector, expected_keys, arena, &event, &options);
	text_start(&text, bytes, sizeof(bytes));
	if (vector_get(vector, "sd-id").bytes != NULL) {
		write_element(vector, &text);
		expected = vector_get(vector, "element");
	} else if (vector_get(vector, "header").bytes != NULL) {
		rfc5424_header(&text, rfc5424_priority(&event, &options), event.occurred_at,
			       &options, event.fields[FIELD_TYPE]);
	} else {
		format_write(format_find(text_of("rfc5424")), &event, &options, &text);
	}
	line = text.overflowed ? text_of("(overflow)") : text_slice(&text);
	if (!text_slices_equal(line, expected))
		fail_msg("%.*s", (int)line.length, line.bytes);
	if (vector_get(vector, "length").bytes != NULL)
		assert_int_equal(text.length, vector_event_number(vector_get(vector, "length")));
}

static void
vectors_are_written(void **state)
{
	(void)state;
	arena = arena_new();
	vectors_each("tests/vectors/rfc5424.txt", check_record);
	arena_free(arena);
}

/* What every receiver of RFC 5424 does with it: quotes and brackets pair up. */
static bool
data_is_whole(struct slice data)
{
	bool element = false, quoted = false;

	for (size_t i = 0; i < data.length; i++) {
		char byte = data.bytes[i];

		if (quoted && byte == '\\')
			i++;
		else if (byte == '"')
			quoted = !quoted;
		else if (!quoted && (byte == '[' || byte == ']'))
			element = byte == '[';
	}
	return !quoted && !element;
}

static void
structured_data_is_whole_at_every_length(void **state)
{
	struct format_options options;
	struct event event;
	char bytes[4096];
	struct text text;
	size_t whole;

	(void)state;
	vector_event_start(&event, &options);
	for (enum event_field field = 0; field < EVENT_FIELDS; field++)
		event.fields[field] = text_of("a\"]\\\n");
	event.name = text_of("\xC3\xA9\xC3\xA9");
	text_start(&text, bytes, sizeof(bytes));
	rfc5424_write(&event, &options, &text);
	assert_false(text.overflowed);
	whole = text.length;
	vector_event_overflows(rfc5424_write, &event, &options, whole);
	for (size_t maximum = 1; maximum <= whole + 8; maximum++) {
		options.maximum_length = maximum;
		text_start(&text, bytes, sizeof(bytes));
		format_write(format_find(text_of("rfc5424")), &event, &options, &text);
		assert_true(text.overflowed ||
			    (text.length <= maximum && data_is_whole(text_slice(&text))));
	}
	assert_int_equal(text.length, whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_are_written),
	    cmocka_unit_test(structured_data_is_whole_at_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
