/*
 * siembridge reconcile: what a collector holds against what it was sent.
 *
 * The files are read once (holding.h); the ledger is gone through in slices of SLICE
 * events, and for each of them the holding once more, so that memory does not grow with
 * either.
 */
#include "bridge/commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bridge/commands/holding.h"
#include "bridge/commands/options.h"
#include "bridge/commands/progress.h"
#include "bridge/commands/request_order.h"
#include "bridge/commands/show.h"
#include "bridge/deadline.h"
#include "bridge/spool/standing.h"
#include "formats/memory.h"

enum {
	SLICE = 1024 * 1024, /* events; 25 MB */
	PLACES = 2 * SLICE,  /* a power of two */
	FILES = 256,
	SHOWN = 20, /* duplicates and gaps; what is missing is shown whole */
	RATE_DEFAULT = 1000,
	RATE_HIGHEST = 1000000,
};

/* The words of the command line. */
struct request {
	const char *config;
	const char *destination;
	const char *since;
	const char *until;
	uint64_t from;
	uint64_t to;
	uint64_t rate;
	bool replay;
	bool dry;
	const char *files[FILES];
	size_t file_count;
};

struct slice_entry {
	uint64_t hash;
	uint64_t sequence;
	uint32_t next;  /* 1 + the next entry of the same place; 0: none */
	uint32_t times; /* how often it is held */
};

struct reckoning {
	const struct request *request;
	struct standing *standing;
	struct holding *holding;
	size_t destination;
	struct slice_entry *entries;
	uint32_t *places; /* 1 + an entry; 0: none */
	size_t count;
	uint64_t last; /* sequence that was looked at last */

	unsigned char *known; /* a bit for each id of the holding: the ledger has it */
	uint64_t at;          /* which of them is looked at */

	uint64_t expected, pending, missing, duplicated, copies, unknown, unknown_line;
	uint64_t first_held, last_held; /* sequences */
	uint64_t missing_before, missing_after;
	struct order order; /* the missing ones */
	struct progress *progress;
	uint64_t first;     /* sequence that is kept */
	struct error error; /* while rows are called for */
	bool failed;
};

/* ---- a slice of the ledger ---- */

static bool
take_event(void *context, const struct spool_event *event)
{
	struct reckoning *reckoning = context;
	enum standing_status status;
	struct slice_entry *entry;
	uint32_t *place;

	reckoning->last = event->sequence;
	progress_show(reckoning->progress, event->sequence - reckoning->first + 1);
	status = standing_of(reckoning->standing, reckoning->destination, event);
	if (status == STANDING_NOT_ROUTED || status == STANDING_DEAD)
		return true;
	entry = &reckoning->entries[reckoning->count];
	*entry = (struct slice_entry){.hash = holding_hash(event->id), .sequence = event->sequence};
	if (status == STANDING_PENDING)
		reckoning->pending++;
	else
		reckoning->expected++;
	place = &reckoning->places[entry->hash & (PLACES - 1)];
	entry->next = *place;
	*place = (uint32_t)++reckoning->count;
	return reckoning->count < SLICE;
}

static void
look_up(void *context, uint64_t hash, uint64_t line)
{
	struct reckoning *reckoning = context;
	uint64_t at = reckoning->at++;

	struct slice_entry *held = NULL;

	(void)line;
	/* one id may be that of several events, of different sources: each has its own copy */
	for (uint32_t i = reckoning->places[hash & (PLACES - 1)]; i != 0;
	     i = reckoning->entries[i - 1].next) {
		struct slice_entry *entry = &reckoning->entries[i - 1];

		if (entry->hash == hash && (held == NULL || entry->times <= held->times))
			held = entry;
	}
	if (held == NULL)
		return;
	held->times++;
	reckoning->known[at / 8] |= (unsigned char)(1 << at % 8);
}

