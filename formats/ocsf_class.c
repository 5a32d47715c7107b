#include "formats/ocsf_class.h"

#include <string.h>

#include "formats/catalogue.h"

/* Of the rows with one type the first whose version is not above the consumer's counts. */
static const struct {
	const char *type; /* as in the catalogue */
	unsigned since;   /* OCSF 1.N */
	int class_uid;
	int activity_id;
	const char *activity_name;
} rows[] = {
    {"key.created", 0, OCSF_ENTITY_MANAGEMENT, 1, "Create"},
    {"key.disabled", 3, OCSF_ENTITY_MANAGEMENT, 9, "Disable"}, /* 5 to 13 came with 1.3 */
    {"key.disabled", 0, OCSF_ENTITY_MANAGEMENT, 3, "Update"},
    {"key.deleted", 0, OCSF_ENTITY_MANAGEMENT, 4, "Delete"},
    {"member.invited", 0, OCSF_GROUP_MANAGEMENT, OCSF_ACTIVITY_OTHER, "Invite User"},
    {"member.joined", 0, OCSF_GROUP_MANAGEMENT, 3, "Add User"},
    {"member.removed", 0, OCSF_GROUP_MANAGEMENT, 4, "Remove User"},
    {"usage.alert", 0, OCSF_BASE_EVENT, OCSF_ACTIVITY_OTHER, "Usage Alert"},
    {"usage.limit_reached", 0, OCSF_BASE_EVENT, OCSF_ACTIVITY_OTHER, "Usage Limit Reached"},
    {"billing.generated", 0, OCSF_BASE_EVENT, OCSF_ACTIVITY_OTHER, "Invoice Generated"},
    {"billing.paid", 0, OCSF_BASE_EVENT, OCSF_ACTIVITY_OTHER, "Invoice Paid"},
    {"billing.overdue", 0, OCSF_BASE_EVENT, OCSF_ACTIVITY_OTHER, "Invoice Overdue"},
};

/* What senders call where an alert stands. */
static const struct {
	const char *word;
	int activity_id;
	int status_id;
} states[] = {
    {"open", 1, 1},        {"new", 1, 1},        {"created", 1, 1},      {"triggered", 1, 1},
    {"firing", 1, 1},      {"updated", 2, 2},    {"acknowledged", 2, 2}, {"in_progress", 2, 2},
    {"in progress", 2, 2}, {"suppressed", 2, 3}, {"ignored", 2, 3},      {"muted", 2, 3},
    {"resolved", 3, 4},    {"closed", 3, 4},     {"dismissed", 3, 4},    {"fixed", 3, 4},
    {"archived", 3, 5},    {"deleted", 3, 6},
};

static const char *const finding_activities[] = {"Unknown", "Create", "Update", "Close"};
static const char *const finding_states[] = {"Unknown",  "New",      "In Progress", "Suppressed",
					     "Resolved", "Archived", "Deleted"};

/* OCSF 1.4 has Archived, and Deleted is not older: before, they are Other with a name. */
enum { SINCE_ARCHIVED = 4, STATE_ARCHIVED = 5, STATUS_OTHER = 99 };

static bool
is_word(struct slice text, const char *word)
{
	return text_slices_equal_any_case(text, text_of(word));
}

static void
find_finding(const struct event *event, unsigned minor, struct ocsf_class *class)
{
	size_t found = 0; /* what stands nowhere else is new */

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (is_word(event->fields[FIELD_STATUS], states[i].word))
			found = i;
	class->class_uid = OCSF_DETECTION_FINDING;
	class->activity_id = states[found].activity_id;
	class->activity_name = text_of(finding_activities[class->activity_id]);
	class->status_id = states[found].status_id;
	class->status = finding_states[class->status_id];
	if (minor < SINCE_ARCHIVED && class->status_id >= STATE_ARCHIVED)
		class->status_id = STATUS_OTHER;
}

static bool
find_row(const struct event *event, unsigned minor, struct ocsf_class *class)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].since > minor || strcmp(rows[i].type, event->entry->type) != 0)
			continue;
		class->class_uid = rows[i].class_uid;
		class->activity_id = rows[i].activity_id;
		class->activity_name = text_of(rows[i].activity_name);
		return true;
	}
	return false;
}

/* A type that no row knows: by what it is about. */
static void
find_by_family(const struct event *event, struct ocsf_class *class)
{
	class->class_uid = OCSF_BASE_EVENT;
	if (event->entry->family == FAMILY_KEY)
		class->class_uid = OCSF_ENTITY_MANAGEMENT;
	else if (event->entry->family == FAMILY_MEMBER)
		class->class_uid = OCSF_GROUP_MANAGEMENT;
	class->activity_id = OCSF_ACTIVITY_OTHER;
	class->activity_name = event->name;
}

void
ocsf_class_of(const struct event *event, unsigned minor, struct ocsf_class *class)
{
	*class = (struct ocsf_class){.status = NULL};
	if (event->entry->family == FAMILY_SECURITY) {
		find_finding(event, minor, class);
		return;
	}
	if (!find_row(event, minor, class))
		find_by_family(event, class);
	if (event->outcome.length > 0) {
		bool success = text_slice_is(event->outcome, "success");

		class->status_id = success ? 1 : 2;
		class->status = success ? "Success" : "Failure";
	}
}
