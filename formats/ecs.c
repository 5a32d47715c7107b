#include "formats/ecs.h"

#include <string.h>

#include "formats/address.h"
#include "formats/catalogue.h"
#include "formats/json_event.h"

enum { WORDS = 3 };

/*
 * What ECS calls each row of the catalogue.  A type has to be allowed for its
 * category; where nothing fits, both are left out.
 */
static const struct class
{
	const char *type; /* as in the catalogue */
	const char *action;
	const char *categories[WORDS];
	const char *types[WORDS];
} classes[] = {
    {"key.created", "api-key-created", {"iam", "configuration"}, {"creation"}},
    {"key.disabled", "api-key-disabled", {"iam", "configuration"}, {"change"}},
    {"key.deleted", "api-key-deleted", {"iam", "configuration"}, {"deletion"}},
    {"member.invited", "member-invited", {"iam"}, {"user", "info"}},
    {"member.joined", "member-joined", {"iam"}, {"user", "group", "change"}},
    {"member.removed", "member-removed", {"iam"}, {"user", "group", "change"}},
    {"usage.alert", "usage-alert", {"api"}, {"info"}},
    {"usage.limit_reached", "usage-limit-reached", {"api"}, {"info"}},
    {"billing.generated", "invoice-generated", {NULL}, {NULL}},
    {"billing.paid", "invoice-paid", {NULL}, {NULL}},
    {"billing.overdue", "invoice-overdue", {NULL}, {NULL}},
};

/* Types that a configuration or a sender adds: by what they are about. */
static const struct {
	enum catalogue_family family;
	struct class class;
} others[] = {
    {FAMILY_KEY, {NULL, NULL, {"iam", "configuration"}, {"info"}}},
    {FAMILY_MEMBER, {NULL, NULL, {"iam"}, {"user", "info"}}},
    {FAMILY_USAGE, {NULL, NULL, {"api"}, {"info"}}},
    {FAMILY_SECURITY, {NULL, NULL, {"intrusion_detection"}, {"info"}}},
};

static const struct class unknown = {NULL, NULL, {NULL}, {NULL}};

static const struct class *
find_class(const struct catalogue_entry *entry)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strcmp(classes[i].type, entry->type) == 0)
			return &classes[i];
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].family == entry->family)
			return &others[i].class;
	return &unknown;
}

static struct slice
either(const struct event *event, enum event_field first, enum event_field second)
{
	return event->fields[first].length > 0 ? event->fields[first] : event->fields[second];
}

static void
add_words(struct json_node *object, const char *name, const char *const words[WORDS])
{
	struct json_node *array;

	if (words[0] == NULL)
		return;
	array = json_write_array();
	for (int i = 0; i < WORDS && words[i] != NULL; i++)
		json_write_element_text(array, text_of(words[i]));
	json_write_child(object, name, array);
}

/* A list of one value, where there is one. */
static void
add_list(struct json_node *object, const char *name, struct slice first, struct slice second)
{
	struct json_node *array;

	if (first.length == 0 && second.length == 0)
		return;
	array = json_write_array();
	if (first.length > 0)
		json_write_element_text(array, first);
	if (second.length > 0 && !text_slices_equal(first, second))
		json_write_element_text(array, second);
	json_write_child(object, name, array);
}

/* "impossible_travel" of security.impossible_travel; else the type. */
static struct slice
action_of(const struct class *class, const struct event *event)
{
	static const char prefix[] = "security.";
	const size_t length = sizeof(prefix) - 1;
	struct slice type = event->fields[FIELD_TYPE];

	if (class->action != NULL)
		return text_of(class->action);
	if (type.length > length && memcmp(type.bytes, prefix, length) == 0)
		return (struct slice){type.bytes + length, type.length - length};
	return type;
}

static bool
are_calls_refused(const struct event *event)
{
	return event->entry->family == FAMILY_USAGE && text_slice_is(event->action, "blocked");
}

static void
add_event(struct json_node *document, const struct event *event,
	  const struct format_options *options)
{
	static const char *const denied[WORDS] = {"denied"};
	const struct class *class = find_class(event->entry);
	struct json_node *object = json_write_object();

	json_write_text(object, "kind",
			text_of(event->entry->family == FAMILY_SECURITY ? "alert" : "event"));
	add_words(object, "category", class->categories);
	add_words(object, "type", are_calls_refused(event) ? denied : class->types);
	json_write_text(object, "action", action_of(class, event));
	json_write_text(object, "code", event->fields[FIELD_TYPE]);
	json_write_text(object, "id", event->id);
	json_write_text(object, "outcome", event->outcome);
	json_write_text(object, "reason", event->fields[FIELD_REASON]);
	json_write_number(object, "severity", severity_row(event->severity)->cef);
	json_write_text(object, "dataset", event->family);
	json_write_text(object, "provider", event->source);
	if (event->received_at > 0)
		json_event_time(object, "created", event->received_at);
	if (options->sequence_number > 0)
		json_write_number(object, "sequence", options->sequence_number);
	json_write_child(document, "event", object);
}

/* A value that is no address in source.ip would make Elasticsearch refuse the document. */
static void
add_source(struct json_node *document, struct slice text, const struct address *address)
{
	struct json_node *object = json_write_object();

	if (address->kind == ADDRESS_NONE) {
		if (text.length > 0)
			json_write_text(object, "address", text);
	} else {
		json_write_text(object, "ip", address->ip);
		json_write_decimal(object, "port", address->port);
	}
	json_write_child_unless_empty(document, "source", object);
}

