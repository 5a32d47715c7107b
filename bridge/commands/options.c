#include "bridge/commands/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "formats/text.h"

/* Where the reading of one command line is. */
struct reading {
	const struct options_row *rows;
	size_t count;
	int argc;
	char **argv;
	int at; /* argument being read */
};

bool
options_refuse(const char *command, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)fprintf(stderr, "siembridge %s: ", command);
	(void)vfprintf(stderr, format, arguments);
	(void)fprintf(stderr, "; see siembridge %s --help\n", command);
	va_end(arguments);
	return false;
}

static const struct options_row *
find_name(const struct reading *reading, struct slice name)
{
	for (size_t i = 0; i < reading->count; i++)
		if (text_slice_is(name, reading->rows[i].name))
			return &reading->rows[i];
	return NULL;
}

static const struct options_row *
find_letter(const struct reading *reading, char letter)
{
	for (size_t i = 0; i < reading->count; i++)
		if (reading->rows[i].letter == letter)
			return &reading->rows[i];
	return NULL;
}

/* `attached` is the value that stood in the same argument; NULL: none. */
static bool
store(struct reading *reading, const struct options_row *row, const char *attached)
{
	const char *command = reading->argv[0], *value = attached;

	if (row->flag != NULL) {
		*row->flag = true;
		return attached == NULL ||
		       options_refuse(command, "--%s takes no value", row->name);
	}
	if (value == NULL && reading->at + 1 < reading->argc)
		value = reading->argv[++reading->at];
	if (value == NULL)
		return options_refuse(command, "--%s wants a value", row->name);
	if (row->text != NULL) {
		*row->text = value;
		return true;
	}
	return text_parse_unsigned(text_of(value), row->maximum, row->number) ||
	       options_refuse(command, "--%s wants a number up to %llu, not %s", row->name,
			      (unsigned long long)row->maximum, value);
}

static bool
read_option(struct reading *reading, const char *argument)
{
	const struct options_row *row;
	const char *attached = NULL;

	if (argument[1] == '-') {
		const char *end = strchrnul(argument, '=');

		row =
		    find_name(reading, (struct slice){argument + 2, (size_t)(end - argument) - 2});
		if (*end == '=')
			attached = end + 1;
	} else {
		row = find_letter(reading, argument[1]);
		if (argument[2] != '\0')
			attached = argument + 2;
	}
	if (row == NULL)
		return options_refuse(reading->argv[0], "there is no option %s", argument);
	return store(reading, row, attached);
}

bool
options_read(const struct options_row *rows, size_t count, int argc, char **argv,
	     const char **words, size_t most, size_t *word_count)
{
	struct reading reading = {rows, count, argc, argv, 1};
	bool options_over = false;

	*word_count = 0;
	for (; reading.at < argc; reading.at++) {
		const char *argument = argv[reading.at];

		if (!options_over && strcmp(argument, "--") == 0) {
			options_over = true;
		} else if (!options_over && argument[0] == '-' && argument[1] != '\0') {
			if (!read_option(&reading, argument))
				return false;
		} else if (*word_count == most) {
			return options_refuse(argv[0], "%s is one word too many", argument);
		} else {
			words[(*word_count)++] = argument;
		}
	}
	return true;
}
