/*
 * siembridge spool check | salvage | export: the files themselves, for when something is
 * wrong with them.  check and export only read.
 */
#include "bridge/commands/commands.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/commands/options.h"
#include "bridge/commands/show.h"
#include "bridge/config.h"
#include "bridge/spool/database.h"
#include "bridge/spool/delivery.h"
#include "bridge/spool/spool_head.h"
#include "bridge/spool/spool_owed.h"
#include "bridge/spool/spool_salvage.h"
#include "bridge/spool/spool_verify.h"
#include "formats/json_write.h"
#include "formats/memory.h"
#include "formats/timestamp.h"

struct work {
	const char *directory;
	const char *file; /* NULL: the spool.db that is there */
};

static bool
path_of(char path[PATH_MAX], const char *directory, const char *name, struct error *error)
{
	struct text text;

	text_start(&text, path, PATH_MAX);
	text_append_string(&text, directory);
	text_append_byte(&text, '/');
	text_append_string(&text, name);
	text_append_byte(&text, '\0');
	return !text.overflowed || error_set(error, "the path of %s is too long", directory);
}

/* ---- check ---- */

/* What SQLite finds in the pages of a file; false where it is anything. */
static bool
check_file(const char *directory, const char *name)
{
	struct database *database = NULL;
	struct database_statement *rows = NULL;
	struct error error = {.text = ""};
	char path[PATH_MAX];
	bool well = false;

	if (!path_of(path, directory, name, &error) ||
	    !database_open(&database, path, DATABASE_READ_ONLY, &error) ||
	    !database_prepare(database, &rows, "PRAGMA quick_check(10)", &error)) {
		(void)printf("%-11s %s\n", name, error.text);
		database_close(database);
		return false;
	}
	while (database_step(rows, &error) == DATABASE_ROW) {
		struct slice line = database_bytes(rows, 0);

		well = text_slice_is(line, "ok");
		(void)printf("%-11s ", name);
		show_text(line);
		(void)puts("");
	}
	if (error.text[0] != '\0')
		(void)printf("%-11s %s\n", name, error.text);
	database_finalize(rows);
	database_close(database);
	return well;
}

static void
list_aside(const char *directory)
{
	DIR *entries = opendir(directory);
	const struct dirent *entry;

	if (entries == NULL)
		return;
	/* one thread reads this stream */
	while ((entry = readdir(entries)) != NULL) /* NOLINT(concurrency-mt-unsafe) */
		if (strstr(entry->d_name, ".damaged-") != NULL)
			(void)printf("aside       %s/%s\n", directory, entry->d_name);
	(void)closedir(entries);
}

static bool
check(const struct work *work, bool *good, struct error *error)
{
	static const char *const names[SPOOL_VERIFY_KINDS] = {
	    [SPOOL_VERIFY_EDITED] = "do not fit the hash chain",
	    [SPOOL_VERIFY_REMOVED] = "were taken out",
	    [SPOOL_VERIFY_GIVEN_UP] = "were lost with the end of the file, earlier",
	    [SPOOL_VERIFY_UNREADABLE] = "cannot be read",
	    [SPOOL_VERIFY_MISSING] = "are missing at the end",
	    [SPOOL_VERIFY_HEAD] = "are not what the head file knows",
	};
	const struct spool_verify_calls calls = {.found = NULL};
	struct spool_verify_report report;
	struct spool_head_mark mark;
	struct error why;
	bool spool = check_file(work->directory, "spool.db");
	bool delivery = check_file(work->directory, "delivery.db");

	(void)error;
	*good = spool && delivery;
	if (spool_head_peek(work->directory, &mark)) {
		(void)printf("head        event %" PRIu64 "\n", mark.sequence);
	} else {
		(void)puts("head        missing or unreadable: the next start makes it anew");
		*good = false;
	}
	if (!spool_verify(work->directory, NULL, &calls, &report, &why)) {
		(void)printf("events      %s\n", why.text);
		*good = false;
	} else {
		(void)printf("events      %" PRIu64 " can be read, %" PRIu64 " to %" PRIu64 "\n",
			     report.count, report.first, report.last);
		for (size_t i = 0; i < SPOOL_VERIFY_KINDS; i++)
			if (report.events[i] > 0)
				(void)printf("events      %" PRIu64 " %s\n", report.events[i],
					     names[i]);
		*good = *good && spool_verify_is_whole(&report) && !report.head_is_foreign;
	}
	list_aside(work->directory);
	(void)puts(*good ? "well"
			 : "NOT WELL    the next start of the bridge puts aside what cannot "
			   "be used, and goes on; siembridge spool salvage makes a fresh "
			   "file of all that can be read");
	return true;
}

/* ---- salvage ---- */

static void
report_salvage(const struct spool_salvage_counts *counts, const char *from)
{
	(void)printf("from        %s\n", from);
	(void)printf("events      %" PRIu64 " brought over, %" PRIu64 " to %" PRIu64 "\n",
		     counts->events, counts->first, counts->last);
	(void)printf("left        %" PRIu64 " cannot be read, %" PRIu64 " were changed on disk\n",
		     counts->unreadable, counts->changed);
	(void)printf("rejected    %" PRIu64 " bodies\n", counts->rejected);
	if (counts->events > 0)
		(void)printf("To send what a destination has not had of them: siembridge replay "
			     "--destination NAME --from %" PRIu64 " --to %" PRIu64 "\n",
			     counts->first, counts->last);
}

