/* What changes between two configurations, in words; and a copy that nobody edits. */
#include "bridge/config_snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/config_internal.h"

static char path[64];

static void
write_file(const char *content)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int
snapshot(const char *content)
{
	struct error error;
	int descriptor = -1;

	write_file(content);
	assert_true(config_snapshot_take(path, &descriptor, &error));
	return descriptor;
}

static void
changes_are_told_by_name(void **state)
{
	static const char base[] = "listen: {address: ':443'}\n"
				   "destinations:\n"
				   "  - {name: siem, syslog: {address: 'a:1'}}\n"
				   "  - {name: mail, events: [a, b]}\n";
	static const struct {
		const char *after, *says;
	} cases[] = {
	    {base, "nothing"},
	    {"# quotes, order and style are nothing\ndestinations:\n"
	     "- name: siem\n  syslog:\n    address: \"a:1\"\n- events: [a, b]\n  name: mail\n"
	     "listen:\n  address: :443\n",
	     "nothing"},
	    {"listen: {address: ':8443'}\nuser: x\ndestinations:\n"
	     "  - {name: siem, syslog: {address: 'a:2'}}\n  - {name: page}\n",
	     "listen: changed; user: added; destinations: changed siem, added page, removed mail"},
	    {"listen: {address: ':443'}\ndestinations:\n"
	     "  - {name: mail, events: [a, b]}\n  - {name: siem, syslog: {address: 'a:1'}}\n",
	     "destinations: in another order"},
	    {"listen: {address: ':443'}\ndestinations:\n"
	     "  - {name: siem, syslog: {address: 'a:1'}}\n  - {name: mail, events: [b, a]}\n",
	     "destinations: changed mail"},
	    {"destinations:\n"
	     "  - {name: siem, syslog: {address: 'a:1'}}\n  - {name: mail, events: [a, b]}\n",
	     "listen: removed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int before = snapshot(base), after = snapshot(cases[i].after);
		char bytes[256];
		struct text text;

		text_start(&text, bytes, sizeof(bytes));
		config_snapshot_compare(before, after, &text);
		text_append_byte(&text, '\0');
		assert_string_equal(bytes, cases[i].says);
		close(before);
		close(after);
	}
}

static void
it_stands_for_the_file_that_was_edited_since(void **state)
{
	int taken = snapshot("as: it was\n");
	struct error error;
	char *bytes;
	size_t length;

	(void)state;
	write_file("as: it is\n");
	config_snapshot_use(path, taken);
	assert_int_equal(config_snapshot_of("another"), -1);
	assert_true(config_read_text(path, &bytes, &length, &error));
	assert_true(text_slice_is((struct slice){bytes, length}, "as: it was\n"));
	free(bytes);
	config_snapshot_use(path, -1);
	assert_true(config_read_text(path, &bytes, &length, &error));
	assert_true(text_slice_is((struct slice){bytes, length}, "as: it is\n"));
	free(bytes);
	assert_int_equal(write(taken, "x", 1), -1);
	close(taken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(changes_are_told_by_name),
	    cmocka_unit_test(it_stands_for_the_file_that_was_edited_since),
	};
	int failed;

	(void)snprintf(path, sizeof(path), "/tmp/test_config_snapshot.%d", (int)getpid());
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
