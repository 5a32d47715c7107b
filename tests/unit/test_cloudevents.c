#include "formats/cloudevents.h"

#include "tests/unit/arena_fixture.h"
#include "tests/unit/vectors.h"

static void
check_header(const struct vector *vector)
{
	struct slice expected = vector_get(vector, "value"), value;
	struct error error;
	bool good =
	    cloudevents_decode("ce-subject", vector_get(vector, "header"), arena, &value, &error);

	assert_int_equal(good, expected.bytes != NULL);
	if (good && !text_slices_equal(value, expected))
		fail_msg("'%.*s'", (int)value.length, value.bytes);
}

static void
headers_are_decoded(void **state)
{
	(void)state;
	vectors_each("tests/vectors/cloudevents.txt", check_header);
}

static void
the_mode_is_told_by_the_media_type(void **state)
{
	static const struct {
		const char *type;
		enum cloudevents_mode mode;
	} cases[] = {
	    {"Application/CloudEvents-Batch+JSON", CLOUDEVENTS_BATCH}, /* X5 */
	    {"application/cloudevents-batch+json; charset=utf-8", CLOUDEVENTS_BATCH},
	    {"application/cloudevents+json", CLOUDEVENTS_STRUCTURED},
	    {"APPLICATION/CLOUDEVENTS+JSON;charset=UTF-8", CLOUDEVENTS_STRUCTURED},
	    {"application/json", CLOUDEVENTS_PLAIN},
	    {"application/cloudevent", CLOUDEVENTS_PLAIN},
	    {"", CLOUDEVENTS_PLAIN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (cloudevents_mode(text_of(cases[i].type)) != cases[i].mode)
			fail_msg("%s", cases[i].type);
}

#define ENVELOPE "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\""

static void
an_event_has_its_attributes_and_one_payload(void **state)
{
	static const struct {
		const char *event, *error; /* NULL: it is one */
	} cases[] = {
	    {"{" ENVELOPE "}", NULL},
	    {"{" ENVELOPE ",\"data\":[1]}", NULL},
	    {"{" ENVELOPE ",\"data_base64\":\"AA==\"}", NULL},
	    /* X7 */
	    {"{" ENVELOPE ",\"data\":1,\"data_base64\":\"AA==\"}",
	     "not a CloudEvent: it has both data and data_base64"},
	    {"{\"specversion\":\"1.0\",\"source\":\"/s\",\"type\":\"t\"}",
	     "not a CloudEvent: it has no id"},
	    {"{\"specversion\":\"1.0\",\"id\":7,\"source\":\"/s\",\"type\":\"t\"}",
	     "not a CloudEvent: it has no id"},
	    {"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"\",\"type\":\"t\"}",
	     "not a CloudEvent: it has no source"},
	    {"{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}",
	     "not a CloudEvent 1.0: specversion is another"},
	    {"{\"specversion\":\"1.0\",\"id\":\"a\\u0007\",\"source\":\"/s\",\"type\":\"t\"}",
	     "not a CloudEvent: its id has control characters"},
	    {"[]", "not a JSON object"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cloudevents_attributes attributes;
		struct error error = {.text = ""};
		bool good = cloudevents_read(text_of(cases[i].event), arena, &attributes, &error);

		assert_int_equal(good, cases[i].error == NULL);
		if (cases[i].error != NULL)
			assert_string_equal(error.text, cases[i].error);
		else
			assert_true(text_slice_is(attributes.source, "/s"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(headers_are_decoded),
	    cmocka_unit_test(the_mode_is_told_by_the_media_type),
	    cmocka_unit_test(an_event_has_its_attributes_and_one_payload),
	};

	return cmocka_run_group_tests(tests, make_arena, free_arena);
}
