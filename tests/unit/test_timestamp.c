#include "formats/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What each reader makes of it; -1: refused. */
static const struct {
	const char *text;
	int64_t strict, lenient;
} cases[] = {
    {"2026-10-01T12:00:00Z", 1790856000000, 1790856000000},
    {"2026-10-01T12:00:00.5Z", 1790856000500, 1790856000500},
    {"2026-10-01T14:00:00.123456+02:00", 1790856000123, 1790856000123},
    {"2026-10-01T06:30:00-05:30", 1790856000000, 1790856000000},
    /* S10 */
    {"2026-10-01t14:00:00.123456789+0200", -1, 1790856000123},
    {"2026-10-01T14:00:00.1234567Z", -1, 1790863200123},
    {"2026-10-01 12:00:00", -1, 1790856000000},
    {"2026-10-01t12:00:00z", -1, 1790856000000},
    {"2026-10-01T14:00:00+02", -1, 1790856000000},
    {"2026-10-01T12:00:00", -1, 1790856000000},
    /* S11 */
    {"2026-12-31T23:59:60Z", 1798761599999, 1798761599999},
    {"1970-01-01T00:00:00Z", 0, 0},
    {"2000-02-29T00:00:00Z", 951782400000, 951782400000},
    {"2024-02-29T23:59:59Z", 1709251199000, 1709251199000},
    {"9999-12-31T23:59:59.999Z", 253402300799999, 253402300799999},
    {"9999-12-31T23:59:59.999-01:00", -1, -1},
    {"1970-01-01T00:00:00+01:00", -1, -1},
    {"1969-12-31T23:59:59Z", -1, -1},
    {"2026-02-29T00:00:00Z", -1, -1},
    {"2100-02-29T00:00:00Z", -1, -1},
    {"2026-13-01T00:00:00Z", -1, -1},
    {"2026-00-01T00:00:00Z", -1, -1},
    {"2026-10-00T00:00:00Z", -1, -1},
    {"2026-10-01T24:00:00Z", -1, -1},
    {"2026-10-01T12:60:00Z", -1, -1},
    {"2026-10-01T12:00:61Z", -1, -1},
    {"2026-10-01T12:00:00.Z", -1, -1},
    {"2026-10-01T12:00:00+24:00", -1, -1},
    {"2026-10-01T12:00:00+2:00", -1, -1},
    {"2026-10-01T12:00:00Zx", -1, -1},
    {"2026-10-01T12:00:00Z ", -1, -1},
    {"2026-10-01", -1, -1},
    {"26-10-01T12:00:00Z", -1, -1},
    {"+026-10-01T12:00:00Z", -1, -1},
    {"1790856000", -1, 1790856000000},
    {"1790856000.123", -1, 1790856000123},
    {"1790856000000", -1, 1790856000000},
    {"1790856000000.9", -1, 1790856000000},
    {"0", -1, 0},
    {"99999999999999", -1, 99999999999999},
    {"100000000000000", -1, -1},
    {"-1", -1, -1},
    {"1e9", -1, -1},
    {"1790856000.", -1, -1},
    {"", -1, -1},
    {"soon", -1, -1},
};

static void
times_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t strict = -1, lenient = -1;

		(void)!timestamp_read_strict(text_of(cases[i].text), &strict);
		(void)!timestamp_read(text_of(cases[i].text), &lenient);
		if (strict != cases[i].strict || lenient != cases[i].lenient)
			fail_msg("%s: %lld %lld", cases[i].text, (long long)strict,
				 (long long)lenient);
	}
}

static void
times_are_written(void **state)
{
	static const struct {
		int64_t milliseconds;
		const char *rfc3339, *rfc3164;
	} written[] = {
	    {0, "1970-01-01T00:00:00.000Z", "Jan  1 00:00:00"},
	    {1790856000000, "2026-10-01T12:00:00.000Z", "Oct  1 12:00:00"},
	    {1790856000123, "2026-10-01T12:00:00.123Z", "Oct  1 12:00:00"},
	    {1793491199000, "2026-10-31T23:59:59.000Z", "Oct 31 23:59:59"},
	    {951782400000, "2000-02-29T00:00:00.000Z", "Feb 29 00:00:00"},
	    {253402300799999, "9999-12-31T23:59:59.999Z", "Dec 31 23:59:59"},
	    {253402300800000, "-", "Jan  1 00:00:00"},
	    {-1, "-", "Jan  1 00:00:00"},
	};
	char bytes[64];
	struct text text;

	(void)state;
	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		text_start(&text, bytes, sizeof(bytes));
		timestamp_write_rfc3339(&text, written[i].milliseconds);
		assert_true(text_slice_is(text_slice(&text), written[i].rfc3339));
		text_start(&text, bytes, sizeof(bytes));
		timestamp_write_rfc3164(&text, written[i].milliseconds);
		assert_true(text_slice_is(text_slice(&text), written[i].rfc3164));
	}
}

static void
every_day_is_read_as_it_was_written(void **state)
{
	char bytes[64];
	struct text text;

	(void)state;
	for (int64_t time = 0; time < 253402300800000; time += 86399999LL * 7) {
		int64_t read = -1;

		text_start(&text, bytes, sizeof(bytes));
		timestamp_write_rfc3339(&text, time);
		assert_true(timestamp_read_strict(text_slice(&text), &read));
		assert_int_equal(read, time);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times_are_read),
	    cmocka_unit_test(times_are_written),
	    cmocka_unit_test(every_day_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
