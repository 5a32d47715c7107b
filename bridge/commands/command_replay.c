/*
 * siembridge replay: a range of what is kept, to one destination, again.
 *
 * The command works out which events they are and leaves an order; the forwarder
 * sends them.
 */
#include "bridge/commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bridge/commands/options.h"
#include "bridge/commands/progress.h"
#include "bridge/commands/request_order.h"
#include "bridge/commands/show.h"
#include "bridge/spool/standing.h"
#include "bridge/deadline.h"
#include "bridge/spool/order_find.h"

enum { LOOK_INTERVAL = 200 /* milliseconds */ };
enum { RATE_DEFAULT = 1000, RATE_HIGHEST = 1000000 };

/* The words of the command line. */
struct request {
	const char *config;
	const char *destination;
	const char *since;
	const char *until;
	const char *type;
	uint64_t from;
	uint64_t to;
	uint64_t rate;
	bool dry;
	bool wait;
};

static bool
set_query(const struct request *request, struct spool_find_query *query, struct error *error)
{
	int64_t now = deadline_wall();

	*query = spool_find_everything();
	query->type = request->type;
	query->first = request->from;
	if (request->to > 0)
		query->last = request->to;
	return show_parse_range(request->since, request->until, now, &query->since, &query->until,
				error);
}

static void
begin_order(const struct request *request, struct order *order)
{
	struct text name;

	order->action = ORDER_REPLAY;
	order->rate = request->rate;
	text_start(&name, order->destination, sizeof(order->destination) - 1);
	text_append_string(&name, request->destination);
}

/* ---- waiting ---- */

/* The replay that the order became. */
struct waiting {
	const struct order *order;
	bool found;
	uint64_t first, last, done;
	bool finished;
};

static bool
note_replay(void *context, const struct delivery_view_replay *replay)
{
	struct waiting *waiting = context;

	if (replay->asked_at != waiting->order->at ||
	    !text_slice_is(replay->destination, waiting->order->destination))
		return true;
	waiting->found = true;
	waiting->first = replay->first;
	waiting->last = replay->last;
	waiting->done = replay->done;
	waiting->finished = replay->finished_at != 0;
	return false;
}

/* Sequences, which come more evenly than events of one type. */
static void
show_progress(struct progress *progress, const struct waiting *waiting)
{
	if (waiting->done >= waiting->first)
		progress_show(progress, waiting->done - waiting->first + 1);
}

static bool
wait_for_end(const char *directory, const struct order *order, struct error *error)
{
	const struct timespec interval = {.tv_nsec = LOOK_INTERVAL * 1000000L};
	struct waiting waiting = {.order = order};
	struct progress *progress = progress_start(
	    "replay", order->ranges[order->range_count - 1].last - order->ranges[0].first + 1);
	bool done = true;

	while (done && !waiting.finished) {
		struct delivery_view *view = NULL;

		(void)nanosleep(&interval, NULL);
		done = delivery_view_open(&view, directory, error) &&
		       delivery_view_replays(view, NULL, note_replay, &waiting, error);
		delivery_view_close(view);
		show_progress(progress, &waiting);
		if (done && !waiting.finished && !spool_is_locked(directory))
			done = error_set(error,
					 "no siembridge runs on %s; the next one goes on "
					 "with it",
					 directory);
	}
	progress_end(progress);
	return done && printf("replay: done\n") > 0;
}

static bool
replay(const struct request *request, struct error *error)
{
	struct standing *standing = NULL;
	struct order order = {.ranges = NULL};
	struct spool_find_query query;
	struct error what;
	uint64_t events;
	size_t index;
	bool done = false;

	if (!standing_open(&standing, request->config, error))
		return false;
	begin_order(request, &order);
	if (standing_find(standing, request->destination, &index, error) &&
	    config_takes_replays(standing->destinations[index].configuration, error) &&
	    set_query(request, &query, error) &&
	    order_find(&order, standing->find, &query, &events, error)) {
		error_set(&what, "replay of %" PRIu64 " events (%" PRIu64 " to %" PRIu64 ") to %s",
			  events, order.ranges[0].first, order.ranges[order.range_count - 1].last,
			  request->destination);
		if (request->dry)
			done = printf("%s: not ordered\n", what.text) > 0;
		else
			done = request_order_give(standing->config->spool.directory, &order,
						  what.text, error) &&
			       (!request->wait ||
				wait_for_end(standing->config->spool.directory, &order, error));
	}
	order_free(&order);
	standing_close(standing);
	return done;
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct request request = {.config = OPTIONS_CONFIG_DEFAULT, .rate = RATE_DEFAULT};
	const struct options_row rows[] = {
	    {.name = "config", .letter = 'c', .text = &request.config},
	    {.name = "destination", .letter = 'd', .text = &request.destination},
	    {.name = "since", .text = &request.since},
	    {.name = "until", .text = &request.until},
	    {.name = "from", .number = &request.from, .maximum = INT64_MAX},
	    {.name = "to", .number = &request.to, .maximum = INT64_MAX},
	    {.name = "type", .text = &request.type},
	    {.name = "rate", .number = &request.rate, .maximum = RATE_HIGHEST},
	    {.name = "dry-run", .flag = &request.dry},
	    {.name = "wait", .flag = &request.wait},
	};
	struct error error;
	size_t words;

	(void)command;
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, NULL, 0, &words))
		return OPTIONS_WRONG;
	if (request.destination == NULL) {
		(void)options_refuse(argv[0], "say which --destination");
		return OPTIONS_WRONG;
	}
	if (request.since == NULL && request.until == NULL && request.from == 0 &&
	    request.to == 0) {
		(void)options_refuse(argv[0], "say which events: --since, --until, --from, --to");
		return OPTIONS_WRONG;
	}
	if (replay(&request, &error))
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	(void)fprintf(stderr, "siembridge replay: %s\n", error.text);
	return EXIT_FAILURE;
}

const struct command command_replay = {
    .name = "replay",
    .usage = "replay [-c FILE] --destination NAME [--since T] [--until T] [--from SEQ] [--to SEQ]\n"
	     "                         [--type GLOB] [--rate N] [--dry-run] [--wait]",
    .summary = "send what is kept to one destination again",
    .help =
	"Sends every event that is kept and in the range to the destination, whether it had\n"
	"it before or not, in order and between the live ones, which are not held up.  Its\n"
	"`events` hold.  Each is marked as replayed: replayed=\"1\" in the event element of\n"
	"RFC 5424, flexNumber1=1 flexNumber1Label=replayed in CEF.\n"
	"\n"
	"  -d, --destination NAME\n"
	"  --since T, --until T  received then: 2026-10-01T12:00:00Z, or 7d for seven days ago\n"
	"  --from N, --to N      sequences, as `siembridge events` shows them\n"
	"  --type GLOB           only these types\n"
	"  --rate N              at most N events a second; default 1000, 0: no limit\n"
	"  --dry-run             only say how many events they are\n"
	"  --wait                until all are confirmed; with a bar on a terminal\n"
	"  -c, --config FILE     configuration; default " OPTIONS_CONFIG_DEFAULT "\n"
	"\n"
	"The bridge takes it over within a second and goes on with it after a restart; where\n"
	"none runs, the next one does.  Replays of one destination come one after the other;\n"
	"siembridge status shows how far they are.\n",
    .run = run,
};
