#include "bridge/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

enum { LONG = 300000 };

/* Back to what it was, by zlib's own hand. */
static void
assert_unpacks_to(struct slice packed, struct slice plain)
{
	char *bytes = malloc(plain.length + 1);
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed.bytes,
			   .avail_in = (uInt)packed.length,
			   .next_out = (Bytef *)bytes,
			   .avail_out = (uInt)plain.length + 1};

	assert_non_null(bytes);
	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.total_out, plain.length);
	assert_memory_equal(bytes, plain.bytes, plain.length);
	inflateEnd(&stream);
	free(bytes);
}

static void
what_is_packed_unpacks_to_the_same(void **state)
{
	char *noise = malloc(LONG), *packed = malloc(gzip_bound(LONG));
	static const size_t lengths[] = {0, 1, 26, 4096, LONG};
	uint32_t mixed = 1;
	struct text text;

	(void)state;
	assert_non_null(noise);
	assert_non_null(packed);
	for (size_t i = 0; i < LONG; i++) {
		mixed = mixed * 1664525U + 1013904223U;
		noise[i] = (char)(mixed >> 24);
	}
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct slice plain = {noise, lengths[i]};

		text_start(&text, packed, gzip_bound(LONG));
		gzip_compress(plain, &text);
		assert_false(text.overflowed);
		assert_in_range(text.length, 1, gzip_bound(plain.length));
		assert_unpacks_to(text_slice(&text), plain);
	}
	free(noise);
	free(packed);
}

static void
what_does_not_fit_overflows(void **state)
{
	char small[20];
	struct text text;

	(void)state;
	text_start(&text, small, sizeof(small));
	gzip_compress(text_of("a text that twenty bytes cannot hold, packed or not"), &text);
	assert_true(text.overflowed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_packed_unpacks_to_the_same),
	    cmocka_unit_test(what_does_not_fit_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
