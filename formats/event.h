/*
 * The normalised event: what every format is written from, and all that a format
 * may know.  Fields are the slots of the normalisation table in README.md.
 *
 * A field is a slice of UTF-8 without NUL; absent is {NULL, 0}, which differs
 * from present and empty.  Everything is borrowed: from the raw body, from the
 * arena of the batch, or from constants; it lives until arena_clear().
 */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/severity.h"
#include "formats/text.h"

enum event_field {
	FIELD_BODY_ID,       /* the body's own id: of the event or of its resource */
	FIELD_TYPE,          /* key.disabled: in our words */
	FIELD_ORIGINAL_TYPE, /* api_key.revoked: in the sender's, where they are others */
	FIELD_TIME,          /* when it happened, as the sender wrote it */
	FIELD_SEVERITY_WORD, /* the sender's word for it */
	FIELD_TITLE,
	FIELD_MESSAGE,
	FIELD_ACTION,
	FIELD_OUTCOME, /* success, failure */
	FIELD_REASON,
	FIELD_STATUS, /* of an alert: open, closed ... */
	FIELD_ACTOR_ID,
	FIELD_ACTOR_NAME,
	FIELD_ACTOR_EMAIL,
	FIELD_ACTOR_ROLE,
	FIELD_ACTOR_IP,
	FIELD_ACTOR_USER_AGENT,
	FIELD_TARGET_ID,
	FIELD_TARGET_NAME,
	FIELD_TARGET_EMAIL,
	FIELD_TARGET_ROLE,
	FIELD_ORGANIZATION_ID,
	FIELD_ORGANIZATION_NAME,
	FIELD_PROJECT_ID,
	FIELD_PROJECT_NAME,
	FIELD_KEY_ID,
	FIELD_KEY_NAME,
	FIELD_USAGE_METRIC,
	FIELD_USAGE_VALUE,
	FIELD_USAGE_LIMIT,
	FIELD_USAGE_PERCENT,
	FIELD_INVOICE_ID,
	FIELD_INVOICE_AMOUNT, /* the sender's decimal text */
	FIELD_INVOICE_CURRENCY,
	FIELD_INVOICE_DUE,
	FIELD_ALERT_ID,
	FIELD_ALERT_RULE,
	FIELD_RESOURCE_ID, /* task or resource: the sender's, else the key's, member's, invoice's
			      ... */
	EVENT_FIELDS
};

struct catalogue_entry;

/* Of a heartbeat of the bridge's own: what a destination was sent before it. */
struct event_heartbeat {
	uint64_t count; /* messages since the heartbeat before */
	uint64_t last;  /* number of the last of them */
};

struct event {
	/* What the bridge knows of it without reading the body. */
	struct slice source;  /* name of the configured source */
	struct slice id;      /* identity in the ledger: the delivery id where there is one */
	int64_t received_at;  /* milliseconds since 1970, UTC */
	uint64_t sequence;    /* in the spool; 0: never stored (render) */
	struct slice body;    /* as it came */
	struct slice headers; /* "name: value\n" lines that came beside it and were kept */
	bool replayed;        /* sent before, and again because somebody asked for it */
	bool doubted;         /* sent before and not confirmed in time: it may be there already */
	const struct event_heartbeat *heartbeat; /* NULL: it is no heartbeat */

	/* From the body. */
	struct slice fields[EVENT_FIELDS];
	int64_t occurred_at; /* ms since 1970; received_at where the body names no readable time */

	/* From the catalogue and the body together. */
	const struct catalogue_entry *entry; /* never NULL after normalise_event() */
	enum severity severity;
	struct slice family;  /* key, member, usage, billing, security, other */
	struct slice name;    /* "API key disabled" */
	struct slice action;  /* disabled; absent for unknown types */
	struct slice outcome; /* success, failure; absent where meaningless */

	bool truncated; /* shorten_event() took something away: every format says so */
};

/* The field's name in configuration and documentation: "actor.id". */
const char *event_field_name(enum event_field field);
MUST_CHECK bool event_field_find(const char *name, enum event_field *field);

/* FIELD_RESOURCE_ID where no other field names the same, else absent. */
struct slice event_own_resource(const struct event *event);

#endif
