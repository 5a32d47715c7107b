/*
 * What each vendor is sent, up to its limits: the vectors A1, A3 to A6 of standards.md
 * 14.5, and the bodies that stand there.
 */
#include "bridge/forwarder/vendor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/json_read.h"
#include "formats/normalise.h"
#include "tests/unit/arena_fixture.h"

enum { CAPACITY = 256 * 1024 };

static struct config_http http = {.timeout = 1};
static struct config_destination destination = {.http = &http};
static char url[8192], headers[8192], body[CAPACITY];
static struct vendor_request request;

static void
read_event(const char *json, struct event *event)
{
	struct normalise *normalise;
	struct error error;

	assert_true(normalise_new(&normalise, "anyint", &error));
	*event = (struct event){.id = SLICE_LITERAL("msg_1"), .source = SLICE_LITERAL("acme")};
	if (!normalise_event(normalise, text_of(json), arena, event, &error))
		fail_msg("%s", error.text);
	normalise_free(normalise);
}

/* Into `url`, `headers` and `body`, each with a NUL behind it. */
static void
write_notification(const struct vendor *vendor, const struct event *event, uint64_t count)
{
	struct incident incident;
	struct vendor_notification notification = {
	    .destination = &destination,
	    .event = event,
	    .incident = &incident,
	    .count = count,
	    .url = SLICE_LITERAL("https://vendor.example"),
	    .key = SLICE_LITERAL("0123456789abcdef0123456789abcdef"),
	    .topic = SLICE_LITERAL("oncall"),
	};
	struct error error;
	bool hold = false;

	incident_of(event, &incident);
	text_start(&request.url, url, sizeof(url));
	text_start(&request.headers, headers, sizeof(headers));
	text_start(&request.body, body, sizeof(body));
	text_append_slice(&request.url, notification.url);
	assert_true(vendor->write(&notification, &request, &hold, &error));
	text_append_byte(&request.url, '\0');
	text_append_byte(&request.headers, '\0');
	text_append_byte(&request.body, '\0');
	assert_false(request.body.overflowed);
}

static void
assert_says(const char *part)
{
	if (strstr(body, part) == NULL)
		fail_msg("%s\nis not in\n%s", part, body);
}

/* The code points of the text member of that name, which has no escapes. */
static size_t
characters_of(const char *name)
{
	const char *start = strstr(body, name);
	size_t count = 0;

	assert_non_null(start);
	for (start += strlen(name) + strlen(":\""); *start != '"'; start++)
		count += (*start & 0xc0) != 0x80;
	return count;
}

static void
title_of(struct event *event, char *bytes, size_t length)
{
	read_event("{\"type\":\"security.alert\",\"alert\":{\"id\":\"a\"}}", event);
	memset(bytes, 'x', length);
	event->severity = SEVERITY_LOW; /* no "[high] " */
	event->entry = catalogue_find(text_of("x"));
	event->name = (struct slice){bytes, length};
	event->fields[FIELD_MESSAGE] = (struct slice){NULL, 0};
}

static void
pagerduty_is_told_as_documented(void **state)
{
	struct event event;

	(void)state;
	read_event("{\"type\":\"usage.limit_reached\",\"organization\":{\"id\":\"org_1\"},"
		   "\"timestamp\":\"2026-10-01T12:00:00Z\","
		   "\"usage\":{\"metric\":\"requests\",\"value\":100000,\"limit\":100000}}",
		   &event);
	write_notification(&send_pagerduty, &event, 1);
	assert_string_equal(url, "https://vendor.example/v2/enqueue");
	assert_says("{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"event_action\":"
		    "\"trigger\",\"dedup_key\":\"acme:org_1:usage:requests\",\"payload\":"
		    "{\"summary\":\"[high] Usage limit reached: requests (org_1)\",\"source\":"
		    "\"acme\",\"severity\":\"error\",\"timestamp\":\"2026-10-01T12:00:00.000Z\","
		    "\"component\":\"usage\",\"group\":\"org_1\",\"class\":"
		    "\"usage.limit_reached\",\"custom_details\":{\"event_id\":\"msg_1\"");
	assert_says("\"client\":\"siembridge\"}");
}

static void
a1_a_long_summary_is_cut_to_1024(void **state)
{
	char bytes[1030];
	struct event event;

	(void)state;
	title_of(&event, bytes, 1000); /* of one value no more is shown */
	event.fields[FIELD_ORGANIZATION_NAME] =
	    SLICE_LITERAL("an organization with a long name, more than 24");
	write_notification(&send_pagerduty, &event, 1);
	assert_int_equal(characters_of("\"summary\""), 1024);
	assert_says("…\",\"source\"");
}

static void
characters_are_counted_not_bytes(void **state)
{
	char bytes[64];
	struct text cut;

	(void)state;
	text_start(&cut, bytes, sizeof(bytes));
	vendor_cut(text_of("äöü€𝄞"), 5, &cut);
	assert_true(text_slice_is(text_slice(&cut), "äöü€𝄞"));
	text_cut(&cut, 0);
	vendor_cut(text_of("äöü€𝄞"), 4, &cut);
	assert_true(text_slice_is(text_slice(&cut), "äöü…"));
}

