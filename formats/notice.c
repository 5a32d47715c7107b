/*
 * The rows are a table: a label, the first field of some that is there, and what
 * stands behind it in brackets.  A row of which nothing is there is not written.
 */
#include "formats/notice.h"

#include <string.h>

#include "formats/catalogue.h"
#include "formats/timestamp.h"
#include "formats/utf8.h"

enum {
	ALTERNATIVES = 3,
	LABEL_WIDTH = 14,
	NONE = EVENT_FIELDS, /* no field */
};

struct row {
	const char *label;
	int fields[ALTERNATIVES];   /* the first that is there is the value */
	int unit;                   /* behind it */
	int brackets[ALTERNATIVES]; /* those that are there and not the value */
};

/* clang-format off */
static const struct row rows[] = {
	{"Reason", {FIELD_REASON, NONE, NONE}, NONE, {NONE, NONE, NONE}},
	{"Member", {FIELD_TARGET_NAME, FIELD_TARGET_EMAIL, FIELD_TARGET_ID}, NONE,
	 {FIELD_TARGET_EMAIL, FIELD_TARGET_ROLE, FIELD_TARGET_ID}},
	{"API key", {FIELD_KEY_NAME, FIELD_KEY_ID, NONE}, NONE, {FIELD_KEY_ID, NONE, NONE}},
	{"Used", {FIELD_USAGE_VALUE, NONE, NONE}, FIELD_USAGE_METRIC, {NONE, NONE, NONE}},
	{"Limit", {FIELD_USAGE_LIMIT, NONE, NONE}, FIELD_USAGE_METRIC, {NONE, NONE, NONE}},
	{"Percent", {FIELD_USAGE_PERCENT, NONE, NONE}, NONE, {NONE, NONE, NONE}},
	{"Invoice", {FIELD_INVOICE_ID, NONE, NONE}, NONE, {NONE, NONE, NONE}},
	{"Amount", {FIELD_INVOICE_AMOUNT, NONE, NONE}, FIELD_INVOICE_CURRENCY, {NONE, NONE, NONE}},
	{"Due", {FIELD_INVOICE_DUE, NONE, NONE}, NONE, {NONE, NONE, NONE}},
	{"Alert", {FIELD_ALERT_ID, NONE, NONE}, NONE, {FIELD_STATUS, NONE, NONE}},
	{"Rule", {FIELD_ALERT_RULE, NONE, NONE}, NONE, {NONE, NONE, NONE}},
	{"By", {FIELD_ACTOR_NAME, FIELD_ACTOR_EMAIL, FIELD_ACTOR_ID}, NONE,
	 {FIELD_ACTOR_EMAIL, FIELD_ACTOR_ROLE, FIELD_ACTOR_ID}},
	{"From", {FIELD_ACTOR_IP, NONE, NONE}, NONE, {FIELD_ACTOR_USER_AGENT, NONE, NONE}},
	{"Organization", {FIELD_ORGANIZATION_NAME, FIELD_ORGANIZATION_ID, NONE}, NONE,
	 {FIELD_ORGANIZATION_ID, NONE, NONE}},
	{"Project", {FIELD_PROJECT_NAME, FIELD_PROJECT_ID, NONE}, NONE,
	 {FIELD_PROJECT_ID, NONE, NONE}},
};

/* What a subject names, the first that is there, and what it says of that. */
static const struct row objects[] = {
	{NULL, {FIELD_INVOICE_ID, NONE, NONE}, NONE, {FIELD_INVOICE_AMOUNT, FIELD_INVOICE_CURRENCY, NONE}},
	{NULL, {FIELD_TARGET_NAME, FIELD_TARGET_EMAIL, FIELD_TARGET_ID}, NONE, {NONE, NONE, NONE}},
	{NULL, {FIELD_KEY_NAME, FIELD_KEY_ID, NONE}, NONE, {NONE, NONE, NONE}},
	{NULL, {FIELD_USAGE_METRIC, NONE, NONE}, NONE, {FIELD_USAGE_PERCENT, NONE, NONE}},
};
/* clang-format on */

static bool
is_there(const struct event *event, int field)
{
	return field != NONE && event->fields[field].length > 0;
}

static void
write_value(struct slice value, struct text *text)
{
	struct slice cut = value.length > NOTICE_VALUE ? utf8_cut(value, NOTICE_VALUE) : value;

	for (size_t i = 0; i < cut.length;) {
		size_t hidden = utf8_hidden(cut.bytes + i, cut.length - i);

		text_append_byte(text, hidden > 0 ? ' ' : cut.bytes[i]);
		i += hidden > 0 ? hidden : 1;
	}
	if (cut.length < value.length)
		text_append_string(text, "…");
}

