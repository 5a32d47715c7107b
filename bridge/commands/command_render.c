/*
 * The way out of the bridge without the bridge: the same reading, the same
 * normalising and the same format, so that what it prints is what a destination
 * of kind `file` would get; with --syslog, what a collector would.
 *
 * Lines are gathered until they make one JSON value.  So an event may be printed
 * over many lines, a file may hold one on each, and what comes through a pipe is
 * rendered as it comes.  A line that is wrong does not take the next one with it.
 */
#include "bridge/commands/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/commands/options.h"
#include "bridge/config.h"
#include "bridge/config_profile.h"
#include "bridge/deadline.h"
#include "bridge/receiver/identify.h"
#include "formats/format.h"
#include "formats/format_setting.h"
#include "formats/json_scan.h"
#include "formats/memory.h"
#include "formats/normalise.h"

enum {
	LONGEST_BODY = 16 * 1024 * 1024,
	LONGEST_LINE = 1024 * 1024,
	MOST_FILES = 1,
	MOST_OPTIONS = 12,
	MOST_SETTINGS = 12
};

/* The words of the command line. */
struct request {
	const char *format;
	const char *profile;
	const char *id;
	const char *source;
	const char *hostname;
	const char *app_name;
	const char *vendor, *product, *version;
	const char *collector; /* a row of config_profile.c */
	const char *largest;   /* max_message_size */
	bool syslog;           /* with its header */
	const char *settings[MOST_SETTINGS];
	const char *file; /* NULL, "-": stdin */
};

struct rendering {
	const struct request *request;
	const struct format *format;
	struct format_options options;
	struct normalise *normalise;
	struct arena *arena;
	char *line;  /* LONGEST_LINE bytes: what is printed */
	bool failed; /* something was not rendered */
};

/* Lines that may yet become an event. */
struct piece {
	struct text text; /* LONGEST_BODY bytes */
	uint64_t line;    /* number of the first of them */
	size_t newest;    /* where the last of them begins */
	uint64_t last;    /* and its number */
};

static bool
read_event(struct rendering *rendering, struct slice body, struct event *event, struct error *error)
{
	struct spool_event identity = {0};

	if (!identify_event(rendering->normalise, text_of(rendering->request->id), body,
			    rendering->arena, &identity, error))
		return false;
	event->source = text_of(rendering->request->source);
	event->id = identity.id;
	event->received_at = deadline_wall();
	return normalise_event(rendering->normalise, body, rendering->arena, event, error);
}

static bool
print_event(struct rendering *rendering, struct slice body, struct error *error)
{
	struct event event = {0};
	struct text line;

	if (!read_event(rendering, body, &event, error))
		return false;
	text_start(&line, rendering->line, LONGEST_LINE);
	if (rendering->request->syslog)
		format_write_syslog(rendering->format, &event, &rendering->options, &line);
	else
		format_write(rendering->format, &event, &rendering->options, &line);
	text_append_byte(&line, '\n');
	if (line.overflowed)
		return error_set(error, "the line is longer than %zu bytes",
				 rendering->options.maximum_length > 0
				     ? rendering->options.maximum_length
				     : (size_t)LONGEST_LINE);
	if (fwrite(line.bytes, 1, line.length, stdout) != line.length || fflush(stdout) != 0)
		return error_set_errno(error, "stdout cannot be written");
	return true;
}

static void
complain(struct rendering *rendering, uint64_t line, const struct error *error)
{
	(void)fprintf(stderr, "siembridge render: line %" PRIu64 ": %s\n", line, error->text);
	rendering->failed = true;
}

/* Gives up what came before the newest line, which may be a good one. */
static void
keep_newest(struct piece *piece)
{
	size_t length = piece->text.length - piece->newest;

	memmove(piece->text.bytes, piece->text.bytes + piece->newest, length);
	text_cut(&piece->text, length);
	piece->newest = 0;
	piece->line = piece->last;
}

