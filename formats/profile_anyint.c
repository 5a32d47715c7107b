/*
 * The profile anyint.  The sender documents its event types but no payload, so
 * each field lists its common spellings; README.md quotes this table.
 */
#include "formats/mapping.h"

enum { NOT_MEMBER = FAMILY_ANY & ~FAMILY_MEMBER, PEOPLE_AND_KEYS = FAMILY_KEY | FAMILY_MEMBER };

/* clang-format off */
static const struct mapping_rule rules[] = {
	/* The event itself. */
	{FIELD_TYPE, FAMILY_ANY, "/type /event_type /eventType /event /event_name /event/type /data/event_type /payload/type /data/type"},
	{FIELD_BODY_ID, FAMILY_ANY, "/id /event_id /eventId /event/id /data/event_id ./id"},
	{FIELD_TIME, FAMILY_ANY, "/timestamp /occurred_at /created_at /createdAt /time /created /event_time /event/timestamp /event/created_at ./timestamp ./occurred_at ./detected_at ./triggered_at ./created_at ./createdAt ./time"},
	{FIELD_SEVERITY_WORD, FAMILY_ANY, "alert/severity severity alert/level level alert/priority priority risk_level"},
	{FIELD_TITLE, FAMILY_ANY, "alert/title title alert/name summary subject"},
	{FIELD_TITLE, FAMILY_SECURITY, "./name"},
	{FIELD_MESSAGE, FAMILY_ANY, "alert/message alert/description message description details"},
	{FIELD_ACTION, FAMILY_ANY, "action action_taken enforcement"},
	{FIELD_OUTCOME, FAMILY_ANY, "outcome result success"},
	{FIELD_OUTCOME, PEOPLE_AND_KEYS, "./status"},
	{FIELD_REASON, FAMILY_ANY, "reason disabled_reason removal_reason failure_reason error/message error"},
	{FIELD_STATUS, FAMILY_ANY, "alert/status alert/state invoice/status ./status ./state"},

	/* Who did it.  In an event about a member, a `user` is that member. */
	{FIELD_ACTOR_ID, FAMILY_ANY, "actor/id actor_id actorId performed_by/id performed_by_id initiator/id created_by/id disabled_by/id deleted_by/id invited_by/id removed_by/id"},
	{FIELD_ACTOR_ID, NOT_MEMBER, "user/id user_id userId"},
	{FIELD_ACTOR_NAME, FAMILY_ANY, "actor/name actor_name actor/display_name performed_by/name initiator/name created_by/name disabled_by/name deleted_by/name invited_by/name removed_by/name actor performed_by initiator created_by disabled_by deleted_by invited_by removed_by"},
	{FIELD_ACTOR_NAME, NOT_MEMBER, "user/name user_name username user"},
	{FIELD_ACTOR_EMAIL, FAMILY_ANY, "actor/email actor_email performed_by/email initiator/email created_by/email disabled_by/email deleted_by/email invited_by/email removed_by/email"},
	{FIELD_ACTOR_EMAIL, NOT_MEMBER, "user/email user_email"},
	{FIELD_ACTOR_ROLE, FAMILY_ANY, "actor/role actor_role performed_by/role initiator/role invited_by/role removed_by/role"},
	{FIELD_ACTOR_ROLE, NOT_MEMBER, "user/role user_role"},
	{FIELD_ACTOR_IP, FAMILY_ANY, "actor/ip actor/ip_address actor/ipAddress performed_by/ip performed_by/ip_address user/ip user/ip_address context/ip context/ip_address request/ip request/ip_address client/ip ip_address ipAddress source_ip client_ip remote_ip ip"},
	{FIELD_ACTOR_USER_AGENT, FAMILY_ANY, "actor/user_agent actor/userAgent performed_by/user_agent user/user_agent context/user_agent request/user_agent client/user_agent user_agent userAgent"},

	/* To whom it was done. */
	{FIELD_TARGET_ID, FAMILY_ANY, "target/id target_id target_user/id target_user_id member/id member_id memberId invitee/id invitee_id affected_user/id"},
	{FIELD_TARGET_ID, FAMILY_MEMBER, "user/id user_id userId invitation/id ./id"},
	{FIELD_TARGET_NAME, FAMILY_ANY, "target/name target_name target_user/name member/name member_name invitee/name affected_user/name target member invitee affected_user"},
	{FIELD_TARGET_NAME, FAMILY_MEMBER, "user/name user_name username user ./name"},
	{FIELD_TARGET_EMAIL, FAMILY_ANY, "target/email target_email target_user/email member/email member_email invitee/email invitee_email invited_email affected_user/email"},
	{FIELD_TARGET_EMAIL, FAMILY_MEMBER, "user/email user_email invitation/email ./email"},
	{FIELD_TARGET_ROLE, FAMILY_ANY, "target/role target_role target_user/role member/role member_role invitee/role"},
	{FIELD_TARGET_ROLE, FAMILY_MEMBER, "user/role invitation/role ./role"},

	/* Where. */
	{FIELD_ORGANIZATION_ID, FAMILY_ANY, "organization/id organization_id organizationId organisation/id organisation_id org/id org_id orgId workspace/id workspace_id workspaceId team/id team_id teamId account/id account_id accountId tenant/id tenant_id organization org workspace account tenant"},
	{FIELD_ORGANIZATION_NAME, FAMILY_ANY, "organization/name organization_name organisation/name org/name org_name workspace/name workspace_name team/name team_name account/name account_name tenant/name"},
	{FIELD_PROJECT_ID, FAMILY_ANY, "project/id project_id projectId project"},
	{FIELD_PROJECT_NAME, FAMILY_ANY, "project/name project_name projectName"},

	/* What it is about.  An event about keys, invoices or alerts may have it as its payload. */
	{FIELD_KEY_ID, FAMILY_ANY, "api_key/id apiKey/id key/id api_key_id apiKeyId key_id keyId"},
	{FIELD_KEY_ID, FAMILY_KEY, "./id"},
	{FIELD_KEY_NAME, FAMILY_ANY, "api_key/name apiKey/name key/name api_key_name key_name keyName api_key/label key/label"},
	{FIELD_KEY_NAME, FAMILY_KEY, "./name ./label"},
	{FIELD_USAGE_METRIC, FAMILY_ANY, "usage/metric usage/type usage/unit metric usage_metric limit_type quota/metric"},
	{FIELD_USAGE_VALUE, FAMILY_ANY, "usage/value usage/current usage/used usage/amount current_usage usage_value quota/used usage"},
	{FIELD_USAGE_VALUE, FAMILY_USAGE, "./value ./current ./used"},
	{FIELD_USAGE_LIMIT, FAMILY_ANY, "usage/limit usage/threshold usage/quota usage_limit quota/limit quota limit threshold"},
	{FIELD_USAGE_PERCENT, FAMILY_ANY, "usage/percent usage/percentage usage/percent_used usage_percent percent percentage threshold_percent"},
	{FIELD_INVOICE_ID, FAMILY_ANY, "invoice/id invoice_id invoiceId billing/invoice_id billing/id invoice/number"},
	{FIELD_INVOICE_ID, FAMILY_BILLING, "./id ./number"},
	{FIELD_INVOICE_AMOUNT, FAMILY_ANY, "invoice/amount invoice/amount_due invoice/total invoice/amount_paid billing/amount"},
	{FIELD_INVOICE_AMOUNT, FAMILY_BILLING, "amount amount_due total amount_paid"},
	{FIELD_INVOICE_CURRENCY, FAMILY_ANY, "invoice/currency billing/currency currency"},
	{FIELD_INVOICE_DUE, FAMILY_ANY, "invoice/due_date invoice/due_at invoice/due invoice/dueDate billing/due_date"},
	{FIELD_INVOICE_DUE, FAMILY_BILLING, "due_date due_at due dueDate"},
	{FIELD_ALERT_ID, FAMILY_ANY, "alert/id alert_id alertId finding/id finding_id incident/id"},
	{FIELD_ALERT_ID, FAMILY_SECURITY, "./id"},
	{FIELD_ALERT_RULE, FAMILY_ANY, "alert/rule alert/rule_id alert/rule/id alert/policy alert/type rule/id rule_id rule policy_id policy/id policy finding/rule"},
	{FIELD_RESOURCE_ID, FAMILY_ANY, "resource_id resourceId resource/id task_id taskId task/id job_id job/id object_id"},
};
/* clang-format on */

const struct mapping_profile profile_anyint = {
    .name = "anyint",
    .roots = "/data /data/object /payload /event /event/data",
    .rules = rules,
    .count = sizeof(rules) / sizeof(rules[0]),
};
