#include "formats/template.h"

#include "tests/unit/vectors.h"

static void
event_start(struct event *event)
{
	*event = (struct event){
	    .source = SLICE_LITERAL("acme"),
	    .id = SLICE_LITERAL("msg_1"),
	    .occurred_at = 1790856000000,
	    .sequence = 42,
	    .severity = SEVERITY_HIGH,
	    .family = SLICE_LITERAL("key"),
	    .name = SLICE_LITERAL("API key \"disabled\""),
	};
	event->fields[FIELD_TYPE] = text_of("key.disabled");
	event->fields[FIELD_ACTOR_NAME] = text_of("a\r\nb &c");
	event->fields[FIELD_SEVERITY_WORD] = text_of("SEV2");
}

static void
assert_written(const char *template, enum template_escape escape, const char *expected)
{
	struct event event;
	char bytes[512];
	struct text text;

	event_start(&event);
	text_start(&text, bytes, sizeof(bytes));
	template_write(text_of(template), &event, escape, &text);
	if (text.overflowed || !text_slice_is(text_slice(&text), expected))
		fail_msg("%s: %.*s", template, (int)text.length, bytes);
}

static void
names_become_values(void **state)
{
	(void)state;
	assert_written("{source}/{id} {type} {severity} {sequence} {time}", TEMPLATE_LINE,
		       "acme/msg_1 key.disabled high 42 2026-10-01T12:00:00.000Z");
	assert_written("[{message}]", TEMPLATE_LINE, "[]");
}

static void
other_braces_are_braces(void **state)
{
	(void)state;
	assert_written("{\"text\":{\"a\":1}} {} { {Type} {type", TEMPLATE_JSON,
		       "{\"text\":{\"a\":1}} {} { {Type} {type");
	assert_written("{{type}}", TEMPLATE_LINE, "{key.disabled}");
}

static void
a_value_cannot_leave_its_place(void **state)
{
	(void)state;
	assert_written("{name}|{actor.name}", TEMPLATE_LINE, "API key \"disabled\"|a  b &c");
	assert_written("{\"n\":\"{name}\",\"a\":\"{actor.name}\"}", TEMPLATE_JSON,
		       "{\"n\":\"API key \\\"disabled\\\"\",\"a\":\"a\\u000d\\u000ab &c\"}");
	assert_written("a={actor.name}", TEMPLATE_FORM, "a=a%0D%0Ab%20%26c");
}

static void
unknown_names_and_unsafe_ones_are_told(void **state)
{
	static const struct {
		const char *template;
		bool safe, good;
	} rows[] = {
	    {"plain", true, true},
	    {"{family}_{source}_{severity}", true, true},
	    {"{type}", true, false},
	    {"{organization.id}", true, false},
	    {"{nothing}", true, false},
	    {"{type} {actor.email} {outcome}", false, true},
	    {"{actor.e-mail} {Type} {}", false, true},
	    {"{actor.mail}", false, false},
	    {"{typ}", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error error = {.text = ""};

		if (template_check(text_of(rows[i].template), rows[i].safe, &error) != rows[i].good)
			fail_msg("%s: %s", rows[i].template, error.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_become_values),
	    cmocka_unit_test(other_braces_are_braces),
	    cmocka_unit_test(a_value_cannot_leave_its_place),
	    cmocka_unit_test(unknown_names_and_unsafe_ones_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