static bool
show_row(void *context, const struct spool_event *event)
{
	const uint32_t *times = context;

	(void)printf("%-10s %" PRIu64 "  ", *times > 0 ? "duplicate" : "missing", event->sequence);
	show_text(event->id);
	(void)fputs("  ", stdout);
	show_text(event->type);
	(void)fputs("  ", stdout);
	show_time(event->received_at);
	if (*times > 0)
		(void)printf("  %" PRIu32 " times", *times);
	(void)puts("");
	return true;
}

static bool
show_event(struct reckoning *reckoning, uint64_t sequence, uint32_t times, struct error *error)
{
	struct spool_find_query query = spool_find_everything();

	progress_wipe(reckoning->progress);
	query.first = query.last = sequence;
	return spool_find_forwards(reckoning->standing->find, &query, show_row, &times, error);
}

static bool
is_pending(const struct reckoning *reckoning, uint64_t sequence)
{
	return sequence > reckoning->standing->destinations[reckoning->destination].cursor.sequence;
}

static bool
judge(struct reckoning *reckoning, const struct slice_entry *entry, struct error *error)
{
	if (entry->times > 0) {
		if (reckoning->first_held == 0)
			reckoning->first_held = entry->sequence;
		reckoning->last_held = entry->sequence;
		reckoning->missing_after = 0;
		if (entry->times == 1)
			return true;
		reckoning->copies += entry->times - 1;
		return ++reckoning->duplicated > SHOWN ||
		       show_event(reckoning, entry->sequence, entry->times, error);
	}
	/* it may be on its way: not yet confirmed is not missing */
	if (is_pending(reckoning, entry->sequence))
		return true;
	reckoning->missing++;
	if (reckoning->first_held == 0)
		reckoning->missing_before++;
	else
		reckoning->missing_after++;
	order_add(&reckoning->order, entry->sequence, entry->sequence);
	return show_event(reckoning, entry->sequence, 0, error);
}

/* *more: the ledger goes on behind it. */
static bool
reckon_slice(struct reckoning *reckoning, const struct spool_find_query *range, bool *more,
	     struct error *error)
{
	struct spool_find_query query = *range;

	if (query.first <= reckoning->last)
		query.first = reckoning->last + 1;
	reckoning->count = 0;
	reckoning->at = 0;
	memset(reckoning->places, 0, PLACES * sizeof(*reckoning->places));
	if (!spool_find_forwards(reckoning->standing->find, &query, take_event, reckoning, error) ||
	    !holding_each(reckoning->holding, look_up, reckoning, error))
		return false;
	for (size_t i = 0; i < reckoning->count; i++)
		if (!judge(reckoning, &reckoning->entries[i], error))
			return false;
	*more = reckoning->count == SLICE;
	return true;
}

/* ---- the whole ---- */

static bool
set_query(const struct request *request, struct spool_find_query *query, struct error *error)
{
	int64_t now = deadline_wall();

	*query = spool_find_everything();
	query->first = request->from;
	if (request->to > 0)
		query->last = request->to;
	return show_parse_range(request->since, request->until, now, &query->since, &query->until,
				error);
}

static void
count_unknown(void *context, uint64_t hash, uint64_t line)
{
	struct reckoning *reckoning = context;
	uint64_t at = reckoning->at++;

	(void)hash;
	if ((reckoning->known[at / 8] >> at % 8 & 1) != 0)
		return;
	if (reckoning->unknown++ == 0)
		reckoning->unknown_line = line;
}

static bool
reckon(struct reckoning *reckoning, struct error *error)
{
	struct spool_find_query range;
	uint64_t first, last;
	bool more = true;
	bool done = true;

	if (!set_query(reckoning->request, &range, error) ||
	    !spool_find_range(reckoning->standing->find, &first, &last, error))
		return false;
	first = range.first > first ? range.first : first;
	last = range.last < last ? range.last : last;
	reckoning->first = first;
	reckoning->progress = progress_start("reconcile", last >= first ? last - first + 1 : 0);
	while (done && more)
		done = reckon_slice(reckoning, &range, &more, error);
	progress_end(reckoning->progress);
	if (!done)
		return false;
	reckoning->at = 0;
	return holding_each(reckoning->holding, count_unknown, reckoning, error);
}

