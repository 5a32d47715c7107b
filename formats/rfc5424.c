#include "formats/rfc5424.h"

#include <string.h>

#include "formats/escape.h"
#include "formats/timestamp.h"

enum {
	HOSTNAME_LENGTH = 255,
	APP_NAME_LENGTH = 48,
	PROCESS_ID_LENGTH = 128,
	MESSAGE_ID_LENGTH = 32,
};

struct row {
	const char *element;
	const char *parameter;
	enum event_field field;
	enum event_field otherwise; /* where that one is absent; the same: none */
};

/* The rows of an element stand together; it is there if one of them has a value. */
static const struct row rows[] = {
    {"event", "originalType", FIELD_ORIGINAL_TYPE, FIELD_ORIGINAL_TYPE},
    {"event", "reason", FIELD_REASON, FIELD_REASON},
    {"event", "status", FIELD_STATUS, FIELD_STATUS},
    {"event", "message", FIELD_MESSAGE, FIELD_MESSAGE},
    {"actor", "id", FIELD_ACTOR_ID, FIELD_ACTOR_ID},
    {"actor", "name", FIELD_ACTOR_NAME, FIELD_ACTOR_EMAIL},
    {"actor", "email", FIELD_ACTOR_EMAIL, FIELD_ACTOR_EMAIL},
    {"actor", "role", FIELD_ACTOR_ROLE, FIELD_ACTOR_ROLE},
    {"actor", "ip", FIELD_ACTOR_IP, FIELD_ACTOR_IP},
    {"actor", "ua", FIELD_ACTOR_USER_AGENT, FIELD_ACTOR_USER_AGENT},
    {"target", "id", FIELD_TARGET_ID, FIELD_TARGET_ID},
    {"target", "name", FIELD_TARGET_NAME, FIELD_TARGET_EMAIL},
    {"target", "email", FIELD_TARGET_EMAIL, FIELD_TARGET_EMAIL},
    {"target", "role", FIELD_TARGET_ROLE, FIELD_TARGET_ROLE},
    {"key", "id", FIELD_KEY_ID, FIELD_KEY_ID},
    {"key", "name", FIELD_KEY_NAME, FIELD_KEY_NAME},
    {"alert", "id", FIELD_ALERT_ID, FIELD_ALERT_ID},
    {"alert", "rule", FIELD_ALERT_RULE, FIELD_ALERT_RULE},
    {"alert", "title", FIELD_TITLE, FIELD_TITLE},
    {"org", "id", FIELD_ORGANIZATION_ID, FIELD_ORGANIZATION_ID},
    {"org", "name", FIELD_ORGANIZATION_NAME, FIELD_ORGANIZATION_NAME},
    {"project", "id", FIELD_PROJECT_ID, FIELD_PROJECT_ID},
    {"project", "name", FIELD_PROJECT_NAME, FIELD_PROJECT_NAME},
    {"usage", "metric", FIELD_USAGE_METRIC, FIELD_USAGE_METRIC},
    {"usage", "value", FIELD_USAGE_VALUE, FIELD_USAGE_VALUE},
    {"usage", "limit", FIELD_USAGE_LIMIT, FIELD_USAGE_LIMIT},
    {"usage", "percent", FIELD_USAGE_PERCENT, FIELD_USAGE_PERCENT},
    {"invoice", "id", FIELD_INVOICE_ID, FIELD_INVOICE_ID},
    {"invoice", "amount", FIELD_INVOICE_AMOUNT, FIELD_INVOICE_AMOUNT},
    {"invoice", "currency", FIELD_INVOICE_CURRENCY, FIELD_INVOICE_CURRENCY},
    {"invoice", "due", FIELD_INVOICE_DUE, FIELD_INVOICE_DUE},
};

/* Section 6.3.3: exactly these three are escaped. */
static const struct escape_table value_table = {
    {ESCAPE_HIDDEN_BYTES, ['"'] = ESCAPE_BACKSLASH, ['\\'] = ESCAPE_BACKSLASH,
     [']'] = ESCAPE_BACKSLASH}};

static const struct escape_table message_table = {{ESCAPE_HIDDEN_BYTES}};

static const char byte_order_mark[] = "\xEF\xBB\xBF";

/* The structured data being written. */
struct data {
	struct text *text;
	const struct format_options *options;
	const char *open; /* the element that is */
};

int
rfc5424_priority(const struct event *event, const struct format_options *options)
{
	return options->facility * 8 + severity_row(event->severity)->syslog;
}

void
rfc5424_header(struct text *text, int priority, int64_t milliseconds,
	       const struct format_options *options, struct slice message_id)
{
	text_append_byte(text, '<');
	text_append_number(text, priority);
	text_append_string(text, ">1 ");
	timestamp_write_rfc3339(text, milliseconds);
	text_append_byte(text, ' ');
	escape_append_name(text, options->hostname, HOSTNAME_LENGTH);
	text_append_byte(text, ' ');
	escape_append_name(text, options->app_name, APP_NAME_LENGTH);
	text_append_byte(text, ' ');
	escape_append_name(text, options->process_id, PROCESS_ID_LENGTH);
	text_append_byte(text, ' ');
	escape_append_name(text, message_id, MESSAGE_ID_LENGTH);
}

