#include "bridge/console/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bridge/secret.h"

enum { NOW = 1000000 };

static struct secret *password;
static struct session_book *book;

static int
set_up(void **state)
{
	(void)state;
	password = secret_from_bytes("password", SLICE_LITERAL("correct horse battery"));
	book = session_new(password);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	session_free(book);
	secret_free(password);
	return 0;
}

static struct slice
token_of(const char *bytes)
{
	return (struct slice){bytes, SESSION_TOKEN};
}

static void
only_the_password_is_the_password(void **state)
{
	(void)state;
	assert_int_equal(session_try(book, SLICE_LITERAL("correct horse battery"), NOW),
			 SESSION_RIGHT);
	assert_int_equal(session_try(book, SLICE_LITERAL("correct horse batterx"), NOW),
			 SESSION_WRONG);
	assert_int_equal(session_try(book, SLICE_LITERAL("correct horse"), NOW), SESSION_WRONG);
	assert_int_equal(session_try(book, SLICE_LITERAL(""), NOW), SESSION_WRONG);
}

static void
without_a_password_none_is_right(void **state)
{
	struct session_book *open = session_new(NULL);

	(void)state;
	assert_false(session_has_password(open));
	assert_int_equal(session_try(open, SLICE_LITERAL(""), NOW), SESSION_WRONG);
	session_free(open);
}

static void
guesses_run_out_and_come_back_slowly(void **state)
{
	(void)state;
	for (int i = 0; i < SESSION_GUESSES; i++)
		assert_int_equal(session_try(book, SLICE_LITERAL("guess"), NOW), SESSION_WRONG);
	assert_int_equal(session_try(book, SLICE_LITERAL("correct horse battery"), NOW),
			 SESSION_LATER);
	assert_int_equal(session_try(book, SLICE_LITERAL("guess"), NOW + SESSION_GUESS_PAUSE - 1),
			 SESSION_LATER);
	assert_int_equal(session_try(book, SLICE_LITERAL("guess"), NOW + SESSION_GUESS_PAUSE),
			 SESSION_WRONG);
	assert_int_equal(session_try(book, SLICE_LITERAL("guess"), NOW + SESSION_GUESS_PAUSE),
			 SESSION_LATER);
	assert_int_equal(session_try(book, SLICE_LITERAL("correct horse battery"),
				     NOW + 2 * SESSION_GUESS_PAUSE),
			 SESSION_RIGHT);
}

static void
a_session_lives_while_it_is_used_and_ends_when_it_is_ended(void **state)
{
	char token[SESSION_TOKEN], other[SESSION_TOKEN];

	(void)state;
	assert_true(session_begin(book, token, NOW));
	assert_true(session_begin(book, other, NOW));
	assert_memory_not_equal(token, other, SESSION_TOKEN);
	assert_true(session_is_good(book, token_of(token), NOW + SESSION_LIFE - 1));
	assert_true(session_is_good(book, token_of(token), NOW + 2 * SESSION_LIFE - 2));
	assert_false(session_is_good(book, token_of(other), NOW + SESSION_LIFE));
	session_end(book, token_of(token));
	assert_false(session_is_good(book, token_of(token), NOW + SESSION_LIFE));
}

static void
what_is_no_token_is_no_session(void **state)
{
	static const char zeros[SESSION_TOKEN];
	char token[SESSION_TOKEN];

	(void)state;
	assert_true(session_begin(book, token, NOW));
	assert_false(session_is_good(book, token_of(zeros), NOW));
	assert_false(session_is_good(book, (struct slice){token, SESSION_TOKEN - 1}, NOW));
	assert_false(session_is_good(book, (struct slice){NULL, 0}, NOW));
	token[5] = token[5] == 'a' ? 'b' : 'a';
	assert_false(session_is_good(book, token_of(token), NOW));
}

static void
the_longest_unused_makes_room(void **state)
{
	char first[SESSION_TOKEN], token[SESSION_TOKEN];

	(void)state;
	assert_true(session_begin(book, first, NOW));
	for (int i = 0; i < 40; i++)
		assert_true(session_begin(book, token, NOW + 1 + i));
	assert_false(session_is_good(book, token_of(first), NOW + 50));
	assert_true(session_is_good(book, token_of(token), NOW + 50));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(only_the_password_is_the_password, set_up, tear_down),
	    cmocka_unit_test(without_a_password_none_is_right),
	    cmocka_unit_test_setup_teardown(guesses_run_out_and_come_back_slowly, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(
		a_session_lives_while_it_is_used_and_ends_when_it_is_ended, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_no_token_is_no_session, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_longest_unused_makes_room, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
