/* What OpenSSL takes and gives back, by OpenSSL's own calls. */
#include "bridge/receiver/tls_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>

enum { RECORD = 16384 + 325 };

static void
a_record_buffer_is_used_again(void **state)
{
	void *first = OPENSSL_malloc(RECORD), *second, *third;

	(void)state;
	assert_non_null(first);
	memset(first, 1, RECORD);
	OPENSSL_free(first);
	second = OPENSSL_malloc(RECORD - 200);
	assert_ptr_equal(second, first);
	third = OPENSSL_malloc(RECORD);
	assert_non_null(third);
	assert_ptr_not_equal(third, second);
	OPENSSL_free(second);
	OPENSSL_free(third);
}

static void
other_memory_grows_and_shrinks_as_ever(void **state)
{
	unsigned char *bytes = OPENSSL_malloc(100);

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 7, 100);
	bytes = OPENSSL_realloc(bytes, RECORD);
	assert_non_null(bytes);
	bytes = OPENSSL_realloc(bytes, 5 * (size_t)RECORD);
	assert_non_null(bytes);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(bytes[i], 7);
	OPENSSL_free(bytes);
	OPENSSL_free(NULL);
}

static void
more_than_is_kept_is_given_back(void **state)
{
	enum { MANY = 100 };
	void *buffers[MANY];

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		buffers[i] = OPENSSL_malloc(RECORD);
		assert_non_null(buffers[i]);
	}
	for (size_t i = 0; i < MANY; i++)
		OPENSSL_free(buffers[i]);
	tls_memory_release(); /* what is left is a leak, which a sanitizer tells of */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_buffer_is_used_again),
	    cmocka_unit_test(other_memory_grows_and_shrinks_as_ever),
	    cmocka_unit_test(more_than_is_kept_is_given_back),
	};

	tls_memory_use();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
