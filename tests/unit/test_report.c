#include "bridge/receiver/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/catalogue.h"
#include "formats/normalise.h"

enum { NOW = 1000000 };

static void
the_first_one_is_told_at_once_and_the_others_together_a_minute_later(void **state)
{
	struct report *report = report_new(2);
	struct report_note note = {.is_set = false};

	(void)state;
	assert_int_equal(report_take(report, 0, NOW, false, &note), 0);
	report_add(report, 0, "192.0.2.1", VERIFY_MISMATCH, &note);
	assert_int_equal(report_take(report, 0, NOW, false, &note), 1);
	for (int i = 0; i < 100; i++) {
		report_add(report, 0, "192.0.2.2", VERIFY_STALE, &note);
		assert_int_equal(report_take(report, 0, NOW + i, false, &note), 0);
	}
	assert_int_equal(report_take(report, 0, NOW + REPORT_PERIOD - 1, false, &note), 0);
	assert_int_equal(report_take(report, 0, NOW + REPORT_PERIOD, false, &note), 100);
	assert_string_equal(note.peer, "192.0.2.2");
	assert_int_equal(note.reason, VERIFY_STALE);
	assert_int_equal(report_take(report, 0, NOW + 3 * REPORT_PERIOD, false, &note), 0);
	report_free(report);
}

static void
loops_tell_together_and_sources_apart(void **state)
{
	struct report *report = report_new(2);
	struct report_note one = {.is_set = false}, other = {.is_set = false};
	struct report_note second = {.is_set = false};

	(void)state;
	report_add(report, 0, NULL, VERIFY_MISMATCH, &one);
	report_add(report, 0, NULL, VERIFY_MISMATCH, &other);
	report_add(report, 1, NULL, VERIFY_MISMATCH, &second);
	assert_int_equal(report_take(report, 0, NOW, false, &one), 2);
	assert_int_equal(report_take(report, 0, NOW, false, &other), 0);
	assert_int_equal(report_take(report, 1, NOW, false, &second), 1);
	/* nothing is left for the other loop, nor does it use up a minute for nothing */
	assert_int_equal(report_take(report, 0, NOW + REPORT_PERIOD, false, &other), 0);
	report_add(report, 0, NULL, VERIFY_MISMATCH, &one);
	assert_int_equal(report_take(report, 0, NOW + REPORT_PERIOD + 1, false, &one), 1);
	report_free(report);
}

static void
at_the_end_all_is_told_at_once(void **state)
{
	struct report *report = report_new(1);
	struct report_note note = {.is_set = false};

	(void)state;
	report_add(report, 0, NULL, VERIFY_MISMATCH, &note);
	assert_int_equal(report_take(report, 0, NOW, false, &note), 1);
	report_add(report, 0, NULL, VERIFY_MISMATCH, &note);
	assert_int_equal(report_take(report, 0, NOW + 1, false, &note), 0);
	assert_int_equal(report_take(report, 0, NOW + 1, true, &note), 1);
	assert_int_equal(report_take(report, 0, NOW + 1, true, &note), 0);
	report_free(report);
}

static void
a_clock_that_goes_back_silences_nobody(void **state)
{
	struct report *report = report_new(1);
	struct report_note note = {.is_set = false};

	(void)state;
	report_add(report, 0, NULL, VERIFY_MISMATCH, &note);
	assert_int_equal(report_take(report, 0, INT64_C(10) * REPORT_PERIOD, false, &note), 1);
	report_add(report, 0, NULL, VERIFY_MISMATCH, &note);
	assert_int_equal(report_take(report, 0, NOW, false, &note), 1);
	report_free(report);
}

static void
the_event_is_read_by_our_own_profile(void **state)
{
	static const struct report_note note = {true, VERIFY_MISMATCH, "203.0.113.7"};
	char id_bytes[REPORT_ID], body_bytes[REPORT_BODY];
	struct arena *arena = arena_new();
	struct normalise *normalise;
	struct spool_event event;
	struct event read = {.received_at = NOW};
	struct text id, body;
	struct error error;

	(void)state;
	text_start(&id, id_bytes, sizeof(id_bytes));
	text_start(&body, body_bytes, sizeof(body_bytes));
	report_fill(&event, "github", 17, &note, 1790856000000, &id, &body);
	assert_true(text_slice_is(event.source, CONFIG_SOURCE_OWN));
	assert_true(text_slice_is(event.id, "signature_invalid-github-1790856000000"));
	if (!normalise_new(&normalise, "anyint", &error) ||
	    !normalise_event(normalise, event.body, arena, &read, &error))
		fail_msg("%s", error.text);
	assert_true(text_slices_equal(read.fields[FIELD_TYPE], event.type));
	assert_true(text_slice_is(read.fields[FIELD_ACTOR_IP], "203.0.113.7"));
	assert_true(text_slice_is(read.fields[FIELD_REASON], "signature_mismatch"));
	assert_true(text_slice_is(read.fields[FIELD_MESSAGE],
				  "17 requests for source github had no good signature"));
	assert_int_equal(read.occurred_at, 1790856000000);
	assert_int_equal(read.severity, SEVERITY_MEDIUM);
	assert_true(text_slice_is(read.family, "security"));
	assert_true(text_slice_is(read.name, "Webhook signature invalid"));
	normalise_free(normalise);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_one_is_told_at_once_and_the_others_together_a_minute_later),
	    cmocka_unit_test(loops_tell_together_and_sources_apart),
	    cmocka_unit_test(at_the_end_all_is_told_at_once),
	    cmocka_unit_test(a_clock_that_goes_back_silences_nobody),
	    cmocka_unit_test(the_event_is_read_by_our_own_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