void
rfc5424_open(struct text *text, const char *name, uint32_t enterprise_number)
{
	text_append_byte(text, '[');
	text_append_string(text, name);
	if (enterprise_number > 0) {
		text_append_byte(text, '@');
		text_append_unsigned(text, enterprise_number);
	}
}

void
rfc5424_parameter(struct text *text, const char *name, struct slice value)
{
	text_append_byte(text, ' ');
	text_append_string(text, name);
	text_append(text, "=\"", 2);
	escape_append(text, value, &value_table);
	text_append_byte(text, '"');
}

void
rfc5424_close(struct text *text)
{
	text_append_byte(text, ']');
}

void
rfc5424_message(struct text *text, struct slice message, enum format_bom bom)
{
	bool ascii = true;

	if (message.length == 0)
		return;
	for (size_t i = 0; i < message.length; i++)
		ascii = ascii && (unsigned char)message.bytes[i] < 0x80;
	text_append_byte(text, ' ');
	if (bom == FORMAT_BOM_ALWAYS || (bom == FORMAT_BOM_AUTO && !ascii))
		text_append_string(text, byte_order_mark);
	escape_append(text, message, &message_table);
}

static void
append_meta(struct text *text, const struct format_options *options)
{
	char digits[16];
	struct text number;

	if (options->sequence_number == 0)
		return;
	text_start(&number, digits, sizeof(digits));
	text_append_unsigned(&number, options->sequence_number);
	rfc5424_open(text, "meta", 0);
	rfc5424_parameter(text, "sequenceId", text_slice(&number));
	rfc5424_close(text);
}

/* One parameter, in its element; nothing for nothing. */
static void
append_optional(struct data *data, const char *element, const char *parameter, struct slice value)
{
	if (value.length == 0)
		return;
	if (strcmp(data->open, element) != 0) {
		rfc5424_close(data->text);
		rfc5424_open(data->text, element, data->options->enterprise_number);
		data->open = element;
	}
	rfc5424_parameter(data->text, parameter, value);
}

static void
append_rows(struct data *data, const struct event *event)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct slice value = event->fields[row->field];

		if (value.length == 0)
			value = event->fields[row->otherwise];
		/* an address that already stands for the name is not said twice */
		if ((row->field == FIELD_ACTOR_EMAIL &&
		     event->fields[FIELD_ACTOR_NAME].length == 0) ||
		    (row->field == FIELD_TARGET_EMAIL &&
		     event->fields[FIELD_TARGET_NAME].length == 0))
			continue;
		append_optional(data, row->element, row->parameter, value);
	}
}

/* A gap in the sequenceIds between two heartbeats, or a count that differs, is a loss. */
static void
append_heartbeat(struct data *data, const struct event_heartbeat *heartbeat)
{
	const uint64_t numbers[] = {heartbeat->count, heartbeat->last};
	static const char *const names[] = {"count", "last"};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char digits[24];
		struct text text;

		text_start(&text, digits, sizeof(digits));
		text_append_unsigned(&text, numbers[i]);
		append_optional(data, "heartbeat", names[i], text_slice(&text));
	}
}

static void
append_data(struct data *data, const struct event *event)
{
	struct text *text = data->text;

	rfc5424_open(text, "event", data->options->enterprise_number);
	data->open = "event";
	if (event->id.length > 0)
		rfc5424_parameter(text, "id", event->id);
	rfc5424_parameter(text, "type", event->fields[FIELD_TYPE]);
	if (event->truncated)
		rfc5424_parameter(text, "truncated", text_of("1"));
	/* success is what the type says; it is not said twice */
	if (text_slice_is(event->outcome, "failure"))
		append_optional(data, "event", "outcome", event->outcome);
	append_optional(data, "event", "resource", event_own_resource(event));
	if (event->replayed)
		append_optional(data, "event", "replayed", SLICE_LITERAL("1"));
	append_rows(data, event);
	if (event->heartbeat != NULL)
		append_heartbeat(data, event->heartbeat);
	rfc5424_close(text);
}

void
rfc5424_write(const struct event *event, const struct format_options *options, struct text *text)
{
	struct data data = {.text = text, .options = options};

	rfc5424_header(text, rfc5424_priority(event, options), event->occurred_at, options,
		       event->fields[FIELD_TYPE]);
	text_append_byte(text, ' ');
	append_meta(text, options);
	append_data(&data, event);
	rfc5424_message(text, event->name, options->bom);
}

void
rfc5424_envelope(const struct event *event, const struct format_options *options, struct text *text)
{
	rfc5424_header(text, rfc5424_priority(event, options), event->occurred_at, options,
		       event->fields[FIELD_TYPE]);
	text_append_byte(text, ' ');
	if (options->sequence_number > 0)
		append_meta(text, options);
	else
		text_append_byte(text, '-');
	text_append_byte(text, ' ');
	if (options->bom == FORMAT_BOM_ALWAYS)
		text_append_string(text, byte_order_mark);
}
