/*
 * One vocabulary (the event table of README.md) for the words of AI gateways and
 * of those who bill and log for them: LiteLLM's alerting webhooks, OpenAI's audit
 * log, GitHub's webhooks and audit log, Stripe's invoices, and the spellings that
 * are common among gateways without documented ones.
 */
#include "formats/aliases.h"

static const struct alias rows[] = {
    /* API keys */
    {"api_key.created", "key.created"},
    {"apikey.created", "key.created"},
    {"api_key_created", "key.created"},
    {"key_created", "key.created"}, /* LiteLLM */
    {"key.generated", "key.created"},
    {"key.issued", "key.created"},
    {"virtual_key.created", "key.created"}, /* Portkey's word for it */
    {"provisioning_key.created", "key.created"},
    {"service_account.created", "key.created"}, /* OpenAI */
    {"api_key.disabled", "key.disabled"},
    {"apikey.disabled", "key.disabled"},
    {"api_key_disabled", "key.disabled"},
    {"api_key.suspended", "key.disabled"},
    {"api_key.blocked", "key.disabled"},
    {"api_key.expired", "key.disabled"},
    {"key_blocked", "key.disabled"},
    {"key.blocked", "key.disabled"},
    {"key.suspended", "key.disabled"},
    {"key.expired", "key.disabled"},
    {"virtual_key.disabled", "key.disabled"},
    {"api_key.deleted", "key.deleted"}, /* OpenAI */
    {"apikey.deleted", "key.deleted"},
    {"api_key_deleted", "key.deleted"},
    {"api_key.revoked", "key.deleted"},
    {"apikey.revoked", "key.deleted"},
    {"api_key_revoked", "key.deleted"},
    {"key.revoked", "key.deleted"},
    {"key_deleted", "key.deleted"},
    {"virtual_key.deleted", "key.deleted"},
    {"provisioning_key.deleted", "key.deleted"},
    {"service_account.deleted", "key.deleted"}, /* OpenAI */

    /* people */
    {"invite.sent", "member.invited"}, /* OpenAI */
    {"invite.created", "member.invited"},
    {"invitation.sent", "member.invited"},
    {"invitation.created", "member.invited"},
    {"user.invited", "member.invited"},
    {"team_member.invited", "member.invited"},
    {"organization.member_invited", "member.invited"}, /* GitHub */
    {"org.invite_member", "member.invited"},           /* GitHub's audit log */
    {"invite.accepted", "member.joined"},              /* OpenAI */
    {"invitation.accepted", "member.joined"},
    {"member.added", "member.joined"},
    {"member.created", "member.joined"},
    {"user.added", "member.joined"},            /* OpenAI */
    {"internal_user_created", "member.joined"}, /* LiteLLM */
    {"team_member.added", "member.joined"},
    {"organization.member_added", "member.joined"}, /* GitHub */
    {"org.add_member", "member.joined"},
    {"member.deleted", "member.removed"},
    {"member.left", "member.removed"},
    {"user.deleted", "member.removed"}, /* OpenAI */
    {"user.removed", "member.removed"},
    {"team_member.removed", "member.removed"},
    {"organization.member_removed", "member.removed"}, /* GitHub */
    {"org.remove_member", "member.removed"},

    /* usage, budgets, limits */
    {"credits.low", "usage.alert"},
    {"credit.low", "usage.alert"},
    {"balance.low", "usage.alert"},
    {"credits_low", "usage.alert"},
    {"usage.threshold", "usage.alert"},
    {"usage.threshold_reached", "usage.alert"},
    {"usage.threshold_crossed", "usage.alert"},
    {"usage.warning", "usage.alert"},
    {"budget.threshold_reached", "usage.alert"},
    {"budget.alert", "usage.alert"},
    {"budget.warning", "usage.alert"},
    {"quota.warning", "usage.alert"},
    {"rate_limit.warning", "usage.alert"},
    {"spend.threshold", "usage.alert"},
    {"threshold_crossed", "usage.alert"},        /* LiteLLM */
    {"soft_budget_crossed", "usage.alert"},      /* LiteLLM */
    {"max_budget_alert", "usage.alert"},         /* LiteLLM */
    {"projected_limit_exceeded", "usage.alert"}, /* LiteLLM */
    {"billing.alert.triggered", "usage.alert"},  /* Stripe */
    {"budget_crossed", "usage.limit_reached"},   /* LiteLLM */
    {"budget.exceeded", "usage.limit_reached"},
    {"budget.exhausted", "usage.limit_reached"},
    {"credits.exhausted", "usage.limit_reached"},
    {"credits.depleted", "usage.limit_reached"},
    {"quota.exceeded", "usage.limit_reached"},
    {"usage.exceeded", "usage.limit_reached"},
    {"usage.limit_exceeded", "usage.limit_reached"},
    {"spend.limit_reached", "usage.limit_reached"},
    {"spend_limit.reached", "usage.limit_reached"},
    {"rate_limit.exceeded", "usage.limit_reached"},
    {"rate_limit_exceeded", "usage.limit_reached"},

    /* invoices */
    {"invoice.created", "billing.generated"},
    {"invoice.finalized", "billing.generated"}, /* Stripe */
    {"invoice.generated", "billing.generated"},
    {"invoice.sent", "billing.generated"},
    {"invoice.paid", "billing.paid"},              /* Stripe */
    {"invoice.payment_succeeded", "billing.paid"}, /* Stripe */
    {"payment.succeeded", "billing.paid"},
    {"payment_succeeded", "billing.paid"},
    {"invoice.overdue", "billing.overdue"},        /* Stripe */
    {"invoice.payment_failed", "billing.overdue"}, /* Stripe */
    {"invoice.past_due", "billing.overdue"},
    {"payment.failed", "billing.overdue"},
    {"payment_failed", "billing.overdue"},

    /* alerts */
    {"secret_scanning_alert.*", "security.secret_scanning_alert"}, /* GitHub */
    {"code_scanning_alert.*", "security.code_scanning_alert"},     /* GitHub */
    {"dependabot_alert.*", "security.dependabot_alert"},           /* GitHub */
    {"key.leaked", "security.key_leaked"},
    {"api_key.leaked", "security.key_leaked"},
    {"api_key.compromised", "security.key_leaked"},
    {"anomaly.detected", "security.anomaly_detected"},
};

const struct alias *
aliases_at(size_t i)
{
	return i < sizeof(rows) / sizeof(rows[0]) ? &rows[i] : NULL;
}
