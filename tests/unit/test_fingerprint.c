#include "bridge/fingerprint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SHA1                                                                                       \
	"E1:2D:53:2B:7C:6B:8A:29:A2:76:C8:64:36:0B:08:4B:7A:F1:9E:9D" /* RFC 5425, 4.2.2's own */
#define SHA256                                                                                     \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:"  \
	"DD:EE:FF"

/* F8 of standards.md 3.4. */
static void
case_is_folded_on_input(void **state)
{
	static const struct {
		const char *written;
		const char *folded; /* NULL: it is none */
	} cases[] = {
	    {"sha-1:" SHA1, "sha-1:" SHA1},
	    {"sha-256:" SHA256, "sha-256:" SHA256},
	    {"sha-1:e1:2d:53:2b:7c:6b:8a:29:a2:76:c8:64:36:0b:08:4b:7a:f1:9e:9d", "sha-1:" SHA1},
	    {"SHA-1:" SHA1, "sha-1:" SHA1},
	    {"Sha-256:" SHA256, "sha-256:" SHA256},
	    {SHA1, NULL},
	    {"sha1:" SHA1, NULL},
	    {"sha-256:" SHA1, NULL},
	    {"sha-1:" SHA1 ":", NULL},
	    {"sha-1:" SHA1 ":00", NULL},
	    {"sha-1:E1-2D-53-2B-7C-6B-8A-29-A2-76-C8-64-36-0B-08-4B-7A-F1-9E-9D", NULL},
	    {"sha-1:G1:2D:53:2B:7C:6B:8A:29:A2:76:C8:64:36:0B:08:4B:7A:F1:9E:9D", NULL},
	    {"sha-1:", NULL},
	    {"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[160];
		struct error error = {.text = ""};
		bool good;

		snprintf(text, sizeof(text), "%s", cases[i].written);
		good = fingerprint_fold(text, &error);
		if (good != (cases[i].folded != NULL))
			fail_msg("%s: %s", cases[i].written, good ? "taken" : error.text);
		if (good)
			assert_string_equal(text, cases[i].folded);
		else
			assert_true(error.text[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(case_is_folded_on_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
