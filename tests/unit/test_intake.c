#include "bridge/receiver/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#define CLOUD "\"specversion\":\"1.0\",\"source\":\"/gw\",\"type\":\"key.created\""

/* A request, as a sender made it: "name: value\n" lines and a body. */
static struct {
	const char *headers;
	struct config_source source;
	struct verify *verify;
	struct normalise *normalise;
	struct verify_outcome outcome;
	struct verify_request seen;
	struct arena *arena;
	char evidence_bytes[8192];
	struct text evidence;
	struct intake intake;
} bench;

/* The next line; false at the end. */
static bool
next_line(const char **lines, struct slice *name, const char **value, size_t *length)
{
	size_t line = strcspn(*lines, "\n"), colon = strcspn(*lines, ":");

	if (line == 0)
		return false;
	*name = (struct slice){*lines, colon};
	*value = *lines + colon + 2;
	*length = line - colon - 2;
	*lines += line + 1;
	return true;
}

static struct slice
header_of(void *context, const char *wanted, size_t *count)
{
	const char *lines = bench.headers, *value;
	struct slice found = {NULL, 0}, name;
	size_t length;

	(void)context;
	*count = 0;
	while (next_line(&lines, &name, &value, &length))
		if (text_slice_is(name, wanted) && (*count)++ == 0)
			found = (struct slice){value, length};
	return found;
}

static void
headers_of(void *context, const char *prefix, struct text *text)
{
	const char *lines = bench.headers, *value;
	struct slice name;
	size_t length;

	(void)context;
	while (next_line(&lines, &name, &value, &length))
		if (strncmp(name.bytes, prefix, strlen(prefix)) == 0)
			text_append_format(text, "%.*s: %.*s\n", (int)name.length, name.bytes,
					   (int)length, value);
}

static void
make(const char *profile, enum config_signature signature)
{
	static char name[] = "gw", any[] = "*", *events[] = {any};
	static struct config_secret secrets[1] = {{.not_after = INT64_MAX}};
	static const struct slice key = SLICE_LITERAL("secret");
	struct error error;

	secrets[0].file = name;
	bench.source = (struct config_source){.name = name,
					      .events = events,
					      .events_count = 1,
					      .secrets = secrets,
					      .secrets_count = 1,
					      .signature = signature};
	if (!verify_new_with(&bench.verify, &bench.source, &key, &error) ||
	    !normalise_new(&bench.normalise, profile, &error))
		fail_msg("%s", error.text);
	bench.arena = arena_new();
	bench.outcome = (struct verify_outcome){0};
}

static int
tear_down(void **state)
{
	(void)state;
	verify_free(bench.verify);
	normalise_free(bench.normalise);
	arena_free(bench.arena);
	return 0;
}

/* False: it was refused, and `error` says why. */
static bool
take(const char *headers, const char *body, struct error *error)
{
	bench.headers = headers;
	bench.seen = (struct verify_request){
	    .header = header_of, .body = text_of(body), .now = INT64_C(1790856000000)};
	text_start(&bench.evidence, bench.evidence_bytes, sizeof(bench.evidence_bytes));
	bench.intake = (struct intake){.config = &bench.source,
				       .normalise = bench.normalise,
				       .verify = bench.verify,
				       .seen = &bench.seen,
				       .outcome = &bench.outcome,
				       .headers = headers_of,
				       .body = text_of(body),
				       .form = intake_form(bench.normalise, &bench.seen),
				       .evidence = &bench.evidence};
	assert_int_not_equal(bench.intake.form, INTAKE_UNKNOWN);
	return intake_read(&bench.intake, bench.arena, error);
}

static void
must_take(const char *headers, const char *body, size_t count)
{
	struct error error;

	if (!take(headers, body, &error))
		fail_msg("%s: %s", body, error.text);
	if (bench.intake.count != count)
		fail_msg("%s: %zu events", body, bench.intake.count);
}

static void
must_refuse(const char *headers, const char *body, const char *reason)
{
	struct error error;

	if (take(headers, body, &error))
		fail_msg("taken: %s", body);
	if (strstr(error.text, reason) == NULL)
		fail_msg("%s: %s", body, error.text);
}

static void
assert_id(size_t i, const char *id)
{
	struct slice found = bench.intake.events[i].id;

	if (!text_slice_is(found, id))
		fail_msg("event %zu is %.*s", i, (int)found.length, found.bytes);
}

static bool
in_evidence(const char *text)
{
	struct slice evidence = bench.intake.events[0].evidence;

	return memmem(evidence.bytes, evidence.length, text, strlen(text)) != NULL;
}

