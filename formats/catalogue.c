#include "formats/catalogue.h"

/* clang-format off */
static const struct catalogue_entry rows[] = {
	/* type, name, severity, of body: severity, name, family, action, other action, outcome */
	{"key.created", "API key created", SEVERITY_LOW, false, false, FAMILY_KEY, "created", NULL, "success"},
	{"key.disabled", "API key disabled", SEVERITY_LOW, false, false, FAMILY_KEY, "disabled", NULL, "success"},
	{"key.deleted", "API key deleted", SEVERITY_MEDIUM, false, false, FAMILY_KEY, "deleted", NULL, "success"},
	{"member.invited", "Member invited", SEVERITY_LOW, false, false, FAMILY_MEMBER, "invited", NULL, "success"},
	{"member.joined", "Member joined", SEVERITY_LOW, false, false, FAMILY_MEMBER, "joined", NULL, "success"},
	{"member.removed", "Member removed", SEVERITY_MEDIUM, false, false, FAMILY_MEMBER, "removed", NULL, "success"},
	{"usage.alert", "Usage threshold crossed", SEVERITY_MEDIUM, false, false, FAMILY_USAGE, "notified", NULL, NULL},
	{"usage.limit_reached", "Usage limit reached", SEVERITY_HIGH, false, false, FAMILY_USAGE, "notified", "blocked", NULL},
	{"billing.generated", "Invoice generated", SEVERITY_INFO, false, false, FAMILY_BILLING, "generated", NULL, NULL},
	{"billing.paid", "Invoice paid", SEVERITY_INFO, false, false, FAMILY_BILLING, "paid", NULL, "success"},
	{"billing.overdue", "Invoice overdue", SEVERITY_MEDIUM, false, false, FAMILY_BILLING, "notified", NULL, NULL},
	{"security.*", "Security alert", SEVERITY_HIGH, true, true, FAMILY_SECURITY, "detected", NULL, NULL},
	{"webhook.signature_invalid", "Webhook signature invalid", SEVERITY_MEDIUM, false, false, FAMILY_SECURITY, "rejected", NULL, "failure"},
	{"source.silent", "Source silent", SEVERITY_HIGH, false, false, FAMILY_OTHER, "silent", NULL, NULL},
	{"source.heard_again", "Source heard again", SEVERITY_INFO, false, false, FAMILY_OTHER, "heard", NULL, NULL},
	{"*", NULL, SEVERITY_INFO, false, false, FAMILY_OTHER, NULL, NULL, NULL},
};
/* clang-format on */

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool
matches(const char *pattern, struct slice type)
{
	for (size_t i = 0; pattern[i] != '*'; i++) {
		if (i == type.length)
			return pattern[i] == '\0';
		if (pattern[i] != type.bytes[i])
			return false;
	}
	return true;
}

const struct catalogue_entry *
catalogue_find(struct slice type)
{
	for (size_t i = 0; i < ROWS - 1; i++)
		if (matches(rows[i].type, type))
			return &rows[i];
	return &rows[ROWS - 1];
}

const struct catalogue_entry *
catalogue_at(size_t i)
{
	return i < ROWS ? &rows[i] : NULL;
}

const char *
catalogue_family_name(enum catalogue_family family)
{
	switch (family) {
	case FAMILY_KEY:
		return "key";
	case FAMILY_MEMBER:
		return "member";
	case FAMILY_USAGE:
		return "usage";
	case FAMILY_BILLING:
		return "billing";
	case FAMILY_SECURITY:
		return "security";
	case FAMILY_OTHER:
	case FAMILY_ANY:
		break;
	}
	return "other";
}
