/* The formats whose vectors need nothing but the table: JSON and RFC 3164. */
#include "formats/format.h"

#include "formats/json_scan.h"
#include "formats/shorten.h"
#include "formats/utf8.h"
#include "tests/unit/vector_event.h"

static const char *const expected_keys[] = {"vector", "format", "has", "lacks", "line", NULL};

static struct arena *arena;

static bool
contains(struct slice line, struct slice part)
{
	return memmem(line.bytes, line.length, part.bytes, part.length) != NULL;
}

static void
check_line(const struct vector *vector, struct slice line)
{
	struct slice whole = vector_get(vector, "line");

	if (whole.bytes != NULL && !text_slices_equal(line, whole))
		fail_msg("%.*s", (int)line.length, line.bytes);
	for (size_t i = 0; i < vector->count; i++) {
		bool has = strcmp(vector->keys[i], "has") == 0;

		if ((has || strcmp(vector->keys[i], "lacks") == 0) &&
		    contains(line, vector->values[i]) != has)
			fail_msg("%s %s: %.*s", vector->keys[i], vector->values[i].bytes,
				 (int)line.length, line.bytes);
	}
}

static void
check_record(const struct vector *vector)
{
	const struct format *format = format_find(vector_get(vector, "format"));
	struct format_options options;
	struct event event;
	char bytes[4096];
	struct text text;

	vector_event_take(vector, expected_keys, arena, &event, &options);
	assert_non_null(format);
	text_start(&text, bytes, sizeof(bytes));
	format_write(format, &event, &options, &text);
	assert_false(text.overflowed);
	check_line(vector, text_slice(&text));
}

static void
vectors_are_written(void **state)
{
	(void)state;
	arena = arena_new();
	vectors_each("tests/vectors/json_formats.txt", check_record);
	arena_free(arena);
}

static bool
is_json(const struct format *format)
{
	static const char *const names[] = {"ecs", "ocsf", "json", "hec"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], format->name) == 0)
			return true;
	return false;
}

/* An event of which everything is as long as it is awkward. */
static void
make_monster(struct event *event, struct slice value)
{
	for (enum event_field field = 0; field < EVENT_FIELDS; field++)
		if (field != FIELD_TYPE)
			event->fields[field] = value;
	event->name = value;
	event->id = text_of("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W");
}

static void
check_limit(const struct format *format, const struct event *event, struct format_options *options,
	    size_t maximum, char *bytes, size_t capacity)
{
	struct json_scan scan;
	struct error error;
	struct text text;

	options->maximum_length = maximum;
	text_start(&text, bytes, capacity);
	format_write(format, event, options, &text);
	if (text.overflowed)
		fail_msg("%s does not fit %zu bytes", format->name, maximum);
	assert_in_range(text.length, 1, maximum);
	assert_true(utf8_valid(text_slice(&text)));
	if (is_json(format) && !json_scan(text_slice(&text), &scan, &error))
		fail_msg("%s: %s", format->name, error.text);
	if (maximum < 8192 && !contains(text_slice(&text), text_of("runcated")))
		fail_msg("%s of %zu bytes: %.*s", format->name, maximum, (int)text.length, bytes);
}

/* No event can be so long that a collector would not hear of it: none is a dead letter. */
static void
every_event_fits_every_usual_limit(void **state)
{
	static const size_t limits[] = {1180, 2048, 4096, 8192, 65536};
	enum { LONG = 1 << 16 }; /* in each of the fields */
	static const char *const units[] = {
	    "a", "\\", "\"]|=^ ", "\xE2\x80\xAEx", "\xF0\x9F\x98\x80", "\x01x", "1"};
	char *value = malloc(LONG), *bytes = malloc(1 << 17);

	(void)state;
	assert_non_null(value);
	assert_non_null(bytes);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct format_options options;
		struct event event;
		struct text text;

		text_start(&text, value, LONG);
		while (!text.overflowed)
			text_append_string(&text, units[i]);
		text.overflowed = false;
		vector_event_start(&event, &options);
		make_monster(&event, text_slice(&text));
		for (size_t j = 0; format_at(j) != NULL; j++)
			for (size_t k = 0; k < sizeof(limits) / sizeof(limits[0]); k++)
				check_limit(format_at(j), &event, &options, limits[k], bytes,
					    1 << 17);
	}
	free(value);
	free(bytes);
}

static void
each_step_leaves_less(void **state)
{
	char value[2048];
	struct format_options options;
	struct event event, shorter;
	size_t before = SIZE_MAX;

	(void)state;
	memset(value, 'a', sizeof(value));
	vector_event_start(&event, &options);
	make_monster(&event, (struct slice){value, sizeof(value)});
	for (enum event_field field = 0; field < EVENT_FIELDS; field++)
		event.fields[field].length = field * 50 + 20;
	for (int step = 1; step <= SHORTEN_STEPS; step++) {
		size_t length = 0;

		shorten_event(&event, step, &shorter);
		assert_true(shorter.truncated);
		for (enum event_field field = 0; field < EVENT_FIELDS; field++)
			length += shorter.fields[field].length;
		assert_true(length < before);
		before = length;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_are_written),
	    cmocka_unit_test(every_event_fits_every_usual_limit),
	    cmocka_unit_test(each_step_leaves_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
