#include "bridge/receiver/commit.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/deadline.h"
#include "bridge/receiver/commit_returns.h"
#include "bridge/spool/delivery.h"
#include "bridge/spool/spool_find.h"
#include "tests/unit/spool_fixture.h"

struct bench {
	struct spool *spool;
	struct commit *commit;
	struct commit_returns *returns;
	int descriptor;
	int broken;
};

static void
note_broken(void *context)
{
	((struct bench *)context)->broken++;
}

static void
start(struct bench *bench, uint64_t max_size)
{
	struct counters *counters;
	struct error alarm, error;

	memset(bench, 0, sizeof(*bench));
	if (!counters_map(-1, &counters, &error) ||
	    !spool_open(&bench->spool, directory, max_size, 0, &alarm, &error) ||
	    !commit_returns_new(&bench->returns, &bench->descriptor, &error) ||
	    !commit_start(&bench->commit, bench->spool, -1, counters, note_broken, bench, &error))
		fail_msg("%s", error.text);
}

static void
stop(struct bench *bench)
{
	commit_stop(bench->commit);
	commit_returns_free(bench->returns);
	spool_close(bench->spool);
}

static struct submission *
event_new(struct bench *bench, const char *id, struct slice body)
{
	const struct spool_event event = {.source = SLICE_LITERAL("anyint"),
					  .id = text_of(id),
					  .type = SLICE_LITERAL("key.created"),
					  .body = body};
	struct submission *submission = submission_new(&event, 1);

	submission->returns = bench->returns;
	return submission;
}

/* Waits until `count` submissions came back; counts their answers. */
static void
collect(struct bench *bench, unsigned count, unsigned answers[ANSWERS], unsigned *duplicates)
{
	struct pollfd waiting = {.fd = bench->descriptor, .events = POLLIN};

	memset(answers, 0, ANSWERS * sizeof(answers[0]));
	*duplicates = 0;
	while (count > 0) {
		struct submission *next;

		assert_int_equal(poll(&waiting, 1, 10000), 1);
		for (struct submission *s = commit_returns_take(bench->returns); s != NULL;
		     s = next) {
			next = s->next;
			answers[s->answer]++;
			*duplicates += (unsigned)s->duplicates;
			free(s);
			assert_true(count-- > 0);
		}
	}
}

static void
each_id_is_stored_once_and_every_submission_is_answered(void **state)
{
	struct bench bench;
	unsigned answers[ANSWERS], duplicates;
	char id[16];

	(void)state;
	start(&bench, 0);
	for (unsigned i = 0; i < 6000; i++) {
		(void)snprintf(id, sizeof(id), "id-%u", i % 2000);
		assert_true(
		    commit_submit(bench.commit, event_new(&bench, id, SLICE_LITERAL("{}"))));
	}
	collect(&bench, 6000, answers, &duplicates);
	assert_int_equal(answers[ANSWER_ACCEPTED], 6000);
	assert_int_equal(duplicates, 4000);
	assert_int_equal(spool_last(bench.spool), 2000);
	stop(&bench);

	/* and they are known after a restart */
	start(&bench, 0);
	assert_true(commit_submit(bench.commit, event_new(&bench, "id-7", SLICE_LITERAL("{}"))));
	collect(&bench, 1, answers, &duplicates);
	assert_int_equal(answers[ANSWER_ACCEPTED], 1);
	assert_int_equal(duplicates, 1);
	assert_int_equal(spool_last(bench.spool), 2000);
	stop(&bench);
}

static void
a_rejected_body_is_kept_and_answered_as_no_event(void **state)
{
	const struct spool_rejected rejected = {.source = SLICE_LITERAL("anyint"),
						.reason = SLICE_LITERAL("not JSON"),
						.body = SLICE_LITERAL("{\"type\":")};
	struct submission *submission = submission_new_rejected(&rejected);
	struct bench bench;
	unsigned answers[ANSWERS], duplicates;

	(void)state;
	start(&bench, 0);
	submission->returns = bench.returns;
	assert_true(commit_submit(bench.commit, submission));
	collect(&bench, 1, answers, &duplicates);
	assert_int_equal(answers[ANSWER_NOT_AN_EVENT], 1);
	assert_int_equal(spool_last(bench.spool), 0);
	stop(&bench);
}