/* ---- the report ---- */

static bool
show_gap(void *context, uint64_t first, uint64_t last)
{
	size_t *shown = context;

	if (first == last)
		(void)printf("gap        number %" PRIu64 "\n", first);
	else
		(void)printf("gap        numbers %" PRIu64 " to %" PRIu64 " (%" PRIu64 ")\n", first,
			     last, last - first + 1);
	return ++*shown < SHOWN;
}

static void
report_holding(const struct reckoning *reckoning)
{
	struct holding_counts counts = holding_counts(reckoning->holding);
	size_t shown = 0;

	holding_gaps(reckoning->holding, show_gap, &shown);
	(void)printf("read       %" PRIu64 " lines: %" PRIu64 " events, %" PRIu64
		     " heartbeats, %" PRIu64 " lines without an id\n",
		     counts.lines, counts.ids, counts.heartbeats, counts.without);
	if (counts.lowest > 0)
		(void)printf("numbers    %" PRIu64 " to %" PRIu64 ": %" PRIu64
			     " are not there, %" PRIu64 " more than once\n",
			     counts.lowest, counts.highest, counts.absent, counts.again);
	else
		(void)puts("numbers    none: this format has no place for them, or they were cut");
	if (reckoning->unknown > 0)
		(void)printf("unknown    %" PRIu64 " ids that the ledger does not have in this "
			     "range (pruned, or of another bridge); the first in line %" PRIu64
			     "\n",
			     reckoning->unknown, reckoning->unknown_line);
}

static void
report(const struct reckoning *reckoning)
{
	const char *name = reckoning->request->destination;

	report_holding(reckoning);
	(void)printf("expected   %" PRIu64
		     " events that %s has confirmed and the ledger keeps; %" PRIu64
		     " are under way\n",
		     reckoning->expected, name, reckoning->pending);
	(void)printf("duplicates %" PRIu64 " events, %" PRIu64 " copies too many\n",
		     reckoning->duplicated, reckoning->copies);
	(void)printf("missing    %" PRIu64 "\n", reckoning->missing);
	if (reckoning->missing_before > 0 && reckoning->first_held > 0)
		(void)printf("           %" PRIu64 " of them before the first one that is held "
			     "(%" PRIu64 "): see --from, --since\n",
			     reckoning->missing_before, reckoning->first_held);
	if (reckoning->missing_after > 0)
		(void)printf("           %" PRIu64
			     " of them behind the last one that is held (%" PRIu64
			     "): see --to, --until\n",
			     reckoning->missing_after, reckoning->last_held);
	(void)puts(reckoning->missing == 0 ? "complete   nothing is missing"
					   : "INCOMPLETE see the lines that say missing");
}

static bool
give_order(struct reckoning *reckoning, struct error *error)
{
	const struct request *request = reckoning->request;
	struct order *order = &reckoning->order;
	struct error what;
	struct text name;

	if (!request->replay || reckoning->missing == 0)
		return true;
	error_set(&what, "replay of %" PRIu64 " events to %s", reckoning->missing,
		  request->destination);
	if (request->dry)
		return printf("%s: not ordered\n", what.text) > 0;
	order->action = ORDER_REPLAY;
	order->rate = request->rate;
	text_start(&name, order->destination, sizeof(order->destination) - 1);
	text_append_string(&name, request->destination);
	return request_order_give(reckoning->standing->config->spool.directory, order, what.text,
				  error);
}

