/*
 * siembridge status: the overview in a terminal.
 *
 * Both databases are read as they are; what only the daemon knows comes from the file
 * that it writes once a second (counters_file.h), and stays there when it has ended.
 */
#include "bridge/commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bridge/commands/options.h"
#include "bridge/commands/progress.h"
#include "bridge/commands/show.h"
#include "bridge/console/history.h"
#include "bridge/console/overview.h"
#include "bridge/counters_file.h"
#include "bridge/deadline.h"
#include "bridge/version.h"
#include "formats/memory.h"

enum {
	EXIT_NOT_READY = 3,
	FRESH = 5000, /* ms: how old the counters of a running daemon may be */
	COLUMNS = 79,
	LINE = 512,
	JSON_CAPACITY = 1 << 20, /* bytes */
	MOST_NAME = 64,
};

/* The words of the command line. */
struct request {
	const char *config;
	bool json;
	bool watch;
};

struct status {
	const struct request *request;
	struct config *config;
	struct standing *standing; /* NULL: there is no spool yet */
	struct counters_file file;
	bool has_counters;
	struct history *history; /* with --watch */
	struct arena *arena;
	struct overview overview;
	bool colours;
};

/* ---- what is shown ---- */

enum colour { PLAIN, BOLD, GOOD, WARN, BAD, FAINT };

static void
paint(const struct status *status, enum colour colour)
{
	static const char *const codes[] = {"\033[0m",  "\033[1m",  "\033[32m",
					    "\033[33m", "\033[31m", "\033[2m"};

	if (status->colours)
		(void)fputs(codes[colour], stdout);
}

/* On a terminal that is written over, what stood behind the line goes. */
static void
end_line(const struct status *status)
{
	(void)fputs(status->colours && status->request->watch ? "\033[K\n" : "\n", stdout);
}

static void
print_number(uint64_t number, int width)
{
	char bytes[32];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	progress_write_number(&text, number);
	(void)printf("%*.*s", width, (int)text.length, bytes);
}

static void
print_duration(int64_t milliseconds, int width)
{
	char bytes[48];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	progress_write_duration(&text, milliseconds);
	(void)printf("%*.*s", width, (int)text.length, bytes);
}

static void
print_head(const struct status *status)
{
	const struct overview *overview = &status->overview;
	int64_t started = status->has_counters ? overview->counters->started_at : 0;

	paint(status, BOLD);
	(void)printf("siembridge " VERSION " on %s: ",
		     overview->config->hostname != NULL ? overview->config->hostname : "this host");
	paint(status, overview->ready ? GOOD : BAD);
	if (overview->ready)
		(void)fputs("ready", stdout);
	else
		(void)printf("not ready: %s", overview->reason.text);
	paint(status, PLAIN);
	end_line(status);
	if (overview->running && started > 0) {
		(void)fputs("up           ", stdout);
		print_duration(overview->now - started, 0);
		end_line(status);
	} else if (status->has_counters) {
		(void)fputs("last seen    ", stdout);
		show_time(status->file.written_at);
		end_line(status);
	}
}

static void
print_rates(const struct status *status)
{
	uint64_t in, out = 0;

	if (status->history == NULL || !status->overview.running)
		return;
	in = history_rate_in(status->history);
	for (size_t i = 0; i < status->overview.count; i++)
		out += history_rate_out(status->history, i);
	(void)printf("rates        %" PRIu64 ".%" PRIu64 " events/s in, %" PRIu64 ".%" PRIu64
		     " messages/s out",
		     in / 10, in % 10, out / 10, out % 10);
	end_line(status);
}

static void
print_spool(const struct status *status)
{
	const struct overview *overview = &status->overview;

	(void)fputs("spool        ", stdout);
	if (!overview->has_spool) {
		(void)fputs(overview->missing.text, stdout);
		end_line(status);
		return;
	}
	print_number(overview->events, 0);
	(void)fputs(" events, ", stdout);
	show_size(overview->spool_bytes);
	(void)fputs(" of ", stdout);
	show_size(overview->config->spool.max_size);
	(void)fputs("; disk ", stdout);
	show_size(overview->free_bytes);
	(void)fputs(" free", stdout);
	end_line(status);
	if (overview->rejected > 0) {
		paint(status, WARN);
		(void)fputs("             ", stdout);
		print_number(overview->rejected, 0);
		(void)fputs(" signed bodies are no event: siembridge dead list", stdout);
		paint(status, PLAIN);
		end_line(status);
	}
}

