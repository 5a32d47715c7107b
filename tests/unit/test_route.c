#include "bridge/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_WORDS = 4 };

/* A destination, its lists as words with a blank between; and the events it is shown. */
struct row {
	const char *events, *except, *sources, *organizations, *projects;
	enum severity min_severity;
	struct {
		const char *source, *type, *organization, *project;
		enum severity severity;
		bool wanted;
	} shown[4]; /* up to one without a type */
};

static const struct row rows[] = {
    {.events = "*",
     .shown = {{"a", "key.created", NULL, NULL, SEVERITY_INFO, true},
	       {"b", "x", "o", "p", SEVERITY_CRITICAL, true}}},
    {.events = "key.* security.alert",
     .shown = {{"a", "key.created", NULL, NULL, SEVERITY_LOW, true},
	       {"a", "security.alert", NULL, NULL, SEVERITY_HIGH, true},
	       {"a", "security.alerts", NULL, NULL, SEVERITY_HIGH, false},
	       {"a", "member.joined", NULL, NULL, SEVERITY_LOW, false}}},
    {.events = NULL, .shown = {{"a", "key.created", NULL, NULL, SEVERITY_LOW, false}}},
    {.events = "*",
     .except = "billing.* key.created",
     .shown = {{"a", "billing.paid", NULL, NULL, SEVERITY_INFO, false},
	       {"a", "key.created", NULL, NULL, SEVERITY_LOW, false},
	       {"a", "key.createdx", NULL, NULL, SEVERITY_LOW, true},
	       {"a", "usage.alert", NULL, NULL, SEVERITY_MEDIUM, true}}},
    {.events = "key.*",
     .except = "*",
     .shown = {{"a", "key.created", NULL, NULL, SEVERITY_CRITICAL, false}}},
    {.events = "*",
     .min_severity = SEVERITY_HIGH,
     .shown = {{"a", "security.x", NULL, NULL, SEVERITY_MEDIUM, false},
	       {"a", "security.x", NULL, NULL, SEVERITY_HIGH, true},
	       {"a", "security.x", NULL, NULL, SEVERITY_CRITICAL, true}}},
    {.events = "*",
     .sources = "a c",
     .shown = {{"a", "x", NULL, NULL, SEVERITY_INFO, true},
	       {"b", "x", NULL, NULL, SEVERITY_INFO, false},
	       {"ca", "x", NULL, NULL, SEVERITY_INFO, false},
	       {"", "x", NULL, NULL, SEVERITY_INFO, false}}},
    {.events = "*",
     .organizations = "org_1 org_2",
     .shown = {{"a", "x", "org_2", NULL, SEVERITY_INFO, true},
	       {"a", "x", "org_22", NULL, SEVERITY_INFO, false},
	       {"a", "x", "", NULL, SEVERITY_INFO, false},
	       {"a", "x", NULL, NULL, SEVERITY_CRITICAL, false}}},
    {.events = "*",
     .projects = "p",
     .shown = {{"a", "x", NULL, "p", SEVERITY_INFO, true},
	       {"a", "x", "p", NULL, SEVERITY_INFO, false}}},
    /* all that is given must hold */
    {.events = "security.*",
     .except = "security.test",
     .sources = "a",
     .organizations = "o",
     .projects = "p",
     .min_severity = SEVERITY_MEDIUM,
     .shown = {{"a", "security.x", "o", "p", SEVERITY_MEDIUM, true},
	       {"a", "security.test", "o", "p", SEVERITY_MEDIUM, false},
	       {"a", "security.x", "o", "q", SEVERITY_MEDIUM, false},
	       {"a", "security.x", "o", "p", SEVERITY_LOW, false}}},
};

/* Gives the words one by one; `copy` holds them. */
static unsigned
split(const char *words, char copy[64], char *list[MOST_WORDS])
{
	unsigned count = 0;
	char *rest = copy;

	if (words == NULL)
		return 0;
	(void)snprintf(copy, 64, "%s", words);
	while (rest != NULL) {
		assert_true(count < MOST_WORDS);
		list[count++] = strsep(&rest, " ");
	}
	return count;
}

struct fixture {
	struct config_destination destination;
	char copies[5][64];
	char *lists[5][MOST_WORDS];
};

