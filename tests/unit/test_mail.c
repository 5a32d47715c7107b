/* A reader of our own takes each message apart again: what went in comes out. */
#include "formats/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/memory.h"

enum { LONGEST = 1 << 16 };

static char to_one[] = "a@example.com", to_two[] = "b@example.com";
static char *to[] = {to_one, to_two};

static struct mail
any_mail(void)
{
	return (struct mail){
	    .from = SLICE_LITERAL("bridge@example.com"),
	    .from_name = {NULL, 0},
	    .to = to,
	    .to_count = 2,
	    .subject = SLICE_LITERAL("hello"),
	    .text = SLICE_LITERAL("text\n"),
	    .id = SLICE_LITERAL("msg_1.42"),
	    .date = 1790856000000,
	};
}

static int
hex(char digit)
{
	return digit <= '9' ? digit - '0' : digit - 'A' + 10;
}

/* What a mail program would make of it; *headers_end: of the empty line. */
static size_t
write_checked(const struct mail *mail, char bytes[LONGEST], size_t *headers_end)
{
	struct text text;
	const char *blank;

	text_start(&text, bytes, LONGEST - 1);
	mail_write(mail, &text);
	assert_false(text.overflowed);
	bytes[text.length] = '\0';
	for (size_t i = 0, column = 0; i < text.length; i++, column++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte == '\r') {
			assert_int_equal(bytes[i + 1], '\n');
			assert_true(column <= 76);
			i++;
			column = SIZE_MAX;
		} else {
			assert_true(byte >= ' ' && byte <= '~');
		}
	}
	blank = strstr(bytes, "\r\n\r\n");
	assert_non_null(blank);
	*headers_end = (size_t)(blank - bytes) + 2;
	return text.length;
}

/* The value of a header, its encoded words decoded. */
static void
read_header(const char *bytes, size_t headers_end, const char *name, char value[LONGEST])
{
	size_t used = 0;
	const char *at = strstr(bytes, name);
	bool word = false;

	assert_non_null(at);
	assert_true(at < bytes + headers_end);
	at += strlen(name);
	while (strncmp(at, "\r\n", 2) != 0 || at[2] == ' ') {
		if (!word && strncmp(at, "=?UTF-8?Q?", 10) == 0) {
			word = true;
			at += 10;
		} else if (word && strncmp(at, "?=", 2) == 0) {
			word = false;
			at += 2;
			if (strncmp(at, "\r\n =?", 5) == 0)
				at += 3; /* between two words */
		} else if (word && *at == '=') {
			value[used++] = (char)(hex(at[1]) * 16 + hex(at[2]));
			at += 3;
		} else if (strncmp(at, "\r\n ", 3) == 0) {
			at += 2;
		} else {
			value[used++] = word && *at == '_' ? ' ' : *at;
			at++;
		}
	}
	value[used] = '\0';
}

static size_t
read_body(const char *bytes, char body[LONGEST])
{
	size_t used = 0;

	while (*bytes != '\0') {
		if (strncmp(bytes, "=\r\n", 3) == 0) {
			bytes += 3;
		} else if (*bytes == '=') {
			body[used++] = (char)(hex(bytes[1]) * 16 + hex(bytes[2]));
			bytes += 3;
		} else if (strncmp(bytes, "\r\n", 2) == 0) {
			body[used++] = '\n';
			bytes += 2;
		} else {
			body[used++] = *bytes++;
		}
	}
	body[used] = '\0';
	return used;
}

static void
a_plain_message_is_plain(void **state)
{
	static char bytes[LONGEST];
	const struct mail mail = any_mail();
	size_t end;

	(void)state;
	(void)write_checked(&mail, bytes, &end);
	assert_string_equal(bytes, "Date: Thu, 01 Oct 2026 12:00:00 +0000\r\n"
				   "From: <bridge@example.com>\r\n"
				   "To: <a@example.com>,\r\n"
				   " <b@example.com>\r\n"
				   "Subject: hello\r\n"
				   "Message-ID:\r\n <msg_1-42@example.com>\r\n"
				   "Auto-Submitted: auto-generated\r\n"
				   "MIME-Version: 1.0\r\n"
				   "Content-Type: text/plain; charset=utf-8\r\n"
				   "Content-Transfer-Encoding: quoted-printable\r\n"
				   "\r\n"
				   "text\r\n");
}

static void
no_value_leaves_its_header(void **state)
{
	static const struct {
		const char *subject, *reads;
	} cases[] = {
	    {"", ""},
	    {"x\r\nBcc: evil@example.com", "x  Bcc: evil@example.com"},
	    {"x\nBcc: evil@example.com\n\nbody", "x Bcc: evil@example.com  body"},
	    {"x\r Bcc: e", "x  Bcc: e"},
	    {"Zo\xC3\xAB \xE2\x82\xAC \xF0\x9F\x98\x80",
	     "Zo\xC3\xAB \xE2\x82\xAC \xF0\x9F\x98\x80"},
	    {"=?UTF-8?Q?=0D=0ABcc:_x?=", "=?UTF-8?Q?=0D=0ABcc:_x?="},
	    {"right\xE2\x80\xAEleft", "right left"},
	    {"broken \xC3", "broken  "},
	    {"under_score = 1?", "under_score = 1?"},
	    {"a subject of which nobody would think that it is longer than one line of a header",
	     "a subject of which nobody would think that it is longer than one line of a header"},
	};
	static char bytes[LONGEST], value[LONGEST];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mail mail = any_mail();
		size_t end;

		mail.subject = text_of(cases[i].subject);
		(void)write_checked(&mail, bytes, &end);
		read_header(bytes, end, "\r\nSubject: ", value);
		assert_string_equal(value, cases[i].reads);
		assert_null(strstr(bytes, "\r\nBcc"));
		/* a name is written in the same way */
		mail = any_mail();
		mail.from_name = text_of(cases[i].subject);
		(void)write_checked(&mail, bytes, &end);
		assert_null(strstr(bytes, "\r\nBcc"));
		assert_non_null(strstr(bytes, "<bridge@example.com>\r\n"));
	}
}

