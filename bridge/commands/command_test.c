/*
 * One event of our own through all of it, as a sender would post it, and at each hop
 * whether it came that far: answered, in the ledger, confirmed by each destination.
 *
 * Only the daemon writes: what is told of the ledger is read there.
 */
#include "bridge/commands/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bridge/commands/options.h"
#include "bridge/commands/sender.h"
#include "bridge/commands/show.h"
#include "bridge/console/course.h"
#include "bridge/deadline.h"
#include "bridge/spool/standing.h"
#include "formats/json_write.h"
#include "formats/memory.h"

enum {
	PATIENCE_DEFAULT = 30, /* s */
	PATIENCE_LONGEST = 3600,
	LOOK_AGAIN = 20,          /* ms */
	CLOCK_MAY_DIFFER = 60000, /* ms, between when it came and when we began */
	LONGEST_REASON = 512,
	LONGEST_REPORT = 256 * 1024,
};

/* The words of the command line. */
struct request {
	const char *config;
	const char *source; /* NULL: the first one */
	const char *type;
	uint64_t patience; /* s */
	bool json;
};

/* How it went at one hop. */
struct hop {
	bool good;
	bool wanted;          /* of a destination: it is routed there */
	int64_t milliseconds; /* since it was posted; -1: never */
	char reason[LONGEST_REASON];
};

struct trial {
	const struct request *request;
	struct sender sender;
	struct sender_message message;
	struct standing *standing;
	int64_t began;    /* monotonic ms */
	int64_t began_at; /* ms since 1970 */
	uint64_t sequence;
	int status; /* of HTTP; 0: no answer */
	struct hop accepted;
	struct hop stored;
	struct hop *destinations; /* as configured */
};

static void
tell(struct hop *hop, bool good, const struct trial *trial, const char *reason)
{
	struct text text;

	hop->good = good;
	hop->milliseconds = deadline_now() - trial->began;
	text_start(&text, hop->reason, sizeof(hop->reason) - 1);
	text_append_string(&text, reason);
	if (text.overflowed) /* cut, rather than nothing */
		text_append(&text, reason, sizeof(hop->reason) - 1 - text.length);
	hop->reason[text.length] = '\0';
}

static bool
is_late(const struct trial *trial)
{
	return deadline_now() - trial->began > (int64_t)trial->request->patience * 1000;
}

static void
pause_a_moment(void)
{
	const struct timespec moment = {0, LOOK_AGAIN * 1000000L};

	(void)nanosleep(&moment, NULL);
}

/* ---- accepted ---- */

/* The answer's words, on one line. */
static void
tell_refusal(struct trial *trial, const struct http_client_answer *answer)
{
	char bytes[LONGEST_REASON];
	struct text text;

	text_start(&text, bytes, sizeof(bytes) - 1);
	text_append_format(&text, "answered %d ", answer->status);
	for (size_t i = 0; i < answer->body.length && !text.overflowed; i++) {
		char byte = answer->body.bytes[i];

		text_append_byte(&text, byte >= 0x20 && byte < 0x7f ? byte : ' ');
	}
	bytes[text.length] = '\0';
	tell(&trial->accepted, false, trial, bytes);
}

static bool
post(struct trial *trial, struct error *error)
{
	const struct sender_order order = {trial->request->type, NULL, NULL, "test_"};
	struct http_client_answer answer;
	struct error reason;

	if (!sender_make(&trial->sender, &order, &trial->message, error))
		return false;
	trial->began = deadline_now();
	trial->began_at = deadline_wall();
	if (!sender_post(&trial->sender, &trial->message, &answer, &reason)) {
		error_set(error, "%s; does the daemon run?", reason.text);
		tell(&trial->accepted, false, trial, error->text);
		return true;
	}
	trial->status = answer.status;
	if (answer.status < 200 || answer.status > 299)
		tell_refusal(trial, &answer);
	else
		tell(&trial->accepted, true, trial, "");
	return true;
}

