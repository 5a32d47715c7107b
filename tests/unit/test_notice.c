/*
 * Each sample in words for people is as its golden file says.  GOLDEN=write in the
 * environment writes them instead; read what changed before it is committed.
 */
#include "formats/notice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/normalise.h"
#include "formats/sample.h"

enum { LONGEST = 1 << 14 };

static const int64_t occurred_at = 1790856000000;

static struct arena *arena;

static void
read_event(struct slice body, struct event *event)
{
	struct normalise *normalise;
	struct error error;

	assert_true(normalise_new(&normalise, "anyint", &error));
	*event = (struct event){.id = SLICE_LITERAL("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"),
				.source = SLICE_LITERAL("anyint"),
				.received_at = occurred_at + 1500,
				.sequence = 42};
	if (!normalise_event(normalise, body, arena, event, &error))
		fail_msg("%s", error.text);
	normalise_free(normalise);
}

static void
compare_with_file(const char *path, struct slice text)
{
	bool write = getenv("GOLDEN") != NULL && strcmp(getenv("GOLDEN"), "write") == 0;
	FILE *file = fopen(path, write ? "w" : "r");
	char golden[LONGEST];
	size_t length;

	if (file == NULL)
		fail_msg("%s cannot be opened", path);
	if (write) {
		assert_int_equal(fwrite(text.bytes, 1, text.length, file), text.length);
	} else {
		length = fread(golden, 1, sizeof(golden), file);
		if (length != text.length || memcmp(golden, text.bytes, length) != 0)
			fail_msg("%s:\n%.*s", path, (int)text.length, text.bytes);
	}
	assert_int_equal(fclose(file), 0);
}

static void
samples_are_as_their_golden_files(void **state)
{
	char bytes[LONGEST], body_bytes[LONGEST], path[256];
	struct text body, text;
	struct event event;

	(void)state;
	arena = arena_new();
	for (size_t i = 0; sample_type(i) != NULL; i++) {
		text_start(&body, body_bytes, sizeof(body_bytes));
		sample_write(text_of(sample_type(i)), SLICE_LITERAL("evt_1"), occurred_at, &body);
		read_event(text_slice(&body), &event);
		text_start(&text, bytes, sizeof(bytes));
		text_append_string(&text, "Subject: ");
		notice_write_subject(&event, &text);
		text_append_string(&text, "\n\n");
		notice_write_text(&event, &text);
		assert_false(text.overflowed);
		(void)snprintf(path, sizeof(path), "tests/vectors/golden/%s.notice",
			       sample_type(i));
		compare_with_file(path, text_slice(&text));
	}
	arena_free(arena);
}

static void
no_value_makes_a_line_of_its_own(void **state)
{
	static const char evil[] =
	    "{\"type\":\"member.removed\",\"data\":{\"member\":{\"name\":\"a\\r\\nSeverity      "
	    "critical\\nx\\u2028y\\u202ez\\u001b[1m\"},\"message\":\"one\\ntwo\","
	    "\"organization\":{\"name\":\"o\\n\\n.\\nQUIT\"}}}";
	char bytes[LONGEST];
	struct event event;
	struct text text;
	size_t lines = 0;

	(void)state;
	arena = arena_new();
	read_event(text_of(evil), &event);
	text_start(&text, bytes, sizeof(bytes));
	notice_write_subject(&event, &text);
	assert_null(memchr(bytes, '\n', text.length));
	assert_null(memchr(bytes, '\r', text.length));
	assert_null(memchr(bytes, 0x1b, text.length));
	assert_null(memmem(bytes, text.length, "\xE2\x80\xAE", 3));
	text_cut(&text, 0);
	notice_write_text(&event, &text);
	assert_null(memmem(bytes, text.length, "\nSeverity      critical", 23));
	for (size_t i = 0; i < text.length; i++)
		lines += bytes[i] == '\n';
	assert_int_equal(lines, 8); /* name, message, blank, member, organization, 3 */
	arena_free(arena);
}

static void
a_value_without_end_is_cut(void **state)
{
	static char body[8 * NOTICE_VALUE], bytes[LONGEST];
	struct event event;
	struct text text;

	(void)state;
	arena = arena_new();
	(void)snprintf(body, sizeof(body),
		       "{\"type\":\"usage.alert\",\"data\":{\"message\":\"%0*d\"}}",
		       4 * NOTICE_VALUE, 0);
	read_event(text_of(body), &event);
	text_start(&text, bytes, sizeof(bytes));
	notice_write_text(&event, &text);
	assert_true(text.length < NOTICE_VALUE + 300);
	assert_non_null(memmem(bytes, text.length, "0\xE2\x80\xA6\n", 5));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(samples_are_as_their_golden_files),
	    cmocka_unit_test(no_value_makes_a_line_of_its_own),
	    cmocka_unit_test(a_value_without_end_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
