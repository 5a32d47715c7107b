#include "bridge/spool/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/spool_fixture.h"

enum {
	BATCH = 64, /* events: 3 KiB of fingerprints */
	LONG = 200, /* 9.6 KB: a row that stays as it is */
	TOTAL = 60 * BATCH,
};

static void
number_print(unsigned char *print, uint32_t number)
{
	memset(print, 0, SPOOL_FINGERPRINT_LENGTH);
	memcpy(print, &number, sizeof(number));
}

/* One commit; event n has the fingerprints 3n, 3n+1 and 3n+2. */
static void
append(struct spool *spool, uint32_t first, size_t count)
{
	struct spool_event events[LONG];
	struct error error;

	memset(events, 0, sizeof(events));
	for (size_t i = 0; i < count; i++) {
		events[i].source = SLICE_LITERAL("s");
		events[i].id = SLICE_LITERAL("id");
		events[i].type = SLICE_LITERAL("key.created");
		events[i].body = SLICE_LITERAL("{}");
		events[i].fingerprint_count = SPOOL_FINGERPRINTS;
		for (uint32_t k = 0; k < SPOOL_FINGERPRINTS; k++)
			number_print(events[i].fingerprints[k],
				     (first + (uint32_t)i) * SPOOL_FINGERPRINTS + k);
	}
	assert_int_equal(spool_append(spool, events, count, NULL, 0, &error), SPOOL_DONE);
}

/* They come in the order of their events, from *expected on. */
static void
expect_next(void *context, const unsigned char *prints, size_t count)
{
	unsigned char print[SPOOL_FINGERPRINT_LENGTH];
	uint32_t *expected = context;

	for (size_t i = 0; i < count; i++) {
		number_print(print, (*expected)++);
		assert_memory_equal(prints + i * SPOOL_FINGERPRINT_LENGTH, print, sizeof(print));
	}
}

static void
gather_all(struct spool *spool)
{
	struct error error;
	bool more = true;

	while (more)
		assert_int_equal(spool_fingerprints_gather(spool, &more, &error), SPOOL_DONE);
}

static void
read_all(struct spool *spool, uint32_t from, uint32_t to)
{
	uint32_t seen = from * SPOOL_FINGERPRINTS;
	struct error error;

	assert_true(spool_fingerprints(spool, expect_next, &seen, &error));
	assert_int_equal(seen, to * SPOOL_FINGERPRINTS);
}

static void
small_rows_become_few_and_nothing_is_lost(void **state)
{
	struct spool *spool = open_spool();

	(void)state;
	for (uint32_t i = 0; i < TOTAL; i += BATCH)
		append(spool, i, BATCH);
	assert_int_equal(ask("SELECT count(*) FROM fingerprints"), TOTAL / BATCH);
	gather_all(spool);
	/* two of 64 KiB, and what is not enough for a third */
	assert_int_equal(ask("SELECT count(*) FROM fingerprints WHERE length(prints) > 60000"), 2);
	assert_in_range(ask("SELECT count(*) FROM fingerprints"), 3, 22);
	assert_int_equal(ask("SELECT max(last_seq) FROM fingerprints"), TOTAL);
	read_all(spool, 0, TOTAL);
	spool_close(spool);

	/* the next start goes on where this one was */
	spool = open_spool();
	read_all(spool, 0, TOTAL);
	for (uint32_t i = TOTAL; i < 2 * TOTAL; i += BATCH)
		append(spool, i, BATCH);
	gather_all(spool);
	assert_in_range(ask("SELECT count(*) FROM fingerprints"), 5, 27);
	read_all(spool, 0, 2 * TOTAL);
	spool_close(spool);
}

static void
few_are_left_alone(void **state)
{
	struct spool *spool = open_spool();

	(void)state;
	for (uint32_t i = 0; i < 5 * BATCH; i += BATCH)
		append(spool, i, BATCH);
	gather_all(spool);
	assert_int_equal(ask("SELECT count(*) FROM fingerprints"), 5);
	spool_close(spool);
}

static void
long_rows_stay_as_they_are(void **state)
{
	struct spool *spool = open_spool();
	uint32_t total = 0;

	(void)state;
	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < 10; i++, total += BATCH)
			append(spool, total, BATCH);
		append(spool, total, LONG);
		total += LONG;
		append(spool, total, 1);
		total++;
		append(spool, total, LONG);
		total += LONG;
	}
	gather_all(spool);
	assert_in_range(ask("SELECT count(*) FROM fingerprints"), 4 * 8, 4 * 8 + 20);
	assert_int_equal(ask("SELECT count(*) FROM fingerprints WHERE length(prints) = 9600"), 16);
	read_all(spool, 0, total);
	spool_close(spool);
}

static void
count_forgotten(void *context, const unsigned char *prints, size_t count)
{
	(void)prints;
	*(size_t *)context += count;
}

static void
what_was_brought_together_goes_when_all_of_its_events_have_gone(void **state)
{
	struct spool *spool = open_spool();
	size_t forgotten = 0;
	struct error error;
	uint64_t last;
	bool more;

	(void)state;
	for (uint32_t i = 0; i < TOTAL; i += BATCH)
		append(spool, i, BATCH);
	gather_all(spool);
	last = (uint64_t)ask("SELECT last_seq FROM fingerprints ORDER BY first_seq LIMIT 1");
	assert_int_equal(
	    spool_prune(spool, last - 1, TOTAL, count_forgotten, &forgotten, &more, &error),
	    SPOOL_DONE);
	assert_int_equal(forgotten, 0);
	assert_int_equal(
	    spool_prune(spool, last, TOTAL, count_forgotten, &forgotten, &more, &error),
	    SPOOL_DONE);
	assert_int_equal(forgotten, last * SPOOL_FINGERPRINTS);
	read_all(spool, (uint32_t)last, TOTAL);
	spool_close(spool);
}

static void
what_was_pruned_meanwhile_is_no_trouble(void **state)
{
	struct spool *spool = open_spool();
	size_t forgotten = 0;
	struct error error;
	bool more;

	(void)state;
	for (uint32_t i = 0; i < TOTAL; i += BATCH)
		append(spool, i, BATCH);
	assert_int_equal(
	    spool_prune(spool, TOTAL - BATCH, TOTAL, count_forgotten, &forgotten, &more, &error),
	    SPOOL_DONE);
	gather_all(spool);
	read_all(spool, TOTAL - BATCH, TOTAL);
	spool_close(spool);
}

static void
how_many_are_kept_is_known_about(void **state)
{
	struct spool *spool = open_spool();
	struct error error;
	uint64_t kept;

	(void)state;
	assert_true(spool_fingerprints_expected(spool, &kept, &error));
	assert_int_equal(kept, 0);
	for (uint32_t i = 0; i < 10 * BATCH; i += BATCH)
		append(spool, i, BATCH);
	assert_true(spool_fingerprints_expected(spool, &kept, &error));
	assert_in_range(kept, 1, 10 * BATCH);
	spool_close(spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(small_rows_become_few_and_nothing_is_lost,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(few_are_left_alone, directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(long_rows_stay_as_they_are, directory_set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(
		what_was_brought_together_goes_when_all_of_its_events_have_gone, directory_set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(what_was_pruned_meanwhile_is_no_trouble,
					    directory_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(how_many_are_kept_is_known_about, directory_set_up,
					    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
