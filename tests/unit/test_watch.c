/* Files in a directory of our own, replaced as the clients of authorities do. */
#include "bridge/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/config.h"
#include "tests/unit/directory_fixture.h"

static char certificate[64], key[64], other[64];
static struct config config;

static void
write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(directory_make(), 0);
	(void)snprintf(certificate, sizeof(certificate), "%s/cert", directory);
	(void)snprintf(key, sizeof(key), "%s/key", directory);
	(void)snprintf(other, sizeof(other), "%s/other", directory);
	config.listen.certificate = certificate;
	config.listen.private_key = key;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(certificate);
	(void)unlink(key);
	(void)unlink(other);
	return rmdir(directory);
}

static void
start(struct watch **watch)
{
	write_text(certificate, "one");
	write_text(key, "one");
	*watch = watch_new(&config);
	assert_null(watch_look(*watch));
	assert_null(watch_look(*watch));
}

static void
a_change_is_told_once_and_when_it_rests(void **state)
{
	struct watch *watch;

	(void)state;
	start(&watch);
	write_text(certificate, "another");
	assert_null(watch_look(watch));
	write_text(certificate, "another one");
	assert_null(watch_look(watch));
	assert_string_equal(watch_look(watch), certificate);
	assert_null(watch_look(watch));
	watch_free(watch);
}

static void
a_file_of_another_name_in_its_place_is_a_change(void **state)
{
	struct watch *watch;

	(void)state;
	start(&watch);
	write_text(other, "one"); /* of the same length */
	assert_int_equal(rename(other, key), 0);
	assert_null(watch_look(watch));
	assert_string_equal(watch_look(watch), key);
	watch_free(watch);
}

static void
a_link_is_looked_through(void **state)
{
	struct watch *watch;

	(void)state;
	write_text(other, "one");
	(void)unlink(certificate);
	assert_int_equal(symlink(other, certificate), 0);
	watch = watch_new(&config);
	write_text(other, "one and two");
	assert_null(watch_look(watch));
	assert_string_equal(watch_look(watch), certificate);
	assert_int_equal(unlink(certificate), 0);
	watch_free(watch);
}

static void
a_file_that_goes_and_comes_again_is_told(void **state)
{
	struct watch *watch;

	(void)state;
	start(&watch);
	assert_int_equal(unlink(key), 0);
	assert_null(watch_look(watch));
	assert_string_equal(watch_look(watch), key);
	write_text(key, "two");
	assert_null(watch_look(watch));
	assert_string_equal(watch_look(watch), key);
	watch_free(watch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_change_is_told_once_and_when_it_rests),
	    cmocka_unit_test(a_file_of_another_name_in_its_place_is_a_change),
	    cmocka_unit_test(a_link_is_looked_through),
	    cmocka_unit_test(a_file_that_goes_and_comes_again_is_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