static void
fill(struct fixture *fixture, const struct row *row)
{
	struct config_destination *destination = &fixture->destination;

	memset(fixture, 0, sizeof(*fixture));
	destination->events_count = split(row->events, fixture->copies[0], fixture->lists[0]);
	destination->events = fixture->lists[0];
	destination->except_count = split(row->except, fixture->copies[1], fixture->lists[1]);
	destination->except = fixture->lists[1];
	destination->sources_count = split(row->sources, fixture->copies[2], fixture->lists[2]);
	destination->sources = fixture->lists[2];
	destination->organizations_count =
	    split(row->organizations, fixture->copies[3], fixture->lists[3]);
	destination->organizations = fixture->lists[3];
	destination->projects_count = split(row->projects, fixture->copies[4], fixture->lists[4]);
	destination->projects = fixture->lists[4];
	destination->min_severity = row->min_severity;
}

static void
an_event_goes_where_all_that_is_given_holds(void **state)
{
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct config_destination *destination = &fixture.destination;

		fill(&fixture, &rows[i]);
		for (size_t j = 0; j < 4 && rows[i].shown[j].type != NULL; j++) {
			struct event event = {.severity = rows[i].shown[j].severity};
			bool wanted;

			event.fields[FIELD_ORGANIZATION_ID] =
			    text_of(rows[i].shown[j].organization);
			event.fields[FIELD_PROJECT_ID] = text_of(rows[i].shown[j].project);
			wanted = route_wants(destination, text_of(rows[i].shown[j].source),
					     text_of(rows[i].shown[j].type),
					     text_of(rows[i].shown[j].type)) &&
				 route_wants_event(destination, &event);
			if (wanted != rows[i].shown[j].wanted)
				fail_msg("row %zu, event %zu: %d", i, j, wanted);
			/* what says that the event need not be read is true */
			if (!route_reads_event(destination))
				assert_true(route_wants_event(destination, &event));
			if (route_wants_everything(destination))
				assert_true(wanted);
		}
	}
}

static void
a_destination_that_wants_everything_is_known_as_such(void **state)
{
	static const struct {
		struct row row;
		bool everything;
	} cases[] = {
	    {{.events = "key.* *"}, true},
	    {{.events = "key.*"}, false},
	    {{.events = NULL}, false},
	    {{.events = "*", .except = "x"}, false},
	    {{.events = "*", .sources = "a"}, false},
	    {{.events = "*", .organizations = "o"}, false},
	    {{.events = "*", .projects = "p"}, false},
	    {{.events = "*", .min_severity = SEVERITY_LOW}, false},
	};
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fill(&fixture, &cases[i].row);
		assert_int_equal(route_wants_everything(&fixture.destination), cases[i].everything);
	}
}

static void
a_type_that_is_never_severe_enough_can_not_be_wanted(void **state)
{
	static const struct {
		const char *type;
		enum severity min_severity;
		bool can;
	} cases[] = {
	    {"billing.paid", SEVERITY_INFO, true},
	    {"billing.paid", SEVERITY_LOW, false},
	    {"key.created", SEVERITY_LOW, true},
	    {"key.created", SEVERITY_MEDIUM, true}, /* where it failed */
	    {"key.created", SEVERITY_HIGH, false},
	    {"security.x", SEVERITY_CRITICAL, true}, /* where the sender says so */
	    {"usage.limit_reached", SEVERITY_HIGH, true},
	    {"usage.limit_reached", SEVERITY_CRITICAL, false},
	    {"unheard.of", SEVERITY_INFO, true},
	    {"unheard.of", SEVERITY_LOW, false},
	};
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct row row = {.events = "*", .min_severity = cases[i].min_severity};

		fill(&fixture, &row);
		if (route_can_want(&fixture.destination, SLICE_LITERAL("a"),
				   text_of(cases[i].type)) != cases[i].can)
			fail_msg("case %zu: %s", i, cases[i].type);
	}
}

