/* What the configuration says of how bodies become events. */
#include "bridge/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/directory_fixture.h"

static char path[64], aliases[64];

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* The file with more keys of the source (from line 10 on) and of the root (behind them). */
static void
write_config(const char *of_source, const char *of_root)
{
	char bytes[4096];

	(void)snprintf(bytes, sizeof(bytes),
		       "listen: {address: \":8443\", certificate: c, private_key: k}\n" /* 1 */
		       "spool: {directory: s}\n"                                        /* 2 */
		       "destinations:\n"                                                /* 3 */
		       "  - name: d\n"                                                  /* 4 */
		       "    file: {path: \"-\"}\n"                                      /* 5 */
		       "sources:\n"                                                     /* 6 */
		       "  - name: a\n"                                                  /* 7 */
		       "    path: /a\n"                                                 /* 8 */
		       "    signature: none\n"                                          /* 9 */
		       "%s%s",
		       of_source, of_root);
	write_file(path, bytes);
}

static int
set_up(void **state)
{
	(void)state;
	if (directory_make() != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/config", directory);
	(void)snprintf(aliases, sizeof(aliases), "%s/aliases", directory);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(aliases);
	return rmdir(directory);
}

static void
what_is_written_is_how_bodies_are_read(void **state)
{
	struct config *config;
	struct normalise *normalise;
	struct arena *arena = arena_new();
	struct event event = {0};
	struct error error;

	(void)state;
	write_file(aliases, "# theirs        ours\n"
			    "vm.booted        vm.started # a comment\r\n"
			    "\n"
			    "vm.gone.*\tvm.stopped");
	write_config("    profile: generic\n"
		     "    fields:\n"
		     "      actor.id: [/who, \"/user/the id\"]\n"
		     "      type: /kind\n"
		     "      target.name: /a~1b\n"
		     "    constants: {organization.id: acme, project.id: \"7\"}\n"
		     "    severity_words: {very-bad: critical, 1: high}\n"
		     "    type: vm.event\n",
		     "aliases_file: aliases\n"
		     "types:\n"
		     "  - {type: \"vm.st*\", name: A machine, severity: low, category: usage}\n"
		     "  - {type: \"vm.*\", severity_of_body: true}\n");
	if (!config_read(&config, path, &error))
		fail_msg("%s", error.text);
	assert_int_equal(config->aliases_count, 2);
	if (!normalise_new_with(&normalise, &config->sources[0].reading, &error) ||
	    !normalise_event(normalise,
			     text_of("{\"kind\":\"vm.gone.east\",\"user\":{\"the id\":9},"
				     "\"a/b\":\"host\",\"organization\":{\"id\":\"x\"}}"),
			     arena, &event, &error))
		fail_msg("%s", error.text);
	assert_true(text_slice_is(event.fields[FIELD_TYPE], "vm.stopped"));
	assert_true(text_slice_is(event.fields[FIELD_ORIGINAL_TYPE], "vm.gone.east"));
	assert_true(text_slice_is(event.fields[FIELD_ACTOR_ID], "9"));
	assert_true(text_slice_is(event.fields[FIELD_TARGET_NAME], "host"));
	assert_true(text_slice_is(event.fields[FIELD_ORGANIZATION_ID], "acme"));
	assert_true(text_slice_is(event.fields[FIELD_PROJECT_ID], "7"));
	assert_true(text_slice_is(event.name, "A machine"));
	assert_true(text_slice_is(event.family, "usage"));
	assert_true(normalise_event(normalise, text_of("{\"severity\":\"Very bad\"}"), arena,
				    &event, &error));
	assert_true(text_slice_is(event.fields[FIELD_TYPE], "vm.event"));
	assert_int_equal(event.severity, SEVERITY_CRITICAL);
	normalise_free(normalise);
	config_free(config);
	arena_free(arena);
}

static const struct {
	const char *of_source, *of_root, *aliases;
	const char *error; /* begins so, behind the name of a file */
} mistakes[] = {
    {"    fields: {actr.id: /a}\n", "", "",
     "config:10: sources[0].fields.actr.id: there is no such field of an event; there are: id, "
     "type, time, severity,"},
    {"    fields:\n      actor.id: [/a, b]\n", "", "",
     "config:11: sources[0].fields.actor.id: 'b' is not a JSON Pointer to a member; write it as "
     "in /data/user/id"},
    {"    fields: {actor.id: {a: b}}\n", "", "",
     "config:10: sources[0].fields[0].pointers must be a list"},
    {"    fields: [a]\n", "", "", "config:10: sources[0].fields[0] must be keys with values"},
    {"    fields: {actor.id: /a}\n    constants:\n      actor.id: b\n", "", "",
     "config:12: sources[0].constants.actor.id: is set whatever the body says; take it out here "
     "or under 'fields'"},
    {"    constants: {actor.id: [a]}\n", "", "",
     "config:10: sources[0].constants[0].text must be a single value"},
    {"    constants: {original_type: a}\n", "", "",
     "config:10: sources[0].constants.original_type: there is no such field"},
    {"    severity_words:\n      P1: worst\n", "", "",
     "config:11: sources[0].severity_words.P1: 'worst' is no level; they are: info, low, medium, "
     "high, critical"},
    {"    type: a b\n", "", "", "config:10: sources[0].type: 'a b' is no event type;"},
    {"", "types: [{type: \"a b\"}]\n", "",
     "config:10: types[0].type: 'a b' matches no event type;"},
    {"", "types:\n  - type: a\n    severity: P1\n", "",
     "config:12: types[0].severity: 'P1' is no level;"},
    {"", "types: [{type: a, category: task}]\n", "",
     "config:10: types[0].category: 'task' is unknown; known: key, member, usage, billing, "
     "security, other"},
    {"", "types: [{type: a, colour: red}]\n", "",
     "config:10: unknown key 'colour' in types[0]; known keys: type, name, severity, "
     "severity_of_body, category"},
    {"", "aliases_file: none\n", "", "config:10: aliases_file: configuration: "},
    {"", "aliases_file: aliases\n", "a b\nc\n",
     "aliases:2: a line is two words: the sender's event type and ours"},
    {"", "aliases_file: aliases\n", "a b c\n",
     "aliases:1: a line is two words: the sender's event type and ours"},
    {"", "aliases_file: aliases\n", "a b*\n", "aliases:1: event types are 1 to 127 of"},
};

static void
every_mistake_is_told_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct config *config = NULL;
		struct error error = {.text = ""};
		char expected[512];

		write_file(aliases, mistakes[i].aliases);
		write_config(mistakes[i].of_source, mistakes[i].of_root);
		if (config_read(&config, path, &error))
			fail_msg("taken: %s%s", mistakes[i].of_source, mistakes[i].of_root);
		(void)snprintf(expected, sizeof(expected), "%s/%s", directory, mistakes[i].error);
		if (strncmp(error.text, expected, strlen(expected)) != 0)
			assert_string_equal(error.text, expected);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_is_how_bodies_are_read),
	    cmocka_unit_test(every_mistake_is_told_with_its_place),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
