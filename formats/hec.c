/*
 * What CIM wants of an event is in the table below: the Change model for keys and
 * members, the Alerts model for security; usage and billing have none, for Splunk
 * says that what is no matter of security does not belong to Alerts.  Which model an
 * event belongs to is for tags in Splunk, not for the event.
 */
#include "formats/hec.h"

#include <string.h>

#include "formats/catalogue.h"
#include "formats/json_write.h"
#include "formats/template.h"
#include "formats/timestamp.h"

enum { METADATA_LENGTH = 1024 /* bytes of an expanded template */ };

/* The Change model: CIM has no action "disabled", and "user" is whose account it is. */
static const struct change {
	const char *type;
	const char *action;
	const char *category;
	const char *attributes; /* that were changed; NULL: the object as a whole */
	const char *result;
	bool account; /* tagged `account` too: user is the target, src_user the actor */
} changes[] = {
    {"key.created", "created", "api_key", NULL, NULL, false},
    {"key.disabled", "modified", "api_key", "enabled", "disabled", false},
    {"key.deleted", "deleted", "api_key", NULL, NULL, false},
    {"member.invited", "created", "invitation", NULL, NULL, false},
    {"member.joined", "created", "user", NULL, NULL, true},
    {"member.removed", "deleted", "user", NULL, NULL, true},
};

static const struct change *
find_change(struct slice type)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (text_slice_is(type, changes[i].type))
			return &changes[i];
	return NULL;
}

/* The first of them that says something. */
static struct slice
first_of(const struct event *event, enum event_field first, enum event_field second,
	 enum event_field third)
{
	if (event->fields[first].length > 0)
		return event->fields[first];
	if (event->fields[second].length > 0)
		return event->fields[second];
	return event->fields[third];
}

static struct slice
actor_of(const struct event *event)
{
	return first_of(event, FIELD_ACTOR_EMAIL, FIELD_ACTOR_NAME, FIELD_ACTOR_ID);
}

static struct slice
target_of(const struct event *event)
{
	return first_of(event, FIELD_TARGET_EMAIL, FIELD_TARGET_NAME, FIELD_TARGET_ID);
}

/* Of Change and Alerts alike. */
static void
add_common(struct json_node *object, const struct event *event,
	   const struct format_options *options)
{
	char bytes[256];
	struct text product;

	json_write_text(object, "src", event->fields[FIELD_ACTOR_IP]);
	json_write_text(object, "user_agent", event->fields[FIELD_ACTOR_USER_AGENT]);
	text_start(&product, bytes, sizeof(bytes));
	text_append_slice(&product, options->device_vendor);
	text_append_byte(&product, ' ');
	text_append_slice(&product, options->device_product);
	json_write_text(object, "vendor_product", text_slice(&product));
	json_write_text(object, "vendor_account", event->fields[FIELD_ORGANIZATION_ID]);
}

static void
add_change(struct json_node *object, const struct change *change, const struct event *event)
{
	const bool key = strcmp(change->category, "api_key") == 0;

	json_write_text(object, "action", text_of(change->action));
	json_write_text(object, "status", event->outcome);
	json_write_text(object, "change_type", text_of(change->account ? "AAA" : "application"));
	json_write_text(object, "object_category", text_of(change->category));
	json_write_text(object, "object", key ? event->fields[FIELD_KEY_NAME] : target_of(event));
	json_write_text(object, "object_id", event->fields[key ? FIELD_KEY_ID : FIELD_TARGET_ID]);
	json_write_text(object, "object_attrs", text_of(change->attributes));
	json_write_text(object, "result", text_of(change->result));
	json_write_text(object, "reason", event->fields[FIELD_REASON]);
	json_write_text(object, "user", change->account ? target_of(event) : actor_of(event));
	if (change->account)
		json_write_text(object, "src_user", actor_of(event));
}

static void
add_alert(struct json_node *object, const struct event *event)
{
	const char *severity = severity_row(event->severity)->name;

	json_write_text(object, "type", text_of("alert"));
	json_write_text(object, "severity",
			text_of(event->severity == SEVERITY_INFO ? "informational" : severity));
	json_write_text(object, "signature", event->name);
	json_write_text(object, "signature_id", event->fields[FIELD_TYPE]);
	json_write_text(object, "id", event->fields[FIELD_ALERT_ID]);
	json_write_text(object, "description", event->fields[FIELD_MESSAGE]);
	json_write_text(object, "user", actor_of(event));
}

/* ---- the event as it was understood ---- */

/* What the bridge and the catalogue know of it. */
static void
add_event(struct json_node *object, const struct event *event)
{
	struct json_node *inner = json_write_object();
	char bytes[64];
	struct text time;

	json_write_text(inner, "id", event->id);
	json_write_text(inner, "source", event->source);
	json_write_text(inner, "type", event->fields[FIELD_TYPE]);
	json_write_text(inner, "family", event->family);
	json_write_text(inner, "name", event->name);
	json_write_text(inner, "severity", text_of(severity_row(event->severity)->name));
	json_write_text(inner, "action", event->action);
	json_write_text(inner, "outcome", event->outcome);
	json_write_text(inner, "reason", event->fields[FIELD_REASON]);
	json_write_text(inner, "status", event->fields[FIELD_STATUS]);
	json_write_text(inner, "message", event->fields[FIELD_MESSAGE]);
	text_start(&time, bytes, sizeof(bytes));
	timestamp_write_rfc3339(&time, event->received_at);
	if (event->received_at > 0) /* 0: it was never received, as for `render` */
		json_write_text(inner, "received", text_slice(&time));
	if (event->truncated)
		json_write_boolean(inner, "truncated", true);
	json_write_child(object, "event", inner);
}

