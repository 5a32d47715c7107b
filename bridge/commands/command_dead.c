/*
 * siembridge dead: what could not be delivered, and what is to become of it.
 *
 * Two kinds in one list: dead letters of a destination, numbered 1, 2, ...; and bodies
 * with a good signature that are no events, numbered r1, r2, ...
 */
#include "bridge/commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/commands/event_page.h"
#include "bridge/commands/options.h"
#include "bridge/commands/request_order.h"
#include "bridge/commands/show.h"
#include "formats/json_write.h"
#include "formats/mask.h"
#include "formats/memory.h"
#include "formats/timestamp.h"

enum { MOST_WORDS = 256, LINE_CAPACITY = 64 * 1024, TIME_CAPACITY = 40 };

/* The words of the command line. */
struct request {
	const char *config;
	const char *destination;
	const char *reason;
	uint64_t rate;
	bool all;
	bool json;
	const char *words[MOST_WORDS]; /* list, show ...; then numbers */
	size_t word_count;
};

/* One that was chosen. */
struct choice {
	bool rejected;
	uint64_t number;
	uint64_t sequence;  /* of a dead letter */
	size_t destination; /* index; of a dead letter */
	bool known;         /* its destination is configured */
};

struct work {
	const struct request *request;
	struct standing *standing;
	struct arena *arena;
	struct choice *choices;
	size_t count, capacity;
	bool rejected_too; /* all of them are chosen */
};

/* ---- choosing ---- */

static void
choose(struct work *work, struct choice choice)
{
	if (work->count == work->capacity) {
		work->capacity = work->capacity * 2 + 64;
		work->choices =
		    memory_resize_array(work->choices, work->capacity, sizeof(*work->choices));
	}
	work->choices[work->count++] = choice;
}

static bool
choose_letter(void *context, const struct delivery_view_letter *letter)
{
	struct work *work = context;
	struct choice choice = {.number = letter->number, .sequence = letter->dead.sequence};

	for (size_t i = 0; i < work->standing->count; i++)
		if (text_slice_is(letter->destination,
				  work->standing->destinations[i].configuration->name)) {
			choice.destination = i;
			choice.known = true;
		}
	choose(work, choice);
	return true;
}

static bool
choose_rejected(void *context, const struct spool_rejected *rejected)
{
	choose(context, (struct choice){.rejected = true, .number = rejected->number});
	return true;
}

/* "17" or "r3". */
static bool
choose_word(struct work *work, const char *word, struct error *error)
{
	bool rejected = word[0] == 'r';
	size_t before = work->count;
	uint64_t number;

	if (!text_parse_unsigned(text_of(rejected ? word + 1 : word), INT64_MAX, &number) ||
	    number == 0)
		return error_set(error, "%.60s is no number of `siembridge dead list`", word);
	if (rejected
		? !spool_find_rejected(work->standing->find, number, choose_rejected, work, error)
		: !delivery_view_dead(work->standing->view, NULL, number, 0, choose_letter, work,
				      error))
		return false;
	return work->count > before || error_set(error, "there is no dead letter %s", word);
}

static bool
choose_all(struct work *work, struct error *error)
{
	const struct request *request = work->request;
	size_t index;

	if (request->destination != NULL &&
	    !standing_find(work->standing, request->destination, &index, error))
		return false;
	for (size_t i = 1; i < request->word_count; i++)
		if (!choose_word(work, request->words[i], error))
			return false;
	if (!request->all && request->destination == NULL)
		return work->count > 0 ||
		       error_set(error, "say which: numbers, --all, or --destination NAME");
	if (!delivery_view_dead(work->standing->view, request->destination, 0, 0, choose_letter,
				work, error))
		return false;
	return !work->rejected_too || request->destination != NULL ||
	       spool_find_rejected(work->standing->find, 0, choose_rejected, work, error);
}

/* ---- list ---- */

