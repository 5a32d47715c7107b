/*
 * siembridge events: the ledger, newest last; and one event whole.
 *
 * What matches is gathered backwards as numbers only, then read and printed forwards.
 */
#include "bridge/commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bridge/commands/event_page.h"
#include "bridge/commands/options.h"
#include "bridge/commands/show.h"
#include "bridge/deadline.h"
#include "bridge/spool/search.h"

enum { LIMIT_DEFAULT = 100, FOLLOW_INTERVAL = 250 /* milliseconds */, MOST_WORDS = 2 };

/* The words of the command line. */
struct request {
	const char *config;
	const char *status;
	const char *type;
	const char *id;
	const char *resource;
	const char *source;
	const char *destination;
	const char *since;
	const char *until;
	uint64_t limit; /* 0: all */
	bool json;
	bool follow;
	const char *words[MOST_WORDS];
	size_t word_count;
};

struct listing {
	const struct request *request;
	struct standing *standing;
	struct event_page page;
	struct search search;
};

/* ---- the request ---- */

static bool
set_query(struct listing *listing, struct error *error)
{
	const struct request *request = listing->request;
	struct spool_find_query *query = &listing->search.query;
	int64_t now = deadline_wall();

	query->id = text_of(request->id);
	query->resource = text_of(request->resource);
	query->source = text_of(request->source);
	query->type = request->type;
	listing->search.limit = request->limit;
	return show_parse_range(request->since, request->until, now, &query->since, &query->until,
				error);
}

static bool
open_listing(struct listing *listing, const struct request *request, struct error *error)
{
	*listing = (struct listing){.request = request};
	if (!standing_open(&listing->standing, request->config, error))
		return false;
	listing->page = (struct event_page){listing->standing, request->json};
	return search_open(&listing->search, listing->standing, request->destination,
			   request->status, error) &&
	       set_query(listing, error);
}

static void
close_listing(struct listing *listing)
{
	search_close(&listing->search);
	standing_close(listing->standing);
}

/* ---- what is shown ---- */

/* The events behind `last` up to `newest`, as they came; stdout is flushed. */
static bool
print_new(struct listing *listing, uint64_t last, uint64_t newest, struct error *error)
{
	struct search *search = &listing->search;

	search->query.first = last + 1;
	search->query.last = newest;
	if (!standing_refresh(listing->standing, error) || !search_forwards(search, error))
		return false;
	for (size_t i = 0; i < search->count; i++)
		if (!event_page_line(&listing->page, search->sequences[i], error))
			return false;
	return fflush(stdout) == 0 || error_set_errno(error, "stdout");
}

/* A line for each event that comes, until stdout or the process is closed. */
static bool
follow(struct listing *listing, uint64_t last, struct error *error)
{
	const struct timespec interval = {.tv_nsec = FOLLOW_INTERVAL * 1000000L};
	uint64_t first, newest;

	listing->search.limit = 0;
	for (;;) {
		if (!spool_find_range(listing->standing->find, &first, &newest, error) ||
		    (newest > last && !print_new(listing, last, newest, error)))
			return false;
		last = newest;
		(void)nanosleep(&interval, NULL);
	}
}

static bool
list(struct listing *listing, struct error *error)
{
	struct search *search = &listing->search;
	uint64_t first, last;

	if (!spool_find_range(listing->standing->find, &first, &last, error))
		return false;
	search->query.last = last;
	if (!search_backwards(search, error))
		return false;
	for (size_t i = search->count; i > 0; i--)
		if (!event_page_line(&listing->page, search->sequences[i - 1], error))
			return false;
	if (fflush(stdout) != 0)
		return error_set_errno(error, "stdout");
	return !listing->request->follow || follow(listing, last, error);
}

/* All events of that id: two sources may have used it. */
static bool
show(struct listing *listing, const char *id, struct error *error)
{
	struct search *search = &listing->search;

	search->query.id = text_of(id);
	if (!search_backwards(search, error))
		return false;
	if (search->count == 0)
		return error_set(error, "no event with the id %.255s is kept", id);
	for (size_t i = search->count; i > 0; i--) {
		if (i < search->count && !listing->request->json)
			(void)putchar('\n');
		if (!event_page_whole(&listing->page, search->sequences[i - 1], error))
			return false;
	}
	return fflush(stdout) == 0 || error_set_errno(error, "stdout");
}

static bool
read_request(struct request *request, int argc, char **argv)
{
	const struct options_row rows[] = {
	    {.name = "config", .letter = 'c', .text = &request->config},
	    {.name = "status", .text = &request->status},
	    {.name = "type", .text = &request->type},
	    {.name = "id", .text = &request->id},
	    {.name = "resource", .text = &request->resource},
	    {.name = "source", .text = &request->source},
	    {.name = "destination", .letter = 'd', .text = &request->destination},
	    {.name = "since", .text = &request->since},
	    {.name = "until", .text = &request->until},
	    {.name = "limit", .letter = 'n', .number = &request->limit, .maximum = UINT32_MAX},
	    {.name = "json", .flag = &request->json},
	    {.name = "follow", .letter = 'f', .flag = &request->follow},
	};

	*request = (struct request){.config = OPTIONS_CONFIG_DEFAULT, .limit = LIMIT_DEFAULT};
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, request->words,
			  MOST_WORDS, &request->word_count))
		return false;
	if (request->word_count == 0)
		return true;
	if (strcmp(request->words[0], "show") != 0)
		return options_refuse(argv[0], "%s is not `show`", request->words[0]);
	return request->word_count == 2 || options_refuse(argv[0], "say the ID of the event");
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct request request;
	struct listing listing;
	struct error error;
	bool done;

	(void)command;
	if (!read_request(&request, argc, argv))
		return OPTIONS_WRONG;
	done = open_listing(&listing, &request, &error);
	if (done)
		done = request.word_count == 2 ? show(&listing, request.words[1], &error)
					       : list(&listing, &error);
	if (!done)
		(void)fprintf(stderr, "siembridge events: %s\n", error.text);
	close_listing(&listing);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_events = {
    .name = "events",
    .usage = "events [-c FILE] [filters] [--json] [--follow] [--limit N]\n"
	     "       siembridge events show ID [-c FILE] [--json]",
    .summary = "what was received, and where it stands at each destination",
    .help =
	"One line for each event, the newest last: sequence, received, occurred, type, id,\n"
	"resource, source, and its status at each destination:\n"
	"\n"
	"  pending      not confirmed yet\n"
	"  delivered    confirmed by the destination\n"
	"  dead         it can never be delivered there: see siembridge dead\n"
	"  not-routed   the destination's `events` do not name its type\n"
	"\n"
	"Filters; what is given must all hold:\n"
	"  --status S         one of the above, at any destination or at --destination\n"
	"  --type GLOB        key.*, security.*.failed\n"
	"  --id ID            delivery id\n"
	"  --resource ID      task or resource\n"
	"  --source NAME\n"
	"  -d, --destination NAME  events that are routed there\n"
	"  --since T, --until T    received then: 2026-10-01T12:00:00Z, or 2h for two hours ago\n"
	"\n"
	"  -n, --limit N      the last N; default 100, 0 for all\n"
	"  --json             a JSON object a line\n"
	"  -f, --follow       go on with each event that comes, until interrupted\n"
	"  -c, --config FILE  configuration; default " OPTIONS_CONFIG_DEFAULT "\n"
	"\n"
	"show prints all that is known of one event: the headers that prove its sender, the\n"
	"normalised fields, its course at each destination, and the raw body, key material\n"
	"masked.  Works while the daemon runs and while it does not; changes nothing.\n",
    .run = run,
};
