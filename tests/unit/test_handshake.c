#include "bridge/receiver/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct asked {
	const char *origin;
	size_t origins;
	const char *rate;
};

static struct slice
header_of(void *context, const char *name, size_t *count)
{
	const struct asked *asked = context;
	const char *value = NULL;

	if (strcmp(name, "webhook-request-origin") == 0)
		value = asked->origin;
	else if (strcmp(name, "webhook-request-rate") == 0)
		value = asked->rate;
	*count = value == NULL                                  ? 0
		 : value == asked->origin && asked->origins > 0 ? asked->origins
								: 1;
	return text_of(value);
}

static bool
ask(struct asked asked, uint32_t allowed_rate, struct handshake *consent)
{
	static char exact[] = "a.example.com", glob[] = "*.trusted.example";
	static char *origins[] = {exact, glob};
	struct config_source source = {
	    .allowed_origins = origins, .allowed_origins_count = 2, .allowed_rate = allowed_rate};
	struct verify_request request = {.header = header_of, .context = &asked};

	return handshake_answer(&source, &request, consent);
}

static void
an_origin_on_the_list_gets_consent(void **state)
{
	struct handshake consent;

	(void)state;
	assert_true(ask((struct asked){"a.example.com", 1, "120"}, 100, &consent)); /* X1 */
	assert_string_equal(consent.origin, "a.example.com");
	assert_string_equal(consent.rate, "100");
	assert_true(ask((struct asked){"A.Example.COM", 1, NULL}, 100, &consent));
	assert_string_equal(consent.origin, "a.example.com");
	assert_string_equal(consent.rate, "");
	assert_true(ask((struct asked){"x.trusted.example", 1, "5"}, 0, &consent));
	assert_string_equal(consent.origin, "x.trusted.example");
	assert_string_equal(consent.rate, "*");
}

static void
anybody_else_gets_none(void **state)
{
	static const char *const origins[] = {
	    "b.example.com", "", "a.example.com ", "*", "a.example.com\r\nx: y", "trusted.example"};
	char longest[300];
	struct handshake consent;

	(void)state;
	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) { /* X2 */
		assert_true(ask((struct asked){origins[i], 1, "120"}, 100, &consent));
		assert_string_equal(consent.origin, "");
		assert_string_equal(consent.rate, "");
	}
	memset(longest, 'a', sizeof(longest));
	memcpy(longest + sizeof(longest) - 17, ".trusted.example", 17);
	assert_true(ask((struct asked){longest, 1, NULL}, 0, &consent));
	assert_string_equal(consent.origin, "");
	assert_true(ask((struct asked){"a.example.com", 2, NULL}, 0, &consent));
	assert_string_equal(consent.origin, "");
}

static void
who_asks_for_nothing_is_answered_otherwise(void **state)
{
	struct handshake consent;

	(void)state;
	assert_false(ask((struct asked){NULL, 0, "120"}, 100, &consent));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_origin_on_the_list_gets_consent),
	    cmocka_unit_test(anybody_else_gets_none),
	    cmocka_unit_test(who_asks_for_nothing_is_answered_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
