#include "formats/ocsf.h"

#include "formats/address.h"
#include "formats/json_event.h"
#include "formats/ocsf_class.h"

enum {
	SINCE_ENTITY_TYPE_ID = 3, /* OCSF 1.3 */
	SINCE_IS_ALERT = 4,
	SINCE_USERS = 9,
};

static const struct {
	const char *name; /* "1.9.0"; the first three bytes are what a configuration says */
	unsigned minor;
} versions[] = {{"1.1.0", 1}, {"1.3.0", 3}, {"1.8.0", 8}, {"1.9.0", 9}};

enum { VERSIONS = sizeof(versions) / sizeof(versions[0]) };

static const char *const severities[] = {"Unknown", "Informational", "Low",
					 "Medium",  "High",          "Critical"};

bool
ocsf_parse_version(struct slice version, unsigned *minor)
{
	for (size_t i = 0; i < VERSIONS; i++) {
		struct slice whole = text_of(versions[i].name);
		struct slice head = {whole.bytes, 3};

		if (text_slices_equal(version, whole) || text_slices_equal(version, head)) {
			*minor = versions[i].minor;
			return true;
		}
	}
	return false;
}

static const char *
version_name(unsigned minor)
{
	for (size_t i = 0; i < VERSIONS; i++)
		if (versions[i].minor == minor)
			return versions[i].name;
	return versions[VERSIONS - 1].name;
}

static void
add_class(struct json_node *document, const struct ocsf_class *class, const struct event *event)
{
	int severity = severity_row(event->severity)->ocsf;

	json_write_number(document, "activity_id", class->activity_id);
	json_write_text(document, "activity_name", class->activity_name);
	json_write_number(document, "category_uid", class->class_uid / 1000);
	json_write_number(document, "class_uid", class->class_uid);
	json_write_number(document, "type_uid",
			  (int64_t) class->class_uid * 100 + class->activity_id);
	json_write_number(document, "severity_id", severity);
	json_write_text(document, "severity", text_of(severities[severity]));
	json_write_number(document, "time", event->occurred_at > 0 ? event->occurred_at : 0);
	if (class->status_id > 0) {
		json_write_number(document, "status_id", class->status_id);
		json_write_text(document, "status", text_of(class->status));
	}
	json_write_text(document, "status_detail", event->fields[FIELD_REASON]);
	json_write_text(document, "message",
			event->fields[FIELD_MESSAGE].length > 0 ? event->fields[FIELD_MESSAGE]
								: event->name);
}

static void
add_metadata(struct json_node *document, const struct event *event,
	     const struct format_options *options)
{
	struct json_node *metadata = json_write_object(), *product = json_write_object();

	json_write_text(product, "vendor_name", options->device_vendor);
	json_write_text(product, "name", options->device_product);
	json_write_text(product, "version", options->device_version);
	json_write_text(metadata, "version", text_of(version_name(options->ocsf_minor)));
	json_write_child(metadata, "product", product);
	json_write_text(metadata, "original_event_uid", event->id);
	json_write_text(metadata, "event_code", event->fields[FIELD_TYPE]);
	json_write_text(metadata, "original_time", event->fields[FIELD_TIME]);
	json_write_text(metadata, "tenant_uid", event->fields[FIELD_ORGANIZATION_ID]);
	json_write_text(metadata, "log_provider", event->source);
	if (event->received_at > 0)
		json_write_number(metadata, "processed_time", event->received_at);
	if (options->sequence_number > 0)
		json_write_number(metadata, "sequence", options->sequence_number);
	json_write_child(document, "metadata", metadata);
}

static struct json_node *
user_of(const struct event *event, enum event_field id, enum event_field name,
	enum event_field email)
{
	struct json_node *user = json_write_object();

	json_write_text(user, "uid", event->fields[id]);
	json_write_text(user, "name", event->fields[name]);
	json_write_text(user, "email_addr", event->fields[email]);
	return user;
}

static void
add_actor(struct json_node *document, const struct event *event)
{
	struct json_node *actor = json_write_object();

	json_write_child_unless_empty(
	    actor, "user", user_of(event, FIELD_ACTOR_ID, FIELD_ACTOR_NAME, FIELD_ACTOR_EMAIL));
	json_write_child_unless_empty(document, "actor", actor);
}

static void
add_endpoint(struct json_node *document, const struct address *address)
{
	struct json_node *endpoint = json_write_object();

	if (address->kind != ADDRESS_NONE) {
		json_write_text(endpoint, "ip", address->ip);
		json_write_decimal(endpoint, "port", address->port);
	}
	json_write_child_unless_empty(document, "src_endpoint", endpoint);
}

static void
add_request(struct json_node *document, const struct event *event)
{
	struct json_node *request = json_write_object();

	json_write_text(request, "user_agent", event->fields[FIELD_ACTOR_USER_AGENT]);
	json_write_child_unless_empty(document, "http_request", request);
}

/* An entity and a group have to have one of uid and name. */
static void
add_identity(struct json_node *object, struct slice id, struct slice name)
{
	json_write_text(object, "uid", id);
	json_write_text(object, "name", name);
	if (id.length == 0 && name.length == 0)
		json_write_text(object, "name", text_of("Unknown"));
}