static bool
note_rejected(void *context, const struct spool_rejected *rejected)
{
	uint64_t *times = context;

	times[rejected->number - 1] = rejected->times;
	return true;
}

static void
a_rejected_body_that_comes_again_is_counted_and_not_stored_again(void **state)
{
	static const char *const bodies[] = {"{\"type\":", "{\"type\":", "[]", "{\"type\":"};
	uint64_t times[8] = {0};
	struct bench bench;
	struct spool_find *find;
	struct error error;
	unsigned answers[ANSWERS], duplicates;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct spool_rejected rejected = {.source = SLICE_LITERAL("anyint"),
							.reason = SLICE_LITERAL("not JSON"),
							.body = text_of(bodies[i])};
		struct submission *submission = submission_new_rejected(&rejected);

		start(&bench, 0);
		submission->returns = bench.returns;
		assert_true(commit_submit(bench.commit, submission));
		collect(&bench, 1, answers, &duplicates);
		assert_int_equal(answers[ANSWER_NOT_AN_EVENT], 1);
		stop(&bench);
	}
	assert_true(spool_find_open(&find, directory, &error));
	assert_true(spool_find_rejected(find, 0, note_rejected, times, &error));
	spool_find_close(find);
	assert_int_equal(times[0], 3);
	assert_int_equal(times[1] + times[2] + times[3], 1);
}

static void
a_full_spool_answers_503_and_forgets_what_it_did_not_store(void **state)
{
	static char big[300000];
	struct bench bench;
	unsigned answers[ANSWERS], duplicates, stored = 0;
	char id[16];

	(void)state;
	memset(big, 'x', sizeof(big));
	start(&bench, 1024 * 1024);
	do {
		(void)snprintf(id, sizeof(id), "id-%u", stored);
		assert_true(commit_submit(bench.commit,
					  event_new(&bench, id, (struct slice){big, sizeof(big)})));
		collect(&bench, 1, answers, &duplicates);
		stored += answers[ANSWER_ACCEPTED];
		assert_in_range(stored, 0, 5);
	} while (answers[ANSWER_ACCEPTED] == 1);
	assert_int_equal(answers[ANSWER_UNAVAILABLE], 1);
	/* the sender comes again with the same id, and now it fits */
	assert_true(commit_submit(bench.commit, event_new(&bench, id, SLICE_LITERAL("{}"))));
	collect(&bench, 1, answers, &duplicates);
	assert_int_equal(answers[ANSWER_ACCEPTED], 1);
	assert_int_equal(duplicates, 0);
	assert_int_equal(spool_last(bench.spool), stored + 1);
	assert_int_equal(bench.broken, 0);
	stop(&bench);
}

static void
what_was_submitted_before_the_stop_is_stored(void **state)
{
	struct bench bench;
	char id[16];

	(void)state;
	start(&bench, 0);
	for (unsigned i = 0; i < 500; i++) {
		(void)snprintf(id, sizeof(id), "id-%u", i);
		assert_true(
		    commit_submit(bench.commit, event_new(&bench, id, SLICE_LITERAL("{}"))));
	}
	commit_stop(bench.commit);
	assert_int_equal(spool_last(bench.spool), 500);
	commit_returns_free(bench.returns);
	spool_close(bench.spool);
}

