#include "formats/recognise.h"

#include "tests/unit/vectors.h"

struct seen {
	char ids[8][300];
	size_t count;
	uint64_t numbers[8];
	size_t number_count;
};

static void
note_id(void *context, struct slice id)
{
	struct seen *seen = context;

	assert_in_range(id.length, 1, 299);
	assert_true(seen->count < 8);
	memcpy(seen->ids[seen->count], id.bytes, id.length);
	seen->ids[seen->count++][id.length] = '\0';
}

static void
note_number(void *context, uint64_t number)
{
	struct seen *seen = context;

	assert_true(seen->number_count < 8);
	seen->numbers[seen->number_count++] = number;
}

static struct seen
look_at(struct slice line)
{
	struct seen seen = {.count = 0};
	const struct recognise_calls calls = {note_id, note_number, &seen};
	struct arena *arena = arena_new();
	size_t count = recognise_line(line, arena, &calls);

	assert_int_equal(count, seen.count);
	arena_free(arena);
	return seen;
}

/* Every golden file holds that one id, in every format. */
static void
every_format_is_recognised(void **state)
{
	static const char *const types[] = {"key.created", "billing.generated", "usage.alert"};
	static const char *const formats[] = {"cef",     "cef1", "cef-3164", "rfc5424",
					      "rfc3164", "leef", "leef2",    "leef-3164",
					      "ecs",     "ocsf", "json",     "hec"};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (size_t j = 0; j < sizeof(formats) / sizeof(formats[0]); j++) {
			char path[128], line[VECTOR_LINE];
			struct seen seen;
			FILE *file;

			(void)snprintf(path, sizeof(path), "tests/vectors/golden/%s.%s", types[i],
				       formats[j]);
			file = fopen(path, "r");
			assert_non_null(file);
			assert_non_null(fgets(line, sizeof(line), file));
			(void)fclose(file);
			line[strcspn(line, "\n")] = '\0';
			seen = look_at(text_of(line));
			if (seen.count != 1 ||
			    strcmp(seen.ids[0], "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W") != 0)
				fail_msg("%s: %zu ids, the first is '%s'", path, seen.count,
					 seen.ids[0]);
		}
}

static void
whatever_is_wrapped_around_it(void **state)
{
	static const struct {
		const char *line;
		const char *id;
		uint64_t number;
	} rows[] = {
	    {"Oct  1 12:00:00 h CEF:0|A|B|1|t|n|1|externalId=a\\=b\\\\c cat=x cn3=7"
	     " cn3Label=sequenceNumber",
	     "a=b\\c", 7},
	    {"CEF:0|A|B|1|t|n|1|externalId=with a space cn3=7", "with a space", 7},
	    {"CEF:0|A|B|1|t|n|1|msg=a devicePayloadId=last", "last", 0},
	    {"CEF:0|A|B|1|t|n|1|msg=a externalId\\=no externalId=yes", "yes", 0},
	    {"<1>1 - - - - - [meta sequenceId=\"12\"][event@32473 id=\"q\\\"x\\]\" type=\"id=\"]",
	     "q\"x]", 12},
	    {"\"2026\",\"[event@1 id=\"\"csv_1\"\" type=\"\"t\"\"]\"", "csv_1", 0},
	    {"{\"not\": json [event@1 id=\\\"msg_1\\\" type", "msg_1", 0},
	    {"LEEF:2.0|A|B|1|t|^|cat=x^eventUid=u 1^sequence=9", "u 1", 9},
	    {"h app: text type=t event_id=\"a b\" sequence=3 id=evt", "a b", 3},
	    {"{\"result\":{\"_raw\":\"CEF:0|A|B|1|t|n|1|externalId=w cn3=5\"},\"id\":\"no\"}", "w",
	     5},
	    {"{\"_id\":\"no\",\"_source\":{\"event\":{\"id\":\"yes\",\"sequence\":4}}}", "yes", 4},
	    {"{\"event\":{\"original\":\"LEEF:1.0|A|B|1|t|\\tx=1\\teventUid=l\\ty=2\"}}", "l", 0},
	    {"{\"event.id\":\"flat\",\"event.sequence\":\"8\"}", "flat", 8},
	    {"<1>Oct 1 h siembridge: {\"id\":\"j\",\"message\":\"externalId=no\"}", "j", 0},
	    {"{\"fields\":{\"event_id\":\"h\",\"sequence\":\"6\"},\"event\":\"CEF: "
	     "externalId=no\"}",
	     "h", 6},
	    {"{\"message\":\"CEF:0|A|B|1|t|n|1|externalId=m\",\"host\":\"x\"}", "m", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen seen = look_at(text_of(rows[i].line));

		if (seen.count != 1 || strcmp(seen.ids[0], rows[i].id) != 0 ||
		    seen.number_count != (rows[i].number > 0) ||
		    (rows[i].number > 0 && seen.numbers[0] != rows[i].number))
			fail_msg("%s: %zu ids, '%s', %zu numbers", rows[i].line, seen.count,
				 seen.ids[0], seen.number_count);
	}
}

static void
a_line_that_was_cut_and_the_next_one_behind_it_both_count(void **state)
{
	struct seen seen = look_at(SLICE_LITERAL("CEF:0|A|B|1|t|n|1|externalId=one cn3=1 ms"
						 "CEF:0|A|B|1|t|n|1|externalId=two cn3=2"));

	(void)state;
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.ids[1], "two");
	assert_int_equal(seen.number_count, 2);
	assert_int_equal(look_at(SLICE_LITERAL("")).count, 0);
	assert_int_equal(look_at(SLICE_LITERAL("kernel: id=5 [event id=\"x\"]")).count, 0);
	assert_int_equal(look_at(SLICE_LITERAL("externalId=")).count, 0);
	assert_int_equal(look_at(SLICE_LITERAL("[event@1 id=\"")).count, 0);
	assert_true(recognise_is_heartbeat(SLICE_LITERAL("heartbeat-5-1")));
	assert_false(recognise_is_heartbeat(SLICE_LITERAL("msg_1")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_format_is_recognised),
	    cmocka_unit_test(whatever_is_wrapped_around_it),
	    cmocka_unit_test(a_line_that_was_cut_and_the_next_one_behind_it_both_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
