#include "bridge/receiver/duplicate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char key[SPOOL_KEY_LENGTH] = "0123456789abcde";

static void
print_of(const struct duplicate *duplicate, unsigned number, unsigned char *print)
{
	char id[32];
	int length = snprintf(id, sizeof(id), "msg_%u", number);

	duplicate_fingerprint(duplicate, SLICE_LITERAL("anyint"),
			      (struct slice){id, (size_t)length}, (struct slice){NULL, 0}, print);
}

static void
what_was_added_is_known_and_nothing_else(void **state)
{
	struct duplicate *duplicate = duplicate_new(key);
	unsigned char print[SPOOL_FINGERPRINT_LENGTH];
	enum { EVENTS = 200000 };

	(void)state;
	for (unsigned i = 0; i < EVENTS; i++) {
		print_of(duplicate, i, print);
		assert_true(duplicate_add(duplicate, print));
	}
	for (unsigned i = 0; i < EVENTS; i++) {
		print_of(duplicate, i, print);
		assert_false(duplicate_add(duplicate, print));
	}
	assert_int_equal(duplicate_count(duplicate), EVENTS);
	assert_in_range(duplicate_memory(duplicate), EVENTS * 16, EVENTS * 24);
	duplicate_free(duplicate);
}

static void
what_was_removed_is_new_again_and_the_others_stay(void **state)
{
	struct duplicate *duplicate = duplicate_new(key);
	unsigned char print[SPOOL_FINGERPRINT_LENGTH];
	enum { EVENTS = 50000 };

	(void)state;
	for (unsigned i = 0; i < EVENTS; i++) {
		print_of(duplicate, i, print);
		assert_true(duplicate_add(duplicate, print));
	}
	for (unsigned i = 0; i < EVENTS; i += 3) {
		print_of(duplicate, i, print);
		duplicate_remove(duplicate, print);
		duplicate_remove(duplicate, print);
	}
	for (unsigned i = 0; i < EVENTS; i++) {
		print_of(duplicate, i, print);
		assert_int_equal(duplicate_add(duplicate, print), i % 3 == 0);
	}
	duplicate_free(duplicate);
}

static void
what_was_gathered_is_known_in_no_more_memory(void **state)
{
	enum { EVENTS = 1000000, AT_ONCE = 4096, LEFT_OUT = EVENTS / 10 };
	unsigned char *prints = malloc((size_t)AT_ONCE * SPOOL_FINGERPRINT_LENGTH);
	struct duplicate *duplicate = duplicate_new(key);
	unsigned char print[SPOOL_FINGERPRINT_LENGTH];

	(void)state;
	assert_non_null(prints);
	/* fewer than come: it grows where it must */
	duplicate_reserve(duplicate, EVENTS - LEFT_OUT);
	for (unsigned first = 0; first < EVENTS; first += AT_ONCE) {
		size_t count = EVENTS - first < AT_ONCE ? EVENTS - first : AT_ONCE;

		for (unsigned i = 0; i < count; i++)
			print_of(duplicate, first + i,
				 prints + (size_t)i * SPOOL_FINGERPRINT_LENGTH);
		duplicate_gather(duplicate, prints, count);
	}
	/* the last ones once more: the file may have some twice */
	duplicate_gather(duplicate, prints, 10);
	duplicate_build(duplicate);
	for (unsigned i = 0; i < EVENTS; i += 97) {
		print_of(duplicate, i, print);
		assert_false(duplicate_add(duplicate, print));
	}
	print_of(duplicate, EVENTS, print);
	assert_true(duplicate_add(duplicate, print));
	assert_int_equal(duplicate_count(duplicate), EVENTS + 1);
	assert_in_range(duplicate_memory(duplicate), EVENTS * 16, EVENTS * 24);
	/* what holds something is left as it is */
	duplicate_reserve(duplicate, 4 * EVENTS);
	assert_in_range(duplicate_memory(duplicate), EVENTS * 16, EVENTS * 24);
	duplicate_free(duplicate);
	free(prints);
}

static void
source_and_id_cannot_run_into_each_other(void **state)
{
	struct duplicate *duplicate = duplicate_new(key);
	unsigned char left[SPOOL_FINGERPRINT_LENGTH], right[SPOOL_FINGERPRINT_LENGTH];
	const struct slice absent = {NULL, 0};

	(void)state;
	duplicate_fingerprint(duplicate, SLICE_LITERAL("ab"), SLICE_LITERAL("c"), absent, left);
	duplicate_fingerprint(duplicate, SLICE_LITERAL("a"), SLICE_LITERAL("bc"), absent, right);
	assert_memory_not_equal(left, right, sizeof(left));
	duplicate_fingerprint(duplicate, SLICE_LITERAL("a"), SLICE_LITERAL("bc"), SLICE_LITERAL(""),
			      left);
	assert_memory_not_equal(left, right, sizeof(left));
	duplicate_fingerprint(duplicate, SLICE_LITERAL("a"), absent, SLICE_LITERAL("bc"), right);
	assert_memory_not_equal(left, right, sizeof(left));
	duplicate_fingerprint(duplicate, SLICE_LITERAL("a"), SLICE_LITERAL("b"), SLICE_LITERAL("c"),
			      left);
	assert_memory_not_equal(left, right, sizeof(left));
	duplicate_free(duplicate);
}

static void
the_all_zero_fingerprint_is_one_like_any_other(void **state)
{
	struct duplicate *duplicate = duplicate_new(key);
	const unsigned char zero[SPOOL_FINGERPRINT_LENGTH] = {0};

	(void)state;
	duplicate_remove(duplicate, zero);
	assert_true(duplicate_add(duplicate, zero));
	assert_false(duplicate_add(duplicate, zero));
	duplicate_remove(duplicate, zero);
	assert_true(duplicate_add(duplicate, zero));
	duplicate_free(duplicate);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_added_is_known_and_nothing_else),
	    cmocka_unit_test(what_was_removed_is_new_again_and_the_others_stay),
	    cmocka_unit_test(what_was_gathered_is_known_in_no_more_memory),
	    cmocka_unit_test(source_and_id_cannot_run_into_each_other),
	    cmocka_unit_test(the_all_zero_fingerprint_is_one_like_any_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
