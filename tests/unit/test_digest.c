#include "bridge/forwarder/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
add(struct digest *digest, const char *subject, const char *text, enum severity severity)
{
	const struct digest_part part = {.end = digest->count + 1,
					 .sequence = digest->count + 10,
					 .severity = severity,
					 .subject = text_of(subject),
					 .text = text_of(text)};

	assert_true(digest_add(digest, &part));
}

static void
assert_written(const struct digest *digest, const char *subject, const char *text)
{
	char bytes[4096];
	struct text written;

	text_start(&written, bytes, sizeof(bytes));
	digest_write_subject(digest, &written);
	assert_int_equal(written.length, strlen(subject));
	assert_memory_equal(bytes, subject, written.length);
	text_cut(&written, 0);
	digest_write_text(digest, &written);
	assert_int_equal(written.length, strlen(text));
	assert_memory_equal(bytes, text, written.length);
}

static void
one_event_is_written_as_itself(void **state)
{
	struct digest *digest = digest_new();

	(void)state;
	add(digest, "Member joined", "text\n", SEVERITY_LOW);
	assert_written(digest, "Member joined", "text\n");
	digest_free(digest);
}

static void
several_are_listed_and_the_gravest_is_named(void **state)
{
	struct digest *digest = digest_new();

	(void)state;
	add(digest, "a", "one\n", SEVERITY_LOW);
	add(digest, "[high] b", "two\n", SEVERITY_HIGH);
	add(digest, "c", "three\n", SEVERITY_HIGH);
	assert_written(digest, "3 events: [high] b, and 2 more",
		       "1. a\n2. [high] b\n3. c\n"
		       "\n\n1. a\n-----\none\n"
		       "\n\n2. [high] b\n------------\ntwo\n"
		       "\n\n3. c\n-----\nthree\n");
	digest_free(digest);
}

static void
it_has_no_room_for_too_many_nor_for_too_much(void **state)
{
	static char large[DIGEST_BYTES];
	struct digest *digest = digest_new();
	struct digest_part part = {.subject = SLICE_LITERAL("s"), .text = SLICE_LITERAL("t")};

	(void)state;
	for (size_t i = 0; i < DIGEST_EVENTS; i++)
		assert_true(digest_add(digest, &part));
	assert_false(digest_add(digest, &part));
	digest_clear(digest);
	assert_int_equal(digest->count, 0);
	part.text = (struct slice){large, sizeof(large) - 1};
	assert_true(digest_add(digest, &part));
	part.text = SLICE_LITERAL("");
	assert_false(digest_add(digest, &part));
	digest_clear(digest);
	part.subject = SLICE_LITERAL("");
	part.text = (struct slice){large, sizeof(large)};
	assert_true(digest_add(digest, &part));
	digest_free(digest);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_event_is_written_as_itself),
	    cmocka_unit_test(several_are_listed_and_the_gravest_is_named),
	    cmocka_unit_test(it_has_no_room_for_too_many_nor_for_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
