/* An answer of a list, taken apart; and the addresses of its pages. */
#include "bridge/poller/poll_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/arena_fixture.h"

enum { LONGEST = 256 };

static const struct config_poll by_cursor = {
    .url = (char[]){"https://api.example.com/v1/events?since={since}&until={until}&c={cursor}"},
    .items = (char[]){"/data/list"},
    .event = (char[]){"/payload"},
    .id = (char[]){"/delivery/id"},
    .time = (char[]){"/at"},
    .next = (char[]){"/data/next"},
};

static bool
read_page(struct poll_page *page, const struct config_poll *poll, const char *answer)
{
	struct error error;

	return poll_page_read(page, poll, text_of(answer), arena, &error);
}

static void
assert_slice(struct slice slice, const char *expected)
{
	assert_non_null(slice.bytes);
	assert_int_equal(slice.length, strlen(expected));
	assert_memory_equal(slice.bytes, expected, slice.length);
}

static void
items_keep_their_bytes(void **state)
{
	struct poll_page page;
	struct poll_item item;
	struct slice element;

	(void)state;
	assert_true(read_page(&page, &by_cursor,
			      "{\"data\":{\"next\":\"c\\u0032\",\"list\":[{\"at\":1790856000,"
			      "\"delivery\":{\"id\":\"m\\n1\"},\"payload\":{ \"n\" : 1.50 }}]}}"));
	assert_slice(page.next, "c2");
	assert_int_equal(json_split_element(&page.items, &element), JSON_SPLIT_VALUE);
	assert_true(poll_page_item(&item, &by_cursor, element, arena));
	assert_slice(item.event, "{ \"n\" : 1.50 }");
	assert_slice(item.id, "m\n1");
	assert_int_equal(item.at, INT64_C(1790856000000));
	assert_int_equal(json_split_element(&page.items, &element), JSON_SPLIT_END);
}

static void
what_is_not_there_is_absent(void **state)
{
	struct poll_page page;
	struct poll_item item;
	struct slice element;

	(void)state;
	assert_true(read_page(&page, &by_cursor,
			      "{\"data\":{\"next\":null,\"list\":[{\"payload\":{}},7]}}"));
	assert_null(page.next.bytes);
	assert_int_equal(json_split_element(&page.items, &element), JSON_SPLIT_VALUE);
	assert_true(poll_page_item(&item, &by_cursor, element, arena));
	assert_null(item.id.bytes);
	assert_int_equal(item.at, 0);
	assert_int_equal(json_split_element(&page.items, &element), JSON_SPLIT_VALUE);
	assert_false(poll_page_item(&item, &by_cursor, element, arena));
}

static void
an_answer_without_the_array_is_refused(void **state)
{
	static const char *const answers[] = {
	    "",
	    "[]",
	    "{}",
	    "{\"data\":{\"list\":{}}}",
	    "{\"data\":[]}",
	    "<html>",
	    "{\"data\":{\"list\":",
	};
	struct poll_page page;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_false(read_page(&page, &by_cursor, answers[i]));
}

static void
the_answer_itself_may_be_the_array(void **state)
{
	const struct config_poll plain = {.url = (char[]){"https://a.example/{since}"}};
	struct poll_page page;
	struct slice element;

	(void)state;
	assert_true(read_page(&page, &plain, " [ {\"a\":1} , {} ]"));
	assert_int_equal(json_split_element(&page.items, &element), JSON_SPLIT_VALUE);
	assert_slice(element, "{\"a\":1}");
}

/* ---- addresses ---- */

static bool
write_url(struct text *url, char *bytes, const struct config_poll *poll, const char *cursor)
{
	struct error error;

	text_start(url, bytes, LONGEST);
	return poll_page_url(url, poll, INT64_C(1790856000000), INT64_C(1790859600000),
			     cursor != NULL ? text_of(cursor) : (struct slice){NULL, 0}, &error);
}

static void
words_are_filled_in_and_escaped(void **state)
{
	char bytes[LONGEST];
	struct text url;

	(void)state;
	assert_true(write_url(&url, bytes, &by_cursor, "a b&c=\xC3\xA9/"));
	assert_string_equal(bytes,
			    "https://api.example.com/v1/events?since=2026-10-01T12%3A00%3A00."
			    "000Z&until=2026-10-01T13%3A00%3A00.000Z&c=a%20b%26c%3D%C3%A9%2F");
	assert_true(write_url(&url, bytes, &by_cursor, NULL));
	assert_string_equal(bytes + strlen(bytes) - 3, "&c=");
}

static void
the_time_has_the_form_that_is_wanted(void **state)
{
	struct config_poll poll = by_cursor;
	char bytes[LONGEST];
	struct text url;

	(void)state;
	poll.url = (char[]){"https://a.example/{since}"};
	poll.since_form = CONFIG_SINCE_SECONDS;
	assert_true(write_url(&url, bytes, &poll, NULL));
	assert_string_equal(bytes, "https://a.example/1790856000");
	poll.since_form = CONFIG_SINCE_MILLISECONDS;
	assert_true(write_url(&url, bytes, &poll, NULL));
	assert_string_equal(bytes, "https://a.example/1790856000000");
}

static void
an_address_leads_on_where_the_token_may_go(void **state)
{
	static const struct {
		const char *address;
		bool good;
	} rows[] = {
	    {"https://api.example.com/v2?page=2", true},
	    {"https://api.example.com?page=2", true},
	    {"https://api.example.com", true},
	    {"http://api.example.com/v2", false},
	    {"https://api.example.com.evil.example/v2", false},
	    {"https://api.example.com:8443/v2", false},
	    {"https://api.example.com@evil.example/", false},
	    {"https://evil.example/api.example.com", false},
	    {"https://api.example.com/v2 x", false},
	    {"https://api.example.com/v2\r\nhost: evil", false},
	};
	char bytes[LONGEST];
	struct text url;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (write_url(&url, bytes, &by_cursor, rows[i].address) != rows[i].good)
			fail_msg("%s", rows[i].address);
		if (rows[i].good)
			assert_string_equal(bytes, rows[i].address);
	}
}

static void
one_that_is_too_long_is_refused(void **state)
{
	char cursor[LONGEST + 1], bytes[LONGEST];
	struct text url;

	(void)state;
	memset(cursor, 'x', LONGEST);
	cursor[LONGEST] = '\0';
	assert_false(write_url(&url, bytes, &by_cursor, cursor));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(items_keep_their_bytes),
	    cmocka_unit_test(what_is_not_there_is_absent),
	    cmocka_unit_test(an_answer_without_the_array_is_refused),
	    cmocka_unit_test(the_answer_itself_may_be_the_array),
	    cmocka_unit_test(words_are_filled_in_and_escaped),
	    cmocka_unit_test(the_time_has_the_form_that_is_wanted),
	    cmocka_unit_test(an_address_leads_on_where_the_token_may_go),
	    cmocka_unit_test(one_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, make_arena, free_arena);
}
