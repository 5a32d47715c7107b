#include "bridge/forwarder/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The record of standards.md 2.5 S1 that its vectors F1 to F4 are made of. */
#define S1 "<109>1 2026-10-01T12:00:00.000Z gw1.example.com siembridge 4242 key.created -"

static void
frames_are_those_of_the_vectors(void **state)
{
	static const struct {
		const char *name;
		enum frame frame;
		struct slice message;
		struct slice framed;
	} cases[] = {
	    {"F1", FRAME_OCTET_COUNTING, SLICE_LITERAL(S1), SLICE_LITERAL("77 " S1)},
	    {"octets, not characters", FRAME_OCTET_COUNTING,
	     SLICE_LITERAL("<109>\xc3\xa9\xe2\x82\xac"),
	     SLICE_LITERAL("10 <109>\xc3\xa9\xe2\x82\xac")},
	    {"F3", FRAME_LF, SLICE_LITERAL(S1), SLICE_LITERAL(S1 "\n")},
	    {"F6", FRAME_LF, SLICE_LITERAL("<109>1 - a\nb"), SLICE_LITERAL("<109>1 - a b\n")},
	    {"LF, CR and NUL at the ends", FRAME_LF, SLICE_LITERAL("\na\r\0b\n"),
	     SLICE_LITERAL(" a  b \n")},
	    {"a counted LF is kept", FRAME_OCTET_COUNTING, SLICE_LITERAL("a\nb"),
	     SLICE_LITERAL("3 a\nb")},
	    {"datagram", FRAME_NONE, SLICE_LITERAL(S1), SLICE_LITERAL(S1)},
	    {"F5: a count is never 0", FRAME_OCTET_COUNTING, SLICE_LITERAL(""), SLICE_LITERAL("")},
	    {"no empty line", FRAME_LF, SLICE_LITERAL(""), SLICE_LITERAL("")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char bytes[256];
		struct text text;

		text_start(&text, bytes, sizeof(bytes));
		frame_append(cases[i].frame, cases[i].message, &text);
		if (text.overflowed || text.length != cases[i].framed.length ||
		    memcmp(bytes, cases[i].framed.bytes, text.length) != 0)
			fail_msg("%s: %.*s", cases[i].name, (int)text.length, bytes);
	}
}

static void
two_counted_frames_follow_without_a_separator(void **state)
{
	char bytes[256];
	struct text text;

	(void)state;
	text_start(&text, bytes, sizeof(bytes));
	frame_append(FRAME_OCTET_COUNTING, SLICE_LITERAL(S1), &text);
	frame_append(FRAME_OCTET_COUNTING, SLICE_LITERAL(S1), &text);
	assert_true(text_slice_is(text_slice(&text), "77 " S1 "77 " S1));
}

static void
a_frame_that_does_not_fit_overflows(void **state)
{
	char bytes[8];
	struct text text;

	(void)state;
	text_start(&text, bytes, sizeof(bytes));
	frame_append(FRAME_OCTET_COUNTING, SLICE_LITERAL("1234567"), &text);
	assert_true(text.overflowed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames_are_those_of_the_vectors),
	    cmocka_unit_test(two_counted_frames_follow_without_a_separator),
	    cmocka_unit_test(a_frame_that_does_not_fit_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
