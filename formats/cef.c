/*
 * One pass over a table: each row is a key of the dictionary (standards.md 1.4),
 * its limit, its label, and the field that feeds it.
 */
#include "formats/cef.h"

#include <arpa/inet.h>
#include <string.h>

#include "formats/escape.h"
#include "formats/utf8.h"

enum {
	VENDOR_LENGTH = 63,
	PRODUCT_LENGTH = 63,
	VERSION_LENGTH = 31,
	CLASS_LENGTH = 1023,
	NAME_LENGTH = 512,
	EXTERNAL_ID_LENGTH = 40,
	PAYLOAD_ID_LENGTH = 128,
};

enum kind { TEXT, INTEGER, DECIMAL, NUMBER, IPV4, IPV6 };

struct row {
	const char *key;
	size_t limit;
	enum kind kind; /* where the field is of another one, the row does not count */
	enum event_field field;
	enum event_field otherwise; /* where that one is absent; the same: none */
	const char *label;          /* NULL: the key says it all */
};

/* Of two rows with one key the first that has a value counts; they stand together. */
static const struct row rows[] = {
    {"reason", 1023, TEXT, FIELD_REASON, FIELD_REASON, NULL},
    {"suid", 1023, TEXT, FIELD_ACTOR_ID, FIELD_ACTOR_ID, NULL},
    {"suser", 1023, TEXT, FIELD_ACTOR_EMAIL, FIELD_ACTOR_NAME, NULL},
    {"spriv", 1023, TEXT, FIELD_ACTOR_ROLE, FIELD_ACTOR_ROLE, NULL},
    {"src", 45, IPV4, FIELD_ACTOR_IP, FIELD_ACTOR_IP, NULL},
    {"c6a2", 45, IPV6, FIELD_ACTOR_IP, FIELD_ACTOR_IP, "Source IPv6 Address"},
    {"requestClientApplication", 1023, TEXT, FIELD_ACTOR_USER_AGENT, FIELD_ACTOR_USER_AGENT, NULL},
    {"duid", 1023, TEXT, FIELD_TARGET_ID, FIELD_TARGET_ID, NULL},
    {"duser", 1023, TEXT, FIELD_TARGET_EMAIL, FIELD_TARGET_NAME, NULL},
    {"dpriv", 1023, TEXT, FIELD_TARGET_ROLE, FIELD_TARGET_ROLE, NULL},
    {"cs1", 4000, TEXT, FIELD_ORGANIZATION_ID, FIELD_ORGANIZATION_ID, "organizationId"},
    {"cs2", 4000, TEXT, FIELD_KEY_ID, FIELD_KEY_ID, "keyId"},
    {"cs3", 4000, TEXT, FIELD_KEY_NAME, FIELD_KEY_NAME, "keyName"},
    {"cs4", 4000, TEXT, FIELD_USAGE_METRIC, FIELD_USAGE_METRIC, "usageMetric"},
    {"cs4", 4000, TEXT, FIELD_ORIGINAL_TYPE, FIELD_ORIGINAL_TYPE, "originalType"},
    {"cs5", 4000, TEXT, FIELD_ALERT_ID, FIELD_ALERT_ID, "alertId"},
    {"cs5", 4000, TEXT, FIELD_INVOICE_ID, FIELD_INVOICE_ID, "invoiceId"},
    {"cs6", 4000, TEXT, FIELD_ALERT_RULE, FIELD_ALERT_RULE, "ruleId"},
    {"cs6", 4000, TEXT, FIELD_INVOICE_CURRENCY, FIELD_INVOICE_CURRENCY, "currency"},
    {"cn1", 20, INTEGER, FIELD_USAGE_VALUE, FIELD_USAGE_VALUE, "usageValue"},
    {"cn2", 20, INTEGER, FIELD_USAGE_LIMIT, FIELD_USAGE_LIMIT, "usageLimit"},
    {"cfp1", 64, NUMBER, FIELD_INVOICE_AMOUNT, FIELD_INVOICE_AMOUNT, "amount"},
    {"cfp2", 64, DECIMAL, FIELD_USAGE_VALUE, FIELD_USAGE_VALUE, "usageValue"},
    {"cfp3", 64, DECIMAL, FIELD_USAGE_LIMIT, FIELD_USAGE_LIMIT, "usageLimit"},
    {"cfp4", 64, NUMBER, FIELD_USAGE_PERCENT, FIELD_USAGE_PERCENT, "usagePercent"},
    {"flexString1", 1023, TEXT, FIELD_STATUS, FIELD_STATUS, "resourceStatus"},
    {"flexString2", 1023, TEXT, FIELD_PROJECT_ID, FIELD_PROJECT_ID, "projectId"},
    {"msg", 1023, TEXT, FIELD_MESSAGE, FIELD_TITLE, NULL},
};

