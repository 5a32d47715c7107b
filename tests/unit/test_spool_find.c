/* Every question is asked with and without an index: the answers are the same. */
#include "bridge/spool/spool_find.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/spool/spool_index.h"
#include "tests/unit/spool_fixture.h"

enum { TOTAL = 2 * SPOOL_INDEX_SEGMENT + 1000, BATCH = 512, START = 1790856000 };

/* Event n: id-n, res-(n % 5000), and one of three types; a rare one at 100. */
static void
fill(uint64_t first, size_t count)
{
	struct spool_event events[BATCH];
	char ids[BATCH][24], resources[BATCH][24];
	struct error alarm, error;
	struct spool *spool;

	if (!spool_open(&spool, directory, 0, 0, &alarm, &error))
		fail_msg("%s", error.text);
	memset(events, 0, sizeof(events));
	for (size_t done = 0; done < count;) {
		size_t batch = count - done < BATCH ? count - done : BATCH;

		for (size_t i = 0; i < batch; i++) {
			unsigned long long n = first + done + i;

			events[i].received_at = (START + (int64_t)n) * 1000;
			events[i].source =
			    n % 2 == 0 ? SLICE_LITERAL("even") : SLICE_LITERAL("odd");
			(void)snprintf(ids[i], sizeof(ids[i]), "id-%llu", n);
			(void)snprintf(resources[i], sizeof(resources[i]), "res-%llu", n % 5000);
			events[i].id = text_of(ids[i]);
			events[i].resource = text_of(resources[i]);
			events[i].type = n == 100     ? SLICE_LITERAL("rare.one")
					 : n % 3 == 0 ? SLICE_LITERAL("key.created")
						      : SLICE_LITERAL("key.disabled");
			events[i].body = SLICE_LITERAL("{}");
		}
		if (spool_append(spool, events, batch, NULL, 0, &error) != SPOOL_DONE ||
		    !spool_checkpoint(spool, false, &error))
			fail_msg("%s", error.text);
		done += batch;
	}
	spool_close(spool);
}

static void
forget(void *context, const unsigned char *prints, size_t count)
{
	(void)context;
	(void)prints;
	(void)count;
}

static void
prune(size_t count)
{
	struct error alarm, error;
	struct spool *spool;
	bool more;

	if (!spool_open(&spool, directory, 0, 0, &alarm, &error) ||
	    spool_prune(spool, UINT64_MAX, count, forget, NULL, &more, &error) != SPOOL_DONE)
		fail_msg("%s", error.text);
	spool_close(spool);
}

/* Builds the index as far as it goes; how many segments. */
static size_t
build(bool afresh)
{
	struct spool_index *index;
	struct error error;
	size_t segments = 0;
	bool more = true;

	if (!spool_index_open(&index, directory, afresh, &error))
		fail_msg("%s", error.text);
	while (more) {
		if (!spool_index_extend(index, &more, &error))
			fail_msg("%s", error.text);
		segments += more;
	}
	spool_index_close(index);
	return segments;
}

static void
remove_index(void)
{
	(void)unlink(path_of("index.db"));
	(void)unlink(path_of("index.db-wal"));
	(void)unlink(path_of("index.db-shm"));
}

static int
set_up_filled(void **state)
{
	if (directory_set_up(state) != 0)
		return -1;
	fill(1, TOTAL);
	return 0;
}

static int
tear_down_with_index(void **state)
{
	remove_index();
	return tear_down(state);
}

struct answer {
	uint64_t sequences[TOTAL];
	size_t count;
	size_t limit;
};

static bool
take(void *context, const struct spool_event *event)
{
	struct answer *answer = context;

	assert_true(answer->count < TOTAL);
	answer->sequences[answer->count++] = event->sequence;
	return answer->count != answer->limit;
}

static void
find_backwards(const struct spool_find_query *query, size_t limit, struct answer *answer)
{
	struct spool_find *find;
	struct error error;

	answer->count = 0;
	answer->limit = limit;
	if (!spool_find_open(&find, directory, &error) ||
	    !spool_find_backwards(find, query, take, answer, &error))
		fail_msg("%s", error.text);
	spool_find_close(find);
}

