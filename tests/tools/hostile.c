/*
 * Events as an attacker would have them, each written by one format: what the property
 * tests (tests/integration/test_hostile.py) give to parsers that are not ours.
 *
 *   hostile FORMAT COUNT SEED FILE
 *
 * FILE gets a message an event, each with "\n" behind it; where FORMAT ends in
 * "+syslog", the whole syslog message, framed by octet counting.  The format "events" is
 * the event as it was before, a JSON object written here and not by formats/json_write.c.
 * The same seed gives the same events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/catalogue.h"
#include "formats/format.h"
#include "formats/memory.h"
#include "formats/utf8.h"

enum {
	LONGEST_VALUE = 1 << 20,
	LONGEST_MESSAGE = 2048,
	ROOM = 8 << 20, /* for all values of an event */
	ID_LENGTH = 255,
	ONE_IN = 50000, /* values is of LONGEST_VALUE bytes */
};

static uint64_t state; /* of the generator: xorshift64* */

static const char *const words[] = {
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "  ",
    "|",
    "=",
    "\\",
    "]",
    "[",
    "\"",
    "'",
    "^",
    "_",
    "\\n",
    "\\\\",
    "\\=",
    "\\|",
    "\\]",
    "\\\"",
    "C:\\new\\",
    "] [fake@1 a=\"b\"",
    " src=1.2.3.4 act\\=deny",
    "\n<13>1 - - - - - - x",
    "CEF:0|a|b|c|d|e|5|",
    "LEEF:1.0|a|",
    "@cee: {",
    "\"}",
    "{\"a\":1}",
    "\\u0041",
    "<109>Oct  1 12:00:00 gw1 x: y",
    "\x01",
    "\x1b[31m",
    "\x7f",
    "\xC2\x85",
    "\xC2\x9B",
    "\xC2\xA0",
    "\xE2\x80\xA8",
    "\xE2\x80\xA9",
    "\xE2\x80\xAE",
    "\xE2\x81\xA6",
    "\xEF\xBB\xBF",
    "\xEF\xBF\xBD",
    "\xC3\xA9",
    "\xE2\x82\xAC",
    "\xF0\x9F\x98\x80",
    "\xF3\xA0\x81\x81",
    "e\xCC\x81",
    "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
    "%s%n",
    "#012",
    "&amp;",
    "cs1Label=src",
    ",",
    ";",
    ":",
    "/",
    "a",
    "value",
    "key=value",
    "x y",
    "0",
    "-",
    "null",
};

static const char *const numbers[] = {
    "0",   "-1", "8000000", "999999999999999", "12345678901234567890123456789",
    "1.5", "-0", "0.10",    "1e400",           "NaN",
    "007", "1.", "1,000",   "-12.25",          "999999999999999999",
    "",
};

static const char *const addresses[] = {
    "203.0.113.7",      "203.0.113.7:443",  "2001:db8::7", "[2001:db8::7]:8443", "unknown",
    "1.2.3.4 act=deny", "::ffff:192.0.2.1", "256.1.1.1",   "203.0.113.7|x",
};

static uint64_t
draw(uint64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * UINT64_C(2685821657736338717) >> 16) % below;
}

static void
append_words(struct text *text, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		text_append_string(text, words[draw(sizeof(words) / sizeof(words[0]))]);
}

/* Of a few words mostly; sometimes as long as a limit, seldom as long as there is. */
static struct slice
draw_value(struct text *room, size_t longest)
{
	size_t start = room->length;
	uint64_t kind = draw(100);

	if (longest == LONGEST_VALUE && draw(ONE_IN) == 0) {
		const char *word = words[draw(sizeof(words) / sizeof(words[0]))];

		while (room->length - start + strlen(word) < longest)
			text_append_string(room, word);
	} else if (kind < 2) {
		append_words(room, 50 + draw(250));
	} else {
		append_words(room, 1 + draw(6));
	}
	return utf8_cut((struct slice){room->bytes + start, room->length - start}, longest);
}

static bool
is_number(enum event_field field)
{
	return field == FIELD_USAGE_VALUE || field == FIELD_USAGE_LIMIT ||
	       field == FIELD_USAGE_PERCENT || field == FIELD_INVOICE_AMOUNT;
}

static struct slice
draw_field(enum event_field field, struct text *room)
{
	if (field == FIELD_ACTOR_IP)
		return text_of(addresses[draw(sizeof(addresses) / sizeof(addresses[0]))]);
	if (is_number(field))
		return text_of(numbers[draw(sizeof(numbers) / sizeof(numbers[0]))]);
	return draw_value(room, LONGEST_VALUE);
}