static void
what_is_old_and_confirmed_is_pruned_and_may_come_again(void **state)
{
	const char *const destinations[] = {"siem"};
	struct delivery_cursor cursor = {
	    .destination = "siem", .epoch = 1, .sequence = 900, .number = 900};
	struct delivery *delivery;
	struct spool_reader *reader;
	struct bench bench;
	struct error error;
	unsigned answers[ANSWERS], duplicates;
	struct deadline deadline = deadline_after(10000);
	uint64_t first = 0, last = 0;
	char id[16];

	(void)state;
	if (!delivery_open(&delivery, directory, &error) ||
	    !delivery_save(delivery, &cursor, 1, NULL, 0, &error))
		fail_msg("%s", error.text);
	start(&bench, 0);
	commit_keep(bench.commit, directory, destinations, 1, 1);
	for (unsigned i = 1; i <= 1000; i++) {
		(void)snprintf(id, sizeof(id), "id-%u", i);
		assert_true(
		    commit_submit(bench.commit, event_new(&bench, id, SLICE_LITERAL("{}"))));
	}
	collect(&bench, 1000, answers, &duplicates);
	if (!spool_reader_open(&reader, directory, &error))
		fail_msg("%s", error.text);
	do {
		assert_false(deadline_passed(deadline));
		assert_true(spool_reader_range(reader, &first, &last, &error));
	} while (first != 901);
	assert_int_equal(last, 1000);
	spool_reader_close(reader);
	assert_true(commit_submit(bench.commit, event_new(&bench, "id-999", SLICE_LITERAL("{}"))));
	collect(&bench, 1, answers, &duplicates);
	assert_int_equal(duplicates, 1);
	stop(&bench);
	delivery_close(delivery);
}

/* ---- batches ---- */

/* Submits events of these ids as one, and gives the answer. */
static enum answer
submit_batch(struct bench *bench, const char *const *ids, size_t count, struct slice body,
	     size_t *duplicates)
{
	struct pollfd waiting = {.fd = bench->descriptor, .events = POLLIN};
	struct spool_event events[4] = {{0}};
	struct submission *submission;
	enum answer answer;

	for (size_t i = 0; i < count; i++)
		events[i] = (struct spool_event){.source = SLICE_LITERAL("anyint"),
						 .id = text_of(ids[i]),
						 .type = SLICE_LITERAL("key.created"),
						 .body = body};
	submission = submission_new(events, count);
	submission->returns = bench->returns;
	assert_true(commit_submit(bench->commit, submission));
	assert_int_equal(poll(&waiting, 1, 10000), 1);
	submission = commit_returns_take(bench->returns);
	assert_non_null(submission);
	answer = submission->answer;
	*duplicates = submission->duplicates;
	free(submission);
	return answer;
}

static void
duplicates_in_a_batch_are_dropped_one_by_one(void **state)
{
	static const char *const first[] = {"a", "b", "a"}, *const again[] = {"b", "c", "a", "d"};
	struct bench bench;
	size_t duplicates;

	(void)state;
	start(&bench, 0);
	assert_int_equal(submit_batch(&bench, first, 3, SLICE_LITERAL("{}"), &duplicates),
			 ANSWER_ACCEPTED);
	assert_int_equal(duplicates, 1);
	assert_int_equal(spool_last(bench.spool), 2);
	stop(&bench);
	start(&bench, 0);
	assert_int_equal(submit_batch(&bench, again, 4, SLICE_LITERAL("{}"), &duplicates),
			 ANSWER_ACCEPTED);
	assert_int_equal(duplicates, 2);
	assert_int_equal(spool_last(bench.spool), 4);
	stop(&bench);
}

static void
a_batch_that_does_not_fit_leaves_nothing(void **state)
{
	static const char *const ids[] = {"a", "b", "c", "d"};
	static char big[400000];
	struct bench bench;
	size_t duplicates;

	(void)state;
	memset(big, 'x', sizeof(big));
	start(&bench, 1024 * 1024);
	assert_int_equal(
	    submit_batch(&bench, ids, 4, (struct slice){big, sizeof(big)}, &duplicates),
	    ANSWER_UNAVAILABLE);
	assert_int_equal(spool_last(bench.spool), 0);
	/* and none of its ids is known */
	assert_int_equal(submit_batch(&bench, ids, 4, SLICE_LITERAL("{}"), &duplicates),
			 ANSWER_ACCEPTED);
	assert_int_equal(duplicates, 0);
	assert_int_equal(spool_last(bench.spool), 4);
	stop(&bench);
}

/* ---- ids that no signature covers ---- */

struct replay {
	const char *id;
	const char *body;
	bool duplicate;
	uint32_t flags;
};

