/*
 * The profile github: webhooks (docs.github.com/webhooks, events and payloads), whose
 * event is named by a header and an action in the body, and entries of the audit log,
 * which have the two in one and may come inside of an HEC envelope.
 */
#include "formats/mapping.h"

/* clang-format off */
static const struct mapping_rule rules[] = {
	{FIELD_TYPE, FAMILY_ANY, "action"},
	{FIELD_BODY_ID, FAMILY_ANY, "_document_id"},
	{FIELD_TIME, FAMILY_ANY, "@timestamp created_at alert/updated_at alert/created_at"},
	{FIELD_SEVERITY_WORD, FAMILY_ANY, "alert/security_advisory/severity security_advisory/severity alert/rule/security_severity_level alert/rule/severity alert/severity"},
	{FIELD_TITLE, FAMILY_ANY, "alert/security_advisory/summary security_advisory/summary alert/rule/description alert/secret_type_display_name"},
	{FIELD_MESSAGE, FAMILY_ANY, "alert/most_recent_instance/message/text"},
	{FIELD_ACTION, FAMILY_ANY, "/action"},
	{FIELD_REASON, FAMILY_ANY, "alert/resolution alert/dismissed_reason reason"},
	{FIELD_STATUS, FAMILY_ANY, "alert/state"},
	{FIELD_ACTOR_ID, FAMILY_ANY, "sender/id actor_id"},
	{FIELD_ACTOR_NAME, FAMILY_ANY, "sender/login actor"},
	{FIELD_ACTOR_IP, FAMILY_ANY, "actor_ip"},
	{FIELD_ACTOR_USER_AGENT, FAMILY_ANY, "user_agent"},
	{FIELD_TARGET_ID, FAMILY_ANY, "membership/user/id member/id invitation/id user_id"},
	{FIELD_TARGET_NAME, FAMILY_ANY, "membership/user/login member/login invitation/login user"},
	{FIELD_TARGET_EMAIL, FAMILY_ANY, "invitation/email"},
	{FIELD_TARGET_ROLE, FAMILY_ANY, "membership/role invitation/role permission"},
	{FIELD_ORGANIZATION_ID, FAMILY_ANY, "organization/id org_id"},
	{FIELD_ORGANIZATION_NAME, FAMILY_ANY, "organization/login org"},
	{FIELD_PROJECT_ID, FAMILY_ANY, "repository/id repo_id"},
	{FIELD_PROJECT_NAME, FAMILY_ANY, "repository/full_name repo"},
	{FIELD_KEY_ID, FAMILY_ANY, "key/id"},
	{FIELD_KEY_NAME, FAMILY_ANY, "key/title"},
	{FIELD_ALERT_ID, FAMILY_ANY, "alert/number"},
	{FIELD_ALERT_RULE, FAMILY_ANY, "alert/rule/id alert/secret_type alert/security_advisory/ghsa_id security_advisory/ghsa_id"},
};
/* clang-format on */

static const struct mapping_header headers[] = {{FIELD_TYPE, "x-github-event"}};

const struct mapping_profile profile_github = {
    .name = "github",
    .roots = "/event",
    .rules = rules,
    .count = sizeof(rules) / sizeof(rules[0]),
    .headers = headers,
    .header_count = sizeof(headers) / sizeof(headers[0]),
    .joins_action = true,
};
