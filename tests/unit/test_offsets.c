#include "bridge/forwarder/offsets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
a_record_counts_when_its_last_byte_is_acknowledged(void **state)
{
	struct offsets offsets = {.count = 0};

	(void)state;
	assert_int_equal(offsets_plain(&offsets, 1000), 0);
	offsets_note(&offsets, 100, 1122);
	offsets_note(&offsets, 300, 1344);
	assert_int_equal(offsets_plain(&offsets, 1121), 0);
	assert_int_equal(offsets_plain(&offsets, 1122), 100);
	assert_int_equal(offsets_plain(&offsets, 1343), 100);
	assert_int_equal(offsets_plain(&offsets, 1344), 300);
	assert_int_equal(offsets_plain(&offsets, 9999), 300);
}

/* A peer that acknowledges nothing for long, and then byte by byte. */
static void
with_more_records_than_marks_it_tells_less_and_never_too_much(void **state)
{
	enum { RECORDS = 10 * OFFSETS_MARKS, PLAIN = 100, WIRE = 122 };
	struct offsets offsets = {.count = 0};
	uint64_t before = 0;

	(void)state;
	for (uint64_t i = 1; i <= RECORDS; i++)
		offsets_note(&offsets, i * PLAIN, i * WIRE);
	for (uint64_t wire = 0; wire <= RECORDS * WIRE; wire++) {
		uint64_t plain = offsets_plain(&offsets, wire);

		assert_true(plain >= before);
		assert_true(plain <= wire / WIRE * PLAIN);
		before = plain;
	}
	assert_int_equal(before, RECORDS * PLAIN);
}

/* One byte of the socket is acknowledged for each that is written, far behind. */
static void
a_steady_stream_is_told_while_it_goes_on(void **state)
{
	enum { PLAIN = 100, WIRE = 122, BEHIND = 1000 };
	struct offsets offsets = {.count = 0};
	uint64_t told = 0;

	(void)state;
	for (uint64_t i = 1; i <= 100 * BEHIND; i++) {
		offsets_note(&offsets, i * PLAIN, i * WIRE);
		if (i > BEHIND)
			told = offsets_plain(&offsets, (i - BEHIND) * WIRE);
		assert_true(told <= (i > BEHIND ? i - BEHIND : 0) * PLAIN);
	}
	assert_true(told >= 98 * (uint64_t)BEHIND * PLAIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_counts_when_its_last_byte_is_acknowledged),
	    cmocka_unit_test(with_more_records_than_marks_it_tells_less_and_never_too_much),
	    cmocka_unit_test(a_steady_stream_is_told_while_it_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
