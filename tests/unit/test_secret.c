#include "bridge/secret.h"

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

static char path[64];

static int
make_directory(void **state)
{
	(void)state;
	if (directory_make() != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/anyint", directory);
	return 0;
}

static int
remove_directory(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(directory);
}

/* The file with these bytes and rights, anew. */
static void
write_secret(const char *bytes, size_t length, mode_t mode)
{
	FILE *file;

	(void)unlink(path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void
one_newline_at_the_end_is_not_part_of_it(void **state)
{
	static const struct {
		const char *file;
		const char *secret;
	} cases[] = {
	    {"0123456789abcdef", "0123456789abcdef"},
	    {"0123456789abcdef\n", "0123456789abcdef"},
	    {"0123456789abcdef\r\n", "0123456789abcdef"},
	    {"0123456789abcdef\n\n", "0123456789abcdef\n"},
	    {"0123456789abcdef\r", "0123456789abcdef\r"},
	    {" 0123456789abcdef", " 0123456789abcdef"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct secret *secret = NULL;
		struct error error;

		write_secret(cases[i].file, strlen(cases[i].file), 0600);
		assert_true(secret_read(&secret, path, &error));
		assert_true(text_slice_is(secret_bytes(secret), cases[i].secret));
		assert_string_equal(secret_path(secret), path);
		secret_free(secret);
	}
}

static void
refused_is_what_is_no_good_secret_and_the_error_names_the_file_alone(void **state)
{
	static const struct {
		const char *file;
		mode_t mode;
		const char *says;
	} cases[] = {
	    {"", 0600, "holds 0 bytes"},
	    {"\n", 0600, "holds 0 bytes"},
	    {"0123456789SECRE\n", 0600, "holds 15 bytes"},
	    {"0123456789SECRET", 0604, "everybody may read or change it"},
	    {"0123456789SECRET", 0602, "everybody may read or change it"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct secret *secret = NULL;
		struct error error;

		write_secret(cases[i].file, strlen(cases[i].file), cases[i].mode);
		assert_false(secret_read(&secret, path, &error));
		assert_null(secret);
		assert_non_null(strstr(error.text, cases[i].says));
		assert_non_null(strstr(error.text, path));
		assert_null(strstr(error.text, "SECRE"));
	}
}

static void
a_token_is_printable_and_of_one_word(void **state)
{
	static const char *const refused[] = {"two words",     "one\ntwo", "SECRE\x7f",
					      "SECRE\xc3\xa9", "SECRE\t",  "SECRE\r\n\n"};
	static char longest[4097];
	struct secret *secret = NULL;
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		write_secret(refused[i], strlen(refused[i]), 0600);
		assert_false(secret_read_token(&secret, path, &error));
		assert_null(secret);
		assert_non_null(strstr(error.text, path));
		assert_non_null(strstr(error.text, "printable ASCII without spaces"));
		assert_null(strstr(error.text, "SECRE"));
	}
	memset(longest, '~', sizeof(longest));
	write_secret(longest, sizeof(longest), 0600);
	assert_false(secret_read_token(&secret, path, &error));
	write_secret(longest, sizeof(longest) - 1, 0600);
	assert_true(secret_read_token(&secret, path, &error));
	secret_free(secret);
	write_secret("!\n", 2, 0600);
	assert_true(secret_read_token(&secret, path, &error));
	assert_true(text_slice_is(secret_bytes(secret), "!"));
	secret_free(secret);
	secret = NULL;
	write_secret("", 0, 0600);
	assert_false(secret_read_token(&secret, path, &error));
	assert_null(secret);
}

static void
a_group_may_read_it(void **state)
{
	struct secret *secret = NULL;
	struct error error;

	(void)state;
	write_secret("0123456789abcdef", 16, 0640);
	assert_true(secret_read(&secret, path, &error));
	secret_free(secret);
}

static void
sixty_four_kibibytes_are_the_limit(void **state)
{
	static char bytes[64 * 1024 + 1];
	struct secret *secret = NULL;
	struct error error;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	write_secret(bytes, sizeof(bytes), 0600);
	assert_false(secret_read(&secret, path, &error));
	assert_non_null(strstr(error.text, "too big"));
	write_secret(bytes, sizeof(bytes) - 1, 0600);
	assert_true(secret_read(&secret, path, &error));
	assert_int_equal(secret_bytes(secret).length, sizeof(bytes) - 1);
	secret_free(secret);
}

static void
what_is_not_a_regular_file_is_refused_without_waiting(void **state)
{
	struct secret *secret = NULL;
	struct error error;

	(void)state;
	assert_false(secret_read(&secret, directory, &error));
	(void)unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(secret_read(&secret, path, &error));
	assert_non_null(strstr(error.text, "not a regular file"));
	assert_int_equal(unlink(path), 0);
	assert_false(secret_read(&secret, path, &error));
	assert_non_null(strstr(error.text, "No such file"));
}

static void
a_name_without_a_slash_is_a_credential(void **state)
{
	struct secret *secret = NULL;
	struct error error;

	(void)state;
	write_secret("0123456789abcdef", 16, 0400);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", directory, 1), 0);
	assert_true(secret_read(&secret, "anyint", &error));
	assert_string_equal(secret_path(secret), "anyint");
	secret_free(secret);
	secret = NULL;
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_false(secret_read(&secret, "anyint", &error));
	assert_non_null(strstr(error.text, "CREDENTIALS_DIRECTORY is not set"));
}

static void
bytes_are_copied_and_may_hold_anything(void **state)
{
	char bytes[] = "a\0b";
	struct secret *secret = secret_from_bytes("sample", (struct slice){bytes, 3});

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	assert_memory_equal(secret_bytes(secret).bytes, "a\0b", 3);
	assert_int_equal(secret_bytes(secret).length, 3);
	assert_string_equal(secret_path(secret), "sample");
	secret_free(secret);
	secret_free(secret_from_bytes("empty", (struct slice){NULL, 0}));
	secret_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_newline_at_the_end_is_not_part_of_it),
	    cmocka_unit_test(refused_is_what_is_no_good_secret_and_the_error_names_the_file_alone),
	    cmocka_unit_test(a_token_is_printable_and_of_one_word),
	    cmocka_unit_test(a_group_may_read_it),
	    cmocka_unit_test(sixty_four_kibibytes_are_the_limit),
	    cmocka_unit_test(what_is_not_a_regular_file_is_refused_without_waiting),
	    cmocka_unit_test(a_name_without_a_slash_is_a_credential),
	    cmocka_unit_test(bytes_are_copied_and_may_hold_anything),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