#define JSON    "content-type: application/json\n"
#define BATCH   "content-type: Application/CloudEvents-Batch+JSON\n"
#define CLOUDED "content-type: application/cloudevents+json; charset=utf-8\n"
#define BINARY                                                                                     \
	"ce-id: e1\nce-source: /gw\nce-specversion: 1.0\nce-type: key.created\n"                   \
	"ce-subject: Euro%20%E2%82%AC\n"

static void
the_media_type_says_what_it_is(void **state)
{
	static const struct {
		const char *headers;
		enum intake_form plain, cloud; /* by the profile */
	} cases[] = {
	    {JSON, INTAKE_JSON, INTAKE_JSON},
	    {"content-type: APPLICATION/json;a=b\n", INTAKE_JSON, INTAKE_JSON},
	    {CLOUDED, INTAKE_STRUCTURED, INTAKE_STRUCTURED},
	    {BATCH, INTAKE_CLOUD_BATCH, INTAKE_CLOUD_BATCH},
	    {"content-type: application/cloudevents+xml\n", INTAKE_UNKNOWN, INTAKE_UNKNOWN},
	    {"content-type: application/cloudevents-batch+xml\n", INTAKE_UNKNOWN, INTAKE_UNKNOWN},
	    {"content-type: text/plain\n", INTAKE_UNKNOWN, INTAKE_UNKNOWN},
	    {"content-type: application/jsonp\n", INTAKE_UNKNOWN, INTAKE_UNKNOWN},
	    {JSON JSON, INTAKE_UNKNOWN, INTAKE_UNKNOWN},
	    {"", INTAKE_UNKNOWN, INTAKE_UNKNOWN},
	    {JSON BINARY, INTAKE_JSON, INTAKE_BINARY},
	    {"content-type: application/vnd.acme+JSON\n" BINARY, INTAKE_UNKNOWN, INTAKE_BINARY},
	    {"content-type: text/plain\n" BINARY, INTAKE_UNKNOWN, INTAKE_UNKNOWN},
	    {BINARY, INTAKE_UNKNOWN, INTAKE_BINARY},
	    {CLOUDED BINARY, INTAKE_STRUCTURED, INTAKE_STRUCTURED},
	};

	(void)state;
	for (int cloud = 0; cloud < 2; cloud++) {
		make(cloud ? "cloudevents" : "anyint", CONFIG_SIGNATURE_BEARER);
		bench.seen.header = header_of;
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			bench.headers = cases[i].headers;
			if (intake_form(bench.normalise, &bench.seen) !=
			    (cloud ? cases[i].cloud : cases[i].plain))
				fail_msg("%d %s", cloud, cases[i].headers);
		}
		if (cloud == 0)
			(void)tear_down(NULL);
	}
}

static void
a_plain_event_is_known_by_its_delivery(void **state)
{
	(void)state;
	make("anyint", CONFIG_SIGNATURE_GITHUB);
	bench.outcome =
	    (struct verify_outcome){.delivery_id = SLICE_LITERAL("msg_1"), .id_is_unsigned = true};
	must_take(JSON "x-github-delivery: msg_1\nx-other: y\n", "{\"type\":\"key.created\"}", 1);
	assert_id(0, "msg_1");
	assert_true(bench.intake.binds_body);
	assert_true(text_slice_is(bench.intake.events[0].evidence, "x-github-delivery: msg_1\n"));
	assert_true(text_slice_is(bench.intake.events[0].type, "key.created"));
	must_refuse(JSON, "{\"type\":", "JSON");
	must_refuse(JSON, "{\"a\":1}", "no event type");
}

static void
a_header_of_the_profile_is_kept_and_read(void **state)
{
	(void)state;
	make("github", CONFIG_SIGNATURE_GITHUB);
	must_take(JSON "x-github-event: push\n", "{\"ref\":\"refs/heads/main\"}", 1);
	assert_true(text_slice_is(bench.intake.events[0].type, "push"));
	assert_true(in_evidence("x-github-event: push\n"));
}

static void
a_structured_event_is_known_by_source_and_id(void **state)
{
	(void)state;
	make("cloudevents", CONFIG_SIGNATURE_BEARER);
	bench.outcome.delivery_id = SLICE_LITERAL("msg_1");
	/* no header overrules what was signed */
	must_take(CLOUDED "ce-type: key.deleted\n", "{" CLOUD ",\"id\":\"1\"}", 1);
	assert_id(0, "1 /gw");
	assert_true(text_slice_is(bench.intake.events[0].type, "key.created"));
	assert_int_equal(bench.intake.events[0].evidence.length, 0);
	must_refuse(CLOUDED, "{" CLOUD "}", "no id");
	must_refuse(CLOUDED, "{" CLOUD ",\"id\":\"1\",\"data\":1,\"data_base64\":\"YQ==\"}",
		    "both data and data_base64"); /* X7 */
	must_refuse(CLOUDED,
		    "{\"specversion\":\"1.0\",\"source\":\"a b\",\"type\":\"t\","
		    "\"id\":\"1\"}",
		    "URI");
}