static void
print_requests(const struct status *status)
{
	const struct counters *counters = status->overview.counters;

	if (!status->has_counters)
		return;
	(void)fputs("requests     ", stdout);
	print_number(counters->values[COUNTER_REQUESTS], 0);
	(void)fputs(", stored ", stdout);
	print_number(counters->values[COUNTER_ACCEPTED], 0);
	(void)fputs(", known already ", stdout);
	print_number(counters->values[COUNTER_DUPLICATES], 0);
	(void)fputs(", bad signature ", stdout);
	print_number(counters->values[COUNTER_SIGNATURE_INVALID], 0);
	(void)fputs(", 503 ", stdout);
	print_number(counters->values[COUNTER_UNAVAILABLE], 0);
	end_line(status);
}

/* ---- destinations ---- */

/* The width of the longest name, at least that of the heading. */
static int
name_width(const struct status *status)
{
	size_t width = strlen("destination");

	for (size_t i = 0; i < status->overview.count; i++) {
		size_t length = strlen(status->overview.destinations[i].configuration->name);

		width = length > width ? length : width;
	}
	return (int)(width < MOST_NAME ? width : MOST_NAME);
}

static void
print_trouble(const struct status *status, const struct overview_destination *destination)
{
	int64_t left = destination->retry_at - status->overview.now;

	if (destination->state == OVERVIEW_WELL || destination->trouble.text[0] == '\0')
		return;
	(void)fputs("  ", stdout);
	paint(status, BAD);
	show_text(text_of(destination->trouble.text));
	paint(status, PLAIN);
	if (destination->trouble.failures > 1)
		(void)printf(" (%" PRIu64 " times in a row)", destination->trouble.failures);
	if (left > 0) {
		(void)fputs("; next attempt in ", stdout);
		print_duration(left, 0);
	}
	end_line(status);
}

static void
print_destinations(const struct status *status)
{
	static const enum colour colours[] = {
	    [OVERVIEW_WELL] = GOOD, [OVERVIEW_FAILING] = WARN, [OVERVIEW_HELD] = BAD};
	int width = name_width(status);

	end_line(status);
	paint(status, FAINT);
	(void)printf("%-*s  %-8s %12s  %12s  %8s  %12s", width, "destination", "state", "pending",
		     "lag", "dead", "sent");
	paint(status, PLAIN);
	end_line(status);
	for (size_t i = 0; i < status->overview.count; i++) {
		const struct overview_destination *at = &status->overview.destinations[i];

		(void)printf("%-*s  ", width, at->configuration->name);
		paint(status, colours[at->state]);
		(void)printf("%-8s ", overview_state_name(at->state));
		paint(status, PLAIN);
		print_number(at->pending, 12);
		(void)fputs("  ", stdout);
		if (at->pending > 0)
			print_duration(at->lag, 12);
		else
			(void)printf("%12s", "-");
		(void)fputs("  ", stdout);
		print_number(at->dead, 8);
		(void)fputs("  ", stdout);
		if (at->is_counted)
			print_number(at->sent, 12);
		else
			(void)printf("%12s", "-");
		end_line(status);
		print_trouble(status, at);
	}
}

/* ---- replays and secrets ---- */

static void
print_replays(const struct status *status)
{
	for (size_t i = 0; i < status->overview.replay_count; i++) {
		const struct overview_replay *replay = &status->overview.replays[i];
		uint64_t total = replay->last - replay->first + 1;
		uint64_t done =
		    replay->done >= replay->first ? replay->done - replay->first + 1 : 0;
		char bytes[LINE], what[LINE];
		struct text text, name;

		if (i == 0)
			end_line(status);
		text_start(&name, what, sizeof(what) - 1);
		text_append_format(&name, "replay %" PRIu64 " to %s", replay->number,
				   replay->destination);
		what[name.length] = '\0';
		text_start(&text, bytes, sizeof(bytes));
		if (replay->finished_at != 0)
			text_append_format(&text, "%s  done", what);
		else
			progress_write(&text, what, done, total,
				       status->overview.now - replay->asked_at, COLUMNS);
		(void)fwrite(text.bytes, 1, text.length, stdout);
		end_line(status);
	}
}

static void
print_secret(const struct status *status, unsigned source, unsigned index)
{
	const struct counters_secret *secret = &status->overview.counters->secrets[source][index];
	int64_t last = secret->last_used;

	(void)printf("%-16s  ", index == 0 ? status->config->sources[source].name : "");
	print_number(secret->used, 12);
	(void)fputs("  ", stdout);
	if (last == 0) {
		(void)printf("%-20s", "never");
	} else {
		print_duration(status->overview.now - last, 16);
		(void)fputs(" ago", stdout);
	}
	(void)fputs("  ", stdout);
	show_text(text_of(status->config->sources[source].secrets[index].file));
	end_line(status);
}

static void
print_secrets(const struct status *status)
{
	if (!status->has_counters)
		return;
	end_line(status);
	paint(status, FAINT);
	(void)printf("%-16s  %12s  %-20s  %s", "source", "used", "last used", "secret");
	paint(status, PLAIN);
	end_line(status);
	for (unsigned i = 0; i < status->config->sources_count && i < COUNTERS_SOURCES; i++)
		for (unsigned j = 0;
		     j < status->config->sources[i].secrets_count && j < COUNTERS_SECRETS; j++)
			print_secret(status, i, j);
}