static struct slice
time_text(struct work *work, int64_t milliseconds)
{
	struct text text;

	text_start(&text, arena_allocate(work->arena, TIME_CAPACITY), TIME_CAPACITY);
	timestamp_write_rfc3339(&text, milliseconds);
	return text_slice(&text);
}

/* What a line of the list says. */
struct row {
	const char *prefix; /* of the number */
	uint64_t number;
	int64_t at;
	struct slice where; /* destination, or source of a rejected body */
	uint64_t sequence;  /* 0: it is no event */
	struct slice type, id, reason;
	bool in_hand; /* a replay has it */
};

static void
print_object(struct work *work, const struct row *row)
{
	char bytes[LINE_CAPACITY], number[32];
	struct json_node *object = json_write_object();
	struct text text;

	text_start(&text, number, sizeof(number));
	text_append_string(&text, row->prefix);
	text_append_unsigned(&text, row->number);
	json_write_text(object, "number", text_slice(&text));
	json_write_text(object, "at", time_text(work, row->at));
	json_write_text(object, row->sequence > 0 ? "destination" : "source", row->where);
	if (row->sequence > 0)
		json_write_number(object, "sequence", (int64_t)row->sequence);
	json_write_text(object, "type", row->type);
	json_write_text(object, "id", row->id);
	json_write_text(object, "reason", row->reason);
	json_write_boolean(object, "in_replay", row->in_hand);
	text_start(&text, bytes, sizeof(bytes));
	json_write_finish(object, &text);
	if (!text.overflowed)
		(void)printf("%.*s\n", (int)text.length, text.bytes);
}

static void
print_row(struct work *work, const struct row *row)
{
	if (work->request->json) {
		print_object(work, row);
		return;
	}
	(void)printf("%s%" PRIu64 "  ", row->prefix, row->number);
	show_time(row->at);
	(void)fputs("  ", stdout);
	show_text(row->where);
	if (row->sequence > 0) {
		(void)fputs("  ", stdout);
		show_text(row->type);
		(void)fputs("  ", stdout);
		show_text(row->id);
	}
	(void)fputs(row->in_hand ? "  (in a replay) " : "  ", stdout);
	show_text(row->reason);
	(void)putchar('\n');
}

static bool
list_letter(void *context, const struct delivery_view_letter *letter)
{
	struct work *work = context;
	const struct row row = {
	    .prefix = "",
	    .number = letter->number,
	    .at = letter->dead.died_at,
	    .where = letter->destination,
	    .sequence = letter->dead.sequence,
	    .type = letter->dead.type,
	    .id = mask_text(letter->dead.id, &work->standing->config->mask.settings, work->arena),
	    .reason = letter->dead.reason,
	    .in_hand = letter->replay != 0,
	};

	print_row(work, &row);
	arena_clear(work->arena);
	return true;
}

static bool
list_rejected(void *context, const struct spool_rejected *rejected)
{
	const struct row row = {
	    .prefix = "r",
	    .number = rejected->number,
	    .at = rejected->received_at,
	    .where = rejected->source,
	    .reason = rejected->reason,
	};
	struct work *work = context;

	print_row(work, &row);
	arena_clear(work->arena);
	return true;
}

static bool
list(struct work *work, struct error *error)
{
	const char *destination = work->request->destination;
	size_t index;

	if (destination != NULL && !standing_find(work->standing, destination, &index, error))
		return false;
	return delivery_view_dead(work->standing->view, destination, 0, 0, list_letter, work,
				  error) &&
	       (destination != NULL ||
		spool_find_rejected(work->standing->find, 0, list_rejected, work, error));
}

/* ---- show ---- */

static bool
show_rejected(void *context, const struct spool_rejected *rejected)
{
	struct work *work = context;

	(void)printf("number    r%" PRIu64 "\nsource    ", rejected->number);
	show_text(rejected->source);
	(void)fputs("\nreceived  ", stdout);
	show_time(rejected->received_at);
	(void)printf("\ntimes     %" PRIu64, rejected->times);
	(void)fputs("\nreason    ", stdout);
	show_text(rejected->reason);
	(void)puts("\nevidence");
	event_page_evidence(rejected->evidence);
	(void)puts("body");
	event_page_body(rejected->body, work->standing, work->arena);
	return false;
}

