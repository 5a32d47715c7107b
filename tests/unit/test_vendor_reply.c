#include "bridge/forwarder/vendor_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/forwarder/vendor.h"

/* A2 of standards.md 14.5, the answers named there, and those that all give. */
static void
answers_mean_what_they_are_documented_to(void **state)
{
	static const struct {
		const struct vendor *vendor;
		int status;
		const char *body;
		enum vendor_action action;
	} cases[] = {
	    {&send_pagerduty, 202, "{\"status\":\"success\"}", VENDOR_DONE},
	    {&send_pagerduty, 200, "<html>welcome to the hotel</html>", VENDOR_RETRY},
	    {&send_pagerduty, 400, "{\"errors\":[\"'payload.summary' is missing\"]}", VENDOR_DROP},
	    {&send_pagerduty, 400, "{\"errors\":[\"Invalid routing key\"]}", VENDOR_HOLD},
	    {&send_pagerduty, 400, "{\"errors\":[\"'routing_key' is invalid\"]}", VENDOR_HOLD},
	    {&send_pagerduty, 429, "", VENDOR_RETRY},
	    {&send_pagerduty, 500, "", VENDOR_RETRY},
	    {&send_opsgenie, 202, "{\"requestId\":\"x\"}", VENDOR_DONE},
	    {&send_opsgenie, 403, "", VENDOR_HOLD},
	    {&send_opsgenie, 422, "", VENDOR_DROP},
	    {&send_opsgenie, 429, "", VENDOR_RETRY},
	    {&send_slack, 200, "ok", VENDOR_DONE},
	    {&send_slack, 200, "", VENDOR_RETRY},
	    {&send_slack, 400, "invalid_payload", VENDOR_DROP},
	    {&send_slack, 400, "user_not_found", VENDOR_HOLD},
	    {&send_slack, 403, "action_prohibited", VENDOR_HOLD},
	    {&send_slack, 404, "channel_not_found", VENDOR_HOLD},
	    {&send_slack, 404, "no_service", VENDOR_HOLD},
	    {&send_slack, 410, "channel_is_archived", VENDOR_HOLD},
	    {&send_slack, 500, "rollup_error", VENDOR_RETRY},
	    {&send_ntfy, 200, "{}", VENDOR_DONE},
	    {&send_ntfy, 401, "", VENDOR_HOLD},
	    {&send_alertmanager, 204, "", VENDOR_DONE},
	    {&send_webhook, 201, "", VENDOR_DONE},
	    {&send_webhook, 302, "", VENDOR_HOLD},
	    {&send_webhook, 400, "routing key", VENDOR_DROP},
	    {&send_webhook, 401, "", VENDOR_HOLD},
	    {&send_webhook, 405, "", VENDOR_HOLD},
	    {&send_webhook, 408, "", VENDOR_RETRY},
	    {&send_webhook, 413, "", VENDOR_DROP},
	    {&send_webhook, 425, "", VENDOR_RETRY},
	    {&send_webhook, 451, "", VENDOR_HOLD},
	    {&send_webhook, 599, "", VENDOR_RETRY},
	    {&send_webhook, 0, "", VENDOR_RETRY},
	    {&send_webhook, 999, "", VENDOR_RETRY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct vendor *vendor = cases[i].vendor;
		const struct vendor_reply *row = vendor_reply_find(
		    vendor->replies, vendor->reply_count, cases[i].status, text_of(cases[i].body));

		if (row->action != cases[i].action)
			fail_msg("%s %d %s: %s", vendor->name, cases[i].status, cases[i].body,
				 vendor_reply_action_name(row->action));
	}
}

static void
an_excerpt_shows_no_secret(void **state)
{
	static const struct {
		const char *body, *shown;
	} cases[] = {
	    {"no_service", ": no_service"},
	    {"", ""},
	    {"a\nb", ": a b"},
	    {"of routing-key-1: no", ""},
	    {"unknown hmac-secret", ""},
	    {"Cannot POST /services/T0000001/B0000001/x8YzAbCdEfGh", ""},
	    {"no such hook: x8YzAbCdEfGh", ""},
	    {"https://hooks.example.com/services/T0000001/B0000001/x8YzAbCdEfGh?token=t0psecret",
	     ""},
	    {"wrong token t0psecret", ""},
	    {"not at hooks.example.com", ": not at hooks.example.com"},
	};
	const struct vendor_notification notification = {
	    .url = SLICE_LITERAL("https://hooks.example.com/services/T0000001/B0000001/"
				 "x8YzAbCdEfGh?token=t0psecret"),
	    .key = SLICE_LITERAL("routing-key-1"),
	    .secret = SLICE_LITERAL("hmac-secret"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char bytes[200];
		struct text text;

		text_start(&text, bytes, sizeof(bytes));
		vendor_reply_excerpt(text_of(cases[i].body), 160, &notification, &text);
		if (!text_slice_is(text_slice(&text), cases[i].shown))
			fail_msg("%s: %.*s", cases[i].body, (int)text.length, text.bytes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_mean_what_they_are_documented_to),
	    cmocka_unit_test(an_excerpt_shows_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
