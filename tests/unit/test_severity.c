#include "formats/severity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
words_and_numbers_are_known(void **state)
{
	static const struct {
		const char *word;
		enum severity severity;
	} cases[] = {
	    {"critical", SEVERITY_CRITICAL},
	    {"CRITICAL", SEVERITY_CRITICAL},
	    {"P1", SEVERITY_CRITICAL},
	    {"p-1", SEVERITY_CRITICAL},
	    {"Sev 1", SEVERITY_CRITICAL},
	    {"very_high", SEVERITY_CRITICAL},
	    {"10", SEVERITY_CRITICAL},
	    {"9", SEVERITY_CRITICAL},
	    {"9.8", SEVERITY_CRITICAL},
	    {"high", SEVERITY_HIGH},
	    {"sev2", SEVERITY_HIGH},
	    {"error", SEVERITY_HIGH},
	    {"7", SEVERITY_HIGH},
	    {"8", SEVERITY_HIGH},
	    {"warning", SEVERITY_MEDIUM},
	    {"6", SEVERITY_MEDIUM},
	    {"4.0", SEVERITY_MEDIUM},
	    {"low", SEVERITY_LOW},
	    {"3", SEVERITY_LOW},
	    {"notice", SEVERITY_LOW},
	    {"info", SEVERITY_INFO},
	    {"0", SEVERITY_INFO},
	    {"1", SEVERITY_INFO},
	    {"informational", SEVERITY_INFO},
	    {"SEVERITY_HIGH", SEVERITY_HIGH},
	    {"Severity: moderate", SEVERITY_MEDIUM},
	    {"severity1", SEVERITY_CRITICAL},
	    {"S3", SEVERITY_MEDIUM},
	    {"sev-5", SEVERITY_INFO},
	    {"75", SEVERITY_HIGH},
	    {"100", SEVERITY_CRITICAL},
	    {"11", SEVERITY_INFO},
	    {"ELEVATED", SEVERITY_MEDIUM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum severity severity =
		    cases[i].severity == SEVERITY_LOW ? SEVERITY_HIGH : SEVERITY_LOW;

		if (!severity_parse(text_of(cases[i].word), &severity) ||
		    severity != cases[i].severity)
			fail_msg("%s: %s", cases[i].word, severity_row(severity)->name);
	}
}

static void
what_means_nothing_changes_nothing(void **state)
{
	static const char *const words[] = {
	    "",    "spicy", "101",   "-1",    "7.",
	    ".5",  "1e1",   "1.2.3", "high!", "criticalcriticalcritical",
	    "- _", NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		enum severity severity = SEVERITY_MEDIUM;

		if (severity_parse(text_of(words[i]), &severity))
			fail_msg("%s", words[i]);
		assert_int_equal(severity, SEVERITY_MEDIUM);
	}
}

static void
own_words_come_first(void **state)
{
	static const struct severity_word own[] = {{"P1", SEVERITY_LOW}, {"1", SEVERITY_CRITICAL}};
	enum severity severity = SEVERITY_INFO;

	(void)state;
	assert_true(severity_parse_with(own, 2, SLICE_LITERAL("p-1"), &severity));
	assert_int_equal(severity, SEVERITY_LOW);
	assert_true(severity_parse_with(own, 2, SLICE_LITERAL("1"), &severity));
	assert_int_equal(severity, SEVERITY_CRITICAL);
	assert_true(severity_parse_with(own, 2, SLICE_LITERAL("P2"), &severity));
	assert_int_equal(severity, SEVERITY_HIGH);
	assert_false(severity_parse_with(own, 2, SLICE_LITERAL("spicy"), &severity));
}

static void
a_step_up_ends_at_critical(void **state)
{
	(void)state;
	assert_int_equal(severity_raise(SEVERITY_LOW), SEVERITY_MEDIUM);
	assert_int_equal(severity_raise(SEVERITY_CRITICAL), SEVERITY_CRITICAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_and_numbers_are_known),
	    cmocka_unit_test(what_means_nothing_changes_nothing),
	    cmocka_unit_test(own_words_come_first),
	    cmocka_unit_test(a_step_up_ends_at_critical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
