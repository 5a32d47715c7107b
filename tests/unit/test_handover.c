/* Both ends over a real socket. */
#include "bridge/handover.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/directory_fixture.h"

/* Takes what comes on one connection and answers with the length of its body. */
static void *
serve(void *context)
{
	int listener = *(int *)context, connection;
	struct handover_item item;
	struct error error;
	char *memory;
	size_t *count = malloc(sizeof(*count));

	*count = 0;
	do
		connection = accept(listener, NULL, NULL);
	while (connection < 0);
	while (handover_take(connection, &memory, &item, &error)) {
		bool good = item.source.length == 6 &&
			    memcmp(item.source.bytes, "anyint", 6) == 0 && item.id.bytes == NULL;

		(*count)++;
		free(memory);
		if (!handover_answer(connection, good ? HANDOVER_KNOWN : HANDOVER_NO_EVENT, &error))
			break;
	}
	if (error.text[0] != '\0')
		*count += 1000;
	close(connection);
	return count;
}

static void
items_come_whole_and_each_is_answered(void **state)
{
	enum { LARGE = 3 * 1024 * 1024 };
	struct handover_item item = {.source = SLICE_LITERAL("anyint"),
				     .origin = SLICE_LITERAL("a: b\n"),
				     .body = SLICE_LITERAL("{}")};
	enum handover_outcome outcome = HANDOVER_OUTCOMES;
	int listener, connection;
	struct error error;
	pthread_t thread;
	size_t *count;
	char *body = malloc(LARGE);

	(void)state;
	memset(body, 'x', LARGE);
	assert_true(handover_listen(&listener, directory, &error));
	assert_int_equal(pthread_create(&thread, NULL, serve, &listener), 0);
	assert_true(handover_connect(&connection, directory, &error));
	assert_true(handover_give(connection, &item, &outcome, &error));
	assert_int_equal(outcome, HANDOVER_KNOWN);
	item.body = (struct slice){body, LARGE};
	assert_true(handover_give(connection, &item, &outcome, &error));
	assert_int_equal(outcome, HANDOVER_KNOWN);
	item.source = SLICE_LITERAL("other");
	assert_true(handover_give(connection, &item, &outcome, &error));
	assert_int_equal(outcome, HANDOVER_NO_EVENT);
	close(connection);
	assert_int_equal(pthread_join(thread, (void **)&count), 0);
	assert_int_equal(*count, 3);
	free(count);
	free(body);
	close(listener);
}

static void
half_an_item_is_an_error_and_none_is_the_end(void **state)
{
	struct handover_item item;
	struct error error;
	char *memory;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	close(ends[0]);
	assert_false(handover_take(ends[1], &memory, &item, &error));
	assert_string_equal(error.text, "");
	close(ends[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(write(ends[0], "\1\0\0", 3), 3);
	close(ends[0]);
	assert_false(handover_take(ends[1], &memory, &item, &error));
	assert_string_not_equal(error.text, "");
	close(ends[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(write(ends[0], "\1\0\0\0\377\377\377\377abcdefghijkl", 20), 20);
	assert_false(handover_take(ends[1], &memory, &item, &error));
	assert_string_equal(error.text, "what was handed over is no item");
	close(ends[0]);
	close(ends[1]);
}

static void
a_name_takes_the_place_of_an_older_one(void **state)
{
	int first, second, connection;
	struct error error;

	(void)state;
	assert_true(handover_listen(&first, directory, &error));
	assert_true(handover_listen(&second, directory, &error));
	close(first);
	assert_true(handover_connect(&connection, directory, &error));
	close(connection);
	close(second);
	assert_false(handover_connect(&connection, directory, &error));
}

static void
a_directory_whose_name_is_too_long_is_told(void **state)
{
	char name[200];
	struct error error;
	int listener;

	(void)state;
	memset(name, 'd', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_false(handover_listen(&listener, name, &error));
	assert_non_null(strstr(error.text, "shorter spool.directory"));
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(path_of("poll.sock"));
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(items_come_whole_and_each_is_answered),
	    cmocka_unit_test(half_an_item_is_an_error_and_none_is_the_end),
	    cmocka_unit_test(a_name_takes_the_place_of_an_older_one),
	    cmocka_unit_test(a_directory_whose_name_is_too_long_is_told),
	};

	return cmocka_run_group_tests(tests, directory_set_up, tear_down);
}
