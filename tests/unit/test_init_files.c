#include "bridge/commands/init_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/directory_fixture.h"

static char path[64], inner[64];
static struct init_files *files;

static int
start(void **state)
{
	(void)state;
	if (directory_make() != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/a", directory);
	(void)snprintf(inner, sizeof(inner), "%s/a/b", directory);
	files = init_files_new("nobody-of-this-name");
	return 0;
}

/* All that the test made itself is gone before. */
static int
stop(void **state)
{
	(void)state;
	init_files_free(files);
	return rmdir(directory);
}

static unsigned
mode_of(const char *name)
{
	struct stat status;

	return stat(name, &status) == 0 ? (unsigned)status.st_mode & 07777U : 0;
}

static void
modes_are_as_asked_for_whatever_the_umask(void **state)
{
	struct error error;

	(void)state;
	(void)umask(077);
	assert_true(init_files_directory(files, path, 0755, &error));
	assert_true(init_files_write(files, inner, 0644, SLICE_LITERAL("x\n"), &error));
	assert_int_equal(mode_of(path), 0755);
	assert_int_equal(mode_of(inner), 0644);
	init_files_undo(files);
}

static void
undo_takes_back_what_was_made_and_nothing_else(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(init_files_directory(files, path, 0755, &error));
	assert_true(init_files_write(files, inner, 0600, SLICE_LITERAL("x\n"), &error));
	init_files_undo(files);
	assert_int_equal(access(inner, F_OK), -1);
	assert_int_equal(mode_of(path), 0700);
	assert_int_equal(rmdir(path), 0);
}

static void
nothing_is_overwritten_not_even_a_dangling_link(void **state)
{
	struct error error;

	(void)state;
	assert_true(init_files_is_free(path, &error));
	assert_int_equal(symlink("/nowhere/at/all", path), 0);
	assert_false(init_files_is_free(path, &error));
	assert_non_null(strstr(error.text, "is not overwritten"));
	assert_false(init_files_write(files, path, 0600, SLICE_LITERAL("x\n"), &error));
	init_files_undo(files);
	assert_int_equal(unlink(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(modes_are_as_asked_for_whatever_the_umask, start, stop),
	    cmocka_unit_test_setup_teardown(undo_takes_back_what_was_made_and_nothing_else, start,
					    stop),
	    cmocka_unit_test_setup_teardown(nothing_is_overwritten_not_even_a_dangling_link, start,
					    stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