/* ---- stored ---- */

struct finding {
	const struct trial *trial;
	uint64_t sequences[64]; /* that it may be */
	size_t count;
};

static bool
note_candidate(void *context, const struct spool_event *event)
{
	struct finding *finding = context;

	finding->sequences[finding->count++] = event->sequence;
	return finding->count < sizeof(finding->sequences) / sizeof(finding->sequences[0]);
}

/* The id in its body is its own; which id it is kept under depends on the source. */
static bool
find(struct trial *trial, struct error *error)
{
	struct spool_find_query query = spool_find_everything();
	struct finding finding = {.trial = trial};

	query.source = text_of(trial->sender.source->name);
	query.since = trial->began_at - CLOCK_MAY_DIFFER;
	if (!spool_find_backwards(trial->standing->find, &query, note_candidate, &finding, error))
		return false;
	for (size_t i = 0; i < finding.count && trial->sequence == 0; i++) {
		const struct standing_event *read;

		if (!standing_read(trial->standing, finding.sequences[i], &read, error))
			return false;
		if (read->stored != NULL &&
		    memmem(read->stored->body.bytes, read->stored->body.length,
			   trial->message.body_id, strlen(trial->message.body_id)) != NULL)
			trial->sequence = finding.sequences[i];
	}
	return true;
}

static bool
follow_into_ledger(struct trial *trial, struct error *error)
{
	struct error why;

	if (!standing_open_with(&trial->standing, trial->sender.config, &why)) {
		tell(&trial->stored, false, trial, why.text);
		return true;
	}
	for (;;) {
		if (!find(trial, error))
			return false;
		if (trial->sequence != 0) {
			tell(&trial->stored, true, trial, "");
			return true;
		}
		/* it was durable before the answer: what is not there now does not come */
		tell(&trial->stored, false, trial,
		     "it is not in the spool: the source does not subscribe to this type "
		     "(sources[].events), or the daemon runs with another spool.directory");
		if (deadline_now() - trial->began > trial->accepted.milliseconds + 1000)
			return true;
		pause_a_moment();
	}
}

/* ---- each destination ---- */

static void
write_globs(const struct config_destination *destination, struct text *text)
{
	text_append_string(text, "not routed: it wants ");
	for (unsigned i = 0; i < destination->events_count; i++) {
		text_append_string(text, i > 0 ? ", " : "");
		text_append_string(text, destination->events[i]);
	}
	text_append_string(text, "; --type names another");
}

/* True where nothing more is to be waited for. */
static bool
judge(struct trial *trial, size_t i, const struct course *course)
{
	struct hop *hop = &trial->destinations[i];
	char bytes[LONGEST_REASON];
	struct text text;

	hop->wanted = course->status != STANDING_NOT_ROUTED;
	text_start(&text, bytes, sizeof(bytes) - 1);
	switch (course->status) {
	case STANDING_DELIVERED:
		break;
	case STANDING_NOT_ROUTED:
		write_globs(trial->standing->destinations[i].configuration, &text);
		break;
	case STANDING_DEAD:
		text_append_format(&text, "dead letter %" PRIu64 ": ", course->number);
		text_append_slice(&text, course->reason);
		break;
	default:
		if (course->trouble.failures > 0)
			text_append_format(&text, "not confirmed: %s", course->trouble.text);
		else
			text_append_format(&text,
					   "not confirmed within %" PRIu64
					   " s; siembridge status tells how it is",
					   trial->request->patience);
		break;
	}
	bytes[text.length] = '\0';
	tell(hop, course->status == STANDING_DELIVERED || course->status == STANDING_NOT_ROUTED,
	     trial, bytes);
	if (course->status != STANDING_DELIVERED)
		hop->milliseconds = -1;
	return course->status != STANDING_PENDING;
}