static void
a_structured_event_of_another_profile_is_known_by_its_delivery(void **state)
{
	(void)state;
	make("anyint", CONFIG_SIGNATURE_BEARER);
	bench.outcome.delivery_id = SLICE_LITERAL("msg_1");
	must_take(CLOUDED, "{" CLOUD ",\"id\":\"1\"}", 1);
	assert_id(0, "msg_1");
}

static void
binary_mode_keeps_the_data_and_the_headers(void **state)
{
	(void)state;
	make("cloudevents", CONFIG_SIGNATURE_BEARER);
	must_take(JSON BINARY "ce-extension: x\n", "{\"a\":1}", 1);
	assert_id(0, "e1 /gw");
	assert_true(text_slice_is(bench.intake.events[0].body, "{\"a\":1}"));
	assert_true(text_slice_is(bench.intake.events[0].type, "key.created"));
	assert_true(text_slice_is(bench.intake.events[0].resource, "Euro \xE2\x82\xAC")); /* X3 */
	assert_true(in_evidence("ce-extension: x\nz") || in_evidence("ce-extension: x\n"));
	assert_false(bench.intake.binds_body);
	must_take(JSON BINARY, "[1,2]", 1); /* data may be anything, and is no batch */
	must_take(BINARY, "", 1);
	must_refuse(JSON BINARY, "{\"a\":", "");
	must_refuse(JSON BINARY "ce-id: e2\n", "{}", "more than one ce-id");
	must_refuse(JSON "ce-specversion: 1.0\nce-type: t\nce-source: s\n", "{}", "no id");
	must_refuse(JSON "ce-subject: %C0%A0\nce-id: 1\nce-source: s\nce-type: t\n"
			 "ce-specversion: 1.0\n",
		    "{}", "ce-subject"); /* X4 */
}

static void
an_id_in_a_header_is_bound_to_the_body_that_is_signed(void **state)
{
	(void)state;
	make("cloudevents", CONFIG_SIGNATURE_BEARER);
	bench.outcome = (struct verify_outcome){.signs_body_alone = true};
	must_take(JSON BINARY, "{}", 1);
	assert_id(0, "e1 /gw");
	assert_true(bench.intake.binds_body);
	/* a delivery id that is signed says more */
	bench.outcome.delivery_id = SLICE_LITERAL("msg_1");
	must_take(JSON BINARY, "{}", 1);
	assert_id(0, "msg_1");
	assert_false(bench.intake.binds_body);
	bench.outcome.id_is_unsigned = true;
	must_take(JSON BINARY, "{}", 1);
	assert_id(0, "e1 /gw");
	assert_true(bench.intake.binds_body);
}

static void
a_batch_is_all_of_its_events_or_nothing(void **state)
{
	(void)state;
	make("anyint", CONFIG_SIGNATURE_BEARER);
	must_take(BATCH, "[]", 0); /* X5 */
	must_take(BATCH, "[{" CLOUD ",\"id\":\"1\"} ,\n{" CLOUD ",\"id\":\"2\",\"data\":[]}]", 2);
	assert_id(0, "1 /gw");
	assert_id(1, "2 /gw");
	assert_true(text_slice_is(bench.intake.events[0].body, "{" CLOUD ",\"id\":\"1\"}"));
	assert_true(in_evidence("siembridge-signed-body: sha256:"));
	assert_true(in_evidence(" events=2\n"));
	must_refuse(BATCH, "[{" CLOUD ",\"id\":\"1\"},{" CLOUD ",\"id\":\"2\"},{" CLOUD "}]",
		    "event 2 of the batch: not a CloudEvent: it has no id"); /* W11 */
	must_refuse(BATCH, "{" CLOUD ",\"id\":\"1\"}", "array");
	must_refuse(BATCH, "[{" CLOUD ",\"id\":\"1\"}", "behind 1");
	must_refuse(BATCH, "[{" CLOUD ",\"id\":\"1\"}]x", "behind the array");
}

