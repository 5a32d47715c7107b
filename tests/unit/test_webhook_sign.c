#include "bridge/webhook_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
assert_signed(const char *secret)
{
	char bytes[256];
	struct error error;
	struct text headers;

	text_start(&headers, bytes, sizeof(bytes));
	assert_true(webhook_sign(text_of(secret), text_of("msg_p5jXN8AQM9LWM0D4loKWxJek"),
				 1614265330, text_of("{\"test\": 2432232314}"), &headers, &error));
	assert_true(text_slice_is(text_slice(&headers),
				  "webhook-timestamp: 1614265330\n"
				  "webhook-signature: "
				  "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\n"));
}

/* G2 of standards.md 11.3, which is that of the specification's libraries. */
static void
the_published_vector_is_signed_so(void **state)
{
	(void)state;
	assert_signed("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
	assert_signed("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
}

static void
what_is_no_secret_is_refused_and_not_shown(void **state)
{
	static const char *const wrong[] = {"whsec_c2hvcnQ=", "whsec_", "whsec_not*base64*at*all!",
					    "plain-secret-of-somebody"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char bytes[256];
		struct error error;
		struct text headers;

		text_start(&headers, bytes, sizeof(bytes));
		assert_false(webhook_sign(text_of(wrong[i]), text_of("a"), 1, text_of("b"),
					  &headers, &error));
		assert_true(wrong[i][6] == '\0' || strstr(error.text, wrong[i] + 6) == NULL);
		assert_int_equal(headers.length, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_published_vector_is_signed_so),
	    cmocka_unit_test(what_is_no_secret_is_refused_and_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