struct member {
	const char *name;
	enum event_field field;
	bool number; /* the sender's digits, as a number */
};

/* Who, to whom, where, what: each an object, left out where nothing is known of it. */
static const struct {
	const char *name;
	struct member members[7];
} parts[] = {
    {"actor",
     {{"id", FIELD_ACTOR_ID, false},
      {"name", FIELD_ACTOR_NAME, false},
      {"email", FIELD_ACTOR_EMAIL, false},
      {"role", FIELD_ACTOR_ROLE, false},
      {"ip", FIELD_ACTOR_IP, false},
      {"user_agent", FIELD_ACTOR_USER_AGENT, false}}},
    {"target",
     {{"id", FIELD_TARGET_ID, false},
      {"name", FIELD_TARGET_NAME, false},
      {"email", FIELD_TARGET_EMAIL, false},
      {"role", FIELD_TARGET_ROLE, false}}},
    {"organization",
     {{"id", FIELD_ORGANIZATION_ID, false}, {"name", FIELD_ORGANIZATION_NAME, false}}},
    {"project", {{"id", FIELD_PROJECT_ID, false}, {"name", FIELD_PROJECT_NAME, false}}},
    {"key", {{"id", FIELD_KEY_ID, false}, {"name", FIELD_KEY_NAME, false}}},
    {"usage",
     {{"metric", FIELD_USAGE_METRIC, false},
      {"value", FIELD_USAGE_VALUE, true},
      {"limit", FIELD_USAGE_LIMIT, true},
      {"percent", FIELD_USAGE_PERCENT, true}}},
    {"invoice",
     {{"id", FIELD_INVOICE_ID, false},
      {"amount", FIELD_INVOICE_AMOUNT, true},
      {"currency", FIELD_INVOICE_CURRENCY, false},
      {"due", FIELD_INVOICE_DUE, false}}},
    {"alert",
     {{"id", FIELD_ALERT_ID, false},
      {"rule", FIELD_ALERT_RULE, false},
      {"title", FIELD_TITLE, false}}},
    {"resource", {{"id", FIELD_RESOURCE_ID, false}}},
};

static void
add_parts(struct json_node *object, const struct event *event)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct json_node *part = json_write_object();

		for (const struct member *member = parts[i].members; member->name != NULL;
		     member++) {
			struct slice value = event->fields[member->field];

			if (member->number)
				json_write_decimal(part, member->name, value);
			else
				json_write_text(part, member->name, value);
		}
		json_write_child_unless_empty(object, parts[i].name, part);
	}
}

static struct json_node *
event_of(const struct event *event, const struct format_options *options)
{
	struct json_node *object = json_write_object();
	const struct change *change = find_change(event->fields[FIELD_TYPE]);

	if (change != NULL)
		add_change(object, change, event);
	else if (text_slice_is(event->family, "security"))
		add_alert(object, event);
	add_common(object, event, options);
	add_event(object, event);
	add_parts(object, event);
	return object;
}

/* ---- the envelope ---- */

/* Code 15 is what an exponent earns: whole seconds, a point, three digits. */
static void
add_time(struct json_node *object, int64_t milliseconds)
{
	char bytes[32];
	struct text time;

	text_start(&time, bytes, sizeof(bytes));
	text_append_number(&time, milliseconds / 1000);
	text_append_byte(&time, '.');
	text_append_padded(&time, (uint64_t)(milliseconds % 1000), 3);
	json_write_decimal(object, "time", text_slice(&time));
}

static void
add_metadata(struct json_node *object, const char *name, struct slice template,
	     const struct event *event)
{
	char bytes[METADATA_LENGTH];
	struct text value;

	if (template.length == 0)
		return;
	text_start(&value, bytes, sizeof(bytes));
	template_write(template, event, TEMPLATE_LINE, &value);
	json_write_text(object, name, text_slice(&value));
}

static struct json_node *
fields_of(const struct event *event, const struct format_options *options)
{
	struct json_node *object = json_write_object();
	char bytes[24];
	struct text number;

	json_write_text(object, "event_id", event->id);
	json_write_text(object, "event_type", event->fields[FIELD_TYPE]);
	if (event->replayed)
		json_write_text(object, "replayed", SLICE_LITERAL("true"));
	if (event->doubted)
		json_write_text(object, "possible_duplicate", SLICE_LITERAL("true"));
	if (options->sequence_number > 0) {
		text_start(&number, bytes, sizeof(bytes));
		text_append_unsigned(&number, options->sequence_number);
		json_write_text(object, "sequence", text_slice(&number));
	}
	return object;
}

void
hec_write(const struct event *event, const struct format_options *options, struct text *text)
{
	struct json_node *envelope = json_write_object();

	add_time(envelope, event->occurred_at > 0 ? event->occurred_at : event->received_at);
	if (options->hec.host.length > 0)
		add_metadata(envelope, "host", options->hec.host, event);
	else
		json_write_text(envelope, "host", options->hostname);
	add_metadata(envelope, "source", options->hec.source, event);
	add_metadata(envelope, "sourcetype", options->hec.sourcetype, event);
	add_metadata(envelope, "index", options->hec.index, event);
	json_write_child(envelope, "event", event_of(event, options));
	json_write_child(envelope, "fields", fields_of(event, options));
	json_write_finish(envelope, text);
}