static void
submit_all(struct bench *bench, const struct replay *rows, size_t count, bool binds_body)
{
	for (size_t i = 0; i < count; i++) {
		struct submission *submission = event_new(bench, rows[i].id, text_of(rows[i].body));
		struct pollfd waiting = {.fd = bench->descriptor, .events = POLLIN};

		submission->binds_body = binds_body;
		assert_true(commit_submit(bench->commit, submission));
		assert_int_equal(poll(&waiting, 1, 10000), 1);
		submission = commit_returns_take(bench->returns);
		assert_non_null(submission);
		assert_int_equal(submission->answer, ANSWER_ACCEPTED);
		if (submission->duplicates != rows[i].duplicate)
			fail_msg("%s %s: duplicates %zu", rows[i].id, rows[i].body,
				 submission->duplicates);
		assert_int_equal(submission->events[0].flags, rows[i].flags);
		free(submission);
	}
}

static void
an_unsigned_id_is_bound_to_its_body(void **state)
{
	static const struct replay first[] = {
	    {"id-1", "{1}", false, 0},
	    {"id-1", "{1}", true, 0},                  /* R1: once more */
	    {"id-2", "{1}", false, SPOOL_FLAG_REPLAY}, /* R2: under a new id */
	    {"id-2", "{1}", true, 0},
	    {"id-1", "{2}", false, SPOOL_FLAG_CONFLICT}, /* R3: another body */
	    {"id-3", "{3}", false, 0},
	    {"id-3", "{1}", false, SPOOL_FLAG_CONFLICT | SPOOL_FLAG_REPLAY},
	};
	static const struct replay after_restart[] = {
	    {"id-1", "{1}", true, 0},
	    {"id-1", "{2}", true, 0},
	    {"id-4", "{1}", false, SPOOL_FLAG_REPLAY},
	    {"id-3", "{4}", false, SPOOL_FLAG_CONFLICT},
	    {"id-5", "{5}", false, 0},
	};
	struct bench bench;

	(void)state;
	start(&bench, 0);
	submit_all(&bench, first, sizeof(first) / sizeof(first[0]), true);
	assert_int_equal(spool_last(bench.spool), 5);
	stop(&bench);
	start(&bench, 0);
	submit_all(&bench, after_restart, sizeof(after_restart) / sizeof(after_restart[0]), true);
	stop(&bench);
}

static void
a_signed_id_is_known_whatever_its_body(void **state)
{
	static const struct replay rows[] = {
	    {"id-1", "{1}", false, 0},
	    {"id-1", "{2}", true, 0},
	    {"id-2", "{1}", false, 0},
	};
	struct bench bench;

	(void)state;
	start(&bench, 0);
	submit_all(&bench, rows, sizeof(rows) / sizeof(rows[0]), false);
	stop(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_id_is_stored_once_and_every_submission_is_answered,
					    directory_set_up, tear_down_both),
	    cmocka_unit_test_setup_teardown(
		a_rejected_body_that_comes_again_is_counted_and_not_stored_again, directory_set_up,
		tear_down_both),
	    cmocka_unit_test_setup_teardown(a_rejected_body_is_kept_and_answered_as_no_event,
					    directory_set_up, tear_down_both),
	    cmocka_unit_test_setup_teardown(
		a_full_spool_answers_503_and_forgets_what_it_did_not_store, directory_set_up,
		tear_down_both),
	    cmocka_unit_test_setup_teardown(what_was_submitted_before_the_stop_is_stored,
					    directory_set_up, tear_down_both),
	    cmocka_unit_test_setup_teardown(what_is_old_and_confirmed_is_pruned_and_may_come_again,
					    directory_set_up, tear_down_both),
	    cmocka_unit_test_setup_teardown(duplicates_in_a_batch_are_dropped_one_by_one,
					    directory_set_up, tear_down_both),
	    cmocka_unit_test_setup_teardown(a_batch_that_does_not_fit_leaves_nothing,
					    directory_set_up, tear_down_both),
	    cmocka_unit_test_setup_teardown(an_unsigned_id_is_bound_to_its_body, directory_set_up,
					    tear_down_both),
	    cmocka_unit_test_setup_teardown(a_signed_id_is_known_whatever_its_body,
					    directory_set_up, tear_down_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
