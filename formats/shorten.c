#include "formats/shorten.h"

#include "formats/utf8.h"

/* What a step leaves. */
static const struct step {
	size_t longest; /* bytes of a value */
	int rank;       /* fields of a lower one are gone */
} steps[SHORTEN_STEPS] = {{1024, 0}, {1024, 1}, {256, 1}, {256, 2},
			  {64, 2},   {64, 3},   {40, 3},  {32, 4}};

enum { STAYS = 3, TO_THE_END };

/* The lowest rank goes first.  What is no text is not cut. */
static const struct {
	signed char rank;
	bool text;
} fields[EVENT_FIELDS] = {
    [FIELD_BODY_ID] = {0, false},
    [FIELD_TYPE] = {TO_THE_END, false},
    [FIELD_ORIGINAL_TYPE] = {2, false},
    [FIELD_TIME] = {1, false},
    [FIELD_SEVERITY_WORD] = {0, true},
    [FIELD_TITLE] = {2, true},
    [FIELD_MESSAGE] = {2, true},
    [FIELD_ACTION] = {0, true},
    [FIELD_OUTCOME] = {0, true},
    [FIELD_REASON] = {2, true},
    [FIELD_STATUS] = {STAYS, true},
    [FIELD_ACTOR_ID] = {STAYS, false},
    [FIELD_ACTOR_NAME] = {1, true},
    [FIELD_ACTOR_EMAIL] = {STAYS, false},
    [FIELD_ACTOR_ROLE] = {0, true},
    [FIELD_ACTOR_IP] = {STAYS, false},
    [FIELD_ACTOR_USER_AGENT] = {0, true},
    [FIELD_TARGET_ID] = {STAYS, false},
    [FIELD_TARGET_NAME] = {1, true},
    [FIELD_TARGET_EMAIL] = {STAYS, false},
    [FIELD_TARGET_ROLE] = {0, true},
    [FIELD_ORGANIZATION_ID] = {STAYS, false},
    [FIELD_ORGANIZATION_NAME] = {0, true},
    [FIELD_PROJECT_ID] = {0, false},
    [FIELD_PROJECT_NAME] = {0, true},
    [FIELD_KEY_ID] = {STAYS, false},
    [FIELD_KEY_NAME] = {1, true},
    [FIELD_USAGE_METRIC] = {STAYS, true},
    [FIELD_USAGE_VALUE] = {STAYS, false},
    [FIELD_USAGE_LIMIT] = {STAYS, false},
    [FIELD_USAGE_PERCENT] = {1, false},
    [FIELD_INVOICE_ID] = {STAYS, false},
    [FIELD_INVOICE_AMOUNT] = {STAYS, false},
    [FIELD_INVOICE_CURRENCY] = {STAYS, false},
    [FIELD_INVOICE_DUE] = {1, false},
    [FIELD_ALERT_ID] = {STAYS, false},
    [FIELD_ALERT_RULE] = {2, true},
    [FIELD_RESOURCE_ID] = {1, false},
};

static struct slice
shorter_value(enum event_field field, struct slice value, const struct step *step)
{
	const struct slice absent = {NULL, 0};

	if (fields[field].rank < step->rank)
		return absent;
	if (value.length <= step->longest || field == FIELD_TYPE)
		return value;
	return fields[field].text ? utf8_cut(value, step->longest) : absent;
}

void
shorten_event(const struct event *event, int step, struct event *shorter)
{
	const struct step *taken = &steps[step - 1];

	*shorter = *event;
	for (enum event_field field = 0; field < EVENT_FIELDS; field++)
		shorter->fields[field] = shorter_value(field, event->fields[field], taken);
	shorter->name = utf8_cut(event->name, taken->longest);
	shorter->truncated = true;
}
