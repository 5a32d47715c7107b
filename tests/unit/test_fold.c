#include "bridge/forwarder/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/deadline.h"
#include "formats/catalogue.h"

enum { HOUR = 3600 * 1000 };

struct told {
	struct event event;
	struct incident incident;
};

static struct told
about(const char *type, const char *key, enum severity severity)
{
	struct told told = {.event = {.severity = severity}};

	told.event.entry = catalogue_find(text_of(type));
	told.event.fields[FIELD_TYPE] = text_of(type);
	told.event.fields[FIELD_KEY_ID] = text_of(key);
	told.incident.action =
	    incident_ended_by(text_of(type)) != NULL ? INCIDENT_RESOLVE : INCIDENT_TRIGGER;
	told.incident.length = strlen(key);
	memcpy(told.incident.key, key, told.incident.length);
	return told;
}

static bool
take(struct fold *fold, const struct told *told, uint64_t start)
{
	return fold_take(fold, &told->event, &told->incident, start, start + 1);
}

static void
send(struct fold *fold, const struct told *told)
{
	fold_sent(fold, &told->event, &told->incident, deadline_now());
}

static void
the_first_goes_out_and_the_others_wait(void **state)
{
	struct told one = about("key.disabled", "k", SEVERITY_LOW);
	struct told other = about("key.disabled", "m", SEVERITY_LOW);
	struct fold *fold = fold_new(HOUR);
	struct fold_summary summary;
	struct fold_first first;

	(void)state;
	assert_false(take(fold, &one, 0));
	assert_false(fold_first(fold, &first));
	send(fold, &one);
	assert_true(take(fold, &one, 1));
	assert_false(take(fold, &other, 2));
	send(fold, &other);
	assert_true(take(fold, &one, 3));
	assert_true(fold_first(fold, &first));
	assert_int_equal(first.start, 1);
	assert_false(first.refused);
	assert_true(fold_due(fold) > deadline_now() + HOUR / 2);
	assert_true(fold_next(fold, &summary));
	assert_int_equal(summary.count, 2);
	assert_true(text_slice_is(summary.event->fields[FIELD_KEY_ID], "k"));
	fold_done(fold, &summary, deadline_now());
	assert_false(fold_first(fold, &first));
	assert_int_equal(fold_due(fold), INT64_MAX);
	assert_true(take(fold, &one, 4)); /* its window began anew */
	fold_free(fold);
}

static void
another_type_under_the_key_does_not_wait(void **state)
{
	struct told created = about("key.created", "k", SEVERITY_LOW);
	struct told disabled = about("key.disabled", "k", SEVERITY_LOW);
	struct fold *fold = fold_new(HOUR);

	(void)state;
	send(fold, &created);
	assert_false(take(fold, &disabled, 0));
	fold_free(fold);
}

static void
what_is_worse_goes_out_with_what_waited(void **state)
{
	struct told high = about("security.x", "f", SEVERITY_HIGH);
	struct told critical = about("security.x", "f", SEVERITY_CRITICAL);
	struct fold *fold = fold_new(HOUR);
	struct fold_first first;

	(void)state;
	send(fold, &high);
	assert_true(take(fold, &high, 0));
	assert_false(take(fold, &critical, 1));
	assert_int_equal(fold_covered(fold, &critical.event, &critical.incident), 1);
	send(fold, &critical);
	assert_false(fold_first(fold, &first));
	assert_true(take(fold, &high, 2));
	fold_free(fold);
}

static void
the_end_covers_the_flood_and_the_next_one_is_new(void **state)
{
	struct told overdue = about("billing.overdue", "in", SEVERITY_MEDIUM);
	struct told paid = about("billing.paid", "in", SEVERITY_INFO);
	struct fold *fold = fold_new(HOUR);
	struct fold_first first;

	(void)state;
	send(fold, &overdue);
	assert_true(take(fold, &overdue, 0));
	assert_true(take(fold, &overdue, 1));
	assert_false(take(fold, &paid, 2));
	assert_int_equal(fold_covered(fold, &paid.event, &paid.incident), 2);
	send(fold, &paid);
	assert_false(fold_first(fold, &first));
	assert_false(take(fold, &overdue, 3));
	fold_free(fold);
}

