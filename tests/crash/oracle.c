#include "tests/crash/oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/spool/spool_verify.h"

/* What one reading of a directory has seen. */
struct reading {
	const char *directory;
	const struct oracle *oracle;
	uint64_t before;            /* the number of the event before */
	uint64_t seen[ORACLE_MOST]; /* the sequence under which event n is there; 0: it is not */
};

static unsigned long long run;

void
oracle_start(unsigned long long seed)
{
	run = seed;
}

void
oracle_die(const char *what, const char *text, const char *directory)
{
	printf("not ok 1 - %s: %s\n# seed %llu, directory %s\n", what, text, run, directory);
	exit(1);
}

/* ---- events ---- */

void
oracle_make_event(struct spool_event *event, uint64_t number, char *id, char *body)
{
	size_t length = 20 + number * 7919 % (ORACLE_BODY - 20);

	memset(event, 0, sizeof(*event));
	(void)snprintf(id, ORACLE_ID, "id-%08llu", (unsigned long long)number);
	for (size_t i = 0; i < length; i++)
		body[i] = (char)('a' + (number + i * i) % 26);
	event->received_at = 1790856000000 + (int64_t)number;
	event->source = SLICE_LITERAL("anyint");
	event->id = text_of(id);
	event->type = SLICE_LITERAL("key.created");
	event->body = (struct slice){body, length};
	memcpy(event->fingerprints[0], id, 11);
	event->fingerprint_count = 1;
}

/* The number of an event that is what its number says; 0: it is not. */
static uint64_t
number_of(const struct spool_event *event)
{
	char id[ORACLE_ID], body[ORACLE_BODY];
	struct spool_event wanted;
	uint64_t number = 0;

	if (event->id.length != 11 ||
	    !text_parse_unsigned((struct slice){event->id.bytes + 3, 8}, ORACLE_MOST, &number))
		return 0;
	oracle_make_event(&wanted, number, id, body);
	return text_slices_equal(wanted.id, event->id) &&
		       text_slices_equal(wanted.body, event->body)
		   ? number
		   : 0;
}

/* ---- the chain ---- */

static void
on_finding(void *context, const struct spool_verify_finding *finding)
{
	(void)context;
	(void)finding;
}

void
oracle_must_be_whole(const char *directory)
{
	const struct spool_verify_note note = {0};
	const struct spool_verify_calls calls = {.found = on_finding};
	struct spool_verify_report report;
	struct error error;

	if (!spool_verify(directory, &note, &calls, &report, &error))
		oracle_die("verify", error.text, directory);
	if (!spool_verify_is_whole(&report))
		oracle_die("verify", "the ledger is not whole", directory);
}

/* ---- the events of a directory ---- */

static void
read_all(struct reading *reading,
	 void (*take)(struct reading *reading, const struct spool_event *event))
{
	struct spool_reader *reader;
	struct spool_event *events;
	struct arena *arena = arena_new();
	struct error error;
	uint64_t after = 0;
	size_t count;

	if (!spool_reader_open(&reader, reading->directory, &error))
		oracle_die("read", error.text, reading->directory);
	do {
		arena_clear(arena);
		if (!spool_reader_next(reader, after, 50, 1000000, arena, &events, &count, &error))
			oracle_die("read", error.text, reading->directory);
		for (size_t i = 0; i < count; i++) {
			take(reading, &events[i]);
			after = events[i].sequence;
		}
	} while (count > 0);
	spool_reader_close(reader);
	arena_free(arena);
}

static uint64_t
must_be_known(const struct reading *reading, const struct spool_event *event)
{
	uint64_t number = number_of(event);

	if (number == 0 || number > reading->oracle->tried)
		oracle_die("read", "an event is not what was stored", reading->directory);
	return number;
}

static void
take_in_its_place(struct reading *reading, const struct spool_event *event)
{
	uint64_t number = must_be_known(reading, event);
	uint64_t sequence = reading->oracle->sequences[number];

	if (number <= reading->before || !event->intact)
		oracle_die("read", "an event is not what was stored", reading->directory);
	if (sequence != 0 && sequence != event->sequence)
		oracle_die("read", "an event has another sequence", reading->directory);
	reading->seen[number] = event->sequence;
	reading->before = number;
}

static void
take_wherever_it_is(struct reading *reading, const struct spool_event *event)
{
	uint64_t number = must_be_known(reading, event);

	if (event->sequence < reading->oracle->sequences[number])
		oracle_die("read", "an event has an earlier sequence", reading->directory);
	/* one that does not fit the chain becomes a dead letter */
	if (event->intact)
		reading->seen[number] = event->sequence;
}

/* Those behind `delivered`, which may be gone, and that are not seen. */
static void
must_miss_none(const struct reading *reading, uint64_t delivered)
{
	const struct oracle *oracle = reading->oracle;
	char text[64];

	for (uint64_t number = 1; number <= oracle->tried; number++) {
		if (oracle->sequences[number] <= delivered || reading->seen[number] != 0)
			continue;
		(void)snprintf(text, sizeof(text), "event %llu of %llu is lost",
			       (unsigned long long)number, (unsigned long long)oracle->tried);
		oracle_die("read", text, reading->directory);
	}
}

void
oracle_must_hold_all(const char *directory, const struct oracle *oracle)
{
	struct reading reading = {.directory = directory, .oracle = oracle};

	read_all(&reading, take_in_its_place);
	must_miss_none(&reading, oracle->pruned);
}

void
oracle_must_hold_what_is_owed(const char *directory, const struct oracle *oracle)
{
	struct reading reading = {.directory = directory, .oracle = oracle};

	read_all(&reading, take_wherever_it_is);
	must_miss_none(&reading, oracle->pruned > oracle->cursor_tried ? oracle->pruned
								       : oracle->cursor_tried);
}

void
oracle_owe_what_is_shown(const char *directory, struct oracle *oracle)
{
	struct reading reading = {.directory = directory, .oracle = oracle};

	read_all(&reading, take_in_its_place);
	for (uint64_t number = 1; number <= oracle->tried; number++) {
		if (reading.seen[number] == 0)
			continue;
		oracle->sequences[number] = reading.seen[number];
		oracle->highest = reading.seen[number];
	}
}