/* True where the piece is done with; else it needs more lines. */
static bool
render_piece(struct rendering *rendering, struct piece *piece)
{
	struct json_scan scan;
	struct error error;

	for (;;) {
		if (json_scan(text_slice(&piece->text), &scan, &error)) {
			if (!print_event(rendering, text_slice(&piece->text), &error))
				complain(rendering, piece->line, &error);
			arena_clear(rendering->arena);
			return true;
		}
		if (scan.cut_off)
			return false;
		complain(rendering, piece->line, &error);
		if (piece->newest == 0)
			return true;
		keep_newest(piece);
	}
}

static bool
is_blank(const char *line)
{
	return line[strspn(line, " \t\r\n")] == '\0';
}

static bool
render_lines(struct rendering *rendering, FILE *input, struct piece *piece, struct error *error)
{
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;

	while ((length = getline(&line, &capacity, input)) > 0) {
		piece->last++;
		if (piece->text.length == 0) {
			if (is_blank(line))
				continue;
			piece->line = piece->last;
		}
		piece->newest = piece->text.length;
		text_append(&piece->text, line, (size_t)length);
		if (piece->text.overflowed) {
			(void)error_set(error, "line %" PRIu64 ": an event of more than %d bytes",
					piece->line, LONGEST_BODY);
			break;
		}
		if (render_piece(rendering, piece))
			text_cut(&piece->text, 0);
	}
	free(line);
	if (ferror(input))
		return error_set_errno(error, "the input cannot be read");
	return !piece->text.overflowed;
}

/* What is left at the end of the input can only be cut off. */
static void
render_rest(struct rendering *rendering, const struct piece *piece)
{
	struct json_scan scan;
	struct error error;

	if (piece->text.length > 0 && !json_scan(text_slice(&piece->text), &scan, &error))
		complain(rendering, piece->line, &error);
}