static struct answer with, without;

/* The answer without an index, which is `expected` many, is that with it. */
static void
compare(const struct spool_find_query *query, size_t limit, size_t expected)
{
	remove_index();
	find_backwards(query, limit, &without);
	assert_int_equal(without.count, expected);
	assert_int_not_equal(build(false), 0);
	find_backwards(query, limit, &with);
	assert_int_equal(with.count, without.count);
	assert_memory_equal(with.sequences, without.sequences,
			    without.count * sizeof(without.sequences[0]));
	for (size_t i = 1; i < with.count; i++)
		assert_true(with.sequences[i] < with.sequences[i - 1]);
}

static void
ids_resources_and_types_are_found(void **state)
{
	struct spool_find_query query = spool_find_everything();

	(void)state;
	query.id = SLICE_LITERAL("id-7");
	compare(&query, 0, 1);
	assert_int_equal(with.sequences[0], 7);
	query.id = SLICE_LITERAL("id-33700"); /* behind the last segment */
	compare(&query, 0, 1);
	query.id = SLICE_LITERAL("id-0");
	compare(&query, 0, 0);
	query = spool_find_everything();
	query.resource = SLICE_LITERAL("res-42");
	compare(&query, 0, 7);
	query.source = SLICE_LITERAL("odd");
	compare(&query, 0, 0);
	query = spool_find_everything();
	query.type = "rare.one";
	compare(&query, 0, 1);
	query.type = "key.*";
	compare(&query, 0, TOTAL - 1);
	query.type = "key.created";
	compare(&query, 100, 100);
	query.type = "none.*";
	compare(&query, 0, 0);
}

static void
times_and_sequences_bound_the_search(void **state)
{
	const uint64_t some[] = {3, 100, 20000, 999999};
	struct spool_find_query query = spool_find_everything();

	(void)state;
	query.since = (START + 20000) * 1000LL;
	query.until = (START + 20010) * 1000LL;
	compare(&query, 0, 10);
	assert_int_equal(with.sequences[0], 20009);
	query = spool_find_everything();
	query.first = 16000;
	query.last = 17000;
	compare(&query, 0, 1001);
	query.type = "key.created";
	compare(&query, 0, 333);
	query = spool_find_everything();
	query.sequences = some;
	query.sequence_count = 4;
	compare(&query, 0, 3);
	query.type = "rare.*";
	compare(&query, 0, 1);
}

static void
what_was_pruned_is_forgotten_and_the_rest_found(void **state)
{
	struct spool_find_query query = spool_find_everything();
	struct spool_index_reader *reader;
	struct spool_find *find;
	struct error error;
	uint64_t epoch;
	size_t count;

	(void)state;
	remove_index();
	assert_int_equal(build(false), 2);
	prune(SPOOL_INDEX_SEGMENT + 10);
	assert_int_equal(build(false), 0);
	if (!spool_find_open(&find, directory, &error))
		fail_msg("%s", error.text);
	epoch = spool_find_epoch(find);
	spool_find_close(find);
	spool_index_reader_open(&reader, directory, epoch);
	assert_non_null(reader);
	(void)spool_index_reader_segments(reader, &count);
	assert_int_equal(count, 1);
	spool_index_reader_close(reader);
	query.resource = SLICE_LITERAL("res-42");
	find_backwards(&query, 0, &with);
	assert_int_equal(with.count, 3); /* 20042, 25042, 30042 */
}

static void
a_damaged_index_is_made_anew(void **state)
{
	static const char garbage[8192] = "no database";
	struct spool_find_query query = spool_find_everything();
	int file;

	(void)state;
	query.id = SLICE_LITERAL("id-7");
	file = open(path_of("index.db"), O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(file, garbage, sizeof(garbage)), sizeof(garbage));
	close(file);
	find_backwards(&query, 0, &with); /* nobody but the writer minds */
	assert_int_equal(with.count, 1);
	assert_int_equal(build(false), 2);
	assert_int_equal(build(true), 2);
}

