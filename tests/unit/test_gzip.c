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

/* Packs it `members` times, one after another. */
static struct slice
pack(struct slice plain, size_t members)
{
	size_t room = gzip_bound(plain.length) * members;
	struct text text;

	text_start(&text, malloc(room), room);
	for (size_t i = 0; i < members; i++)
		gzip_compress(plain, &text);
	assert_false(text.overflowed);
	return text_slice(&text);
}

static void
what_comes_out_is_limited(void **state)
{
	enum { SIZE = 200000 };
	char *zeros = calloc(SIZE, 1), *bytes;
	struct slice packed = pack((struct slice){zeros, SIZE}, 1);
	size_t length;

	(void)state;
	assert_in_range(packed.length, 1, SIZE / 100);
	assert_int_equal(gzip_expand(packed, SIZE - 1, &bytes, &length), GZIP_TOO_LARGE);
	assert_int_equal(gzip_expand(packed, 10, &bytes, &length), GZIP_TOO_LARGE);
	assert_int_equal(gzip_expand(packed, 0, &bytes, &length), GZIP_TOO_LARGE);
	assert_int_equal(gzip_expand(packed, SIZE, &bytes, &length), GZIP_DONE);
	assert_int_equal(length, SIZE);
	assert_memory_equal(bytes, zeros, SIZE);
	free(bytes);
	free(zeros);
	free((char *)(uintptr_t)packed.bytes);
}

static void
members_follow_one_another(void **state)
{
	struct slice packed = pack(SLICE_LITERAL("{\"event\":1}"), 3);
	size_t length;
	char *bytes;

	(void)state;
	assert_int_equal(gzip_expand(packed, 100, &bytes, &length), GZIP_DONE);
	assert_true(text_slice_is((struct slice){bytes, length},
				  "{\"event\":1}{\"event\":1}{\"event\":1}"));
	free(bytes);
	free((char *)(uintptr_t)packed.bytes);
}

static void
what_is_not_whole_is_broken(void **state)
{
	struct slice packed = pack(SLICE_LITERAL("{\"event\":\"a\"}"), 1), cut = packed;
	char *copy = malloc(packed.length + 1), *bytes;
	size_t length;

	(void)state;
	for (cut.length = 0; cut.length < packed.length; cut.length++)
		assert_int_equal(gzip_expand(cut, 100, &bytes, &length), GZIP_BROKEN);
	memcpy(copy, packed.bytes, packed.length);
	copy[packed.length] = 'x';
	cut = (struct slice){copy, packed.length + 1};
	assert_int_equal(gzip_expand(cut, 100, &bytes, &length), GZIP_BROKEN);
	cut.length--;
	copy[packed.length - 6] ^= 1; /* the checksum */
	assert_int_equal(gzip_expand(cut, 100, &bytes, &length), GZIP_BROKEN);
	assert_int_equal(gzip_expand(SLICE_LITERAL("{\"type\":\"a\"}"), 100, &bytes, &length),
			 GZIP_BROKEN);
	free(copy);
	free((char *)(uintptr_t)packed.bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_packed_unpacks_to_the_same),
	    cmocka_unit_test(what_does_not_fit_overflows),
	    cmocka_unit_test(what_comes_out_is_limited),
	    cmocka_unit_test(members_follow_one_another),
	    cmocka_unit_test(what_is_not_whole_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