static void
a_long_subject_is_cut_between_characters(void **state)
{
	static char bytes[LONGEST], value[LONGEST], subject[4 * MAIL_SUBJECT];
	struct mail mail = any_mail();
	size_t end;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(subject); i += 2)
		memcpy(subject + i, "\xC3\xAB", 2);
	mail.subject = text_of(subject);
	(void)write_checked(&mail, bytes, &end);
	read_header(bytes, end, "\r\nSubject: ", value);
	assert_true(strlen(value) <= MAIL_SUBJECT && strlen(value) > MAIL_SUBJECT - 4);
	assert_string_equal(value + strlen(value) - 3, "\xE2\x80\xA6");
	assert_memory_equal(value, subject, strlen(value) - 3);
}

static void
an_id_is_made_of_what_is_allowed(void **state)
{
	static char bytes[LONGEST];
	struct mail mail = any_mail();
	size_t end;

	(void)state;
	mail.id = text_of("a>\r\nBcc: x@y..\xC3\xAB");
	mail.thread = text_of("billing.in 1");
	(void)write_checked(&mail, bytes, &end);
	assert_non_null(strstr(bytes, "Message-ID:\r\n <a---Bcc--x-y----@example.com>\r\n"));
	assert_non_null(strstr(bytes, "References:\r\n <billing-in-1@example.com>\r\n"));
}

static void
a_body_comes_out_as_it_went_in(void **state)
{
	static const char *const bodies[] = {
	    "",
	    "one\n",
	    "one\n\ntwo\n",
	    ".\n..\n.dot\n",
	    "From here\nFrom: there\n",
	    "blank at the end \nand a tab\t\n",
	    "a = b, 100 %\n",
	    "Zo\xC3\xAB \xE2\x82\xAC\n",
	    "\x01\x7F\r\n",
	    "0123456789012345678901234567890123456789012345678901234567890123456789012345\n",
	    "01234567890123456789012345678901234567890123456789012345678901234567890123=\n",
	    "0123456789012345678901234567890123456789012345678901234567890123456789012 \n",
	};
	static char bytes[LONGEST], body[LONGEST], large[2000];
	struct mail mail = any_mail();
	size_t end;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		mail.text = text_of(bodies[i]);
		(void)write_checked(&mail, bytes, &end);
		(void)read_body(bytes + end + 2, body);
		assert_string_equal(body, bodies[i]);
		assert_null(strstr(bytes + end + 2, "\nFrom "));
		assert_null(strstr(bytes + end + 2, " \r\n"));
	}
	memset(large, 0xC3, sizeof(large) - 2);
	large[sizeof(large) - 2] = '\n';
	mail.text = text_of(large);
	(void)write_checked(&mail, bytes, &end);
	(void)read_body(bytes + end + 2, body);
	assert_string_equal(body, large);
}

static void
addresses_are_split_or_refused(void **state)
{
	static const struct {
		const char *text, *name, *address; /* NULL: refused */
	} cases[] = {
	    {"a@b", "", "a@b"},
	    {"<a@b>", "", "a@b"},
	    {"Ann Lee <ann.lee+x@mail.example.com>", "Ann Lee", "ann.lee+x@mail.example.com"},
	    {"Zo\xC3\xAB, Ltd. <z@example.com>", "Zo\xC3\xAB, Ltd.", "z@example.com"},
	    {"", NULL, NULL},
	    {"a", NULL, NULL},
	    {"@b", NULL, NULL},
	    {"a@", NULL, NULL},
	    {".a@b", NULL, NULL},
	    {"a@b.", NULL, NULL},
	    {"a@-b", NULL, NULL},
	    {"a b@c", NULL, NULL},
	    {"a@b, c@d", NULL, NULL},
	    {"a@b> SIZE=1", NULL, NULL},
	    {"x <a@b> y", NULL, NULL},
	    {"a@b\r\nRCPT TO:<c@d>", NULL, NULL},
	    {"\xC3\xAB@b", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice name, address;
		struct error error;
		bool good = mail_split_address(text_of(cases[i].text), &name, &address, &error);

		if (good != (cases[i].address != NULL))
			fail_msg("case %zu: %s", i, cases[i].text);
		if (!good)
			continue;
		assert_true(text_slice_is(name, cases[i].name));
		assert_true(text_slice_is(address, cases[i].address));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_plain_message_is_plain),
	    cmocka_unit_test(no_value_leaves_its_header),
	    cmocka_unit_test(a_long_subject_is_cut_between_characters),
	    cmocka_unit_test(an_id_is_made_of_what_is_allowed),
	    cmocka_unit_test(a_body_comes_out_as_it_went_in),
	    cmocka_unit_test(addresses_are_split_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