static bool
render(struct rendering *rendering, FILE *input, struct error *error)
{
	struct piece piece = {.line = 0};
	bool done;

	if (!normalise_new(&rendering->normalise, rendering->request->profile, error))
		return false;
	rendering->arena = arena_new();
	rendering->line = memory_allocate(LONGEST_LINE);
	text_start(&piece.text, memory_allocate(LONGEST_BODY), LONGEST_BODY);
	done = render_lines(rendering, input, &piece, error);
	if (done)
		render_rest(rendering, &piece);
	if (done && piece.last == 0)
		done = error_set(error, "the input is empty");
	free(piece.text.bytes);
	free(rendering->line);
	arena_free(rendering->arena);
	normalise_free(rendering->normalise);
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

static bool
read_request(struct request *request, int argc, char **argv)
{
	struct options_row rows[MOST_OPTIONS + MOST_SETTINGS] = {
	    {.name = "format", .letter = 'f', .text = &request->format},
	    {.name = "profile", .text = &request->profile},
	    {.name = "id", .text = &request->id},
	    {.name = "source", .text = &request->source},
	    {.name = "hostname", .text = &request->hostname},
	    {.name = "app_name", .text = &request->app_name},
	    {.name = "vendor", .text = &request->vendor},
	    {.name = "product", .text = &request->product},
	    {.name = "version", .text = &request->version},
	    {.name = "collector", .text = &request->collector},
	    {.name = "max_message_size", .text = &request->largest},
	    {.name = "syslog", .letter = 's', .flag = &request->syslog},
	};
	size_t words, count = MOST_OPTIONS;

	*request = (struct request){.profile = "anyint", .source = "stdin"};
	for (size_t i = 0; i < MOST_SETTINGS && format_setting_at(i) != NULL; i++)
		rows[count++] = (struct options_row){.name = format_setting_at(i),
						     .text = &request->settings[i]};
	if (!options_read(rows, count, argc, argv, &request->file, MOST_FILES, &words))
		return false;
	if (words > 0 && strcmp(request->file, "-") == 0)
		request->file = NULL;
	return true;
}

static bool
refuse_collector(const char *command, const char *name)
{
	char bytes[256];
	struct text names;

	text_start(&names, bytes, sizeof(bytes));
	for (size_t i = 0; config_profile_at(i) != NULL; i++)
		text_append_format(&names, "%s%s", i > 0 ? ", " : "", config_profile_at(i));
	return options_refuse(command, "there is no collector %s, but: %.*s", name,
			      (int)names.length, bytes);
}

/* Where one is written, it counts before the default. */
static void
take_name(struct slice *option, const char *written)
{
	if (written != NULL)
		*option = text_of(written);
}

/* What the options of the format are: the collector's, and over them the single ones. */
static bool
take_settings(struct rendering *rendering, const struct config_profile *collector,
	      const char *command)
{
	const struct request *request = rendering->request;
	struct format_options *options = &rendering->options;
	uint64_t largest = 0;
	struct error error;

	config_profile_options(collector, options);
	take_name(&options->hostname, request->hostname);
	take_name(&options->app_name, request->app_name);
	take_name(&options->device_vendor, request->vendor);
	take_name(&options->device_product, request->product);
	take_name(&options->device_version, request->version);
	for (size_t i = 0; i < MOST_SETTINGS && format_setting_at(i) != NULL; i++)
		if (request->settings[i] != NULL &&
		    !format_setting_write(options, format_setting_at(i), request->settings[i],
					  &error))
			return options_refuse(command, "--%s: %s", format_setting_at(i),
					      error.text);
	if (request->largest != NULL && !config_parse_size(request->largest, &largest, &error))
		return options_refuse(command, "--max_message_size: %s", error.text);
	options->maximum_length = largest;
	return true;
}

static bool
prepare(struct rendering *rendering, const char *command)
{
	const struct request *request = rendering->request;
	const struct config_profile *collector = config_profile_find(request->collector);
	const char *format = request->format;

	if (collector == NULL)
		return refuse_collector(command, request->collector);
	if (format == NULL)
		format = collector->format;
	rendering->format = format_find(text_of(format));
	if (rendering->format == NULL)
		return refuse_format(command, format);
	return take_settings(rendering, collector, command);
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct request request;
	struct rendering rendering = {.request = &request};
	struct error error;
	FILE *input = stdin;
	bool done;

	(void)command;
	if (!read_request(&request, argc, argv) || !prepare(&rendering, argv[0]))
		return OPTIONS_WRONG;
	if (request.file != NULL)
		input = fopen(request.file, "re");
	if (input != NULL)
		done = render(&rendering, input, &error);
	else
		done = error_set_errno(&error, "%s cannot be read", request.file);
	if (!done)
		(void)fprintf(stderr, "siembridge render: %s\n", error.text);
	if (input != NULL && input != stdin)
		(void)fclose(input);
	return done && !rendering.failed ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_render = {
    .name = "render",
    .usage = "render [--format NAME] [--collector NAME] [--syslog] [--KEY VALUE]...\n"
	     "                         [--id ID] [--source NAME] [--profile NAME] [FILE]",
    .summary = "a JSON event on stdin becomes the line that a SIEM would get",
    .help = "Reads JSON events from FILE or stdin, one after the other, each on one line or\n"
	    "over many, and prints each as a destination would get it, without its transport.\n"
	    "Uses no network and no configuration.\n"
	    "\n"
	    "  -f, --format NAME  cef (default), rfc5424, ...; a wrong name shows all of them\n"
	    "  --collector NAME   the profile of a destination: format and settings for it\n"
	    "  -s, --syslog       the whole message: with the syslog header in front\n"
	    "  --id ID            delivery id; default what the body says\n"
	    "  --source NAME      name of the source; default stdin\n"
	    "  --profile NAME     how the body is read; default anyint\n"
	    "\n"
	    "As in the configuration, with the same values and defaults:\n"
	    "  --header, --facility, --enterprise_number, --bom, --time_zone, --cef_time,\n"
	    "  --leef_delimiter, --ocsf_version, --cee, --max_message_size, --hostname,\n"
	    "  --app_name, --vendor, --product, --version (of the device)\n"
	    "\n"
	    "What is no event is named on stderr with its line; the others are rendered.\n"
	    "Exit status: 0 all printed, 1 not all, 2 the command line makes no sense.\n",
    .run = run,
};
