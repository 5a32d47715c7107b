/* Against a real spool; what was counted stands in the page of counters. */
#include "bridge/forwarder/unrouted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/memory.h"

enum { DESTINATIONS = 3 };

struct fixture {
	char directory[64];
	struct spool *spool;
	struct counters *counters;
	struct config config;
	struct config_source source;
	struct config_destination destinations[DESTINATIONS];
	struct profiles *profiles;
	struct unrouted *unrouted;
};

static char every[] = "*", keys[] = "key.*", security[] = "security.*", named[] = "anyint",
	    profile[] = "anyint", org[] = "org_1";
static char *every_list[] = {every}, *keys_list[] = {keys}, *security_list[] = {security},
	    *org_list[] = {org};

static int
set_up(void **state)
{
	struct fixture *fixture = memory_allocate(sizeof(*fixture));
	struct error alarm = {.text = ""};
	struct error error;

	(void)snprintf(fixture->directory, sizeof(fixture->directory), "%s",
		       "/tmp/siembridge-unrouted-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	fixture->source = (struct config_source){.name = named, .profile = profile};
	fixture->destinations[0] =
	    (struct config_destination){.events = keys_list, .events_count = 1};
	fixture->destinations[1] = (struct config_destination){
	    .events = security_list, .events_count = 1, .min_severity = SEVERITY_HIGH};
	fixture->destinations[2] = (struct config_destination){.events = every_list,
							       .events_count = 1,
							       .organizations = org_list,
							       .organizations_count = 1};
	fixture->config = (struct config){.sources = &fixture->source,
					  .sources_count = 1,
					  .destinations = fixture->destinations,
					  .destinations_count = DESTINATIONS};
	if (!counters_map(-1, &fixture->counters, &error) ||
	    !profiles_new(&fixture->profiles, &fixture->config, &error) ||
	    !spool_open(&fixture->spool, fixture->directory, 0, 0, &alarm, &error))
		fail_msg("%s", error.text);
	*state = fixture;
	return 0;
}

static void
open_counting(struct fixture *fixture, uint64_t after)
{
	const struct unrouted_settings settings = {&fixture->config, fixture->profiles,
						   fixture->counters};
	struct spool_reader *reader;
	struct error error;

	if (!spool_reader_open(&reader, fixture->directory, &error))
		fail_msg("%s", error.text);
	fixture->unrouted = unrouted_new(&settings, reader, after);
}

static int
tear_down(void **state)
{
	static const char *const files[] = {"spool.db", "spool.db-wal", "spool.db-shm", "head",
					    "lock",     "spool.head",   "spool.lock"};
	struct fixture *fixture = *state;
	char path[128];

	unrouted_free(fixture->unrouted);
	spool_close(fixture->spool);
	profiles_free(fixture->profiles);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", fixture->directory, files[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

static void
append(struct fixture *fixture, const char *type, const char *rest)
{
	struct spool_event event = {.source = SLICE_LITERAL("anyint"),
				    .id = SLICE_LITERAL("msg_1"),
				    .type = text_of(type),
				    .evidence = SLICE_LITERAL("")};
	char body[256];
	struct error error;

	(void)snprintf(body, sizeof(body), "{\"type\":\"%s\"%s}", type, rest);
	event.body = text_of(body);
	if (spool_append(fixture->spool, &event, 1, NULL, 0, &error) != SPOOL_DONE)
		fail_msg("%s", error.text);
}

static uint64_t
count(struct fixture *fixture)
{
	while (unrouted_look(fixture->unrouted))
		continue;
	return atomic_load(&fixture->counters->values[COUNTER_UNROUTED]);
}

static void
what_no_destination_wants_is_counted_by_type_and_by_body(void **state)
{
	static const struct {
		const char *type, *rest;
		bool counted;
	} cases[] = {
	    {"key.created", "", false},
	    {"member.joined", "", true},
	    {"member.joined", ",\"data\":{\"organization_id\":\"org_1\"}", false},
	    {"member.joined", ",\"data\":{\"organization_id\":\"org_2\"}", true},
	    {"security.x", ",\"data\":{\"severity\":\"critical\"}", false},
	    {"security.x", ",\"data\":{\"severity\":\"low\"}", true},
	};
	struct fixture *fixture = *state;

	open_counting(fixture, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t before = count(fixture);

		append(fixture, cases[i].type, cases[i].rest);
		if (count(fixture) - before != cases[i].counted)
			fail_msg("case %zu", i);
	}
}

static void
an_event_is_counted_once_however_often_the_forwarder_starts(void **state)
{
	struct fixture *fixture = *state;

	append(fixture, "member.joined", "");
	append(fixture, "member.joined", "");
	open_counting(fixture, 0);
	assert_int_equal(count(fixture), 2);
	unrouted_free(fixture->unrouted);
	append(fixture, "member.joined", "");
	open_counting(fixture, 0);
	assert_int_equal(count(fixture), 3);
}

static void
what_an_earlier_daemon_saw_is_not_counted(void **state)
{
	struct fixture *fixture = *state;

	append(fixture, "member.joined", "");
	append(fixture, "member.joined", "");
	open_counting(fixture, 1);
	assert_int_equal(count(fixture), 1);
}

static void
where_everything_is_wanted_nothing_is_read(void **state)
{
	struct fixture *fixture = *state;

	fixture->destinations[2].organizations_count = 0;
	append(fixture, "member.joined", "");
	atomic_store(&fixture->counters->last_sequence, 1);
	open_counting(fixture, 0);
	assert_int_equal(count(fixture), 0);
	/* and a reload that narrows it counts only what comes then */
	unrouted_free(fixture->unrouted);
	fixture->destinations[2].organizations_count = 1;
	open_counting(fixture, 0);
	append(fixture, "member.joined", "");
	assert_int_equal(count(fixture), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_no_destination_wants_is_counted_by_type_and_by_body, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		an_event_is_counted_once_however_often_the_forwarder_starts, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_an_earlier_daemon_saw_is_not_counted, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(where_everything_is_wanted_nothing_is_read, set_up,
					    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