static void
add_role(struct json_node *user, struct slice role)
{
	add_list(user, "roles", role, (struct slice){NULL, 0});
}

static void
add_user(struct json_node *document, const struct event *event)
{
	struct json_node *user = json_write_object(), *target = json_write_object();

	json_write_text(user, "id", event->fields[FIELD_ACTOR_ID]);
	json_write_text(user, "name", either(event, FIELD_ACTOR_NAME, FIELD_ACTOR_EMAIL));
	json_write_text(user, "email", event->fields[FIELD_ACTOR_EMAIL]);
	add_role(user, event->fields[FIELD_ACTOR_ROLE]);
	json_write_text(target, "id", event->fields[FIELD_TARGET_ID]);
	json_write_text(target, "name", either(event, FIELD_TARGET_NAME, FIELD_TARGET_EMAIL));
	json_write_text(target, "email", event->fields[FIELD_TARGET_EMAIL]);
	add_role(target, event->fields[FIELD_TARGET_ROLE]);
	json_write_child_unless_empty(user, "target", target);
	json_write_child_unless_empty(document, "user", user);
}

static void
add_observer(struct json_node *document, const struct format_options *options)
{
	struct json_node *object = json_write_object();

	json_write_text(object, "vendor", options->device_vendor);
	json_write_text(object, "product", options->device_product);
	json_write_text(object, "version", options->device_version);
	json_write_child(document, "observer", object);
}

static void
add_related(struct json_node *document, const struct event *event, const struct address *address)
{
	struct json_node *object = json_write_object();
	struct slice absent = {NULL, 0};

	add_list(object, "user", either(event, FIELD_ACTOR_EMAIL, FIELD_ACTOR_NAME),
		 either(event, FIELD_TARGET_EMAIL, FIELD_TARGET_NAME));
	if (address->kind != ADDRESS_NONE)
		add_list(object, "ip", address->ip, absent);
	json_write_child_unless_empty(document, "related", object);
}

struct member {
	const char *object;
	const char *name;
	enum event_field field;
};

/* Objects of ECS with nothing but plain fields; the rows of one stand together. */
static const struct member plain[] = {
    {"user_agent", "original", FIELD_ACTOR_USER_AGENT},
    {"organization", "id", FIELD_ORGANIZATION_ID},
    {"organization", "name", FIELD_ORGANIZATION_NAME},
    {"rule", "id", FIELD_ALERT_RULE},
    {"rule", "name", FIELD_TITLE},
};

/* Under "siembridge". */
static const struct member own[] = {
    {"key", "id", FIELD_KEY_ID},
    {"key", "name", FIELD_KEY_NAME},
    {"project", "id", FIELD_PROJECT_ID},
    {"project", "name", FIELD_PROJECT_NAME},
    {"usage", "metric", FIELD_USAGE_METRIC},
    {"usage", "value", FIELD_USAGE_VALUE},
    {"usage", "limit", FIELD_USAGE_LIMIT},
    {"usage", "percent", FIELD_USAGE_PERCENT},
    {"invoice", "id", FIELD_INVOICE_ID},
    {"invoice", "amount", FIELD_INVOICE_AMOUNT},
    {"invoice", "currency", FIELD_INVOICE_CURRENCY},
    {"invoice", "due", FIELD_INVOICE_DUE},
    {"alert", "id", FIELD_ALERT_ID},
};

static void
add_members(struct json_node *document, const struct member *members, size_t count,
	    const struct event *event)
{
	for (size_t i = 0; i < count;) {
		const char *name = members[i].object;
		struct json_node *object = json_write_object();

		for (; i < count && strcmp(members[i].object, name) == 0; i++)
			json_write_text(object, members[i].name, event->fields[members[i].field]);
		json_write_child_unless_empty(document, name, object);
	}
}

static void
add_resource(struct json_node *rest, const struct event *event)
{
	struct json_node *object = json_write_object();

	json_write_text(object, "id", event_own_resource(event));
	json_write_text(object, "status", event->fields[FIELD_STATUS]);
	json_write_child_unless_empty(rest, "resource", object);
}

void
ecs_write(const struct event *event, const struct format_options *options, struct text *text)
{
	struct json_node *document = json_write_object(), *version = json_write_object(),
			 *rest = json_write_object();
	struct address address;

	address_read(event->fields[FIELD_ACTOR_IP], &address);
	json_event_time(document, "@timestamp", event->occurred_at);
	json_write_text(version, "version", text_of("9.4.0"));
	json_write_child(document, "ecs", version);
	json_write_text(document, "message", either(event, FIELD_MESSAGE, FIELD_TITLE));
	add_event(document, event, options);
	add_user(document, event);
	add_source(document, event->fields[FIELD_ACTOR_IP], &address);
	add_members(document, plain, sizeof(plain) / sizeof(plain[0]), event);
	add_observer(document, options);
	add_related(document, event, &address);
	add_members(rest, own, sizeof(own) / sizeof(own[0]), event);
	json_write_text(rest, "original_type", event->fields[FIELD_ORIGINAL_TYPE]);
	json_event_delivery(rest, event);
	add_resource(rest, event);
	json_write_child_unless_empty(document, "siembridge", rest);
	json_write_finish(document, text);
}