static bool
show_choice(struct work *work, const struct choice *choice, struct error *error)
{
	const struct event_page page = {work->standing, work->request->json};

	if (choice->rejected)
		return spool_find_rejected(work->standing->find, choice->number, show_rejected,
					   work, error);
	return event_page_whole(&page, choice->sequence, error);
}

static bool
show(struct work *work, struct error *error)
{
	if (!choose_all(work, error))
		return false;
	for (size_t i = 0; i < work->count; i++)
		if (!show_choice(work, &work->choices[i], error))
			return false;
	return true;
}

/* ---- replay ---- */

static int
compare_sequences(const void *left, const void *right)
{
	const struct choice *a = left, *b = right;

	return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

/* One order for what of the choice is that destination's and still kept. */
static bool
replay_to(struct work *work, size_t destination, uint64_t first_kept, struct error *error)
{
	const char *name = work->standing->destinations[destination].configuration->name;
	struct order order = {.action = ORDER_REPLAY, .rate = work->request->rate};
	struct text text;
	struct error what;
	size_t count = 0;
	bool done = true;

	text_start(&text, order.destination, sizeof(order.destination) - 1);
	text_append_string(&text, name);
	for (size_t i = 0; i < work->count; i++) {
		const struct choice *choice = &work->choices[i];

		if (choice->rejected || !choice->known || choice->destination != destination)
			continue;
		if (choice->sequence < first_kept) {
			(void)printf("dead letter %" PRIu64 ": its event is no longer kept\n",
				     choice->number);
			continue;
		}
		order_add(&order, choice->sequence, choice->sequence);
		count++;
	}
	if (count > 0)
		done = config_takes_replays(work->standing->destinations[destination].configuration,
					    error);
	if (count > 0 && done) {
		error_set(&what, "replay of %zu dead letter(s) to %s", count, name);
		done = request_order_give(work->standing->config->spool.directory, &order,
					  what.text, error);
	}
	order_free(&order);
	return done;
}

static bool
replay(struct work *work, struct error *error)
{
	uint64_t first, last;

	if (!choose_all(work, error) ||
	    !spool_find_range(work->standing->find, &first, &last, error))
		return false;
	for (size_t i = 0; i < work->count; i++) {
		if (work->choices[i].rejected)
			return error_set(error,
					 "r%" PRIu64 " is no event: it cannot be sent anywhere",
					 work->choices[i].number);
		if (!work->choices[i].known)
			(void)printf("dead letter %" PRIu64
				     ": its destination is no longer configured\n",
				     work->choices[i].number);
	}
	if (work->count > 0)
		qsort(work->choices, work->count, sizeof(*work->choices), compare_sequences);
	for (size_t i = 0; i < work->standing->count; i++)
		if (!replay_to(work, i, first, error))
			return false;
	return true;
}

/* ---- drop ---- */

static int
compare_numbers(const void *left, const void *right)
{
	const struct choice *a = left, *b = right;

	return (a->number > b->number) - (a->number < b->number);
}

static bool
drop_kind(struct work *work, bool rejected, struct error *error)
{
	struct order order = {.action = rejected ? ORDER_DROP_REJECTED : ORDER_DROP};
	struct text reason;
	struct error what;
	size_t count = 0;
	bool done = true;

	text_start(&reason, order.reason, sizeof(order.reason) - 1);
	text_append_string(&reason, work->request->reason);
	for (size_t i = 0; i < work->count; i++)
		if (work->choices[i].rejected == rejected) {
			order_add(&order, work->choices[i].number, work->choices[i].number);
			count++;
		}
	if (reason.overflowed) {
		done = error_set(error, "the reason is longer than %d bytes", ORDER_REASON - 1);
	} else if (count > 0) {
		error_set(&what, "dropping %zu %s", count,
			  rejected ? "rejected bodies" : "dead letter(s)");
		done = request_order_give(work->standing->config->spool.directory, &order,
					  what.text, error);
	}
	order_free(&order);
	return done;
}

static bool
drop(struct work *work, struct error *error)
{
	if (work->request->reason == NULL || work->request->reason[0] == '\0')
		return error_set(error, "say why: --reason TEXT; it is kept for good");
	work->rejected_too = true;
	if (!choose_all(work, error))
		return false;
	if (work->count > 0)
		qsort(work->choices, work->count, sizeof(*work->choices), compare_numbers);
	return drop_kind(work, false, error) && drop_kind(work, true, error);
}

/* ---- the command ---- */

static const struct verb {
	const char *name;
	bool (*run)(struct work *work, struct error *error);
} verbs[] = {{"list", list}, {"show", show}, {"replay", replay}, {"drop", drop}};

static bool
read_request(struct request *request, int argc, char **argv)
{
	const struct options_row rows[] = {
	    {.name = "config", .letter = 'c', .text = &request->config},
	    {.name = "destination", .letter = 'd', .text = &request->destination},
	    {.name = "reason", .text = &request->reason},
	    {.name = "rate", .number = &request->rate, .maximum = UINT32_MAX},
	    {.name = "all", .flag = &request->all},
	    {.name = "json", .flag = &request->json},
	};

	*request = (struct request){.config = OPTIONS_CONFIG_DEFAULT};
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, request->words,
			  MOST_WORDS, &request->word_count))
		return false;
	return request->word_count > 0 ||
	       options_refuse(argv[0], "say what to do: list, show, replay or drop");
}