static void
an_array_of_json_is_a_batch(void **state)
{
	static const char body[] = "[{\"type\":\"key.created\",\"id\":\"k1\",\"time\":\"2026-10-"
				   "01T12:00:00Z\"},{\"type\":\"key.created\"},"
				   "{\"type\":\"key.created\"}]";
	struct error error;
	char id[64];

	(void)state;
	make("anyint", CONFIG_SIGNATURE_BEARER);
	bench.outcome.delivery_id = SLICE_LITERAL("msg_1");
	must_take(JSON, body, 3);
	assert_id(0, "k1/key.created/2026-10-01T12:00:00Z");
	assert_id(1, "msg_1/1"); /* two that are equal are two */
	assert_id(2, "msg_1/2");
	bench.outcome.id_is_unsigned = true;
	must_take(JSON, body, 3);
	assert_int_equal(bench.intake.events[1].id.length, strlen("sha256:/1") + 64);
	assert_false(text_slices_equal(bench.intake.events[1].id, bench.intake.events[2].id));
	(void)snprintf(id, sizeof(id), "%.*s", 60, bench.intake.events[1].id.bytes);
	assert_true(take(JSON, body, &error)); /* and the same request is the same */
	assert_memory_equal(id, bench.intake.events[1].id.bytes, 60);
	must_refuse(JSON, "[{\"type\":\"key.created\"},1]", "event 1 of the batch");
	must_refuse(JSON, " [ ] ", "empty array");
	must_take(JSON, "{\"events\":[]}", 0);
}

static void
an_object_around_events_is_a_batch(void **state)
{
	static char records[] = "Records";

	(void)state;
	make("anyint", CONFIG_SIGNATURE_BEARER);
	bench.outcome.delivery_id = SLICE_LITERAL("msg_1");
	must_take(JSON,
		  "{\"stream\":\"audit\",\n\"source\":\"gw\",\"events\":[{\"type\":\"a\"},"
		  "{\"type\":\"b\"}],\"n\":2}",
		  2);
	assert_id(1, "msg_1/1");
	assert_true(in_evidence("siembridge-envelope: {\"stream\":\"audit\", \"source\":\"gw\","
				"\"events\":[],\"n\":2}\n"));
	/* one that is an event is that, whatever is in it */
	must_take(JSON, "{\"type\":\"a\",\"events\":[{\"type\":\"b\"}]}", 1);
	assert_id(0, "msg_1");
	must_refuse(JSON, "{\"events\":[{\"type\":\"a\"}],\"events\":1}", "");
	must_refuse(JSON, "{\"events\":[{\"type\":\"a\"}],}", "");
	must_refuse(JSON, "{\"events\":{\"type\":\"a\"}}", "no event type");
	bench.source.batch = records;
	must_take(JSON, "{\"type\":\"a\",\"Records\":[{\"type\":\"b\"}]}", 1);
	assert_true(text_slice_is(bench.intake.events[0].type, "b"));
	must_take(JSON, "{\"type\":\"a\"}", 1);
	must_refuse(JSON, "{\"events\":[{\"type\":\"a\"}]}", "no event type");
}

static void
what_is_not_subscribed_is_left_out(void **state)
{
	static char keys[] = "key.*", *events[] = {keys};

	(void)state;
	make("anyint", CONFIG_SIGNATURE_BEARER);
	bench.source.events = events;
	must_take(JSON, "[{\"type\":\"key.created\"},{\"type\":\"a\"},{\"type\":\"key.deleted\"}]",
		  2);
	assert_int_equal(bench.intake.unwanted, 1);
	must_take(JSON, "{\"type\":\"a\"}", 0);
	assert_int_equal(bench.intake.unwanted, 1);
}

static void
a_batch_has_a_limit(void **state)
{
	enum { EVENTS = 16385 };
	char *body = malloc((size_t)EVENTS * 16);
	size_t length = 0;

	(void)state;
	assert_non_null(body);
	make("anyint", CONFIG_SIGNATURE_BEARER);
	for (size_t i = 0; i < EVENTS; i++)
		length +=
		    (size_t)snprintf(body + length, 16, "%s{\"type\":\"a\"}", i > 0 ? "," : "[");
	memcpy(body + length, "]", 2);
	must_refuse(JSON, body, "at most 16384");
	memcpy(body + length - 13, "]", 2);
	must_take(JSON, body, 16384);
	free(body);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(the_media_type_says_what_it_is),
	    TEST(a_plain_event_is_known_by_its_delivery),
	    TEST(a_header_of_the_profile_is_kept_and_read),
	    TEST(a_structured_event_is_known_by_source_and_id),
	    TEST(a_structured_event_of_another_profile_is_known_by_its_delivery),
	    TEST(binary_mode_keeps_the_data_and_the_headers),
	    TEST(an_id_in_a_header_is_bound_to_the_body_that_is_signed),
	    TEST(a_batch_is_all_of_its_events_or_nothing),
	    TEST(an_array_of_json_is_a_batch),
	    TEST(an_object_around_events_is_a_batch),
	    TEST(what_is_not_subscribed_is_left_out),
	    TEST(a_batch_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
