#include "formats/plain_json.h"

#include <string.h>

#include "formats/json_event.h"

/* What stands in front of the dot of a field's name. */
static const char *const groups[] = {"actor", "target",  "organization", "project", "key",
				     "usage", "invoice", "alert",        "resource"};

/* The names at the top that are the bridge's or the catalogue's and not the field's. */
static bool
is_told(enum event_field field)
{
	return field == FIELD_BODY_ID || field == FIELD_TYPE || field == FIELD_TIME ||
	       field == FIELD_SEVERITY_WORD || field == FIELD_ACTION || field == FIELD_OUTCOME;
}

static bool
is_number(enum event_field field)
{
	return field == FIELD_USAGE_VALUE || field == FIELD_USAGE_LIMIT ||
	       field == FIELD_USAGE_PERCENT;
}

static void
add_field(struct json_node *object, const char *name, const struct event *event,
	  enum event_field field)
{
	if (is_number(field))
		json_write_decimal(object, name, event->fields[field]);
	else
		json_write_text(object, name, event->fields[field]);
}

static void
add_top(struct json_node *object, const struct event *event, const struct format_options *options)
{
	json_event_time(object, "time", event->occurred_at);
	json_write_text(object, "id", event->id);
	json_write_text(object, "source", event->source);
	json_write_text(object, "type", event->fields[FIELD_TYPE]);
	json_write_text(object, "family", event->family);
	json_write_text(object, "name", event->name);
	json_write_text(object, "severity", text_of(severity_row(event->severity)->name));
	json_write_text(object, "action", event->action);
	json_write_text(object, "outcome", event->outcome);
	for (enum event_field field = 0; field < EVENT_FIELDS; field++)
		if (!is_told(field) && strchr(event_field_name(field), '.') == NULL)
			add_field(object, event_field_name(field), event, field);
	if (event->received_at > 0)
		json_event_time(object, "received", event->received_at);
	if (options->sequence_number > 0)
		json_write_number(object, "sequence", options->sequence_number);
	json_event_delivery(object, event);
}

static void
add_group(struct json_node *object, const char *group, const struct event *event)
{
	struct json_node *inner = json_write_object();
	size_t length = strlen(group);

	for (enum event_field field = 0; field < EVENT_FIELDS; field++) {
		const char *name = event_field_name(field);

		if (strncmp(name, group, length) == 0 && name[length] == '.')
			add_field(inner, name + length + 1, event, field);
	}
	json_write_child_unless_empty(object, group, inner);
}

void
plain_json_write(const struct event *event, const struct format_options *options, struct text *text)
{
	struct json_node *object = json_write_object();

	add_top(object, event, options);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		add_group(object, groups[i], event);
	if (options->cee)
		text_append_string(text, "@cee: ");
	json_write_finish(object, text);
}