/* *open: how many have it still to come. */
static bool
look(struct trial *trial, bool *settled, size_t *open, struct error *error)
{
	const struct standing_event *read;

	*open = 0;
	if (!standing_refresh(trial->standing, error) ||
	    !standing_read(trial->standing, trial->sequence, &read, error))
		return false;
	if (read->stored == NULL)
		return error_set(error, "sequence %" PRIu64 " is gone from the spool",
				 trial->sequence);
	for (size_t i = 0; i < trial->standing->count; i++) {
		struct course course;

		if (settled[i])
			continue;
		if (!course_find(trial->standing, read->stored, i, &course, error))
			return false;
		settled[i] = judge(trial, i, &course);
		if (!settled[i])
			(*open)++;
	}
	return true;
}

static bool
follow_to_destinations(struct trial *trial, struct error *error)
{
	bool *settled = memory_allocate_array(trial->standing->count, sizeof(*settled));
	size_t open = 1;
	bool done = true;

	while (done && open > 0) {
		done = look(trial, settled, &open, error);
		if (is_late(trial))
			break;
		if (done && open > 0)
			pause_a_moment();
	}
	free(settled);
	return done;
}

/* ---- the report ---- */

static bool
is_good(const struct trial *trial)
{
	bool good = trial->accepted.good && trial->stored.good;

	for (unsigned i = 0; good && i < trial->sender.config->destinations_count; i++)
		good = trial->destinations[i].good;
	return good;
}

static void
print_hop(const char *name, const struct hop *hop, const char *what)
{
	(void)printf("%-20s %-6s ", name, hop->good ? "ok" : "FAILED");
	if (hop->milliseconds >= 0)
		(void)printf("%6" PRId64 " ms  ", hop->milliseconds);
	else
		(void)printf("%6s     ", "");
	if (hop->reason[0] != '\0')
		show_text(text_of(hop->reason));
	else
		(void)fputs(what, stdout);
	(void)putchar('\n');
}

static void
print_report(const struct trial *trial)
{
	char what[64];

	(void)printf("%s %s of source %s to %s\n", trial->request->type, trial->message.body_id,
		     trial->sender.source->name, trial->sender.url);
	(void)snprintf(what, sizeof(what), "answered %d", trial->status);
	print_hop("accepted", &trial->accepted, what);
	if (!trial->accepted.good)
		return;
	(void)snprintf(what, sizeof(what), "sequence %" PRIu64, trial->sequence);
	print_hop("stored", &trial->stored, what);
	for (unsigned i = 0; trial->stored.good && i < trial->sender.config->destinations_count;
	     i++)
		print_hop(trial->sender.config->destinations[i].name, &trial->destinations[i],
			  "confirmed");
}

static struct json_node *
hop_object(const struct hop *hop)
{
	struct json_node *object = json_write_object();

	json_write_boolean(object, "ok", hop->good);
	if (hop->milliseconds >= 0)
		json_write_number(object, "milliseconds", hop->milliseconds);
	if (hop->reason[0] != '\0')
		json_write_text(object, "reason", text_of(hop->reason));
	return object;
}

static struct json_node *
destinations_array(const struct trial *trial)
{
	struct json_node *array = json_write_array();

	for (unsigned i = 0; i < trial->sender.config->destinations_count; i++) {
		const struct hop *hop = &trial->destinations[i];
		struct json_node *object = hop_object(hop);

		json_write_text(object, "name",
				text_of(trial->sender.config->destinations[i].name));
		json_write_boolean(object, "routed", hop->wanted);
		json_write_boolean(object, "confirmed", hop->good && hop->wanted);
		json_write_element(array, object);
	}
	return array;
}

