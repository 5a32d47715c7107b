#include "bridge/spool/spool_verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/spool_fixture.h"

static void
append(struct spool *spool, unsigned count)
{
	struct error error;

	for (unsigned i = 0; i < count; i++) {
		struct spool_event event = {.received_at = 1790856000000,
					    .source = SLICE_LITERAL("anyint"),
					    .id = SLICE_LITERAL("id"),
					    .type = SLICE_LITERAL("key.created"),
					    .evidence = SLICE_LITERAL("webhook-id: id\n"),
					    .body = SLICE_LITERAL("{\"type\":\"key.created\"}")};

		assert_int_equal(spool_append(spool, &event, 1, NULL, 0, &error), SPOOL_DONE);
	}
}

static void
fill(unsigned count, const char *alarm_part)
{
	struct spool *spool = open_spool_above(0, alarm_part);

	append(spool, count);
	spool_close(spool);
}

struct seen {
	struct spool_verify_finding findings[64];
	size_t count;
	uint64_t events;
};

static void
note_finding(void *context, const struct spool_verify_finding *finding)
{
	struct seen *seen = context;

	if (seen->count < 64)
		seen->findings[seen->count] = *finding;
	seen->count++;
}

static void
note_event(void *context, const struct spool_event *event, const unsigned char *hash,
	   const unsigned char *before)
{
	struct seen *seen = context;

	assert_non_null(hash);
	assert_true(before != NULL || !event->intact || seen->count > 0);
	if (event->intact && event->evidence.length > 0)
		assert_true(text_slice_is(event->evidence, "webhook-id: id\n"));
	seen->events++;
}

static struct seen
verify(const struct spool_verify_note *note, struct spool_verify_report *report)
{
	struct seen seen = {.count = 0};
	const struct spool_verify_calls calls = {note_finding, note_event, &seen};
	struct error error;

	if (!spool_verify(directory, note, &calls, report, &error))
		fail_msg("%s", error.text);
	assert_int_equal(spool_verify_is_whole(report), seen.count == 0);
	return seen;
}

static void
expect_one(enum spool_verify_kind kind, uint64_t first, uint64_t last)
{
	struct spool_verify_report report;
	struct seen seen = verify(NULL, &report);

	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.findings[0].kind, kind);
	assert_int_equal(seen.findings[0].first, first);
	assert_int_equal(seen.findings[0].last, last);
	assert_int_equal(report.events[kind], last - first + 1);
}

static void
a_whole_ledger_is_whole_while_it_is_written(void **state)
{
	struct spool_verify_report report;
	struct spool *spool = open_spool();
	struct seen seen;

	(void)state;
	assert_int_equal(verify(NULL, &report).count, 0);
	assert_int_equal(report.count, 0);
	append(spool, 5000);
	seen = verify(NULL, &report);
	assert_int_equal(seen.count, 0);
	assert_int_equal(seen.events, 5000);
	assert_int_equal(report.first, 1);
	assert_int_equal(report.last, 5000);
	assert_int_equal(report.head, 5000);
	assert_false(report.head_is_foreign);
	spool_close(spool);
}

static void
ignore(void *context, const unsigned char *prints, size_t count)
{
	(void)context;
	(void)prints;
	(void)count;
}

static void
what_was_pruned_is_vouched_for_by_the_anchor(void **state)
{
	struct spool_verify_report report;
	struct spool *spool = open_spool();
	struct error error;
	bool more;

	(void)state;
	append(spool, 20);
	assert_int_equal(spool_prune(spool, 20, 7, ignore, NULL, &more, &error), SPOOL_DONE);
	spool_close(spool);
	assert_int_equal(verify(NULL, &report).count, 0);
	assert_int_equal(report.first, 8);
	change("DELETE FROM events WHERE seq=8");
	expect_one(SPOOL_VERIFY_EDITED, 9, 9);
}

static void
each_way_to_break_it_is_told_for_what_it_is(void **state)
{
	static const struct {
		const char *sql;
		enum spool_verify_kind kind;
		uint64_t first, last;
	} rows[] = {
	    {"UPDATE events SET body='{}' WHERE seq=12", SPOOL_VERIFY_EDITED, 12, 12},
	    {"UPDATE events SET received_at=1 WHERE seq=1", SPOOL_VERIFY_EDITED, 1, 1},
	    {"UPDATE events SET evidence='' WHERE seq=30", SPOOL_VERIFY_EDITED, 30, 30},
	    {"DELETE FROM events WHERE seq BETWEEN 4 AND 6", SPOOL_VERIFY_REMOVED, 4, 6},
	    {"DELETE FROM events WHERE seq > 25", SPOOL_VERIFY_MISSING, 26, 30},
	    {"DELETE FROM events", SPOOL_VERIFY_MISSING, 1, 30},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fill(30, NULL);
		change(rows[i].sql);
		expect_one(rows[i].kind, rows[i].first, rows[i].last);
		assert_int_equal(tear_down(state), 0);
		assert_int_equal(directory_set_up(state), 0);
	}
}

static void
a_lost_end_stays_visible_after_the_spool_went_on(void **state)
{
	(void)state;
	fill(20, NULL);
	change("DELETE FROM events WHERE seq>15");
	fill(3, "5 events are missing");
	expect_one(SPOOL_VERIFY_GIVEN_UP, 16, 20);
}

static void
a_chain_that_was_computed_anew_does_not_fit_what_was_noted(void **state)
{
	struct spool_verify_report report;
	struct spool_verify_note note;

	(void)state;
	fill(10, NULL);
	(void)verify(NULL, &report);
	note.sequence = report.last;
	memcpy(note.hash, report.hash, sizeof(note.hash));
	fill(5, NULL);
	assert_int_equal(verify(&note, &report).count, 0);
	assert_true(report.noted);
	/* another ledger of the same length in its place, and a head that fits it */
	assert_int_equal(tear_down(state), 0);
	assert_int_equal(directory_set_up(state), 0);
	fill(1, NULL);
	change("UPDATE events SET hash=zeroblob(32)");
	fill(14, "it was edited");
	(void)unlink(path_of("head"));
	assert_int_equal(verify(&note, &report).findings[1].kind, SPOOL_VERIFY_HEAD);
	assert_int_equal(report.head, 0);
}

static void
a_page_that_cannot_be_read_costs_its_rows_alone(void **state)
{
	static const char garbage[4096];
	struct spool_verify_report report;
	struct seen seen;
	int file;

	(void)state;
	fill(3000, NULL);
	change("PRAGMA wal_checkpoint(TRUNCATE)");
	file = open(path_of("spool.db"), O_RDWR);
	assert_true(file >= 0);
	assert_int_equal(pwrite(file, garbage, 4096, 40 * 4096), 4096);
	close(file);
	seen = verify(NULL, &report);
	assert_in_range(seen.count, 1, 2);
	assert_in_range(report.events[SPOOL_VERIFY_UNREADABLE], 2, 60);
	assert_int_equal(report.events[SPOOL_VERIFY_UNREADABLE] + report.count, 3000);
	assert_int_equal(report.last, 3000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_whole_ledger_is_whole_while_it_is_written,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_was_pruned_is_vouched_for_by_the_anchor,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(each_way_to_break_it_is_told_for_what_it_is,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_lost_end_stays_visible_after_the_spool_went_on,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_chain_that_was_computed_anew_does_not_fit_what_was_noted, directory_set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(a_page_that_cannot_be_read_costs_its_rows_alone,
					    directory_set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
