/*
 * How long from the text of a body to its line, in each format, beside json-c's parse
 * of the same body alone (with the flags that a reader without a scan of its own needs).
 * CPU time of one core, the best of several turns: each turn measures everything, so that
 * a busy moment falls on all alike.  `make bench` runs it; one name as an argument runs
 * that row alone, for a profiler.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "formats/arena.h"
#include "formats/format.h"
#include "formats/json_scan.h"
#include "formats/normalise.h"
#include "formats/sample.h"

enum { TURNS = 25, ROUNDS = 4000, BATCH = 128, LINE = 65536, MOST_ROWS = 32 };

static const struct normalise *normalise;
static struct arena *arena;
static struct format_options options;

/* One measurement. */
struct row {
	const char *name;
	void (*work)(const struct row *row, struct slice body);
	const struct format *format; /* NULL: no line is written */
	double best;                 /* ns an event */
};

static double
now(void)
{
	struct timespec time;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0)
		return 0;
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void
parse_alone(const struct row *row, struct slice body)
{
	struct json_tokener *tokener = json_tokener_new();

	(void)row;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	json_object_put(json_tokener_parse_ex(tokener, body.bytes, (int)body.length));
	json_tokener_free(tokener);
}

static void
scan_alone(const struct row *row, struct slice body)
{
	struct json_scan scan;
	struct error error;

	(void)row;
	if (!json_scan(body, &scan, &error))
		fputs(error.text, stderr);
}

static void
read_event(struct slice body, struct event *event)
{
	struct error error;

	*event = (struct event){.id = SLICE_LITERAL("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W")};
	if (!normalise_event(normalise, body, arena, event, &error))
		fputs(error.text, stderr);
}

static void
normalise_alone(const struct row *row, struct slice body)
{
	struct event event;

	(void)row;
	read_event(body, &event);
}

static void
write_line(const struct row *row, struct slice body)
{
	static char bytes[LINE];
	struct event event;
	struct text text;

	read_event(body, &event);
	text_start(&text, bytes, sizeof(bytes));
	format_write_syslog(row->format, &event, &options, &text);
}

static void
measure(struct row *row, struct slice body)
{
	double start = now(), each;

	for (int i = 0; i < ROUNDS; i++) {
		row->work(row, body);
		if (i % BATCH == 0)
			arena_clear(arena);
	}
	each = (now() - start) / ROUNDS;
	if (row->best == 0 || each < row->best)
		row->best = each;
}

static size_t
make_rows(struct row *rows)
{
	size_t count = 0;

	rows[count++] = (struct row){"json-c's parse alone", parse_alone, NULL, 0};
	rows[count++] = (struct row){"json_scan alone", scan_alone, NULL, 0};
	rows[count++] = (struct row){"event", normalise_alone, NULL, 0};
	for (size_t i = 0; format_at(i) != NULL && count < MOST_ROWS; i++)
		rows[count++] = (struct row){format_at(i)->name, write_line, format_at(i), 0};
	return count;
}

static void
report(const struct row *rows, size_t count, size_t length)
{
	printf("a body of %zu bytes, to         ns    events/s   of the parse alone\n", length);
	for (size_t i = 0; i < count; i++)
		printf("%-28s %7.0f  %10.0f   %.2f\n", rows[i].name, rows[i].best,
		       1e9 / rows[i].best, rows[i].best / rows[0].best);
}

static void
run(const char *only, struct slice body)
{
	struct row rows[MOST_ROWS];
	size_t count = make_rows(rows);

	for (int turn = 0; turn < TURNS; turn++)
		for (size_t i = 0; i < count; i++)
			if (only == NULL || strcmp(only, rows[i].name) == 0)
				measure(&rows[i], body);
	if (only == NULL)
		report(rows, count, body.length);
}

int
main(int argc, char **argv)
{
	char bytes[4096];
	struct normalise *made;
	struct error error;
	struct text body;

	if (!normalise_new(&made, "anyint", &error))
		return 1;
	normalise = made;
	arena = arena_new();
	format_default_options(&options);
	options.hostname = text_of("gw1.example.com");
	text_start(&body, bytes, sizeof(bytes));
	sample_write(text_of("key.created"), text_of("evt_01"), 1790856000000, &body);
	run(argc > 1 ? argv[1] : NULL, text_slice(&body));
	normalise_free(made);
	arena_free(arena);
	return 0;
}