static const struct escape_table header_table = {
    {ESCAPE_HIDDEN_BYTES, ['\\'] = ESCAPE_BACKSLASH, ['|'] = ESCAPE_BACKSLASH}};

static const struct escape_table value_table = {{[0 ... 9] = ESCAPE_HIDDEN,
						 ['\n'] = ESCAPE_LINE_END,
						 [11 ... 12] = ESCAPE_HIDDEN,
						 ['\r'] = ESCAPE_LINE_END,
						 [14 ... 0x1F] = ESCAPE_HIDDEN,
						 [0x7F] = ESCAPE_HIDDEN,
						 [0xC2] = ESCAPE_HIDDEN,
						 [0xE2] = ESCAPE_HIDDEN,
						 [0xEF] = ESCAPE_HIDDEN,
						 ['\\'] = ESCAPE_BACKSLASH,
						 ['='] = ESCAPE_BACKSLASH}};

/* The line being written. */
struct line {
	struct text *text;
	size_t end; /* the text may not become longer */
	bool first; /* no pair yet: no space in front */
};

/* In range, and neither absent nor made of spaces alone. */
static struct slice
prepare(struct slice value, size_t limit)
{
	value = escape_trim(value);
	if (value.length <= limit)
		return value;
	return escape_trim(utf8_cut(value, limit));
}

/* Appends the pair, with its label if it has one, or nothing; true if it is there. */
static bool
append_pair(struct line *line, const char *key, const char *label, size_t limit, struct slice value)
{
	struct text *text = line->text;
	size_t before = text->length;

	value = prepare(value, limit);
	if (value.length == 0 || text->overflowed)
		return false;
	if (!line->first)
		text_append_byte(text, ' ');
	text_append_string(text, key);
	text_append_byte(text, '=');
	escape_append(text, value, &value_table);
	if (label != NULL) {
		text_append_byte(text, ' ');
		text_append_string(text, key);
		text_append_string(text, "Label=");
		text_append_string(text, label);
	}
	if (!text->overflowed && text->length > line->end) {
		text_cut(text, before);
		return false;
	}
	line->first = false;
	return true;
}

static size_t
count_digits(struct slice value, size_t at)
{
	size_t count = 0;

	while (at + count < value.length && value.bytes[at + count] >= '0' &&
	       value.bytes[at + count] <= '9')
		count++;
	return count;
}

/* INTEGER: fits a long; DECIMAL: digits, a point, digits; TEXT: neither. */
static enum kind
kind_of_number(struct slice value)
{
	size_t at = value.length > 0 && value.bytes[0] == '-' ? 1 : 0;
	size_t digits = count_digits(value, at);

	at += digits;
	if (digits == 0)
		return TEXT;
	if (at == value.length)
		return digits <= 18 ? INTEGER : DECIMAL;
	if (value.bytes[at] != '.')
		return TEXT;
	digits = count_digits(value, at + 1);
	return digits > 0 && at + 1 + digits == value.length ? DECIMAL : TEXT;
}

static enum kind
kind_of_address(struct slice value)
{
	char address[INET6_ADDRSTRLEN + 1];
	unsigned char binary[16];

	if (value.length == 0 || value.length >= sizeof(address))
		return TEXT;
	memcpy(address, value.bytes, value.length);
	address[value.length] = '\0';
	if (inet_pton(AF_INET, address, binary) == 1)
		return IPV4;
	return inet_pton(AF_INET6, address, binary) == 1 ? IPV6 : TEXT;
}