/* The first field of the row that is there; NONE: no one. */
static int
value_of(const struct event *event, const struct row *row)
{
	for (int i = 0; i < ALTERNATIVES; i++)
		if (is_there(event, row->fields[i]))
			return row->fields[i];
	return NONE;
}

/* ---- the subject ---- */

static void
write_object(const struct event *event, const struct row *row, int value, struct text *text)
{
	text_append_string(text, ": ");
	write_value(event->fields[value], text);
	for (int i = 0; i < ALTERNATIVES; i++) {
		if (!is_there(event, row->brackets[i]))
			continue;
		text_append_string(text, i == 0 ? ", " : " ");
		write_value(event->fields[row->brackets[i]], text);
		if (row->brackets[i] == FIELD_USAGE_PERCENT)
			text_append_string(text, " %");
	}
}

void
notice_write_subject(const struct event *event, struct text *text)
{
	const char *name = event->entry->name;
	int organization = is_there(event, FIELD_ORGANIZATION_NAME) ? FIELD_ORGANIZATION_NAME
								    : FIELD_ORGANIZATION_ID;

	if (event->severity >= SEVERITY_HIGH)
		text_append_format(text, "[%s] ", severity_row(event->severity)->name);
	if (name != NULL && !text_slice_is(event->name, name))
		text_append_format(text, "%s: ", name); /* the event has a title of its own */
	write_value(event->name, text);
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		int value = value_of(event, &objects[i]);

		if (value == NONE)
			continue;
		write_object(event, &objects[i], value, text);
		break;
	}
	if (!is_there(event, organization))
		return;
	text_append_string(text, " (");
	write_value(event->fields[organization], text);
	text_append_byte(text, ')');
}

/* ---- the text ---- */

static void
write_label(const char *label, struct text *text)
{
	text_append_string(text, label);
	for (size_t i = strlen(label); i < LABEL_WIDTH; i++)
		text_append_byte(text, ' ');
}

static void
write_row(const struct event *event, const struct row *row, struct text *text)
{
	int value = value_of(event, row);
	size_t count = 0;

	if (value == NONE)
		return;
	write_label(row->label, text);
	write_value(event->fields[value], text);
	if (is_there(event, row->unit)) {
		text_append_byte(text, ' ');
		write_value(event->fields[row->unit], text);
	}
	for (int i = 0; i < ALTERNATIVES; i++) {
		if (!is_there(event, row->brackets[i]) || row->brackets[i] == value)
			continue;
		text_append_string(text, count++ == 0 ? " (" : ", ");
		write_value(event->fields[row->brackets[i]], text);
	}
	text_append_string(text, count > 0 ? ")\n" : "\n");
}

/* "2026-10-01 12:00:00 UTC" */
static void
write_time(int64_t milliseconds, struct text *text)
{
	char bytes[40];
	struct text time;

	text_start(&time, bytes, sizeof(bytes));
	timestamp_write_rfc3339(&time, milliseconds);
	if (time.length < strlen("2026-10-01T12:00:00")) {
		text_append_string(text, "unknown\n");
		return;
	}
	text_append(text, bytes, 10);
	text_append_byte(text, ' ');
	text_append(text, bytes + 11, 8);
	text_append_string(text, " UTC\n");
}

/* What an administrator needs to find it again. */
static void
write_origin(const struct event *event, struct text *text)
{
	write_label("Event", text);
	write_value(event->fields[FIELD_TYPE], text);
	text_append_string(text, ", ");
	write_value(event->id, text);
	if (event->source.length > 0) {
		text_append_string(text, ", from source ");
		write_value(event->source, text);
	}
	text_append_byte(text, '\n');
}

void
notice_write_text(const struct event *event, struct text *text)
{
	write_value(event->name, text);
	text_append_string(text,
			   event->outcome.length > 0 && text_slice_is(event->outcome, "failure")
			       ? " (it failed)\n"
			       : "\n");
	if (is_there(event, FIELD_MESSAGE)) {
		write_value(event->fields[FIELD_MESSAGE], text);
		text_append_byte(text, '\n');
	}
	text_append_byte(text, '\n');
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		write_row(event, &rows[i], text);
	write_label("Severity", text);
	text_append_string(text, severity_row(event->severity)->name);
	text_append_byte(text, '\n');
	write_label("When", text);
	write_time(event->occurred_at, text);
	write_origin(event, text);
}
