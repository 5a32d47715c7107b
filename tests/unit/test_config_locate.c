#include "bridge/config_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char file[] = "/tmp/test_config_locate.XXXXXX";

static const char document[] = "# a comment\n"
			       "listen:\n"
			       "  address: 0.0.0.0:8443\n"
			       "\n"
			       "sources:\n"
			       "  - name: one\n"
			       "    secrets:\n"
			       "      - a\n"
			       "      - b\n"
			       "  - {name: two, secrets: [c,\n"
			       "     d]}\n"
			       "list: [[x, y],\n"
			       "  [z]]\n";

static int
write_file(void **state)
{
	int descriptor = mkstemp(file);
	ssize_t length = (ssize_t)strlen(document);

	(void)state;
	return descriptor >= 0 && write(descriptor, document, strlen(document)) == length
		   ? close(descriptor)
		   : -1;
}

static int
remove_file(void **state)
{
	(void)state;
	return unlink(file);
}

static void
a_key_path_has_the_line_of_its_key_or_entry(void **state)
{
	static const struct {
		const char *key_path;
		int line;
	} cases[] = {
	    {"listen", 2},
	    {"listen.address", 3},
	    {"sources", 5},
	    {"sources[0]", 6},
	    {"sources[0].name", 6},
	    {"sources[0].secrets", 7},
	    {"sources[0].secrets[1]", 9},
	    {"sources[1]", 10},
	    {"sources[1].secrets[1]", 11},
	    {"list[0][1]", 12},
	    {"list[1][0]", 13},
	    {"", 0},
	    {"listen.port", 0},
	    {"listen.address.x", 0},
	    {"sources[2]", 0},
	    {"name", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (config_locate(file, cases[i].key_path) != cases[i].line)
			fail_msg("%s is in line %d", cases[i].key_path,
				 config_locate(file, cases[i].key_path));
	assert_int_equal(config_locate("/nowhere", "listen"), 0);
}

static void
an_error_has_the_line_of_the_nearest_thing_that_is_written(void **state)
{
	static const struct {
		const char *key_path;
		int line; /* 0: none */
	} cases[] = {
	    {"listen.address", 3},
	    {"listen.certificate", 2},
	    {"sources[1].signature", 10},
	    {"sources[2].x", 5},
	    {"sources[0].secrets[7]", 7},
	    {"spool.directory", 0},
	    {"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error, expected;

		error_set(&error, "wrong");
		assert_false(config_locate_prefix(&error, file, cases[i].key_path));
		if (cases[i].line > 0)
			error_set(&expected, "%s:%d: wrong", file, cases[i].line);
		else
			error_set(&expected, "%s: wrong", file);
		assert_string_equal(error.text, expected.text);
	}
}

static void
what_yaml_has_too_much_of_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *yaml;
		const char *text; /* NULL: taken */
	} cases[] = {
	    {"a: b\n", NULL},
	    {"---\na: b\n...\n", NULL},
	    {"", NULL},
	    {"a: &x b\n", "f:1: anchors and aliases are not allowed; write it out"},
	    {"a: b\nc: [1, &x {d: e}]\n", "f:2: anchors and aliases are not allowed; write it out"},
	    {"a: *x\n", "f:1: anchors and aliases are not allowed; write it out"},
	    {"a: b\n*x : c\n", "f:2: anchors and aliases are not allowed; write it out"},
	    {"a: !!str b\n", "f:1: tags are not allowed; leave out the one that starts with '!'"},
	    {"a: !mine [b]\n", "f:1: tags are not allowed; leave out the one that starts with '!'"},
	    {"a: b\n---\nc: d\n",
	     "f:2: one file holds one document; take out the '---' and what is behind it"},
	    {"a: b\n? [c]\n: d\n", "f:2: a key must be a word, not a list or mapping"},
	    {"a b: c\n", "f:1: a key must be a word of 1 to 64 letters, digits and _"},
	    {"\"\": c\n", "f:1: a key must be a word of 1 to 64 letters, digits and _"},
	    {"\"a\\0b\": c\n", "f:1: a key must be a word of 1 to 64 letters, digits and _"},
	    {"a: \"b\\0c\"\n", "f:1: a value must be one line without control characters"},
	    {"a: \"\\e[31m\"\n", "f:1: a value must be one line without control characters"},
	    {"a: |\n  b\n  c\n", "f:1: a value must be one line without control characters"},
	    {"a:\n\tb: c\n", "f:2: not valid YAML: found character that cannot start any token "
			     "while scanning for the next token"},
	    {"a: [b\nc: d\n", "f:2: not valid YAML: did not find expected ',' or ']' while "
			      "parsing a flow sequence"},
	    {"a: b\n\nc: \xff\n", "f:3: not valid YAML: invalid leading UTF-8 octet"},
	    {"[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]\n", NULL},
	    {"[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]\n", "f:1: nested more than 16 deep"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = {.text = ""};
		bool taken = config_locate_refuse("f", text_of(cases[i].yaml), &error);

		assert_string_equal(error.text, cases[i].text != NULL ? cases[i].text : "");
		assert_int_equal(taken, cases[i].text == NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_path_has_the_line_of_its_key_or_entry),
	    cmocka_unit_test(an_error_has_the_line_of_the_nearest_thing_that_is_written),
	    cmocka_unit_test(what_yaml_has_too_much_of_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, write_file, remove_file);
}