static void
add_entity(struct json_node *document, const struct event *event, unsigned minor)
{
	struct json_node *entity = json_write_object();

	if (minor >= SINCE_ENTITY_TYPE_ID)
		json_write_number(entity, "type_id", 99);
	json_write_text(entity, "type", text_of("API Key"));
	add_identity(entity, event->fields[FIELD_KEY_ID], event->fields[FIELD_KEY_NAME]);
	json_write_child(document, "entity", entity);
}

static void
add_group(struct json_node *document, const struct event *event, unsigned minor)
{
	struct json_node *group = json_write_object(), *users;
	struct json_node *user =
	    user_of(event, FIELD_TARGET_ID, FIELD_TARGET_NAME, FIELD_TARGET_EMAIL);

	add_identity(group, event->fields[FIELD_ORGANIZATION_ID],
		     event->fields[FIELD_ORGANIZATION_NAME]);
	json_write_child(document, "group", group);
	if (minor < SINCE_USERS) {
		json_write_child_unless_empty(document, "user", user);
		return;
	}
	users = json_write_array();
	json_write_element(users, user);
	json_write_child(document, "users", users);
}

static void
add_finding(struct json_node *document, const struct ocsf_class *class, const struct event *event,
	    unsigned minor)
{
	struct json_node *finding = json_write_object(), *analytic = json_write_object();
	struct slice rule = event->fields[FIELD_ALERT_RULE];
	struct slice id = event->fields[FIELD_ALERT_ID];

	json_write_text(finding, "uid", id.length > 0 ? id : event->id);
	json_write_text(finding, "title", event->name);
	json_write_text(finding, "desc", event->fields[FIELD_MESSAGE]);
	if (rule.length > 0) {
		json_write_text(analytic, "uid", rule);
		json_write_number(analytic, "type_id", 1);
		json_write_text(analytic, "type", text_of("Rule"));
	}
	json_write_child_unless_empty(finding, "analytic", analytic);
	json_write_child(document, "finding_info", finding);
	if (minor >= SINCE_IS_ALERT)
		json_write_boolean(document, "is_alert", class->activity_id != OCSF_ACTIVITY_CLOSE);
}

/* What the class has no attribute for. */
static const struct {
	const char *object;
	const char *name;
	enum event_field field;
	bool number;
} rows[] = {
    {"actor", "role", FIELD_ACTOR_ROLE, false},
    {"target", "role", FIELD_TARGET_ROLE, false},
    {"organization", "name", FIELD_ORGANIZATION_NAME, false},
    {"project", "id", FIELD_PROJECT_ID, false},
    {"project", "name", FIELD_PROJECT_NAME, false},
    {"usage", "metric", FIELD_USAGE_METRIC, false},
    {"usage", "value", FIELD_USAGE_VALUE, true},
    {"usage", "limit", FIELD_USAGE_LIMIT, true},
    {"usage", "percent", FIELD_USAGE_PERCENT, true},
    {"invoice", "id", FIELD_INVOICE_ID, false},
    {"invoice", "amount", FIELD_INVOICE_AMOUNT, false},
    {"invoice", "currency", FIELD_INVOICE_CURRENCY, false},
    {"invoice", "due", FIELD_INVOICE_DUE, false},
    {"resource", "status", FIELD_STATUS, false},
};

static void
add_unmapped(struct json_node *document, const struct event *event)
{
	struct json_node *unmapped = json_write_object();
	const size_t count = sizeof(rows) / sizeof(rows[0]);

	for (size_t i = 0; i < count;) {
		const char *name = rows[i].object;
		struct json_node *object = json_write_object();

		for (; i < count && text_slice_is(text_of(rows[i].object), name); i++) {
			struct slice value = event->fields[rows[i].field];

			if (rows[i].number)
				json_write_decimal(object, rows[i].name, value);
			else
				json_write_text(object, rows[i].name, value);
		}
		json_write_child_unless_empty(unmapped, name, object);
	}
	json_write_text(unmapped, "original_type", event->fields[FIELD_ORIGINAL_TYPE]);
	json_event_delivery(unmapped, event);
	json_write_child_unless_empty(document, "unmapped", unmapped);
}

void
ocsf_write(const struct event *event, const struct format_options *options, struct text *text)
{
	struct json_node *document = json_write_object();
	struct address address;
	struct ocsf_class class;

	ocsf_class_of(event, options->ocsf_minor, &class);
	address_read(event->fields[FIELD_ACTOR_IP], &address);
	add_class(document, &class, event);
	add_metadata(document, event, options);
	add_actor(document, event);
	add_endpoint(document, &address);
	add_request(document, event);
	if (class.class_uid == OCSF_ENTITY_MANAGEMENT)
		add_entity(document, event, options->ocsf_minor);
	else if (class.class_uid == OCSF_GROUP_MANAGEMENT)
		add_group(document, event, options->ocsf_minor);
	else if (class.class_uid == OCSF_DETECTION_FINDING)
		add_finding(document, &class, event, options->ocsf_minor);
	add_unmapped(document, event);
	json_write_finish(document, text);
}