static bool
salvage(const struct work *work, bool *good, struct error *error)
{
	const struct spool_parts all = {.parts = {{1, INT64_MAX}}, .count = 1};
	struct spool_salvage_counts counts;
	enum spool_salvage_result result;
	struct spool *spool;
	struct error alarm;
	char aside[PATH_MAX];
	const char *from = work->file;
	uint64_t floor = 0;

	if (spool_is_locked(work->directory))
		return error_set(error, "a siembridge runs on %s; stop it first", work->directory);
	if (from == NULL && !spool_owed_put(work->directory, aside, error))
		return false;
	if (from == NULL)
		from = aside;
	/* the head file knows as much where the cursors cannot be read */
	if (!delivery_highest(work->directory, &floor, error))
		floor = 0;
	if (!spool_open(&spool, work->directory, 0, floor, &alarm, error))
		return false;
	result = spool_salvage(spool, from, &all, &counts, NULL, error);
	spool_close(spool);
	if (result == SPOOL_SALVAGE_BROKEN)
		return error_prefix(error, "%s cannot be brought over", from);
	report_salvage(&counts, from);
	*good = result == SPOOL_SALVAGE_DONE;
	return *good ||
	       error_prefix(error, "what could be read of %s was brought over; then", from);
}

/* ---- export ---- */

static void
write_time(struct json_node *object, const char *name, int64_t milliseconds)
{
	char bytes[40];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	timestamp_write_rfc3339(&text, milliseconds);
	json_write_text(object, name, text_slice(&text));
}

static void
print_event(void *context, const struct spool_event *event, const unsigned char *hash,
	    const unsigned char *before)
{
	/* each byte may need six, as \u001f */
	size_t capacity = 6 * (event->id.length + event->type.length + event->resource.length +
			       event->source.length + event->evidence.length + event->body.length) +
			  1024;
	struct json_node *object = json_write_object();
	struct text line;

	(void)context;
	(void)hash;
	(void)before;
	json_write_number(object, "sequence", (int64_t)event->sequence);
	write_time(object, "received_at", event->received_at);
	json_write_text(object, "source", event->source);
	json_write_text(object, "id", event->id);
	json_write_text(object, "type", event->type);
	if (event->resource.bytes != NULL)
		json_write_text(object, "resource", event->resource);
	if (event->evidence.bytes != NULL)
		json_write_text(object, "evidence", event->evidence);
	json_write_number(object, "flags", event->flags);
	json_write_boolean(object, "intact", event->intact);
	json_write_text(object, "body", event->body);
	text_start(&line, memory_allocate(capacity), capacity);
	json_write_finish(object, &line);
	if (!line.overflowed) {
		(void)fwrite(line.bytes, 1, line.length, stdout);
		(void)putchar('\n');
	}
	free(line.bytes);
}

static bool export(const struct work *work, bool *good, struct error *error)
{
	const struct spool_verify_calls calls = {.event = print_event};
	struct spool_verify_report report;
	char path[PATH_MAX];

	if (!path_of(path, work->directory, "spool.db", error) ||
	    !spool_verify_file(work->file != NULL ? work->file : path, 0, &calls, &report, error))
		return false;
	*good = report.events[SPOOL_VERIFY_UNREADABLE] == 0;
	if (!*good)
		(void)fprintf(stderr, "siembridge spool: %" PRIu64 " events cannot be read\n",
			      report.events[SPOOL_VERIFY_UNREADABLE]);
	return true;
}

/* ---- the command ---- */

static const struct verb {
	const char *name;
	bool takes_file;
	bool (*run)(const struct work *work, bool *good, struct error *error);
} verbs[] = {
    {"check", false, check},
    {"salvage", true, salvage},
    {"export", true, export},
};

static const struct verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int
run(const struct command *command, int argc, char **argv)
{
	const char *path = OPTIONS_CONFIG_DEFAULT, *words[2];
	const struct options_row rows[] = {{.name = "config", .letter = 'c', .text = &path}};
	const struct verb *verb;
	struct config *config;
	struct work work;
	struct error error;
	bool good = false;
	size_t count;

	(void)command;
	if (!options_read(rows, 1, argc, argv, words, 2, &count))
		return OPTIONS_WRONG;
	verb = count > 0 ? find_verb(words[0]) : NULL;
	if (verb == NULL || (count == 2 && !verb->takes_file)) {
		(void)options_refuse(argv[0], "say check, salvage [FILE] or export [FILE]");
		return OPTIONS_WRONG;
	}
	if (!config_read(&config, path, &error)) {
		(void)fprintf(stderr, "siembridge spool: %s\n", error.text);
		return EXIT_FAILURE;
	}
	work = (struct work){config->spool.directory, count == 2 ? words[1] : NULL};
	if (!verb->run(&work, &good, &error)) {
		good = false;
		(void)fprintf(stderr, "siembridge spool: %s\n", error.text);
	}
	config_free(config);
	return fflush(stdout) == 0 && good ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_spool = {
    .name = "spool",
    .usage = "spool check|salvage|export [-c FILE] [FILE]",
    .summary = "the files of the spool: check, salvage what can be read, export all",
    .help =
	"  check           says what is wrong with the files and with the chain; changes\n"
	"                  nothing; exit 1 where anything is\n"
	"  salvage [FILE]  puts spool.db aside and copies every intact event of it into a\n"
	"                  fresh one, under its own sequence; with FILE, which was put aside\n"
	"                  at an earlier start, brings over what the spool does not have of it.\n"
	"                  Only while no bridge runs\n"
	"  export [FILE]   every event that can be read as a line of JSON, with `intact`\n"
	"  -c, --config FILE  configuration; default " OPTIONS_CONFIG_DEFAULT "\n"
	"\n"
	"None of it is needed for a start: what cannot be used the bridge puts aside itself,\n"
	"brings over what is not delivered yet, and says so in its log.\n",
    .run = run,
};