static void
forwards_is_the_other_way_round(void **state)
{
	struct spool_find_query query = spool_find_everything();
	struct spool_find *find;
	struct error error;
	int64_t at = 0;

	(void)state;
	query.first = 4000;
	query.last = 9000;
	with.count = 0;
	with.limit = 0;
	if (!spool_find_open(&find, directory, &error) ||
	    !spool_find_forwards(find, &query, take, &with, &error) ||
	    !spool_find_received_at(find, 17, &at, &error))
		fail_msg("%s", error.text);
	assert_int_equal(with.count, 5001);
	assert_int_equal(with.sequences[0], 4000);
	assert_int_equal(with.sequences[5000], 9000);
	assert_int_equal(at, (START + 17) * 1000LL);
	spool_find_close(find);
}

/* Bytes that this process has read from files. */
static unsigned long long
count_read(void)
{
	FILE *file = fopen("/proc/self/io", "r");
	unsigned long long count;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "rchar: %llu", &count), 1);
	assert_int_equal(fclose(file), 0);
	return count;
}

static void
what_is_no_segment_yet_is_not_read_again(void **state)
{
	enum { ROUNDS = 20, PAGES = 8 * 4096 };
	struct spool_index *index;
	struct error error;
	unsigned long long before, read = 0;
	bool more = true;

	(void)state;
	assert_int_equal(build(false), 0);
	assert_true(spool_index_open(&index, directory, false, &error));
	for (uint64_t round = 0; round < ROUNDS; round++) {
		fill(TOTAL + 1 + round, 1);
		before = count_read();
		assert_true(spool_index_extend(index, &more, &error));
		read += count_read() - before;
		assert_false(more);
	}
	/* once all 1,000 of them, and else no more than it takes to look how many there are */
	assert_in_range(read, 1, 1000 * 128 + ROUNDS * PAGES);
	fill(TOTAL + 1 + ROUNDS, SPOOL_INDEX_SEGMENT - 1000 - ROUNDS - 1);
	assert_true(spool_index_extend(index, &more, &error));
	assert_false(more);
	fill(TOTAL + SPOOL_INDEX_SEGMENT - 1000, 1);
	assert_true(spool_index_extend(index, &more, &error));
	assert_true(more);
	spool_index_close(index);
}

/* How many descriptors of ours are index.db as it is now. */
static unsigned
count_open_indexes(void)
{
	struct stat index, open_one;
	unsigned count = 0;

	assert_int_equal(stat(path_of("index.db"), &index), 0);
	for (int file = 0; file < 256; file++)
		count += fstat(file, &open_one) == 0 && open_one.st_ino == index.st_ino &&
			 open_one.st_dev == index.st_dev;
	return count;
}

static void
one_who_stays_open_uses_what_was_indexed_since(void **state)
{
	struct spool_find_query query = spool_find_everything();
	struct spool_find *find;
	struct error error;

	(void)state;
	remove_index();
	assert_true(spool_find_open(&find, directory, &error));
	assert_int_equal(build(false), 2);
	assert_int_equal(count_open_indexes(), 0);
	query.id = SLICE_LITERAL("id-7");
	for (int i = 0; i < 3; i++) {
		with.count = 0;
		with.limit = 0;
		assert_true(spool_find_backwards(find, &query, take, &with, &error));
		assert_int_equal(with.count, 1);
		assert_int_equal(count_open_indexes(), 1);
	}
	spool_find_close(find);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ids_resources_and_types_are_found),
	    cmocka_unit_test(times_and_sequences_bound_the_search),
	    cmocka_unit_test(forwards_is_the_other_way_round),
	    cmocka_unit_test(one_who_stays_open_uses_what_was_indexed_since),
	    cmocka_unit_test(a_damaged_index_is_made_anew),
	    cmocka_unit_test(what_was_pruned_is_forgotten_and_the_rest_found),
	    cmocka_unit_test(what_is_no_segment_yet_is_not_read_again),
	};

	return cmocka_run_group_tests(tests, set_up_filled, tear_down_with_index);
}
