/*
 * One pass over a table: each row is a key of the dictionary (standards.md 1.4),
 * its limit, its label, and the field that feeds it.
 */
#include "formats/cef.h"

#include <string.h>

#include "formats/address.h"
#include "formats/escape.h"
#include "formats/timestamp.h"
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

enum kind { TEXT, INTEGER, DECIMAL, NUMBER, IPV4, IPV6, PORT };

enum { CEF_0 = 1 << 0, CEF_1 = 1 << 1, BOTH = CEF_0 | CEF_1 };

struct row {
	const char *key;
	size_t limit;
	enum kind kind; /* where the field is of another one, the row does not count */
	enum event_field field;
	enum event_field otherwise; /* where that one is absent; the same: none */
	const char *label;          /* NULL: the key says it all */
	unsigned versions;          /* that the row is for */
};

/* Of two rows with one key the first that has a value counts; they stand together. */
static const struct row rows[] = {
    {"reason", 1023, TEXT, FIELD_REASON, FIELD_REASON, NULL, BOTH},
    {"suid", 1023, TEXT, FIELD_ACTOR_ID, FIELD_ACTOR_ID, NULL, BOTH},
    {"suser", 1023, TEXT, FIELD_ACTOR_EMAIL, FIELD_ACTOR_NAME, NULL, BOTH},
    {"spriv", 1023, TEXT, FIELD_ACTOR_ROLE, FIELD_ACTOR_ROLE, NULL, BOTH},
    {"src", 45, IPV4, FIELD_ACTOR_IP, FIELD_ACTOR_IP, NULL, BOTH},
    {"c6a2", 45, IPV6, FIELD_ACTOR_IP, FIELD_ACTOR_IP, "Source IPv6 Address", BOTH},
    {"spt", 5, PORT, FIELD_ACTOR_IP, FIELD_ACTOR_IP, NULL, BOTH},
    {"requestClientApplication", 1023, TEXT, FIELD_ACTOR_USER_AGENT, FIELD_ACTOR_USER_AGENT, NULL,
     BOTH},
    {"duid", 1023, TEXT, FIELD_TARGET_ID, FIELD_TARGET_ID, NULL, BOTH},
    {"duser", 1023, TEXT, FIELD_TARGET_EMAIL, FIELD_TARGET_NAME, NULL, BOTH},
    {"dpriv", 1023, TEXT, FIELD_TARGET_ROLE, FIELD_TARGET_ROLE, NULL, BOTH},
    {"cs1", 4000, TEXT, FIELD_ORGANIZATION_ID, FIELD_ORGANIZATION_ID, "organizationId", BOTH},
    {"cs2", 4000, TEXT, FIELD_KEY_ID, FIELD_KEY_ID, "keyId", CEF_0},
    {"cs3", 4000, TEXT, FIELD_KEY_NAME, FIELD_KEY_NAME, "keyName", CEF_0},
    {"reportedResourceID", 256, TEXT, FIELD_KEY_ID, FIELD_KEY_ID, NULL, CEF_1},
    {"reportedResourceName", 64, TEXT, FIELD_KEY_NAME, FIELD_KEY_NAME, NULL, CEF_1},
    {"reportedResourceGroupName", 128, TEXT, FIELD_PROJECT_NAME, FIELD_PROJECT_NAME, NULL, CEF_1},
    {"cs4", 4000, TEXT, FIELD_USAGE_METRIC, FIELD_USAGE_METRIC, "usageMetric", BOTH},
    {"cs4", 4000, TEXT, FIELD_ORIGINAL_TYPE, FIELD_ORIGINAL_TYPE, "originalType", BOTH},
    {"cs5", 4000, TEXT, FIELD_ALERT_ID, FIELD_ALERT_ID, "alertId", BOTH},
    {"cs5", 4000, TEXT, FIELD_INVOICE_ID, FIELD_INVOICE_ID, "invoiceId", BOTH},
    {"cs6", 4000, TEXT, FIELD_ALERT_RULE, FIELD_ALERT_RULE, "ruleId", BOTH},
    {"cs6", 4000, TEXT, FIELD_INVOICE_CURRENCY, FIELD_INVOICE_CURRENCY, "currency", BOTH},
    {"cn1", 20, INTEGER, FIELD_USAGE_VALUE, FIELD_USAGE_VALUE, "usageValue", BOTH},
    {"cn2", 20, INTEGER, FIELD_USAGE_LIMIT, FIELD_USAGE_LIMIT, "usageLimit", BOTH},
    {"cfp1", 64, NUMBER, FIELD_INVOICE_AMOUNT, FIELD_INVOICE_AMOUNT, "amount", BOTH},
    {"cfp2", 64, DECIMAL, FIELD_USAGE_VALUE, FIELD_USAGE_VALUE, "usageValue", BOTH},
    {"cfp3", 64, DECIMAL, FIELD_USAGE_LIMIT, FIELD_USAGE_LIMIT, "usageLimit", BOTH},
    {"cfp4", 64, NUMBER, FIELD_USAGE_PERCENT, FIELD_USAGE_PERCENT, "usagePercent", BOTH},
    {"flexString1", 1023, TEXT, FIELD_STATUS, FIELD_STATUS, "resourceStatus", BOTH},
    {"flexString2", 1023, TEXT, FIELD_PROJECT_ID, FIELD_PROJECT_ID, "projectId", BOTH},
    {"msg", 1023, TEXT, FIELD_MESSAGE, FIELD_TITLE, NULL, BOTH},
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
	unsigned version; /* CEF_0 or CEF_1 */
	bool first;       /* no pair yet: no space in front */
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

	value = prepare(value, limit);
	if (value.length == 0)
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

/* What of the value the row is about; nothing where the value is of another kind. */
static struct slice
part_for(const struct row *row, struct slice value)
{
	const struct slice nothing = {NULL, 0};
	struct address address;

	switch (row->kind) {
	case TEXT:
		return value;
	case INTEGER:
	case DECIMAL:
		return kind_of_number(value) == row->kind ? value : nothing;
	case NUMBER:
		return kind_of_number(value) != TEXT ? value : nothing;
	case IPV4:
	case IPV6:
	case PORT:
		break;
	}
	address_read(value, &address);
	if (row->kind == PORT)
		return address.port;
	if (address.kind != (row->kind == IPV4 ? ADDRESS_IPV4 : ADDRESS_IPV6))
		return nothing;
	return address.ip;
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
		if (value.length == 0 || (row->versions & line->version) == 0 ||
		    strcmp(row->key, done) == 0)
			continue;
		if (append_pair(line, row->key, row->label, row->limit, part_for(row, value)))
			done = row->key;
	}
}

