#include "bridge/commands/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST_ARGUMENTS = 8 };

/* One command line and what is to come out of it. */
struct line {
	const char *arguments[MOST_ARGUMENTS];
	const char *config;
	const char *word; /* NULL: none */
	uint64_t count;
	bool verbose;
	bool good;
};

static const struct line lines[] = {
    {{"send"}, "default", NULL, 1, false, true},
    {{"send", "-c", "f"}, "f", NULL, 1, false, true},
    {{"send", "-cf"}, "f", NULL, 1, false, true},
    {{"send", "--config", "f"}, "f", NULL, 1, false, true},
    {{"send", "--config=f"}, "f", NULL, 1, false, true},
    {{"send", "--config="}, "", NULL, 1, false, true},
    {{"send", "-v", "word"}, "default", "word", 1, true, true},
    {{"send", "word", "--verbose"}, "default", "word", 1, true, true},
    {{"send", "--count", "20"}, "default", NULL, 20, false, true},
    {{"send", "--", "-v"}, "default", "-v", 1, false, true},
    {{"send", "-"}, "default", "-", 1, false, true},
    {{"send", "--count", "21"}, .good = false},
    {{"send", "--count", "-1"}, .good = false},
    {{"send", "--count"}, .good = false},
    {{"send", "-c"}, .good = false},
    {{"send", "--verbose=yes"}, .good = false},
    {{"send", "--conf", "f"}, .good = false},
    {{"send", "--configs=f"}, .good = false},
    {{"send", "-x"}, .good = false},
    {{"send", "one", "two"}, .good = false},
};

static bool
read_line(const struct line *line, struct line *outcome)
{
	const struct options_row rows[] = {
	    {.name = "config", .letter = 'c', .text = &outcome->config},
	    {.name = "verbose", .letter = 'v', .flag = &outcome->verbose},
	    {.name = "count", .number = &outcome->count, .maximum = 20},
	};
	char bytes[MOST_ARGUMENTS][32], *argv[MOST_ARGUMENTS + 1];
	size_t words;
	int argc = 0;

	*outcome = (struct line){.config = "default", .count = 1};
	for (; argc < MOST_ARGUMENTS && line->arguments[argc] != NULL; argc++) {
		memccpy(bytes[argc], line->arguments[argc], '\0', sizeof(bytes[argc]));
		argv[argc] = bytes[argc];
	}
	argv[argc] = NULL;
	outcome->good = options_read(rows, 3, argc, argv, &outcome->word, 1, &words);
	if (outcome->good && outcome->word != NULL)
		assert_string_equal(outcome->word, line->word);
	if (outcome->good)
		assert_string_equal(outcome->config, line->config);
	return outcome->good;
}

static void
each_line_is_read_as_written_or_refused(void **state)
{
	int real = dup(STDERR_FILENO), nobody = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	dup2(nobody, STDERR_FILENO);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct line outcome;

		assert_int_equal(read_line(&lines[i], &outcome), lines[i].good);
		if (!outcome.good)
			continue;
		assert_int_equal(outcome.verbose, lines[i].verbose);
		assert_int_equal(outcome.count, lines[i].count);
		assert_int_equal(outcome.word != NULL, lines[i].word != NULL);
	}
	dup2(real, STDERR_FILENO);
	close(real);
	close(nobody);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_line_is_read_as_written_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