static void
the_sequence_id_wraps_to_1(void **state)
{
	static const struct {
		uint64_t number;
		uint32_t sequence_id;
	} cases[] = {
	    {1, 1},          {2, 2},          {2147483646, 2147483646}, {2147483647, 2147483647},
	    {2147483648, 1}, {2147483649, 2}, {4294967294, 2147483647}, {4294967295, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(route_sequence_id(cases[i].number), cases[i].sequence_id);
}

static void
a_glob_fits_the_senders_word_or_ours(void **state)
{
	static char key[] = "key.*", deleted[] = "key.deleted", all[] = "*", sent[] = "api_key.*";
	char *events[1], *except[1];
	struct config_destination destination = {
	    .events = events, .events_count = 1, .except = except};
	const struct slice source = SLICE_LITERAL("a"), type = SLICE_LITERAL("api_key.revoked"),
			   ours = SLICE_LITERAL("key.deleted");

	(void)state;
	events[0] = key;
	assert_true(route_wants(&destination, source, type, ours));
	assert_false(route_wants(&destination, source, type, type));
	events[0] = sent;
	assert_true(route_wants(&destination, source, type, ours));
	events[0] = all;
	destination.except_count = 1;
	except[0] = deleted;
	assert_false(route_wants(&destination, source, type, ours));
	except[0] = sent;
	assert_false(route_wants(&destination, source, type, ours));
	except[0] = key;
	assert_true(route_wants(&destination, source, type, type));
}

static void
a_glob_may_ask_for_a_severity_of_its_own(void **state)
{
	static const struct {
		const char *type;
		enum severity severity;
		bool wanted;
	} cases[] = {
	    {"key.disabled", SEVERITY_INFO, true},   {"security.x", SEVERITY_MEDIUM, false},
	    {"security.x", SEVERITY_HIGH, true},     {"security.test", SEVERITY_LOW, true},
	    {"security.test", SEVERITY_INFO, false},
	};
	static const struct row row = {.events = "key.disabled security.* security.test"};
	enum severity floors[] = {SEVERITY_INFO, SEVERITY_HIGH, SEVERITY_LOW};
	struct fixture fixture;

	(void)state;
	fill(&fixture, &row);
	fixture.destination.floors = floors;
	assert_true(route_reads_event(&fixture.destination));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event event = {.severity = cases[i].severity};

		event.fields[FIELD_TYPE] = text_of(cases[i].type);
		if (route_wants_event(&fixture.destination, &event) != cases[i].wanted)
			fail_msg("%s %d", cases[i].type, (int)cases[i].severity);
	}
	/* by the sender's word for it too */
	struct event event = {.severity = SEVERITY_INFO};

	event.fields[FIELD_TYPE] = text_of("other");
	event.fields[FIELD_ORIGINAL_TYPE] = text_of("key.disabled");
	assert_true(route_wants_event(&fixture.destination, &event));
}

/* Whoever is told that it began is told that it is over, however little that is worth. */
static void
who_is_on_call_hears_of_the_end(void **state)
{
	static const struct row rows_of_calls[] = {
	    {.events = "billing.overdue", .min_severity = SEVERITY_MEDIUM},
	    {.events = "billing.overdue", .except = "billing.paid"},
	    {.events = "key.*"},
	};
	static const bool hears[] = {true, false, false};
	struct event event = {.severity = SEVERITY_INFO};
	struct slice source = text_of("a"), type = text_of("billing.paid");
	struct config_http http = {.vendor = CONFIG_VENDOR_PAGERDUTY};
	struct fixture fixture;

	(void)state;
	event.fields[FIELD_TYPE] = type;
	for (size_t i = 0; i < sizeof(hears) / sizeof(hears[0]); i++) {
		const struct config_destination *destination = &fixture.destination;

		fill(&fixture, &rows_of_calls[i]);
		assert_false(route_wants(destination, source, type, type));
		fixture.destination.http = &http;
		assert_int_equal(route_wants(destination, source, type, type), hears[i]);
		assert_int_equal(route_can_want(destination, source, type), hears[i]);
		if (hears[i])
			assert_true(route_wants_event(destination, &event));
	}
	http.vendor = CONFIG_VENDOR_HTTP; /* a feed, and nobody's pager */
	fill(&fixture, &rows_of_calls[0]);
	fixture.destination.http = &http;
	assert_false(route_wants(&fixture.destination, source, type, type));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_glob_fits_the_senders_word_or_ours),
	    cmocka_unit_test(an_event_goes_where_all_that_is_given_holds),
	    cmocka_unit_test(a_destination_that_wants_everything_is_known_as_such),
	    cmocka_unit_test(a_type_that_is_never_severe_enough_can_not_be_wanted),
	    cmocka_unit_test(the_sequence_id_wraps_to_1),
	    cmocka_unit_test(a_glob_may_ask_for_a_severity_of_its_own),
	    cmocka_unit_test(who_is_on_call_hears_of_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
