#include "formats/mask.h"

#include <time.h>

#include "formats/event.h"
#include "formats/format.h"
#include "formats/normalise.h"
#include "tests/unit/arena_fixture.h"
#include "tests/unit/vectors.h"

static void
compare(const struct vector *vector, size_t i, struct slice masked, struct slice expected)
{
	if (!text_slices_equal(masked, expected))
		fail_msg("%s became %.*s", vector->values[i].bytes, (int)masked.length,
			 masked.bytes);
}

static void
check_record(const struct vector *vector)
{
	for (size_t i = 1; i < vector->count; i++) {
		struct slice value = vector->values[i];

		if (strcmp(vector->keys[i], "same") == 0)
			compare(vector, i, mask_text(value, NULL, arena), value);
		else if (strcmp(vector->keys[i], "from") == 0)
			compare(vector, i, mask_text(value, NULL, arena), vector->values[i + 1]);
		else if (strcmp(vector->keys[i], "key") == 0)
			compare(vector, i, mask_key(value, NULL, arena), vector->values[i + 1]);
	}
}

static void
vectors_are_masked(void **state)
{
	(void)state;
	vectors_each("tests/vectors/mask.txt", check_record);
}

/* Every string of a body in turn is a key: none of it may be in any format. */
static void
no_field_lets_a_key_through(void **state)
{
	static const char secret[] = "sk-abcdefghij0123456789";
	struct format_options options;
	struct event event = {0};
	struct error error;
	char line[16384];
	struct text text;
	struct normalise *normalise;

	(void)state;
	format_default_options(&options);
	assert_true(normalise_new(&normalise, "anyint", &error));
	for (enum event_field field = 0; field < EVENT_FIELDS; field++) {
		assert_true(normalise_read(normalise, text_of("{\"type\":\"security.x\"}"), arena,
					   &event, &error));
		event.fields[field] = text_of(secret);
		normalise_finish(normalise, &event, arena);
		for (size_t i = 0; format_at(i) != NULL; i++) {
			text_start(&text, line, sizeof(line));
			format_at(i)->write(&event, &options, &text);
			assert_false(text.overflowed);
			assert_null(memmem(line, text.length, secret, 10));
		}
	}
	normalise_free(normalise);
}

/* Each of these begins everywhere and is nothing anywhere: no look at all the rest for each. */
static void
what_is_nothing_costs_little(void **state)
{
	static const char *const pieces[] = {"eyJ-", "key=", "-----BEGIN ", "=", "sk-", "token: "};
	enum { LENGTH = 256 * 1024 };
	char *bytes = malloc(LENGTH);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct text text;
		clock_t start = clock();

		text_start(&text, bytes, LENGTH);
		while (!text.overflowed)
			text_append_string(&text, pieces[i]);
		(void)mask_text(text_slice(&text), NULL, arena);
		assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
	}
	free(bytes);
}

/* What an own gateway calls its keys, beside all that is known anyway. */
static void
own_prefixes_and_names_are_masked_too(void **state)
{
	char prefixes[][8] = {"acme_", "key-v2-"}, names[][8] = {"passwd", "pin"};
	char *prefix_list[] = {prefixes[0], prefixes[1]}, *name_list[] = {names[0], names[1]};
	const struct mask_settings settings = {
	    .prefixes = prefix_list, .prefix_count = 2, .names = name_list, .name_count = 2};
	static const char *const rows[][2] = {
	    {"acme_0123456789abcdefX7Qf", "acme_\xE2\x80\xA6X7Qf"},
	    {"see acme_0123456789abcdefX7Qf, key-v2-0123456789ABCDEF_x",
	     "see acme_\xE2\x80\xA6X7Qf, key-v2-\xE2\x80\xA6"
	     "EF_x"},
	    {"acme_0123456789abcde", "acme_0123456789abcde"}, /* too short */
	    {"macme_0123456789abcdefX7Qf", "macme_0123456789abcdefX7Qf"},
	    {"PASSWD=aB3dE5gH7jK9mN1pQ3sT", "PASSWD=\xE2\x80\xA6Q3sT"},
	    {"the pin: 'aB3dE5gH7jK9mN1pQ3sT'", "the pin: '\xE2\x80\xA6Q3sT'"},
	    {"sk-abcdefghij0123456789", "sk-\xE2\x80\xA6"
					"6789"},
	    {"token=aB3dE5gH7jK9mN1pQ3sT", "token=\xE2\x80\xA6Q3sT"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice masked = mask_text(text_of(rows[i][0]), &settings, arena);

		if (!text_slice_is(masked, rows[i][1]))
			fail_msg("%s became %.*s", rows[i][0], (int)masked.length, masked.bytes);
	}
}

static void
off_means_that_nothing_is_masked(void **state)
{
	const struct mask_settings off = {.off = true};
	const struct normalise_settings settings = {.mask = &off};
	struct event event = {0};
	struct normalise *normalise;
	struct error error;

	(void)state;
	assert_true(normalise_new_with(&normalise, &settings, &error));
	assert_true(normalise_event(
	    normalise, text_of("{\"type\":\"x\",\"reason\":\"sk-abcdefghij0123456789\"}"), arena,
	    &event, &error));
	assert_true(text_slice_is(event.fields[FIELD_REASON], "sk-abcdefghij0123456789"));
	normalise_free(normalise);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_are_masked),
	    cmocka_unit_test(what_is_nothing_costs_little),
	    cmocka_unit_test(own_prefixes_and_names_are_masked_too),
	    cmocka_unit_test(off_means_that_nothing_is_masked),
	    cmocka_unit_test(no_field_lets_a_key_through),
	};

	return cmocka_run_group_tests(tests, make_arena, free_arena);
}
