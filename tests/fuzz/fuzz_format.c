/*
 * Each formatter: the first byte chooses the format, the second the options, the third
 * the largest message; then come the fields, each up to a NUL.  What comes out is one
 * line of UTF-8, within its limit, and JSON where it is to be; nothing in it moves a
 * cursor, and what the format does not escape stands only where the format put it.
 */
#include <stdlib.h>
#include <string.h>

#include "formats/catalogue.h"
#include "formats/format.h"
#include "formats/json_scan.h"
#include "formats/memory.h"
#include "formats/utf8.h"

enum { LONGEST = 1 << 20, TEXTS = EVENT_FIELDS + 6, OPTION_BYTES = 3 };

static const struct {
	const char *name;
	bool json;
	bool tab; /* its delimiter */
} kinds[] = {
    {"ecs", true, false}, {"ocsf", true, false}, {"json", true, false},
    {"hec", true, false}, {"leef", false, true}, {"leef-3164", false, true},
};

/* The next text of the input; bytes that are no UTF-8 end it. */
static struct slice
take_text(struct slice *rest)
{
	const char *end = rest->length > 0 ? memchr(rest->bytes, '\0', rest->length) : NULL;
	size_t length = end != NULL ? (size_t)(end - rest->bytes) : rest->length;
	struct slice text = {rest->bytes, 0};

	if (rest->length == 0)
		return (struct slice){NULL, 0};
	while (text.length < length) {
		size_t step = utf8_sequence(text.bytes + text.length, length - text.length);

		if (step == 0)
			break;
		text.length += step;
	}
	length += end != NULL ? 1 : 0;
	rest->bytes += length;
	rest->length -= length;
	return text;
}

static void
make_event(struct event *event, struct format_options *options, struct slice rest)
{
	struct slice texts[TEXTS];

	for (size_t i = 0; i < TEXTS; i++)
		texts[i] = take_text(&rest);
	*event = (struct event){.received_at = 1790856000000, .occurred_at = 1790856000123};
	event->fields[FIELD_TYPE] = text_of("x");
	for (enum event_field field = 0; field < EVENT_FIELDS; field++)
		if (field != FIELD_TYPE)
			event->fields[field] = texts[field];
	event->id = texts[EVENT_FIELDS];
	event->source = texts[EVENT_FIELDS + 1];
	event->name = texts[EVENT_FIELDS + 2];
	event->entry = catalogue_find(texts[EVENT_FIELDS + 3]);
	if (event->entry->name != NULL)
		event->fields[FIELD_TYPE] = text_of(event->entry->type);
	event->family = text_of(catalogue_family_name(event->entry->family));
	options->device_vendor = texts[EVENT_FIELDS + 4];
	options->hostname = texts[EVENT_FIELDS + 5];
}

static void
choose_options(struct format_options *options, uint8_t bits)
{
	static const unsigned minors[] = {1, 3, 8, 9};
	static const char delimiters[] = {'^', '\t', ';', '~'};

	format_default_options(options);
	options->bom = (enum format_bom)(bits % 3);
	options->ocsf_minor = minors[bits >> 2 & 3];
	options->leef_delimiter = delimiters[bits >> 4 & 3];
	options->cef_time_text = (bits & 64) != 0;
	options->sequence_number = (bits & 128) != 0 ? 2147483647 : 0;
}

static void
check_line(struct slice line, bool tab)
{
	static const char byte_order_mark[] = "\xEF\xBB\xBF";
	size_t marks = 0;

	if (!utf8_valid(line))
		memory_panic("no UTF-8: %.*s", (int)line.length, line.bytes);
	for (size_t i = 0; i < line.length; i++) {
		size_t hidden = utf8_hidden(line.bytes + i, line.length - i);

		if (hidden == 0 || (tab && line.bytes[i] == '\t'))
			continue;
		if (hidden == 3 && memcmp(line.bytes + i, byte_order_mark, 3) == 0 && marks++ == 0)
			continue;
		memory_panic("hidden bytes at %zu: %.*s", i, (int)line.length, line.bytes);
	}
}

static void
check(const struct format *format, const struct format_options *options, struct slice line)
{
	bool json = false,
	     tab = strncmp(format->name, "leef2", 5) == 0 && options->leef_delimiter == '\t';
	struct json_scan scan;
	struct error error;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, format->name) != 0)
			continue;
		json = kinds[i].json;
		tab = tab || kinds[i].tab;
	}
	check_line(line, tab);
	if (json && !json_scan(line, &scan, &error))
		memory_panic("%s: %s: %.*s", format->name, error.text, (int)line.length,
			     line.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char bytes[LONGEST];
	static size_t formats;
	const struct format *format;
	struct format_options options;
	struct event event;
	struct text text;

	while (format_at(formats) != NULL)
		formats++;
	if (size < OPTION_BYTES)
		return 0;
	format = format_at(data[0] % formats);
	choose_options(&options, data[1]);
	options.maximum_length = data[2] == 0 ? 0 : 480 + (size_t)data[2] * 16;
	make_event(&event, &options,
		   (struct slice){(const char *)data + OPTION_BYTES, size - OPTION_BYTES});
	text_start(&text, bytes, sizeof(bytes));
	format_write(format, &event, &options, &text);
	if (text.overflowed)
		return 0;
	if (options.maximum_length > 0 && text.length > options.maximum_length)
		memory_panic("%s: %zu bytes, of at most %zu", format->name, text.length,
			     options.maximum_length);
	check(format, &options, text_slice(&text));
	text_cut(&text, 0);
	format_write_syslog(format, &event, &options, &text);
	if (!text.overflowed)
		check_line(text_slice(&text), true);
	return 0;
}