static bool
is_of_kind(enum kind kind, struct slice value)
{
	switch (kind) {
	case TEXT:
		break;
	case INTEGER:
	case DECIMAL:
		return kind_of_number(value) == kind;
	case NUMBER:
		return kind_of_number(value) != TEXT;
	case IPV4:
	case IPV6:
		return kind_of_address(value) == kind;
	}
	return true;
}

static void
append_rows(struct line *line, const struct event *event)
{
	const char *done = "";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct slice value = event->fields[row->field];

		if (value.length == 0)
			value = event->fields[row->otherwise];
		if (value.length == 0 || !is_of_kind(row->kind, value) ||
		    strcmp(row->key, done) == 0)
			continue;
		if (append_pair(line, row->key, row->label, row->limit, value))
			done = row->key;
	}
}

static void
append_time(struct line *line, int64_t milliseconds)
{
	char digits[24];
	struct text text;

	if (milliseconds < 0)
		return;
	text_start(&text, digits, sizeof(digits));
	text_append_number(&text, milliseconds);
	(void)append_pair(line, "rt", NULL, sizeof(digits), text_slice(&text));
}

/* externalId holds 40 only, and half an id would be another event's. */
static void
append_id(struct line *line, struct slice id)
{
	if (id.length <= EXTERNAL_ID_LENGTH)
		(void)append_pair(line, "externalId", NULL, EXTERNAL_ID_LENGTH, id);
	else
		(void)append_pair(line, "devicePayloadId", NULL, PAYLOAD_ID_LENGTH, id);
}

static void
append_number(struct line *line, const char *key, const char *label, uint64_t number)
{
	char digits[24];
	struct text text;

	text_start(&text, digits, sizeof(digits));
	text_append_unsigned(&text, number);
	(void)append_pair(line, key, label, sizeof(digits), text_slice(&text));
}

/*
 * What is not the event's but of its delivery.  No key of the dictionary says that
 * an event was sent before; flexNumber1 is otherwise unused.
 */
static void
append_delivery(struct line *line, const struct event *event, uint32_t number)
{
	if (event->heartbeat != NULL) {
		append_number(line, "cnt", NULL, event->heartbeat->count);
		append_number(line, "cn1", "lastNumber", event->heartbeat->last);
	}
	if (number > 0)
		append_number(line, "cn3", "sequenceNumber", number);
	if (event->replayed)
		append_number(line, "flexNumber1", "replayed", 1);
}

/* Readings of the document differ on = % # in it: so it has none (standards.md 1.2). */
static void
append_class(struct text *text, struct slice type)
{
	for (size_t i = 0; i < type.length && i < CLASS_LENGTH; i++) {
		char byte = type.bytes[i];
		bool good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
			    (byte >= '0' && byte <= '9') ||
			    (byte != '\0' && strchr("._:-", byte) != NULL);

		text_append(text, good ? &type.bytes[i] : "_", 1);
	}
}

static void
append_header_field(struct text *text, struct slice value, size_t limit)
{
	escape_append(text, prepare(value, limit), &header_table);
	text_append_byte(text, '|');
}

static void
append_header(struct text *text, const struct event *event, const struct format_options *options)
{
	text_append_string(text, "CEF:0|");
	append_header_field(text, options->device_vendor, VENDOR_LENGTH);
	append_header_field(text, options->device_product, PRODUCT_LENGTH);
	append_header_field(text, options->device_version, VERSION_LENGTH);
	append_class(text, event->fields[FIELD_TYPE]);
	text_append_byte(text, '|');
	append_header_field(text, event->name, NAME_LENGTH);
	text_append_number(text, severity_row(event->severity)->cef);
	text_append_byte(text, '|');
}

void
cef_write(const struct event *event, const struct format_options *options, struct text *text)
{
	struct line line = {.text = text, .end = SIZE_MAX, .first = true};

	if (options->maximum_length > 0)
		line.end = text->length + options->maximum_length;
	append_header(text, event, options);
	if (text->length > line.end) {
		text->overflowed = true;
		return;
	}
	append_time(&line, event->occurred_at);
	append_id(&line, event->id);
	(void)append_pair(&line, "cat", NULL, 1023, event->family);
	(void)append_pair(&line, "act", NULL, 63, event->action);
	(void)append_pair(&line, "outcome", NULL, 63, event->outcome);
	append_rows(&line, event);
	append_delivery(&line, event, options->sequence_number);
}
