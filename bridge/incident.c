/*
 * An event that names nothing that it is about is an incident of its own: two of them
 * under one key would be one page, and the second might be another matter.
 */
#include "bridge/incident.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/hex.h"
#include "formats/catalogue.h"
#include "formats/glob.h"
#include "formats/memory.h"
#include "formats/ocsf_class.h"

enum {
	OBJECTS = 4,
	NONE = EVENT_FIELDS,
	KEPT = 190, /* bytes of a key that is too long; ":" and its SHA-256 follow */
	DIGEST = 32,
};

struct rule {
	const char *type; /* a glob; the first that fits counts */
	const char *ends; /* the type whose incident it ends; NULL: it opens one */
	const char *family;
	int objects[OBJECTS]; /* the first that is there */
};

/* clang-format off */
static const struct rule rules[] = {
	{"key.enabled", "key.disabled", "key", {FIELD_KEY_ID, FIELD_KEY_NAME, FIELD_RESOURCE_ID, NONE}},
	{"key.*", NULL, "key", {FIELD_KEY_ID, FIELD_KEY_NAME, FIELD_RESOURCE_ID, NONE}},
	{"member.*", NULL, "member", {FIELD_TARGET_ID, FIELD_TARGET_EMAIL, FIELD_TARGET_NAME, NONE}},
	{"usage.*", NULL, "usage", {FIELD_USAGE_METRIC, FIELD_PROJECT_ID, NONE, NONE}},
	{"billing.paid", "billing.overdue", "billing", {FIELD_INVOICE_ID, FIELD_RESOURCE_ID, NONE, NONE}},
	{"billing.*", NULL, "billing", {FIELD_INVOICE_ID, FIELD_RESOURCE_ID, NONE, NONE}},
	/* ended by one with a status that says so: incident_action_of() */
	{"security.*", NULL, "security", {FIELD_ALERT_ID, FIELD_RESOURCE_ID, FIELD_ALERT_RULE, NONE}},
	{"source.heard_again", "source.silent", "source", {FIELD_RESOURCE_ID, NONE, NONE, NONE}},
	{"source.silent", NULL, "source", {FIELD_RESOURCE_ID, NONE, NONE, NONE}},
	{"webhook.*", NULL, "webhook", {FIELD_RESOURCE_ID, NONE, NONE, NONE}},
	{"*", NULL, "other", {FIELD_RESOURCE_ID, NONE, NONE, NONE}},
};
/* clang-format on */

static const struct rule *
rule_of(struct slice type)
{
	const struct rule *rule = rules;

	while (!glob_matches(rule->type, type))
		rule++;
	return rule;
}

const char *
incident_ended_by(struct slice type)
{
	return rule_of(type)->ends;
}

enum incident_action
incident_action_of(const struct event *event)
{
	struct ocsf_class class;

	if (incident_ended_by(event->fields[FIELD_TYPE]) != NULL)
		return INCIDENT_RESOLVE;
	if (event->entry->family != FAMILY_SECURITY)
		return INCIDENT_TRIGGER;
	ocsf_class_of(event, 9, &class);
	return class.class_uid == OCSF_DETECTION_FINDING && class.activity_id == OCSF_ACTIVITY_CLOSE
		   ? INCIDENT_RESOLVE
		   : INCIDENT_TRIGGER;
}

static struct slice
object_of(const struct event *event, const struct rule *rule)
{
	for (size_t i = 0; i < OBJECTS && rule->objects[i] != NONE; i++)
		if (event->fields[rule->objects[i]].length > 0)
			return event->fields[rule->objects[i]];
	return event->id;
}

static struct slice
organization_of(const struct event *event)
{
	struct slice id = event->fields[FIELD_ORGANIZATION_ID];

	return id.length > 0 ? id : event->fields[FIELD_ORGANIZATION_NAME];
}

/* Its beginning, and what tells it from all others. */
static void
shorten(struct slice whole, struct text *key)
{
	unsigned char digest[DIGEST];

	if (EVP_Q_digest(NULL, "SHA256", NULL, whole.bytes, whole.length, digest, NULL) != 1)
		memory_panic("SHA-256 failed");
	text_append(key, whole.bytes, KEPT);
	text_append_byte(key, ':');
	hex_encode(digest, sizeof(digest), key);
}

void
incident_of(const struct event *event, struct incident *incident)
{
	const struct rule *rule = rule_of(event->fields[FIELD_TYPE]);
	struct slice organization = organization_of(event), object = object_of(event, rule);
	size_t capacity = event->source.length + organization.length + object.length + 64;
	char *bytes = memory_allocate(capacity);
	struct text whole, key;

	incident->action = incident_action_of(event);
	text_start(&whole, bytes, capacity);
	text_append_slice(&whole, event->source);
	text_append_byte(&whole, ':');
	text_append_slice(&whole, organization);
	text_append_format(&whole, ":%s:", rule->family);
	text_append_slice(&whole, object);
	text_start(&key, incident->key, sizeof(incident->key));
	if (whole.length > sizeof(incident->key))
		shorten(text_slice(&whole), &key);
	else
		text_append_slice(&key, text_slice(&whole));
	incident->length = key.length;
	free(bytes);
}

struct slice
incident_key(const struct incident *incident)
{
	return (struct slice){incident->key, incident->length};
}
