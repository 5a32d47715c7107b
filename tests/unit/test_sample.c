/*
 * Each sample, in each format, is as its golden file says.  GOLDEN=write in the
 * environment writes them anew; look at the difference before it is committed.
 */
#include "formats/sample.h"

#include "formats/format.h"
#include "formats/normalise.h"
#include "formats/utf8.h"
#include "tests/unit/arena_fixture.h"
#include "tests/unit/vectors.h"

enum { LINE = 4096 };

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

static void
write_body(const char *type, struct text *text)
{
	sample_write(text_of(type), text_of("evt_01"), 1790856000000, text);
	assert_false(text->overflowed);
}

static void
read_event(struct text *body, struct event *event)
{
	struct error error = {.text = ""};

	*event = (struct event){.id = SLICE_LITERAL("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W")};
	if (!normalise_event(normalise, text_slice(body), arena, event, &error))
		fail_msg("%.*s: %s", (int)body->length, body->bytes, error.text);
}

static void
compare_with_file(const char *path, struct slice line)
{
	bool write = getenv("GOLDEN") != NULL && strcmp(getenv("GOLDEN"), "write") == 0;
	FILE *file = fopen(path, write ? "w" : "r");
	char golden[LINE] = "";

	if (file == NULL)
		fail_msg("%s cannot be opened", path);
	if (write) {
		assert_int_equal(fwrite(line.bytes, 1, line.length, file), line.length);
		assert_int_equal(fwrite("\n", 1, 1, file), 1);
	} else {
		assert_non_null(fgets(golden, sizeof(golden), file));
		golden[strcspn(golden, "\n")] = '\0';
		if (!text_slice_is(line, golden))
			fail_msg("%s:\n%.*s", path, (int)line.length, line.bytes);
	}
	assert_int_equal(fclose(file), 0);
}

static void
samples_are_as_their_golden_files(void **state)
{
	struct format_options options;
	char bytes[LINE], line[LINE], path[256];
	struct text body, text;
	struct event event;

	(void)state;
	format_default_options(&options);
	options.hostname = text_of("gw1.example.com");
	for (size_t i = 0; sample_type(i) != NULL; i++) {
		text_start(&body, bytes, sizeof(bytes));
		write_body(sample_type(i), &body);
		read_event(&body, &event);
		for (size_t j = 0; format_at(j) != NULL; j++) {
			text_start(&text, line, sizeof(line));
			format_at(j)->write(&event, &options, &text);
			assert_false(text.overflowed);
			snprintf(path, sizeof(path), "tests/vectors/golden/%s.%s", sample_type(i),
				 format_at(j)->name);
			compare_with_file(path, text_slice(&text));
		}
	}
}

static void
there_are_twelve_of_the_usual_size(void **state)
{
	char bytes[LINE];
	struct text body;
	size_t count = 0;

	(void)state;
	for (; sample_type(count) != NULL; count++) {
		text_start(&body, bytes, sizeof(bytes));
		write_body(sample_type(count), &body);
		if (body.length < 250 || body.length > 450)
			fail_msg("%s: %zu bytes", sample_type(count), body.length);
	}
	assert_int_equal(count, 12);
}

static void
any_type_has_a_sample(void **state)
{
	char bytes[LINE];
	struct text body;
	struct event event;

	(void)state;
	text_start(&body, bytes, sizeof(bytes));
	write_body("deploy.finished", &body);
	read_event(&body, &event);
	assert_true(text_slice_is(event.fields[FIELD_TYPE], "deploy.finished"));
	assert_true(text_slice_is(event.fields[FIELD_BODY_ID], "evt_01"));
	assert_int_equal(event.occurred_at, 1790856000000);
}

/* What a format writes is one line, whatever a body holds. */
static void
check_line(struct slice body, const struct format *format, const struct format_options *options)
{
	struct event event = {0};
	struct error error;
	char line[LINE * 4];
	struct text text;

	if (!normalise_event(normalise, body, arena, &event, &error))
		return;
	text_start(&text, line, sizeof(line));
	format_write_syslog(format, &event, options, &text);
	assert_false(text.overflowed);
	assert_true(utf8_valid(text_slice(&text)));
	assert_null(memchr(line, '\n', text.length));
}

/* The formats take turns. */
static const struct format *
next_format(void)
{
	static size_t next;
	const struct format *format = format_at(next++);

	if (format != NULL)
		return format;
	next = 1;
	return format_at(0);
}

static void
a_changed_byte_does_no_harm(void **state)
{
	static const char changes[] = {'"', '\\', '\0', '\n', '{', ']', ',', '9', '\x80', '\xE2'};
	struct format_options options;
	char bytes[LINE];
	struct text body;

	(void)state;
	format_default_options(&options);
	for (size_t i = 0; sample_type(i) != NULL; i++) {
		text_start(&body, bytes, sizeof(bytes));
		write_body(sample_type(i), &body);
		for (size_t at = 0; at < body.length; at++) {
			char kept = bytes[at];

			for (size_t j = 0; j < sizeof(changes); j++) {
				bytes[at] = changes[j];
				check_line(text_slice(&body), next_format(), &options);
			}
			bytes[at] = kept;
			arena_clear(arena);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(samples_are_as_their_golden_files),
	    cmocka_unit_test(there_are_twelve_of_the_usual_size),
	    cmocka_unit_test(a_changed_byte_does_no_harm),
	    cmocka_unit_test(any_type_has_a_sample),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