static void
what_is_refused_is_told_one_by_one_in_order(void **state)
{
	struct told one = about("key.disabled", "k", SEVERITY_LOW);
	struct told other = about("key.disabled", "m", SEVERITY_LOW);
	struct fold *fold = fold_new(HOUR);
	struct fold_summary summary;
	struct fold_first first;

	(void)state;
	send(fold, &one);
	send(fold, &other);
	assert_true(take(fold, &one, 10));
	assert_true(take(fold, &other, 11));
	assert_true(take(fold, &one, 12));
	assert_true(fold_next(fold, &summary));
	assert_int_equal(summary.count, 2);
	fold_refuse(fold, &summary);
	assert_true(fold_first(fold, &first));
	assert_int_equal(first.end, 11);
	assert_true(first.refused);
	fold_pass(fold, &first);
	assert_true(fold_first(fold, &first));
	assert_int_equal(first.start, 11);
	assert_false(first.refused);
	assert_true(fold_next(fold, &summary));
	assert_int_equal(summary.count, 1);
	fold_done(fold, &summary, deadline_now());
	assert_true(fold_first(fold, &first));
	assert_true(first.refused);
	fold_pass(fold, &first);
	assert_false(fold_first(fold, &first));
	fold_free(fold);
}

static void
beyond_its_rows_all_go_out_and_none_is_forgotten(void **state)
{
	struct fold *fold = fold_new(HOUR);
	struct fold_summary summary;
	struct fold_first first;
	char keys[FOLD_ENTRIES + 1][8];

	(void)state;
	for (int i = 0; i <= FOLD_ENTRIES; i++) {
		struct told told;

		(void)snprintf(keys[i], sizeof(keys[i]), "k%d", i);
		told = about("key.disabled", keys[i], SEVERITY_LOW);
		send(fold, &told);
		assert_int_equal(take(fold, &told, (uint64_t)i), i < FOLD_ENTRIES);
	}
	for (int i = 0; i < FOLD_ENTRIES; i++) {
		assert_true(fold_next(fold, &summary));
		fold_done(fold, &summary, deadline_now());
	}
	assert_false(fold_first(fold, &first));
	fold_free(fold);
}

static void
without_a_window_nothing_waits(void **state)
{
	struct told one = about("key.disabled", "k", SEVERITY_LOW);
	struct fold *fold = fold_new(0);

	(void)state;
	send(fold, &one);
	assert_false(take(fold, &one, 0));
	fold_free(fold);
}

/* The bytes that an event points to are gone with its batch. */
static void
what_waits_is_a_copy(void **state)
{
	char bytes[] = "k";
	struct told one = about("key.disabled", bytes, SEVERITY_LOW);
	struct fold *fold = fold_new(HOUR);
	struct fold_summary summary;

	(void)state;
	send(fold, &one);
	assert_true(take(fold, &one, 0));
	bytes[0] = 'x';
	assert_true(fold_next(fold, &summary));
	assert_true(text_slice_is(summary.event->fields[FIELD_KEY_ID], "k"));
	fold_free(fold);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_goes_out_and_the_others_wait),
	    cmocka_unit_test(another_type_under_the_key_does_not_wait),
	    cmocka_unit_test(what_is_worse_goes_out_with_what_waited),
	    cmocka_unit_test(the_end_covers_the_flood_and_the_next_one_is_new),
	    cmocka_unit_test(what_is_refused_is_told_one_by_one_in_order),
	    cmocka_unit_test(beyond_its_rows_all_go_out_and_none_is_forgotten),
	    cmocka_unit_test(without_a_window_nothing_waits),
	    cmocka_unit_test(what_waits_is_a_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