static bool
carry_out(const struct request *request, const struct verb *verb, struct error *error)
{
	struct work work = {.request = request};
	bool done;

	if (!standing_open(&work.standing, request->config, error))
		return false;
	work.arena = arena_new();
	done = verb->run(&work, error) && (fflush(stdout) == 0 || error_set_errno(error, "stdout"));
	arena_free(work.arena);
	free(work.choices);
	standing_close(work.standing);
	return done;
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct request request;
	struct error error;

	(void)command;
	if (!read_request(&request, argc, argv))
		return OPTIONS_WRONG;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(request.words[0], verbs[i].name) != 0)
			continue;
		if (carry_out(&request, &verbs[i], &error))
			return EXIT_SUCCESS;
		(void)fprintf(stderr, "siembridge dead: %s\n", error.text);
		return EXIT_FAILURE;
	}
	(void)options_refuse(argv[0], "%s is not list, show, replay or drop", request.words[0]);
	return OPTIONS_WRONG;
}

const struct command command_dead = {
    .name = "dead",
    .usage =
	"dead list   [-c FILE] [--destination NAME] [--json]\n"
	"       siembridge dead show   N... [-c FILE] [--json]\n"
	"       siembridge dead replay N... | --all | --destination NAME [--rate N] [-c FILE]\n"
	"       siembridge dead drop   N... | --all | --destination NAME --reason TEXT [-c FILE]",
    .summary = "what could not be delivered: list, show, replay, drop",
    .help = "A dead letter is an event that one destination can never take as it is: it cannot be\n"
	    "read, is too long, or was refused for good.  The others got it.  A rejected body\n"
	    "(r1, r2, ...) had a good signature and is no event.\n"
	    "\n"
	    "  list    number, when, destination (or source), type, id, reason\n"
	    "  show    all that is known of it, the body too\n"
	    "  replay  send it again, as siembridge replay does; a letter goes when it arrived\n"
	    "  drop    give it up; who did it, when and why is kept\n"
	    "\n"
	    "  --all                   all of them; of a destination with -d, --destination NAME\n"
	    "  --reason TEXT           why it is dropped\n"
	    "  --rate N                at most N a second; default 0: no limit\n"
	    "  --json                  a JSON object a line\n"
	    "  -c, --config FILE       configuration; default " OPTIONS_CONFIG_DEFAULT "\n",
    .run = run,
};