static void
append_time(struct line *line, int64_t milliseconds, bool as_text)
{
	char bytes[32];
	struct text text;

	if (milliseconds < 0)
		return;
	text_start(&text, bytes, sizeof(bytes));
	if (as_text)
		timestamp_write_words(&text, milliseconds);
	else
		text_append_number(&text, milliseconds);
	(void)append_pair(line, "rt", NULL, sizeof(bytes), text_slice(&text));
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
append_header(const struct line *line, const struct event *event,
	      const struct format_options *options)
{
	struct text *text = line->text;

	text_append_string(text, line->version == CEF_0 ? "CEF:0|" : "CEF:1|");
	append_header_field(text, options->device_vendor, VENDOR_LENGTH);
	append_header_field(text, options->device_product, PRODUCT_LENGTH);
	append_header_field(text, options->device_version, VERSION_LENGTH);
	append_class(text, event->fields[FIELD_TYPE]);
	text_append_byte(text, '|');
	append_header_field(text, event->name, NAME_LENGTH);
	text_append_number(text, severity_row(event->severity)->cef);
	text_append_byte(text, '|');
}

static void
write_line(struct line *line, const struct event *event, const struct format_options *options)
{
	append_header(line, event, options);
	append_time(line, event->occurred_at, options->cef_time_text);
	append_id(line, event->id);
	(void)append_pair(line, "cat", NULL, 1023, event->family);
	(void)append_pair(line, "act", NULL, 63, event->action);
	(void)append_pair(line, "outcome", NULL, 63, event->outcome);
	append_rows(line, event);
	if (line->version == CEF_1 && event->fields[FIELD_KEY_ID].length > 0)
		(void)append_pair(line, "reportedResourceType", NULL, 64, text_of("API Key"));
	append_delivery(line, event, options->sequence_number);
	/* no key of the dictionary says so */
	if (event->truncated)
		(void)append_pair(line, "siembridgeTruncated", NULL, 1, text_of("1"));
}

void
cef_write(const struct event *event, const struct format_options *options, struct text *text)
{
	struct line line = {.text = text, .version = CEF_0, .first = true};

	write_line(&line, event, options);
}

void
cef_write_1(const struct event *event, const struct format_options *options, struct text *text)
{
	struct line line = {.text = text, .version = CEF_1, .first = true};

	write_line(&line, event, options);
}