static void
print_object(const struct status *status)
{
	struct text text;

	text_start(&text, memory_allocate(JSON_CAPACITY), JSON_CAPACITY);
	json_write_finish(overview_object(&status->overview, status->arena), &text);
	if (!text.overflowed)
		(void)fwrite(text.bytes, 1, text.length, stdout);
	(void)putchar('\n');
	free(text.bytes);
}

static bool
print(const struct status *status, struct error *error)
{
	if (status->request->json) {
		print_object(status);
	} else {
		if (status->request->watch && status->colours)
			(void)fputs("\033[H", stdout);
		print_head(status);
		print_rates(status);
		print_spool(status);
		print_requests(status);
		print_destinations(status);
		print_replays(status);
		print_secrets(status);
		if (status->request->watch)
			(void)fputs(status->colours ? "\033[J" : "\n", stdout);
	}
	return fflush(stdout) == 0 || error_set_errno(error, "stdout");
}

/* ---- where it comes from ---- */

static bool
read_all(struct status *status, struct error *error)
{
	const char *directory = status->config->spool.directory;
	struct overview_sources sources = {.config = status->config};

	arena_clear(status->arena);
	/* opened anew each time: it may have been begun afresh */
	standing_close(status->standing);
	if (!standing_open_with(&status->standing, status->config, &sources.missing))
		status->standing = NULL;
	if (!counters_file_read(directory, &status->file, &status->has_counters, error))
		return false;
	sources.standing = status->standing;
	sources.counters = status->has_counters ? &status->file.counters : NULL;
	sources.beat = status->file.written_beat;
	sources.running = status->has_counters && spool_is_locked(directory) &&
			  deadline_wall() - status->file.written_at < FRESH;
	if (status->history != NULL && sources.running)
		history_add(status->history, &status->file.counters);
	return overview_read(&status->overview, &sources, error);
}

static bool
show(struct status *status, struct error *error)
{
	const struct timespec second = {.tv_sec = 1};

	if (status->request->watch)
		status->history = history_new(status->config->destinations_count);
	if (status->request->watch && status->colours)
		(void)fputs("\033[2J", stdout);
	do {
		if (!read_all(status, error) || !print(status, error))
			return false;
	} while (status->request->watch && nanosleep(&second, NULL) == 0);
	return true;
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct request request = {.config = OPTIONS_CONFIG_DEFAULT};
	const struct options_row rows[] = {
	    {.name = "config", .letter = 'c', .text = &request.config},
	    {.name = "json", .flag = &request.json},
	    {.name = "watch", .letter = 'w', .flag = &request.watch},
	};
	struct status *status;
	struct error error;
	size_t words;
	int result = EXIT_FAILURE;

	(void)command;
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, NULL, 0, &words))
		return OPTIONS_WRONG;
	status = memory_allocate(sizeof(*status));
	status->request = &request;
	status->arena = arena_new();
	status->colours = !request.json && isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
	if (!config_read(&status->config, request.config, &error))
		status->config = NULL;
	else if (show(status, &error))
		result = status->overview.ready ? EXIT_SUCCESS : EXIT_NOT_READY;
	if (result == EXIT_FAILURE)
		(void)fprintf(stderr, "siembridge status: %s\n", error.text);
	standing_close(status->standing);
	history_free(status->history);
	arena_free(status->arena);
	config_free(status->config);
	free(status);
	return result;
}

const struct command command_status = {
    .name = "status",
    .usage = "status [-c FILE] [--json] [--watch]",
    .summary = "how it is: rates, lag and last error of each destination, use of each secret",
    .help = "Says whether events are accepted and stored, how far each destination is and what it\n"
	    "last complained of, how far each replay is, and when each secret was last used.\n"
	    "Works while the daemon runs and while it does not; changes nothing.\n"
	    "\n"
	    "  well     the last attempt went well\n"
	    "  failing  tried again and again, later each time; nothing is lost\n"
	    "  held     waits for somebody who mends it: a token, a certificate, a setting\n"
	    "\n"
	    "What is sent is counted from the start; while nothing runs it is not known (-, and\n"
	    "no member of the JSON object).\n"
	    "\n"
	    "      --json         a JSON object, as /api/status of the console\n"
	    "  -w, --watch        again each second, with rates, until interrupted\n"
	    "  -c, --config FILE  configuration; default " OPTIONS_CONFIG_DEFAULT "\n"
	    "\n"
	    "Exit status: 0 ready, 3 not ready or not running, 1 it cannot be told.\n",
    .run = run,
};
