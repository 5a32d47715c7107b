/*
 * How long from the text of a body to its line, beside json-c's parse of the same
 * body alone (with the flags that a reader without a scan of its own needs).  CPU
 * time, the best of five; a quiet machine is needed.  Not run by the tests:
 *
 *   make build/plain/libsiembridge.a
 *   cc -O2 -I. -D_GNU_SOURCE -DFJSON_NATIVE_API_ONLY -o build/bench_formats \
 *      tests/bench/bench_formats.c build/plain/libsiembridge.a -ljson-c -lfastjson
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

enum { ROUNDS = 200000, BATCH = 128, LINE = 65536 };

static const struct normalise *normalise;
static struct arena *arena;
static struct format_options options;

static double
now(void)
{
	struct timespec time;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0)
		return 0;
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void
parse_alone(struct slice body)
{
	struct json_tokener *tokener = json_tokener_new();

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	json_object_put(json_tokener_parse_ex(tokener, body.bytes, (int)body.length));
	json_tokener_free(tokener);
}

static void
scan_alone(struct slice body)
{
	struct json_scan scan;
	struct error error;

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
normalise_alone(struct slice body)
{
	struct event event;

	read_event(body, &event);
}

static void
write_line(struct slice body, const char *format)
{
	static char bytes[LINE];
	struct event event;
	struct text text;

	read_event(body, &event);
	text_start(&text, bytes, sizeof(bytes));
	format_write_syslog(format_find(text_of(format)), &event, &options, &text);
}

static void
write_cef(struct slice body)
{
	write_line(body, "cef");
}

static void
write_rfc5424(struct slice body)
{
	write_line(body, "rfc5424");
}

static void
measure(const char *name, void (*work)(struct slice body), struct slice body)
{
	double best = 1e18;

	for (int repetition = 0; repetition < 5; repetition++) {
		double start = now(), each;

		for (int i = 0; i < ROUNDS; i++) {
			work(body);
			if (i % BATCH == 0)
				arena_clear(arena);
		}
		each = (now() - start) / ROUNDS;
		best = each < best ? each : best;
	}
	printf("%-28s %6.0f ns\n", name, best);
}

int
main(void)
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
	printf("a body of %zu bytes\n", body.length);
	measure("json-c's parse alone", parse_alone, text_slice(&body));
	measure("json_scan alone", scan_alone, text_slice(&body));
	measure("body -> event", normalise_alone, text_slice(&body));
	measure("body -> event -> cef", write_cef, text_slice(&body));
	measure("body -> event -> rfc5424", write_rfc5424, text_slice(&body));
	normalise_free(made);
	arena_free(arena);
	return 0;
}
