#include "formats/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* One that leads to nothing known, or is there twice, or is a word of ours, is a mistake. */
static void
built_in_aliases_lead_into_the_catalogue(void **state)
{
	(void)state;
	for (size_t i = 0; aliases_at(i) != NULL; i++) {
		const struct alias *alias = aliases_at(i);

		if (catalogue_find(text_of(alias->to))->family == FAMILY_OTHER)
			fail_msg("%s leads to %s", alias->from, alias->to);
		if (catalogue_find(text_of(alias->from))->family != FAMILY_OTHER)
			fail_msg("%s is a type of ours", alias->from);
		for (size_t j = 0; j < i; j++)
			if (strcmp(aliases_at(j)->from, alias->from) == 0)
				fail_msg("%s is there twice", alias->from);
	}
}

static void
an_alias_is_exact_or_a_glob_and_the_first_counts(void **state)
{
	static const struct alias own[] = {
	    {"task.*", "job.any"}, {"task.done", "job.done"}, {"task.done", "job.other"}};
	static const struct {
		const char *from, *to;
	} cases[] = {
	    {"task.done", "job.done"},
	    {"task.failed", "job.any"},
	    {"task", "task"},
	    {"dependabot_alert.created", "security.dependabot_alert"},
	    {"API_KEY.REVOKED", "API_KEY.REVOKED"},
	    {"key.created", "key.created"},
	    {"", ""},
	};
	struct vocabulary *vocabulary = vocabulary_new(own, 3, NULL, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!text_slice_is(vocabulary_type(vocabulary, text_of(cases[i].from)),
				   cases[i].to))
			fail_msg("%s", cases[i].from);
	vocabulary_free(vocabulary);
}

static void
what_an_own_type_does_not_say_is_the_catalogues(void **state)
{
	static const struct vocabulary_type types[] = {
	    {.glob = "key.deleted", .name = "Key gone"},
	    {.glob = "key.*", .severity = SEVERITY_CRITICAL, .has_severity = true},
	    {.glob = "*", .family = FAMILY_USAGE, .has_family = true},
	};
	struct vocabulary *vocabulary = vocabulary_new(NULL, 0, types, 3);
	const struct catalogue_entry *entry;

	(void)state;
	entry = vocabulary_find(vocabulary, SLICE_LITERAL("key.deleted"));
	assert_string_equal(entry->name, "Key gone");
	assert_int_equal(entry->severity, SEVERITY_MEDIUM);
	assert_string_equal(entry->action, "deleted");
	entry = vocabulary_find(vocabulary, SLICE_LITERAL("key.created"));
	assert_string_equal(entry->name, "API key created");
	assert_int_equal(entry->severity, SEVERITY_CRITICAL);
	entry = vocabulary_find(vocabulary, SLICE_LITERAL("task.done"));
	assert_null(entry->name);
	assert_int_equal(entry->family, FAMILY_USAGE);
	vocabulary_free(vocabulary);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(built_in_aliases_lead_into_the_catalogue),
	    cmocka_unit_test(an_alias_is_exact_or_a_glob_and_the_first_counts),
	    cmocka_unit_test(what_an_own_type_does_not_say_is_the_catalogues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
