#include "formats/leef.h"

#include "formats/address.h"
#include "formats/escape.h"
#include "formats/utf8.h"

enum { ID_LENGTH = 255 };

struct row {
	const char *key;
	size_t limit; /* bytes; 0: none is documented */
	enum event_field field;
	enum event_field otherwise; /* where that one is absent; the same: none */
};

/* Predefined keys first; own ones are documented in README.md. */
static const struct row rows[] = {
    {"usrName", 255, FIELD_ACTOR_EMAIL, FIELD_ACTOR_NAME},
    {"src", 0, FIELD_ACTOR_IP, FIELD_ACTOR_IP},
    {"resource", 0, FIELD_KEY_ID, FIELD_RESOURCE_ID},
    {"groupID", 0, FIELD_ORGANIZATION_ID, FIELD_ORGANIZATION_ID},
    {"accountName", 255, FIELD_TARGET_EMAIL, FIELD_TARGET_NAME},
    {"role", 0, FIELD_ACTOR_ROLE, FIELD_ACTOR_ROLE},
    {"policy", 0, FIELD_ALERT_RULE, FIELD_ALERT_RULE},
    {"userId", 0, FIELD_ACTOR_ID, FIELD_ACTOR_ID},
    {"userAgent", 0, FIELD_ACTOR_USER_AGENT, FIELD_ACTOR_USER_AGENT},
    {"accountId", 0, FIELD_TARGET_ID, FIELD_TARGET_ID},
    {"accountRole", 0, FIELD_TARGET_ROLE, FIELD_TARGET_ROLE},
    {"keyName", 0, FIELD_KEY_NAME, FIELD_KEY_NAME},
    {"groupName", 0, FIELD_ORGANIZATION_NAME, FIELD_ORGANIZATION_NAME},
    {"projectId", 0, FIELD_PROJECT_ID, FIELD_PROJECT_ID},
    {"projectName", 0, FIELD_PROJECT_NAME, FIELD_PROJECT_NAME},
    {"usageMetric", 0, FIELD_USAGE_METRIC, FIELD_USAGE_METRIC},
    {"usageValue", 0, FIELD_USAGE_VALUE, FIELD_USAGE_VALUE},
    {"usageLimit", 0, FIELD_USAGE_LIMIT, FIELD_USAGE_LIMIT},
    {"usagePercent", 0, FIELD_USAGE_PERCENT, FIELD_USAGE_PERCENT},
    {"invoiceId", 0, FIELD_INVOICE_ID, FIELD_INVOICE_ID},
    {"amount", 0, FIELD_INVOICE_AMOUNT, FIELD_INVOICE_AMOUNT},
    {"currency", 0, FIELD_INVOICE_CURRENCY, FIELD_INVOICE_CURRENCY},
    {"due", 0, FIELD_INVOICE_DUE, FIELD_INVOICE_DUE},
    {"alertId", 0, FIELD_ALERT_ID, FIELD_ALERT_ID},
    {"originalType", 0, FIELD_ORIGINAL_TYPE, FIELD_ORIGINAL_TYPE},
    {"status", 0, FIELD_STATUS, FIELD_STATUS},
    {"reason", 0, FIELD_REASON, FIELD_REASON},
    {"msg", 0, FIELD_MESSAGE, FIELD_TITLE},
};

static const struct escape_table table_of_tab = {{ESCAPE_HIDDEN_BYTES, ['|'] = ESCAPE_SLASH}};

static void
append_header_field(struct text *text, struct slice value)
{
	escape_append(text, escape_trim(value), &table_of_tab);
	text_append_byte(text, '|');
}

static void
append_delimiter(struct text *text, char delimiter)
{
	text_append(text, delimiter == '\t' ? "x09" : &delimiter, delimiter == '\t' ? 3 : 1);
	text_append_byte(text, '|');
}

void
leef_start(struct leef_line *line, struct text *text, enum leef_version version,
	   const struct format_options *options, struct slice event_id)
{
	*line = (struct leef_line){
	    .text = text,
	    .delimiter = options->leef_delimiter,
	    .first = true,
	};
	if (version == LEEF_1)
		line->delimiter = '\t';
	text_append_string(text, version == LEEF_1 ? "LEEF:1.0|" : "LEEF:2.0|");
	append_header_field(text, options->device_vendor);
	append_header_field(text, options->device_product);
	append_header_field(text, options->device_version);
	append_header_field(text, utf8_cut(event_id, ID_LENGTH));
	if (version == LEEF_2)
		append_delimiter(text, line->delimiter);
}

void
leef_append(struct leef_line *line, const char *key, struct slice value)
{
	struct escape_table table = table_of_tab;

	value = escape_trim(value);
	if (value.length == 0)
		return;
	if (line->delimiter != '\t')
		table.classes[(unsigned char)line->delimiter] = ESCAPE_LOW_LINE;
	if (!line->first)
		text_append_byte(line->text, line->delimiter);
	text_append_string(line->text, key);
	text_append_byte(line->text, '=');
	escape_append(line->text, value, &table);
	line->first = false;
}

static void
append_number(struct leef_line *line, const char *key, uint64_t number)
{
	char digits[24];
	struct text text;

	text_start(&text, digits, sizeof(digits));
	text_append_unsigned(&text, number);
	leef_append(line, key, text_slice(&text));
}

/* In src belongs an address; what is none would make another host of it. */
static void
append_row(struct leef_line *line, const struct row *row, struct slice value)
{
	struct address address;

	if (row->field != FIELD_ACTOR_IP) {
		leef_append(line, row->key, row->limit > 0 ? utf8_cut(value, row->limit) : value);
		return;
	}
	address_read(value, &address);
	if (address.kind == ADDRESS_NONE)
		return;
	leef_append(line, row->key, address.ip);
	leef_append(line, "srcPort", address.port);
}

/* What is so of this message and not of the event. */
static void
append_delivery(struct leef_line *line, const struct event *event, uint32_t number)
{
	if (event->heartbeat != NULL) {
		append_number(line, "heartbeatCount", event->heartbeat->count);
		append_number(line, "heartbeatLast", event->heartbeat->last);
	}
	if (number > 0)
		append_number(line, "sequence", number);
	if (event->replayed)
		append_number(line, "replayed", 1);
	if (event->truncated)
		append_number(line, "truncated", 1);
}

static void
write_line(enum leef_version version, const struct event *event,
	   const struct format_options *options, struct text *text)
{
	struct leef_line line;

	leef_start(&line, text, version, options, event->fields[FIELD_TYPE]);
	leef_append(&line, "cat", event->family);
	if (event->occurred_at >= 0)
		append_number(&line, "devTime", (uint64_t)event->occurred_at);
	append_number(&line, "sev", (uint64_t)severity_row(event->severity)->leef);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice value = event->fields[rows[i].field];

		if (value.length == 0)
			value = event->fields[rows[i].otherwise];
		append_row(&line, &rows[i], value);
	}
	leef_append(&line, "name", event->name);
	leef_append(&line, "action", event->action);
	leef_append(&line, "outcome", event->outcome);
	leef_append(&line, "eventUid", event->id);
	append_delivery(&line, event, options->sequence_number);
}

void
leef_write(const struct event *event, const struct format_options *options, struct text *text)
{
	write_line(LEEF_1, event, options, text);
}

void
leef_write_2(const struct event *event, const struct format_options *options, struct text *text)
{
	write_line(LEEF_2, event, options, text);
}
