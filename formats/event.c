#include "formats/event.h"

#include <string.h>

static const char *const names[EVENT_FIELDS] = {
    [FIELD_BODY_ID] = "id",
    [FIELD_TYPE] = "type",
    [FIELD_ORIGINAL_TYPE] = "original_type",
    [FIELD_TIME] = "time",
    [FIELD_SEVERITY_WORD] = "severity",
    [FIELD_TITLE] = "title",
    [FIELD_MESSAGE] = "message",
    [FIELD_ACTION] = "action",
    [FIELD_OUTCOME] = "outcome",
    [FIELD_REASON] = "reason",
    [FIELD_STATUS] = "status",
    [FIELD_ACTOR_ID] = "actor.id",
    [FIELD_ACTOR_NAME] = "actor.name",
    [FIELD_ACTOR_EMAIL] = "actor.email",
    [FIELD_ACTOR_ROLE] = "actor.role",
    [FIELD_ACTOR_IP] = "actor.ip",
    [FIELD_ACTOR_USER_AGENT] = "actor.user_agent",
    [FIELD_TARGET_ID] = "target.id",
    [FIELD_TARGET_NAME] = "target.name",
    [FIELD_TARGET_EMAIL] = "target.email",
    [FIELD_TARGET_ROLE] = "target.role",
    [FIELD_ORGANIZATION_ID] = "organization.id",
    [FIELD_ORGANIZATION_NAME] = "organization.name",
    [FIELD_PROJECT_ID] = "project.id",
    [FIELD_PROJECT_NAME] = "project.name",
    [FIELD_KEY_ID] = "key.id",
    [FIELD_KEY_NAME] = "key.name",
    [FIELD_USAGE_METRIC] = "usage.metric",
    [FIELD_USAGE_VALUE] = "usage.value",
    [FIELD_USAGE_LIMIT] = "usage.limit",
    [FIELD_USAGE_PERCENT] = "usage.percent",
    [FIELD_INVOICE_ID] = "invoice.id",
    [FIELD_INVOICE_AMOUNT] = "invoice.amount",
    [FIELD_INVOICE_CURRENCY] = "invoice.currency",
    [FIELD_INVOICE_DUE] = "invoice.due",
    [FIELD_ALERT_ID] = "alert.id",
    [FIELD_ALERT_RULE] = "alert.rule",
    [FIELD_RESOURCE_ID] = "resource.id",
};

const char *
event_field_name(enum event_field field)
{
	return names[field];
}

bool
event_field_find(const char *name, enum event_field *field)
{
	for (enum event_field i = 0; i < EVENT_FIELDS; i++) {
		if (strcmp(names[i], name) == 0) {
			*field = i;
			return true;
		}
	}
	return false;
}

struct slice
event_own_resource(const struct event *event)
{
	static const enum event_field named[] = {FIELD_KEY_ID, FIELD_TARGET_ID, FIELD_INVOICE_ID,
						 FIELD_ALERT_ID};
	struct slice resource = event->fields[FIELD_RESOURCE_ID];

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (text_slices_equal(resource, event->fields[named[i]]))
			return (struct slice){NULL, 0};
	return resource;
}
