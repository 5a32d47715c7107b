/*
 * The way out of the bridge without the bridge: the same reading, the same
 * normalising and the same format, so that what it prints is what a destination
 * of kind `file` would get.
 */
#include "bridge/commands/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridge/commands/options.h"
#include "bridge/deadline.h"
#include "bridge/receiver/identify.h"
#include "formats/format.h"
#include "formats/memory.h"
#include "formats/normalise.h"

enum { LONGEST_BODY = 16 * 1024 * 1024, LONGEST_LINE = 1024 * 1024 };

/* Reads stdin to its end. */
static bool
read_input(struct text *body, struct error *error)
{
	for (;;) {
		ssize_t length =
		    read(STDIN_FILENO, body->bytes + body->length, body->capacity - body->length);

		if (length == 0)
			return true;
		if (length < 0 && errno != EINTR)
			return error_set_errno(error, "stdin cannot be read");
		if (length > 0)
			body->length += (size_t)length;
		if (body->length == body->capacity)
			return error_set(error, "stdin holds more than %d bytes", LONGEST_BODY);
	}
}

static bool
read_event(const struct normalise *normalise, struct slice body, struct arena *arena,
	   struct event *event, struct error *error)
{
	struct spool_event identity = {0};

	if (!identify_event(normalise, (struct slice){NULL, 0}, body, arena, &identity, error))
		return false;
	event->source = text_of("stdin");
	event->id = identity.id;
	event->received_at = deadline_wall();
	return normalise_event(normalise, body, arena, event, error);
}

static bool
print_line(const struct format *format, const struct event *event, struct error *error)
{
	char *bytes = memory_allocate(LONGEST_LINE);
	struct format_options options;
	struct text line;
	bool done = false;

	format_default_options(&options);
	text_start(&line, bytes, LONGEST_LINE);
	format->write(event, &options, &line);
	text_append_byte(&line, '\n');
	if (line.overflowed)
		error_set(error, "the line is longer than %d bytes", LONGEST_LINE);
	else if (fwrite(line.bytes, 1, line.length, stdout) != line.length || fflush(stdout) != 0)
		error_set_errno(error, "stdout cannot be written");
	else
		done = true;
	free(bytes);
	return done;
}

static bool
render(const struct format *format, const char *profile, struct error *error)
{
	struct arena *arena = arena_new();
	struct normalise *normalise = NULL;
	struct event event = {0};
	struct text body;
	bool done;

	text_start(&body, memory_allocate(LONGEST_BODY), LONGEST_BODY);
	done = normalise_new(&normalise, profile, error) && read_input(&body, error) &&
	       read_event(normalise, text_slice(&body), arena, &event, error) &&
	       print_line(format, &event, error);
	if (normalise != NULL)
		normalise_free(normalise);
	free(body.bytes);
	arena_free(arena);
	return done;
}

static bool
refuse_format(const char *command, const char *name)
{
	char bytes[256];
	struct text names;

	text_start(&names, bytes, sizeof(bytes) - 1);
	for (size_t i = 0; format_at(i) != NULL; i++) {
		text_append_string(&names, i > 0 ? ", " : "");
		text_append_string(&names, format_at(i)->name);
	}
	bytes[names.length] = '\0';
	return options_refuse(command, "there is no format %s, but: %s", name, bytes);
}

static int
run(const struct command *command, int argc, char **argv)
{
	const char *name = "cef", *profile = "anyint";
	const struct options_row rows[] = {
	    {.name = "format", .letter = 'f', .text = &name},
	    {.name = "profile", .text = &profile},
	};
	const struct format *format;
	struct error error;
	size_t words;

	(void)command;
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, NULL, 0, &words))
		return OPTIONS_WRONG;
	format = format_find(text_of(name));
	if (format == NULL) {
		(void)refuse_format(argv[0], name);
		return OPTIONS_WRONG;
	}
	if (!render(format, profile, &error)) {
		(void)fprintf(stderr, "siembridge render: %s\n", error.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

const struct command command_render = {
    .name = "render",
    .usage = "render [--format NAME] [--profile NAME]",
    .summary = "a JSON event on stdin becomes the line that a SIEM would get",
    .help = "Reads one JSON event on stdin and prints it as a destination would get it, with\n"
	    "default settings and without its transport.  Uses no network and no configuration.\n"
	    "\n"
	    "  -f, --format NAME  cef (default), rfc5424, ...; a wrong name shows all of them\n"
	    "  --profile NAME     how the body is read; default anyint\n"
	    "\n"
	    "Exit status: 0 printed, 1 no event, 2 the command line makes no sense.\n",
    .run = run,
};