/* KiB of all files; 0: not known, as of standard input. */
static uint64_t
size_of(const struct request *request)
{
	uint64_t bytes = 0;
	struct stat status;

	for (size_t i = 0; i < request->file_count; i++) {
		if (stat(request->files[i], &status) != 0 || !S_ISREG(status.st_mode))
			return 0;
		bytes += (uint64_t)status.st_size;
	}
	return bytes / 1024;
}

static bool
read_files(struct reckoning *reckoning, struct error *error)
{
	const struct request *request = reckoning->request;
	struct progress *progress = progress_start("KiB read", size_of(request));
	bool done = true;

	holding_watch(reckoning->holding, progress);
	for (size_t i = 0; done && i < request->file_count; i++)
		done = holding_read(reckoning->holding, request->files[i], error);
	holding_watch(reckoning->holding, NULL);
	progress_end(progress);
	return done;
}

/* *complete: nothing is missing. */
static bool
reconcile(const struct request *request, bool *complete, struct error *error)
{
	struct reckoning reckoning = {.request = request, .holding = holding_new()};
	bool done =
	    standing_open(&reckoning.standing, request->config, error) &&
	    standing_find(reckoning.standing, request->destination, &reckoning.destination, error);

	done = done && read_files(&reckoning, error);
	if (done) {
		reckoning.entries = memory_allocate_array(SLICE, sizeof(*reckoning.entries));
		reckoning.places = memory_allocate_array(PLACES, sizeof(*reckoning.places));
		reckoning.known =
		    memory_allocate((size_t)holding_counts(reckoning.holding).ids / 8 + 1);
		done = reckon(&reckoning, error);
	}
	if (done) {
		report(&reckoning);
		*complete = reckoning.missing == 0;
		done = give_order(&reckoning, error);
	}
	order_free(&reckoning.order);
	free(reckoning.entries);
	free(reckoning.places);
	free(reckoning.known);
	standing_close(reckoning.standing);
	holding_free(reckoning.holding);
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
	    {.name = "rate", .number = &request.rate, .maximum = RATE_HIGHEST},
	    {.name = "replay", .flag = &request.replay},
	    {.name = "dry-run", .flag = &request.dry},
	};
	struct error error;
	bool complete = false;

	(void)command;
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, request.files, FILES,
			  &request.file_count))
		return OPTIONS_WRONG;
	if (request.destination == NULL || request.file_count == 0) {
		(void)options_refuse(argv[0], request.destination == NULL
						  ? "say which --destination"
						  : "say which FILE of the collector; - for "
						    "standard input");
		return OPTIONS_WRONG;
	}
	if (!reconcile(&request, &complete, &error))
		(void)fprintf(stderr, "siembridge reconcile: %s\n", error.text);
	return fflush(stdout) == 0 && complete ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_reconcile = {
    .name = "reconcile",
    .usage = "reconcile [-c FILE] --destination NAME [--since T] [--until T] [--from SEQ]\n"
	     "                            [--to SEQ] [--replay [--rate N] [--dry-run]] FILE...",
    .summary = "what a collector holds against what it was sent",
    .help = "Reads the files of a collector (its lines, or an export of the SIEM; gzip or not; -\n"
	    "for standard input), finds the event ids in them whatever is wrapped around, and\n"
	    "lists what it has confirmed and does not hold, by sequence and id; what it holds\n"
	    "more than once; and gaps in the numbers of the messages.  Exit 1 where anything is\n"
	    "missing.  A gap in the numbers alone may be a heartbeat or a dead letter.\n"
	    "\n"
	    "  -d, --destination NAME\n"
	    "  --since T, --until T  only events received then: 2026-10-01T12:00:00Z, or 7d\n"
	    "  --from N, --to N      only these sequences\n"
	    "  --replay              have what is missing sent again, exactly that\n"
	    "  --rate N              at most N of them a second; default 1000, 0: no limit\n"
	    "  --dry-run             only say how many they are\n"
	    "  -c, --config FILE     configuration; default " OPTIONS_CONFIG_DEFAULT "\n",
    .run = run,
};