static void
print_json(const struct trial *trial)
{
	char *bytes = memory_allocate(LONGEST_REPORT);
	struct json_node *object = json_write_object(), *hop;
	struct text text;

	json_write_boolean(object, "ok", is_good(trial));
	json_write_text(object, "type", text_of(trial->request->type));
	json_write_text(object, "id", text_of(trial->message.body_id));
	json_write_text(object, "source", text_of(trial->sender.source->name));
	json_write_text(object, "url", text_of(trial->sender.url));
	hop = hop_object(&trial->accepted);
	if (trial->status != 0)
		json_write_number(hop, "status", trial->status);
	json_write_child(object, "accepted", hop);
	if (trial->accepted.good) {
		hop = hop_object(&trial->stored);
		if (trial->sequence != 0)
			json_write_number(hop, "sequence", (int64_t)trial->sequence);
		json_write_child(object, "stored", hop);
	}
	if (trial->accepted.good && trial->stored.good)
		json_write_child(object, "destinations", destinations_array(trial));
	text_start(&text, bytes, LONGEST_REPORT);
	json_write_finish(object, &text);
	(void)printf("%.*s\n", (int)text.length, text.bytes);
	free(bytes);
}

static bool
try(struct trial *trial, struct error *error)
{
	const struct request *request = trial->request;

	if (!sender_open(&trial->sender, request->config, request->source,
			 (int64_t)request->patience * 1000, error))
		return false;
	trial->destinations = memory_allocate_array(trial->sender.config->destinations_count,
						    sizeof(*trial->destinations));
	if (!post(trial, error) || (trial->accepted.good && !follow_into_ledger(trial, error)) ||
	    (trial->stored.good && !follow_to_destinations(trial, error)))
		return false;
	if (request->json)
		print_json(trial);
	else
		print_report(trial);
	return true;
}

static int
run(const struct command *command, int argc, char **argv)
{
	struct request request = {
	    .config = OPTIONS_CONFIG_DEFAULT, .type = "key.created", .patience = PATIENCE_DEFAULT};
	const struct options_row rows[] = {
	    {.name = "config", .letter = 'c', .text = &request.config},
	    {.name = "source", .text = &request.source},
	    {.name = "type", .text = &request.type},
	    {.name = "timeout", .number = &request.patience, .maximum = PATIENCE_LONGEST},
	    {.name = "json", .flag = &request.json},
	};
	struct trial *trial;
	struct error error;
	size_t words;
	bool done, good;

	(void)command;
	if (!options_read(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, NULL, 0, &words))
		return OPTIONS_WRONG;
	if (!sender_is_type(request.type)) {
		(void)options_refuse(argv[0], "a type is made of A-Z a-z 0-9 . _ -");
		return OPTIONS_WRONG;
	}
	if (request.patience == 0) {
		(void)options_refuse(argv[0], "--timeout is at least 1");
		return OPTIONS_WRONG;
	}
	trial = memory_allocate(sizeof(*trial));
	trial->request = &request;
	done = try(trial, &error);
	good = done && is_good(trial);
	if (!done)
		(void)fprintf(stderr, "siembridge test: %s\n", error.text);
	standing_close(trial->standing);
	free(trial->destinations);
	sender_close(&trial->sender);
	free(trial);
	return good && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_test = {
    .name = "test",
    .usage = "test [-c FILE] [--source NAME] [--type TYPE] [--timeout SECONDS] [--json]",
    .summary = "send an event through the running bridge and say how far it comes",
    .help = "Posts a signed sample to the bridge that runs with this configuration and says\n"
	    "of each hop how long it took, or why it failed: accepted by the receiver, stored\n"
	    "in the spool, confirmed by each destination that wants events of this type.  The\n"
	    "event is real to whoever gets it; its id begins with test_.  Exit 1 where a hop\n"
	    "failed.  Past the spool, to one destination: siembridge probe.\n"
	    "\n"
	    "  -c, --config FILE  configuration; default " OPTIONS_CONFIG_DEFAULT "\n"
	    "  --source NAME      which source to be; default the first\n"
	    "  --type TYPE        default key.created, which pages nobody by default\n"
	    "  --timeout SECONDS  to wait for confirmations; default 30\n"
	    "  --json             a JSON object\n",
    .run = run,
};
