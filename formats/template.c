#include "formats/template.h"

#include <string.h>

#include "formats/timestamp.h"
#include "formats/utf8.h"

/* Behind the opening brace: the name up to the closing one; absent where there is none. */
static struct slice
name_at(struct slice template, size_t brace)
{
	size_t end = brace + 1;

	while (end < template.length &&
	       ((template.bytes[end] >= 'a' && template.bytes[end] <= 'z') ||
		template.bytes[end] == '.' || template.bytes[end] == '_'))
		end++;
	if (end == brace + 1 || end == template.length || template.bytes[end] != '}')
		return (struct slice){NULL, 0};
	return (struct slice){template.bytes + brace + 1, end - brace - 1};
}

/* ---- the names ---- */

/* Each gives the value: the event's own, or written into `scratch`. */

static struct slice
source_of(const struct event *event, struct text *scratch)
{
	(void)scratch;
	return event->source;
}

static struct slice
id_of(const struct event *event, struct text *scratch)
{
	(void)scratch;
	return event->id;
}

static struct slice
family_of(const struct event *event, struct text *scratch)
{
	(void)scratch;
	return event->family;
}

static struct slice
name_of(const struct event *event, struct text *scratch)
{
	(void)scratch;
	return event->name;
}

static struct slice
severity_of(const struct event *event, struct text *scratch)
{
	(void)scratch;
	return text_of(severity_row(event->severity)->name);
}

static struct slice
action_of(const struct event *event, struct text *scratch)
{
	(void)scratch;
	return event->action;
}

static struct slice
outcome_of(const struct event *event, struct text *scratch)
{
	(void)scratch;
	return event->outcome;
}

static struct slice
time_of(const struct event *event, struct text *scratch)
{
	timestamp_write_rfc3339(scratch, event->occurred_at);
	return text_slice(scratch);
}

static struct slice
received_of(const struct event *event, struct text *scratch)
{
	timestamp_write_rfc3339(scratch, event->received_at);
	return text_slice(scratch);
}

static struct slice
sequence_of(const struct event *event, struct text *scratch)
{
	text_append_unsigned(scratch, event->sequence);
	return text_slice(scratch);
}

/* What is not a field as it came; it goes before a field of the same name. */
static const struct name {
	const char *name;
	bool safe; /* no sender can choose what stands there */
	struct slice (*value)(const struct event *event, struct text *scratch);
} names[] = {
    {"source", true, source_of},      {"family", true, family_of},
    {"severity", true, severity_of},  {"id", false, id_of},
    {"name", false, name_of},         {"action", false, action_of},
    {"outcome", false, outcome_of},   {"time", false, time_of},
    {"received", false, received_of}, {"sequence", false, sequence_of},
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

static const struct name *
find_name(struct slice wanted)
{
	for (size_t i = 0; i < NAMES; i++)
		if (text_slice_is(wanted, names[i].name))
			return &names[i];
	return NULL;
}

static bool
find_field(struct slice wanted, enum event_field *field)
{
	for (int i = 0; i < EVENT_FIELDS; i++) {
		if (!text_slice_is(wanted, event_field_name((enum event_field)i)))
			continue;
		*field = (enum event_field)i;
		return true;
	}
	return false;
}

bool
template_check(struct slice template, bool safe, struct error *error)
{
	for (size_t i = 0; i < template.length; i++) {
		struct slice wanted;
		const struct name *name;
		enum event_field field;

		if (template.bytes[i] != '{')
			continue;
		wanted = name_at(template, i);
		if (wanted.bytes == NULL)
			continue;
		name = find_name(wanted);
		if (safe && (name == NULL || !name->safe))
			return error_set(error,
					 "{%.*s} cannot stand here, where no sender may choose; "
					 "{source}, {family} and {severity} can",
					 (int)wanted.length, wanted.bytes);
		if (name == NULL && !find_field(wanted, &field))
			return error_set(error, "{%.*s} is no field of an event",
					 (int)wanted.length, wanted.bytes);
	}
	return true;
}

/* ---- the values ---- */

static void
escape_json(struct slice value, struct text *text)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char byte = (unsigned char)value.bytes[i];

		if (byte < 0x20) {
			text_append_format(text, "\\u%04x", byte);
			continue;
		}
		if (byte == '"' || byte == '\\')
			text_append_byte(text, '\\');
		text_append_byte(text, (char)byte);
	}
}

static void
escape_form(struct slice value, struct text *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (size_t i = 0; i < value.length; i++) {
		char byte = value.bytes[i];

		if (byte != '\0' && strchr(plain, byte) != NULL)
			text_append_byte(text, byte);
		else
			text_append_format(text, "%%%02X", (unsigned)(unsigned char)byte);
	}
}

static void
escape_line(struct slice value, struct text *text)
{
	for (size_t i = 0; i < value.length;) {
		size_t hidden = utf8_hidden(value.bytes + i, value.length - i);

		if (hidden > 0)
			text_append_byte(text, ' ');
		else
			text_append_byte(text, value.bytes[i]);
		i += hidden > 0 ? hidden : 1;
	}
}

static void
write_escaped(struct slice value, enum template_escape escape, struct text *text)
{
	switch (escape) {
	case TEMPLATE_LINE:
		escape_line(value, text);
		break;
	case TEMPLATE_JSON:
		escape_json(value, text);
		break;
	case TEMPLATE_FORM:
		escape_form(value, text);
		break;
	}
}

/* False where there is no such name. */
static bool
write_value(struct slice wanted, const struct event *event, enum template_escape escape,
	    struct text *text)
{
	const struct name *name = find_name(wanted);
	enum event_field field;
	char bytes[64]; /* a time or a number */
	struct text scratch;

	if (name != NULL) {
		text_start(&scratch, bytes, sizeof(bytes));
		write_escaped(name->value(event, &scratch), escape, text);
		return true;
	}
	if (!find_field(wanted, &field))
		return false;
	write_escaped(event->fields[field], escape, text);
	return true;
}

void
template_write(struct slice template, const struct event *event, enum template_escape escape,
	       struct text *text)
{
	for (size_t i = 0; i < template.length;) {
		struct slice wanted = {NULL, 0};

		if (template.bytes[i] == '{')
			wanted = name_at(template, i);
		if (wanted.bytes != NULL && write_value(wanted, event, escape, text))
			i += wanted.length + 2;
		else
			text_append_byte(text, template.bytes[i++]);
	}
}
