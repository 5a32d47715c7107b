#include "bridge/receiver/submission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
a_submission_holds_copies_of_all(void **state)
{
	char source[] = "anyint", evidence[] = "a: b\n", other[] = "c: d\n", id[] = "1",
	     body[] = "{}";
	struct spool_event events[3] = {
	    {.source = text_of(source), .evidence = text_of(evidence), .id = text_of(id)},
	    {.source = text_of(source), .evidence = text_of(evidence), .id = text_of("2")},
	    {.source = text_of(source), .evidence = text_of(other), .body = text_of(body)},
	};
	struct submission *submission = submission_new(events, 3);
	const struct spool_event *copies = submission->events;

	(void)state;
	memset(source, 'x', strlen(source));
	memset(evidence, 'x', strlen(evidence));
	memset(other, 'x', strlen(other));
	id[0] = body[0] = 'x';
	assert_int_equal(submission_weight(submission), 3);
	assert_int_equal(submission->body_bytes, 2);
	for (size_t i = 0; i < 3; i++)
		assert_true(text_slice_is(copies[i].source, "anyint"));
	assert_true(text_slice_is(copies[0].evidence, "a: b\n"));
	assert_ptr_equal(copies[1].evidence.bytes, copies[0].evidence.bytes);
	assert_true(text_slice_is(copies[2].evidence, "c: d\n"));
	assert_true(text_slice_is(copies[0].id, "1"));
	assert_true(text_slice_is(copies[2].body, "{}"));
	assert_null(copies[2].id.bytes);
	free(submission);
}

static void
a_queue_gives_back_in_order_and_knows_its_weight(void **state)
{
	const struct spool_event events[2] = {{.body = SLICE_LITERAL("1")},
					      {.body = SLICE_LITERAL("22")}};
	const struct spool_rejected rejected = {.body = SLICE_LITERAL("333"),
						.reason = SLICE_LITERAL("why")};
	struct submission *first = submission_new(events, 2);
	struct submission *second = submission_new_rejected(&rejected);
	struct submission_queue queue = {0};

	(void)state;
	assert_null(submission_take(&queue));
	submission_put(&queue, first);
	submission_put(&queue, second);
	assert_int_equal(queue.weight, 3);
	assert_int_equal(queue.bytes, 6);
	assert_ptr_equal(submission_take(&queue), first);
	assert_int_equal(queue.weight, 1);
	assert_ptr_equal(submission_take(&queue), second);
	assert_int_equal(queue.bytes, 0);
	assert_null(submission_take(&queue));
	assert_true(text_slice_is(second->rejected.reason, "why"));
	free(first);
	free(second);
}

static void
who_wants_to_know_is_told_up_to_where_he_is_stored(void **state)
{
	const struct spool_event events[2] = {{.body = SLICE_LITERAL("1")},
					      {.body = SLICE_LITERAL("2")}};
	struct submission *all[3];
	struct submission_queue queue = {0};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		all[i] = submission_new(events, 2);
		all[i]->wants_sequence = i > 0;
		submission_put(&queue, all[i]);
	}
	all[1]->duplicates = 1;
	all[2]->duplicates = 2;
	submission_number(&queue, 10, 3); /* 8, 9, 10 */
	assert_int_equal(all[0]->sequence, 0);
	assert_int_equal(all[1]->sequence, 10);
	assert_int_equal(all[2]->sequence, 10);
	all[1]->duplicates = 0;
	all[2]->duplicates = 1;
	submission_number(&queue, 12, 5); /* 8, 9; 10, 11; 12 */
	assert_int_equal(all[1]->sequence, 11);
	assert_int_equal(all[2]->sequence, 12);
	for (size_t i = 0; i < 3; i++)
		free(all[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_submission_holds_copies_of_all),
	    cmocka_unit_test(who_wants_to_know_is_told_up_to_where_he_is_stored),
	    cmocka_unit_test(a_queue_gives_back_in_order_and_knows_its_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