static void
take_type(struct event *event, struct text *room)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789._-";
	size_t rows = 0, row, start = room->length;

	while (catalogue_at(rows) != NULL)
		rows++;
	row = draw(rows);
	event->fields[FIELD_TYPE] = text_of(catalogue_at(row)->type);
	if (strchr(catalogue_at(row)->type, '*') != NULL) {
		text_append_string(room, row + 1 == rows ? "x" : "security.");
		for (uint64_t i = 1 + draw(100); i > 0; i--)
			text_append_byte(room, letters[draw(sizeof(letters) - 1)]);
		event->fields[FIELD_TYPE] =
		    (struct slice){room->bytes + start, room->length - start};
	}
	event->entry = catalogue_find(event->fields[FIELD_TYPE]);
	event->severity = event->entry->severity;
	event->family = text_of(catalogue_family_name(event->entry->family));
	event->action = text_of(event->entry->action);
	event->outcome = text_of(event->entry->outcome);
}

static void
make_event(struct event *event, struct text *room)
{
	*event = (struct event){.occurred_at = (int64_t)(946684800000 + draw(3155760000000))};
	text_cut(room, 0);
	take_type(event, room);
	for (enum event_field field = 0; field < EVENT_FIELDS; field++)
		if (field != FIELD_TYPE && field != FIELD_OUTCOME && field != FIELD_ACTION &&
		    field != FIELD_TIME && draw(100) < 14)
			event->fields[field] = draw_field(field, room);
	event->id = draw_value(room, ID_LENGTH);
	event->source = text_of("hostile");
	event->name = event->entry->name != NULL && !event->entry->name_of_body
			  ? text_of(event->entry->name)
			  : draw_value(room, LONGEST_VALUE);
	event->replayed = draw(50) == 0;
}

/* ---- the event as it was ---- */

static void
print_text(FILE *file, const char *name, struct slice text)
{
	if (text.bytes == NULL)
		return;
	(void)fprintf(file, ",\"%s\":\"", name);
	for (size_t i = 0; i < text.length; i++) {
		unsigned char byte = (unsigned char)text.bytes[i];

		if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7F)
			(void)fprintf(file, "\\u%04x", byte);
		else
			(void)putc_unlocked(byte, file);
	}
	(void)putc('"', file);
}

static void
print_event(FILE *file, const struct event *event, uint32_t number)
{
	(void)fprintf(file, "{\"number\":%u,\"time\":%lld,\"replayed\":%s", number,
		      (long long)event->occurred_at, event->replayed ? "true" : "false");
	print_text(file, "severity", text_of(severity_row(event->severity)->name));
	print_text(file, "event id", event->id);
	print_text(file, "name", event->name);
	print_text(file, "family", event->family);
	print_text(file, "action", event->action);
	print_text(file, "outcome", event->outcome);
	for (enum event_field field = 0; field < EVENT_FIELDS; field++)
		if (field != FIELD_ACTION && field != FIELD_OUTCOME && field != FIELD_SEVERITY_WORD)
			print_text(file, event_field_name(field), event->fields[field]);
	(void)fputs("}\n", file);
}

/* ---- the messages ---- */

struct output {
	const struct format *format;
	struct format_options options;
	bool syslog;
	FILE *file;
	struct text message;
};

static void
print_message(struct output *output, const struct event *event, uint32_t number)
{
	struct text *message = &output->message;

	if (output->format == NULL) {
		print_event(output->file, event, number);
		return;
	}
	output->options.sequence_number = number;
	text_cut(message, 0);
	if (output->syslog)
		format_write_syslog(output->format, event, &output->options, message);
	else
		format_write(output->format, event, &output->options, message);
	if (message->overflowed)
		memory_panic("event %u does not fit", number);
	if (output->syslog)
		(void)fprintf(output->file, "%zu ", message->length);
	(void)fwrite(message->bytes, 1, message->length, output->file);
	if (!output->syslog)
		(void)putc('\n', output->file);
}

static bool
open_output(struct output *output, const char *name, const char *file)
{
	const char *plus = strchrnul(name, '+');

	output->format = format_find((struct slice){name, (size_t)(plus - name)});
	output->syslog = strcmp(plus, "+syslog") == 0;
	format_default_options(&output->options);
	output->options.hostname = text_of("gw1.example.com");
	output->options.maximum_length = LONGEST_MESSAGE;
	output->options.cee = true; /* of json alone */
	output->file = fopen(file, "we");
	text_start(&output->message, memory_allocate(ROOM), ROOM);
	return (output->format != NULL || strcmp(name, "events") == 0) && output->file != NULL;
}

int
main(int argc, char **argv)
{
	struct output output;
	struct text room;
	uint64_t count;
	bool failed;

	if (argc != 5 || !text_parse_unsigned(text_of(argv[2]), INT32_MAX, &count) ||
	    !text_parse_unsigned(text_of(argv[3]), UINT64_MAX, &state) || state == 0 ||
	    !open_output(&output, argv[1], argv[4])) {
		(void)fputs("usage: hostile FORMAT[+syslog] COUNT SEED FILE\n", stderr);
		return EXIT_FAILURE;
	}
	text_start(&room, memory_allocate(ROOM), ROOM);
	for (uint32_t i = 1; i <= count; i++) {
		struct event event;

		make_event(&event, &room);
		print_message(&output, &event, i);
	}
	failed = ferror(output.file) != 0;
	failed = fclose(output.file) != 0 || failed;
	free(output.message.bytes);
	free(room.bytes);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
