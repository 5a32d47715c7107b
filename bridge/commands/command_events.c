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
#include "formats/memory.h"

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
	struct spool_find_query query;
	bool by_status;
	enum standing_status status;
	size_t from, to;     /* the destinations that are asked of: all, or one */
	uint64_t limit;      /* 0: all */
	uint64_t *sequences; /* what matched, falling */
	size_t count, capacity;
	uint64_t *dead; /* of the query */
};

/* ---- what matches ---- */

static bool
matches_status(const struct listing *listing, const struct spool_event *event)
{
	bool all = listing->request->destination == NULL;

	if (all && !listing->by_status)
		return true;
	for (size_t i = listing->from; i < listing->to; i++) {
		enum standing_status status = standing_of(listing->standing, i, event);

		if (listing->by_status ? status == listing->status : status != STANDING_NOT_ROUTED)
			return true;
	}
	return false;
}

static bool
gather(void *context, const struct spool_event *event)
{
	struct listing *listing = context;

	if (!matches_status(listing, event))
		return true;
	if (listing->count == listing->capacity) {
		listing->capacity = listing->capacity * 2 + 128;
		listing->sequences = memory_resize_array(listing->sequences, listing->capacity,
							 sizeof(*listing->sequences));
	}
	listing->sequences[listing->count++] = event->sequence;
	return listing->limit == 0 || listing->count < listing->limit;
}

static int
compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* Of what is dead or pending it is known where it stands: the rest is not looked at. */
static void
narrow(struct listing *listing)
{
	uint64_t lowest = UINT64_MAX;
	size_t count = 0;

	free(listing->dead);
	listing->dead = NULL;
	for (size_t i = listing->from; i < listing->to; i++) {
		const struct standing_destination *at = &listing->standing->destinations[i];

		if (at->cursor.sequence < lowest)
			lowest = at->cursor.sequence;
		if (!listing->by_status || listing->status != STANDING_DEAD)
			continue;
		listing->dead = memory_resize_array(listing->dead, count + at->dead_count + 1,
						    sizeof(*listing->dead));
		if (at->dead_count > 0)
			memcpy(listing->dead + count, at->dead,
			       at->dead_count * sizeof(*listing->dead));
		count += at->dead_count;
	}
	if (listing->by_status && listing->status == STANDING_PENDING)
		listing->query.first = lowest + 1;
	if (listing->dead == NULL)
		return;
	if (count > 0)
		qsort(listing->dead, count, sizeof(*listing->dead), compare);
	listing->query.sequences = listing->dead;
	listing->query.sequence_count = 0;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || listing->dead[i] != listing->dead[i - 1])
			listing->dead[listing->query.sequence_count++] = listing->dead[i];
}

/* ---- the request ---- */

static bool
set_status(struct listing *listing, struct error *error)
{
	const char *wanted = listing->request->status;

	if (wanted == NULL)
		return true;
	listing->by_status = true;
	for (int i = 0; i < STANDING_STATUSES; i++)
		if (strcmp(wanted, standing_name((enum standing_status)i)) == 0) {
			listing->status = (enum standing_status)i;
			return true;
		}
	return error_set(
	    error, "--status is one of pending, delivered, dead, not-routed, not %.60s", wanted);
}

static bool
set_query(struct listing *listing, struct error *error)
{
	const struct request *request = listing->request;
	int64_t now = deadline_wall();

	listing->query = spool_find_everything();
	listing->query.id = text_of(request->id);
	listing->query.resource = text_of(request->resource);
	listing->query.source = text_of(request->source);
	listing->query.type = request->type;
	listing->to = listing->standing->count;
	if (!set_status(listing, error) ||
	    (request->since != NULL &&
	     !show_parse_time(request->since, now, &listing->query.since, error)) ||
	    (request->until != NULL &&
	     !show_parse_time(request->until, now, &listing->query.until, error)))
		return false;
	if (request->destination == NULL)
		return true;
	if (!standing_find(listing->standing, request->destination, &listing->from, error))
		return false;
	listing->to = listing->from + 1;
	return true;
}

static bool
open_listing(struct listing *listing, const struct request *request, struct error *error)
{
	*listing = (struct listing){.request = request, .limit = request->limit};
	if (!standing_open(&listing->standing, request->config, error))
		return false;
	listing->page = (struct event_page){listing->standing, request->json};
	return set_query(listing, error);
}

static void
close_listing(struct listing *listing)
{
	standing_close(listing->standing);
	free(listing->sequences);
	free(listing->dead);
}

/* ---- what is shown ---- */

/* In the order of the spool; stdout is flushed, or the error says why not. */
static bool
print_gathered(struct listing *listing, struct error *error)
{
	for (size_t i = listing->count; i > 0; i--)
		if (!event_page_line(&listing->page, listing->sequences[i - 1], error))
			return false;
	listing->count = 0;
	return fflush(stdout) == 0 || error_set_errno(error, "stdout");
}

/* The events behind `last` up to `newest`, as they came. */
static bool
print_new(struct listing *listing, uint64_t last, uint64_t newest, struct error *error)
{
	listing->query.first = last + 1;
	listing->query.last = newest;
	if (!standing_refresh(listing->standing, error) ||
	    !spool_find_forwards(listing->standing->find, &listing->query, gather, listing, error))
		return false;
	/* gathered rising here, and printed from the end */
	for (size_t i = 0; i < listing->count / 2; i++) {
		uint64_t other = listing->sequences[listing->count - 1 - i];

		listing->sequences[listing->count - 1 - i] = listing->sequences[i];
		listing->sequences[i] = other;
	}
	return print_gathered(listing, error);
}

/* A line for each event that comes, until stdout or the process is closed. */
static bool
follow(struct listing *listing, uint64_t last, struct error *error)
{
	const struct timespec interval = {.tv_nsec = FOLLOW_INTERVAL * 1000000L};
	uint64_t first, newest;

	listing->limit = 0;
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
	uint64_t first, last;

	if (!spool_find_range(listing->standing->find, &first, &last, error))
		return false;
	listing->query.last = last;
	narrow(listing);
	if (!spool_find_backwards(listing->standing->find, &listing->query, gather, listing,
				  error) ||
	    !print_gathered(listing, error))
		return false;
	listing->query.sequences = NULL;
	return !listing->request->follow || follow(listing, last, error);
}

/* All events of that id: two sources may have used it. */
static bool
show(struct listing *listing, const char *id, struct error *error)
{
	listing->query.id = text_of(id);
	if (!spool_find_backwards(listing->standing->find, &listing->query, gather, listing, error))
		return false;
	if (listing->count == 0)
		return error_set(error, "no event with the id %.255s is kept", id);
	for (size_t i = listing->count; i > 0; i--) {
		if (i < listing->count && !listing->request->json)
			(void)putchar('\n');
		if (!event_page_whole(&listing->page, listing->sequences[i - 1], error))
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
