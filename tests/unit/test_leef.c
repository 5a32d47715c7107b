#include "formats/leef.h"

#include "tests/unit/vector_event.h"

static const char *const expected_keys[] = {"vector", "format", "attribute", "length",
					    "line",   "syslog", NULL};

static struct arena *arena;

/* Of "key=value" in a record. */
static void
append_attribute(struct leef_line *line, struct slice attribute)
{
	char key[32];
	struct slice value = vector_event_pair(attribute, key);

	leef_append(line, key, value);
}

static void
write_pieces(const struct vector *vector, const struct event *event,
	     const struct format_options *options, struct text *text)
{
	struct leef_line line;

	leef_start(&line, text,
		   text_slice_is(vector_get(vector, "format"), "leef") ? LEEF_1 : LEEF_2, options,
		   event->fields[FIELD_TYPE]);
	for (size_t i = 0; i < vector->count; i++)
		if (strcmp(vector->keys[i], "attribute") == 0)
			append_attribute(&line, vector->values[i]);
}

static void
check_record(const struct vector *vector)
{
	const struct format *format = format_find(vector_get(vector, "format"));
	struct slice expected = vector_get(vector, "line"), line;
	struct format_options options;
	struct event event;
	char bytes[4096];
	struct text text;

	vector_event_take(vector, expected_keys, arena, &event, &options);
	assert_non_null(format);
	text_start(&text, bytes, sizeof(bytes));
	if (vector_get(vector, "attribute").bytes != NULL) {
		write_pieces(vector, &event, &options, &text);
	} else if (expected.bytes != NULL) {
		format_write(format, &event, &options, &text);
	} else {
		expected = vector_get(vector, "syslog");
		format_write_syslog(format, &event, &options, &text);
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
	vectors_each("tests/vectors/leef.txt", check_record);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
