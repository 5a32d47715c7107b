#include "bridge/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
sizes_are_bytes(void **state)
{
	static const struct {
		const char *text;
		bool valid;
		uint64_t bytes;
	} cases[] = {
	    {"0", true, 0},
	    {"1000", true, 1000},
	    {"1000B", true, 1000},
	    {"256KiB", true, 262144},
	    {"10MB", true, 10000000},
	    {"2GiB", true, 2147483648},
	    {"1TiB", true, 1099511627776},
	    {"9223372036854775807", true, INT64_MAX},
	    {"9223372036854775808", false, 0},
	    {"8388607TiB", true, 9223370937343148032},
	    {"8388608TiB", false, 0},
	    {"", false, 0},
	    {"KiB", false, 0},
	    {"1.5GiB", false, 0},
	    {"-1", false, 0},
	    {"+1", false, 0},
	    {" 1", false, 0},
	    {"1 KiB", false, 0},
	    {"1kib", false, 0},
	    {"1KiBx", false, 0},
	    {"0x10", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = {.text = ""};
		uint64_t bytes = 77;

		if (config_parse_size(cases[i].text, &bytes, &error) != cases[i].valid)
			fail_msg("size '%s': %s", cases[i].text, error.text);
		assert_int_equal(bytes, cases[i].valid ? cases[i].bytes : 77);
		assert_int_equal(error.text[0] == '\0', cases[i].valid);
	}
}

static void
durations_are_milliseconds(void **state)
{
	static const struct {
		const char *text;
		bool valid;
		int64_t milliseconds;
	} cases[] = {
	    {"0s", true, 0},
	    {"250ms", true, 250},
	    {"300s", true, 300000},
	    {"5m", true, 300000},
	    {"2h", true, 7200000},
	    {"7d", true, 604800000},
	    {"300", false, 0},
	    {"", false, 0},
	    {"s", false, 0},
	    {"1w", false, 0},
	    {"-1s", false, 0},
	    {"106751991167d", true, 9223372036828800000},
	    {"106751991168d", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = {.text = ""};
		int64_t milliseconds = 77;

		if (config_parse_duration(cases[i].text, &milliseconds, &error) != cases[i].valid)
			fail_msg("duration '%s': %s", cases[i].text, error.text);
		assert_int_equal(milliseconds, cases[i].valid ? cases[i].milliseconds : 77);
	}
}

static void
addresses_are_a_host_and_a_port(void **state)
{
	static const struct {
		const char *text;
		const char *host; /* NULL: refused */
		const char *port;
	} cases[] = {
	    {"siem.example.com:6514", "siem.example.com", "6514"},
	    {"127.0.0.1:1", "127.0.0.1", "1"},
	    {"[::1]:65535", "::1", "65535"},
	    {"[fe80::1%eth0]:514", "fe80::1%eth0", "514"},
	    {":514", "", "514"},
	    {"host", NULL, NULL},
	    {"host:", NULL, NULL},
	    {"host:0", NULL, NULL},
	    {"host:65536", NULL, NULL},
	    {"host:syslog", NULL, NULL},
	    {"host:00000514", NULL, NULL},
	    {"::1:514", NULL, NULL},
	    {"[]:514", NULL, NULL},
	    {"[::1:514", NULL, NULL},
	    {"my host:514", NULL, NULL},
	    {"https://host:514", NULL, NULL},
	    {"", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = {.text = ""};
		char host[256], port[8];

		if (config_parse_address(cases[i].text, host, port, &error) !=
		    (cases[i].host != NULL))
			fail_msg("address '%s': %s", cases[i].text, error.text);
		if (cases[i].host == NULL)
			continue;
		assert_string_equal(host, cases[i].host);
		assert_string_equal(port, cases[i].port);
	}
}

static void
a_host_of_255_bytes_fits_and_one_more_does_not(void **state)
{
	char text[256 + sizeof(":514")], host[256], port[8];
	struct error error;

	(void)state;
	memset(text, 'a', 256);
	memcpy(text + 256, ":514", sizeof(":514"));
	assert_false(config_parse_address(text, host, port, &error));
	assert_true(config_parse_address(text + 1, host, port, &error));
	assert_int_equal(strlen(host), 255);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sizes_are_bytes),
	    cmocka_unit_test(durations_are_milliseconds),
	    cmocka_unit_test(addresses_are_a_host_and_a_port),
	    cmocka_unit_test(a_host_of_255_bytes_fits_and_one_more_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
