#include "bridge/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
rfc_4648_vectors_hold_with_and_without_padding(void **state)
{
	static const struct {
		const char *plain, *padded, *bare;
	} cases[] = {
	    {"", "", ""},
	    {"f", "Zg==", "Zg"},
	    {"fo", "Zm8=", "Zm8"},
	    {"foo", "Zm9v", "Zm9v"},
	    {"foob", "Zm9vYg==", "Zm9vYg"},
	    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
	    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char bytes[8];
		char encoded[16];
		struct text text;
		size_t length;

		assert_true(base64_decode(text_of(cases[i].padded), bytes, sizeof(bytes), &length));
		assert_int_equal(length, strlen(cases[i].plain));
		assert_memory_equal(bytes, cases[i].plain, length);
		assert_true(base64_decode(text_of(cases[i].bare), bytes, sizeof(bytes), &length));
		assert_int_equal(length, strlen(cases[i].plain));
		text_start(&text, encoded, sizeof(encoded));
		base64_encode((const unsigned char *)cases[i].plain, strlen(cases[i].plain), &text);
		assert_true(text_slice_is(text_slice(&text), cases[i].padded));
	}
}

static void
what_no_encoder_writes_is_refused(void **state)
{
	static const char *const cases[] = {
	    "Z", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zm-_", "=Zm9", "Zg==Zg=="};
	unsigned char bytes[16];
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (base64_decode(text_of(cases[i]), bytes, sizeof(bytes), &length))
			fail_msg("'%s' was taken", cases[i]);
	assert_false(base64_decode(text_of("Zm9vYmFy"), bytes, 5, &length));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rfc_4648_vectors_hold_with_and_without_padding),
	    cmocka_unit_test(what_no_encoder_writes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