static void
a3_opsgenies_message_is_130_and_the_rest_below(void **state)
{
	char bytes[131];
	struct event event;

	(void)state;
	title_of(&event, bytes, 131);
	write_notification(&send_opsgenie, &event, 1);
	assert_int_equal(characters_of("\"message\""), 130);
	assert_true(characters_of("\"description\"") > 131);
	title_of(&event, bytes, 130);
	write_notification(&send_opsgenie, &event, 1);
	assert_int_equal(characters_of("\"message\""), 130);
	assert_null(strstr(body, "…"));
	assert_string_equal(headers, "Authorization: GenieKey 0123456789abcdef0123456789abcdef\n");
}

static void
a4_an_alias_is_escaped_in_the_path(void **state)
{
	char bytes[64];
	struct text path;

	(void)state;
	text_start(&path, bytes, sizeof(bytes));
	vendor_escape_path(text_of("a/b c"), &path);
	assert_true(text_slice_is(text_slice(&path), "a%2Fb%20c"));
}

static void
a4_what_is_over_closes_the_alert(void **state)
{
	struct event event;

	(void)state;
	read_event("{\"type\":\"billing.paid\",\"invoice\":{\"id\":\"a/b c\"}}", &event);
	write_notification(&send_opsgenie, &event, 1);
	assert_string_equal(url, "https://vendor.example/v2/alerts/acme%3A%3Abilling%3Aa%2Fb%20c/"
				 "close?identifierType=alias");
	assert_says("{\"note\":\"Resolved: Invoice paid: a\\/b c\",\"source\":\"acme\"}");
}

static void
a5_a_name_calls_nobody_in_slack(void **state)
{
	struct event event;

	(void)state;
	read_event("{\"type\":\"member.joined\",\"member\":{\"name\":\"<!channel> & co\"}}",
		   &event);
	write_notification(&send_slack, &event, 1);
	assert_says("Member joined: &lt;!channel&gt; &amp; co");
	assert_null(strchr(body, '<'));
}

static void
a6_ntfys_title_is_json(void **state)
{
	struct event event;

	(void)state;
	read_event("{\"type\":\"member.joined\",\"member\":{\"name\":\"Schl\xC3\xBCssel\"}}",
		   &event);
	write_notification(&send_ntfy, &event, 1);
	assert_string_equal(url, "https://vendor.example");
	assert_says("{\"topic\":\"oncall\",\"title\":\"Member joined: Schl\xC3\xBCssel\"");
	assert_null(strstr(headers, "itle"));
}

static void
a_count_is_said(void **state)
{
	static const struct vendor *const vendors[] = {&send_pagerduty, &send_opsgenie,
						       &send_alertmanager, &send_slack, &send_ntfy};
	struct event event;

	(void)state;
	read_event("{\"type\":\"key.disabled\",\"api_key\":{\"id\":\"k\"}}", &event);
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		write_notification(vendors[i], &event, 12);
		assert_says("(12 events)");
	}
}

/* Whatever stands in an event, what is sent is one JSON document. */
static void
nothing_in_an_event_leaves_its_place(void **state)
{
	static const struct vendor *const vendors[] = {&send_pagerduty, &send_opsgenie,
						       &send_alertmanager, &send_slack, &send_ntfy};
	struct event event;

	(void)state;
	read_event(
	    "{\"type\":\"key.disabled\",\"api_key\":{\"id\":\"k\\\"},\\n{<&\\u202e\\u0001\"}}",
	    &event);
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		struct json_value *document;
		struct error error;

		write_notification(vendors[i], &event, 1);
		if (!json_read(&document, text_of(body), &error))
			fail_msg("%s: %s", vendors[i]->name, error.text);
		json_read_free(document);
		assert_null(strchr(url, '\n'));
	}
}

static int
set_up(void **state)
{
	static char name[] = "oncall";

	destination.name = name;
	return make_arena(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pagerduty_is_told_as_documented),
	    cmocka_unit_test(a1_a_long_summary_is_cut_to_1024),
	    cmocka_unit_test(characters_are_counted_not_bytes),
	    cmocka_unit_test(a3_opsgenies_message_is_130_and_the_rest_below),
	    cmocka_unit_test(a4_an_alias_is_escaped_in_the_path),
	    cmocka_unit_test(a4_what_is_over_closes_the_alert),
	    cmocka_unit_test(a5_a_name_calls_nobody_in_slack),
	    cmocka_unit_test(a6_ntfys_title_is_json),
	    cmocka_unit_test(a_count_is_said),
	    cmocka_unit_test(nothing_in_an_event_leaves_its_place),
	};

	return cmocka_run_group_tests(tests, set_up, free_arena);
}
