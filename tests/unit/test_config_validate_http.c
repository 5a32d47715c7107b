/* The defaults of those that tell people; mistakes are test_oncall.py's. */
#include "bridge/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/test_config_http.XXXXXX";

/* Gives the configuration with that destination, freed with config_free(). */
static struct config *
read_destination(const char *keys)
{
	FILE *file = fopen(path, "w");
	struct config *config;
	struct error error;

	assert_non_null(file);
	(void)fprintf(file,
		      "listen: {address: \":8443\", certificate: c, private_key: k}\n"
		      "spool: {directory: s}\n"
		      "sources:\n  - {name: a, path: /a, signature: none}\n"
		      "destinations:\n  - {name: d, %s}\n",
		      keys);
	assert_int_equal(fclose(file), 0);
	if (!config_read(&config, path, &error))
		fail_msg("%s: %s", keys, error.text);
	return config;
}

static void
each_has_its_defaults(void **state)
{
	static const struct {
		const char *keys, *url;
		enum config_vendor vendor;
		uint32_t rate;
		int64_t fold;
		bool replays, on_call;
	} cases[] = {
	    {"pagerduty: {routing_key_file: ./k}", "https://events.pagerduty.com/v2/enqueue",
	     CONFIG_VENDOR_PAGERDUTY, 120, 300000, false, true},
	    {"opsgenie: {api_key_file: ./k}", "https://api.opsgenie.com", CONFIG_VENDOR_OPSGENIE,
	     120, 300000, false, true},
	    {"alertmanager: {url: 'http://x/y'}", "http://x/y", CONFIG_VENDOR_ALERTMANAGER, 0,
	     300000, false, true},
	    {"slack: {url_file: ./k}", NULL, CONFIG_VENDOR_SLACK, 60, 300000, false, true},
	    {"ntfy: {topic: t}", "https://ntfy.sh", CONFIG_VENDOR_NTFY, 60, 300000, false, true},
	    {"http: {url: 'https://x'}", "https://x", CONFIG_VENDOR_HTTP, 0, 0, true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config *config = read_destination(cases[i].keys);
		const struct config_destination *destination = &config->destinations[0];
		const struct config_http *http = destination->http;

		assert_non_null(http);
		assert_int_equal(http->vendor, cases[i].vendor);
		assert_int_equal(http->rate, cases[i].rate);
		assert_int_equal(http->fold, cases[i].fold);
		assert_int_equal(http->replays, cases[i].replays);
		assert_int_equal(config_is_on_call(destination), cases[i].on_call);
		if (cases[i].url == NULL)
			assert_null(http->url);
		else
			assert_string_equal(http->url, cases[i].url);
		assert_null(destination->format);
		assert_int_equal(destination->heartbeat, 0);
		config_free(config);
	}
}

static void
without_events_it_is_what_pages(void **state)
{
	struct config *config = read_destination("pagerduty: {routing_key_file: ./k}");
	const struct config_destination *destination = &config->destinations[0];

	(void)state;
	assert_int_equal(destination->events_count, 3);
	assert_string_equal(destination->events[0], "key.disabled");
	assert_int_equal(destination->floors[0], SEVERITY_INFO);
	assert_string_equal(destination->events[1], "security.*");
	assert_int_equal(destination->floors[1], SEVERITY_HIGH);
	assert_string_equal(destination->events[2], "source.silent");
	config_free(config);
}

static void
a_severity_stands_behind_its_glob(void **state)
{
	struct config *config =
	    read_destination("min_severity: low, events: ['a.*>=critical', 'b.*   >=   info', c], "
			     "http: {url: 'https://x'}");
	const struct config_destination *destination = &config->destinations[0];

	(void)state;
	assert_string_equal(destination->events[0], "a.*");
	assert_int_equal(destination->floors[0], SEVERITY_CRITICAL);
	assert_string_equal(destination->events[1], "b.*");
	assert_int_equal(destination->floors[1], SEVERITY_INFO);
	assert_string_equal(destination->events[2], "c");
	assert_int_equal(destination->floors[2], SEVERITY_LOW);
	assert_string_equal(destination->http->method, "POST");
	assert_string_equal(destination->http->content_type, "application/json");
	config_free(config);
}

static int
set_up(void **state)
{
	int descriptor = mkstemp(path);

	(void)state;
	return descriptor < 0 ? -1 : close(descriptor);
}

static int
tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_has_its_defaults),
	    cmocka_unit_test(without_events_it_is_what_pages),
	    cmocka_unit_test(a_severity_stands_behind_its_glob),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
