#include "formats/rfc3164.h"

#include "formats/escape.h"
#include "formats/rfc5424.h"
#include "formats/timestamp.h"

enum {
	HOSTNAME_LENGTH = 255,
	TAG_LENGTH = 32,
	PROCESS_ID_LENGTH = 32,
	MILLISECONDS_A_MINUTE = 60 * 1000,
};

/* In a value between quotes. */
static const struct escape_table quoted_table = {
    {ESCAPE_HIDDEN_BYTES, ['"'] = ESCAPE_BACKSLASH, ['\\'] = ESCAPE_BACKSLASH}};

static const struct escape_table text_table = {{ESCAPE_HIDDEN_BYTES}};

/* What needs no quotes. */
static const bool bare[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['-'] = true,
    ['.'] = true,         ['_'] = true,         ['@'] = true,         [':'] = true,
    ['/'] = true,         ['+'] = true,         ['%'] = true,
};

/* "gw1" of "gw1.example.com"; 192.0.2.1 and 2001:db8::7 have no domain. */
static struct slice
without_domain(struct slice hostname)
{
	bool is_address = true;
	const char *dot = NULL;

	for (size_t i = 0; i < hostname.length; i++) {
		char byte = hostname.bytes[i];

		if (byte == ':')
			return hostname;
		if (byte == '.' && dot == NULL && i > 0)
			dot = &hostname.bytes[i];
		else if (byte != '.' && (byte < '0' || byte > '9'))
			is_address = false;
	}
	if (dot != NULL && !is_address)
		hostname.length = (size_t)(dot - hostname.bytes);
	return hostname;
}

void
rfc3164_header(struct text *text, const struct event *event, const struct format_options *options)
{
	int64_t milliseconds = event->occurred_at;

	if (milliseconds >= 0)
		milliseconds += (int64_t)options->zone * MILLISECONDS_A_MINUTE;
	text_append_byte(text, '<');
	text_append_number(text, rfc5424_priority(event, options));
	text_append_byte(text, '>');
	timestamp_write_rfc3164(text, milliseconds);
	text_append_byte(text, ' ');
	escape_append_name(text, without_domain(options->hostname), HOSTNAME_LENGTH);
	text_append_byte(text, ' ');
}

/* A tag ends at the first byte that is none of its own. */
static void
append_name(struct text *text, struct slice name, size_t longest)
{
	for (size_t i = 0; i < name.length && i < longest; i++) {
		char byte = name.bytes[i];
		bool good = bare[(unsigned char)byte] && byte != ':' && byte != '@' &&
			    byte != '/' && byte != '+' && byte != '%';

		text_append(text, good ? &name.bytes[i] : "_", 1);
	}
}

void
rfc3164_tag(struct text *text, const struct format_options *options)
{
	append_name(text, options->app_name, TAG_LENGTH);
	if (options->process_id.length > 0) {
		text_append_byte(text, '[');
		append_name(text, options->process_id, PROCESS_ID_LENGTH);
		text_append_byte(text, ']');
	}
	text_append_string(text, ": ");
}

static void
append_pair(struct text *text, const char *name, struct slice value)
{
	bool quotes = false;

	value = escape_trim(value);
	if (value.length == 0)
		return;
	for (size_t i = 0; i < value.length; i++)
		quotes = quotes || !bare[(unsigned char)value.bytes[i]];
	text_append_byte(text, ' ');
	text_append_string(text, name);
	text_append_byte(text, '=');
	if (quotes)
		text_append_byte(text, '"');
	escape_append(text, value, &quoted_table);
	if (quotes)
		text_append_byte(text, '"');
}

/* What the catalogue has read from these stands in front. */
static bool
is_said(enum event_field field)
{
	return field == FIELD_RESOURCE_ID || field == FIELD_TYPE || field == FIELD_TIME ||
	       field == FIELD_ACTION || field == FIELD_OUTCOME || field == FIELD_SEVERITY_WORD;
}

static void
append_number(struct text *text, const char *name, uint64_t number)
{
	char digits[24];
	struct text decimal;

	text_start(&decimal, digits, sizeof(digits));
	text_append_unsigned(&decimal, number);
	append_pair(text, name, text_slice(&decimal));
}

/* What is so of this message and not of the event. */
static void
append_delivery(struct text *text, const struct event *event, uint32_t number)
{
	if (event->heartbeat != NULL) {
		append_number(text, "heartbeat.count", event->heartbeat->count);
		append_number(text, "heartbeat.last", event->heartbeat->last);
	}
	if (number > 0)
		append_number(text, "sequence", number);
	if (event->replayed)
		append_number(text, "replayed", 1);
	if (event->truncated)
		append_number(text, "truncated", 1);
}

void
rfc3164_write(const struct event *event, const struct format_options *options, struct text *text)
{
	rfc3164_header(text, event, options);
	rfc3164_tag(text, options);
	escape_append(text, escape_trim(event->name), &text_table);
	append_pair(text, "type", event->fields[FIELD_TYPE]);
	append_pair(text, "event_id", event->id);
	append_pair(text, "severity", text_of(severity_row(event->severity)->name));
	append_pair(text, "action", event->action);
	append_pair(text, "outcome", event->outcome);
	append_delivery(text, event, options->sequence_number);
	for (enum event_field field = 0; field < EVENT_FIELDS; field++)
		if (!is_said(field))
			append_pair(text, event_field_name(field), event->fields[field]);
	append_pair(text, event_field_name(FIELD_RESOURCE_ID), event_own_resource(event));
}
