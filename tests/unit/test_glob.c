#include "formats/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
a_star_matches_any_run_and_all_else_matches_itself(void **state)
{
	static const struct {
		const char *pattern;
		const char *type;
		bool matches;
	} cases[] = {
	    {"*", "", true},
	    {"*", "key.created", true},
	    {"key.*", "key.created", true},
	    {"key.*", "key.a.b", true},
	    {"key.*", "key.", true},
	    {"key.*", "key", false},
	    {"key.*", "keys.created", false},
	    {"key.*", "xkey.created", false},
	    {"*.created", "key.created", true},
	    {"*.created", "key.created.twice", false},
	    {"security.*.failed", "security.login.failed", true},
	    {"security.*.failed", "security.a.failed.b.failed", true},
	    {"security.*.failed", "security.failed", false},
	    {"a*b*c", "aXbXbXc", true},
	    {"a*b*c", "aXcXb", false},
	    {"**", "anything", true},
	    {"key.created", "key.created", true},
	    {"key.created", "key.create", false},
	    {"key.create", "key.created", false},
	    {"key.creatd?", "key.created", false},
	    {"Key.created", "key.created", false},
	    {"", "", true},
	    {"", "a", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (glob_matches(cases[i].pattern, text_of(cases[i].type)) != cases[i].matches)
			fail_msg("pattern '%s', type '%s'", cases[i].pattern, cases[i].type);
}

static void
a_type_is_read_by_its_length_alone(void **state)
{
	(void)state;
	assert_true(glob_matches("key", (struct slice){"keys", 3}));
	assert_false(glob_matches("key", (struct slice){"key\0x", 5}));
	assert_true(glob_matches("*", (struct slice){NULL, 0}));
}

static void
a_bad_case_of_many_stars_ends(void **state)
{
	char type[1000];

	(void)state;
	memset(type, 'a', sizeof(type));
	assert_false(glob_matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", (struct slice){type, 1000}));
}

static void
one_of_many_is_enough_and_none_matches_nothing(void **state)
{
	char key[] = "key.*", member[] = "member.*";
	char *patterns[] = {key, member};

	(void)state;
	assert_true(glob_any(patterns, 2, text_of("member.joined")));
	assert_false(glob_any(patterns, 1, text_of("member.joined")));
	assert_false(glob_any(NULL, 0, text_of("member.joined")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_star_matches_any_run_and_all_else_matches_itself),
	    cmocka_unit_test(a_type_is_read_by_its_length_alone),
	    cmocka_unit_test(a_bad_case_of_many_stars_ends),
	    cmocka_unit_test(one_of_many_is_enough_and_none_matches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
