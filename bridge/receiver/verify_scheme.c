#include "bridge/receiver/verify_scheme.h"

#include "formats/memory.h"

enum { SECOND = 1000 /* ms */ };

/* clang-format off */
#define ID          {CONFIG_PART_ID, NULL}
#define TIMESTAMP   {CONFIG_PART_TIMESTAMP, NULL}
#define BODY        {CONFIG_PART_BODY, NULL}
#define TEXT(bytes) {CONFIG_PART_TEXT, (bytes)}

/*
 * Standard Webhooks 1.0.  A list may hold versions that we do not know; they are
 * skipped, and the kind of the configured key says which one counts, so that a
 * sender cannot choose a weaker one.
 */
static const struct verify_scheme standard_webhooks = {
	.method = VERIFY_HMAC,
	.signature_header = "webhook-signature", .delimiter = ' ', .prefix = "v1,", .public_prefix = "v1a,",
	.encoding = CONFIG_ENCODING_BASE64,
	.parts = {ID, TEXT("."), TIMESTAMP, TEXT("."), BODY}, .part_count = 5,
	.id_header = "webhook-id",
	.timestamp_header = "webhook-timestamp", .timestamp_unit = SECOND,
	.secret_form = CONFIG_SECRET_WHSEC,
};

static const struct verify_scheme rows[CONFIG_SIGNATURES] = {
	/* docs.svix.com: the same under names of its own, or under those */
	[CONFIG_SIGNATURE_SVIX] = {
		.method = VERIFY_HMAC,
		.signature_header = "svix-signature", .delimiter = ' ', .prefix = "v1,", .public_prefix = "v1a,",
		.encoding = CONFIG_ENCODING_BASE64,
		.parts = {ID, TEXT("."), TIMESTAMP, TEXT("."), BODY}, .part_count = 5,
		.id_header = "svix-id",
		.timestamp_header = "svix-timestamp", .timestamp_unit = SECOND,
		.secret_form = CONFIG_SECRET_WHSEC,
		.otherwise = &standard_webhooks,
	},
	/* docs.stripe.com/webhooks: the secret's text is the key, whsec_ and all */
	[CONFIG_SIGNATURE_STRIPE] = {
		.method = VERIFY_HMAC,
		.signature_header = "stripe-signature", .delimiter = ',', .prefix = "v1=",
		.parts = {TIMESTAMP, TEXT("."), BODY}, .part_count = 3,
		.timestamp_prefix = "t=", .timestamp_unit = SECOND,
	},
	/* docs.github.com/webhooks: no time, and the id is not signed */
	[CONFIG_SIGNATURE_GITHUB] = {
		.method = VERIFY_HMAC,
		.signature_header = "x-hub-signature-256", .prefix = "sha256=",
		.parts = {BODY}, .part_count = 1,
		.id_header = "x-github-delivery",
	},
	/* docs.slack.dev, verifying requests */
	[CONFIG_SIGNATURE_SLACK] = {
		.method = VERIFY_HMAC,
		.signature_header = "x-slack-signature", .prefix = "v0=",
		.parts = {TEXT("v0:"), TIMESTAMP, TEXT(":"), BODY}, .part_count = 4,
		.timestamp_header = "x-slack-request-timestamp", .timestamp_unit = SECOND,
	},
	/* shopify.dev, webhooks over HTTPS: no time, and the id is not signed */
	[CONFIG_SIGNATURE_SHOPIFY] = {
		.method = VERIFY_HMAC,
		.signature_header = "x-shopify-hmac-sha256", .prefix = "",
		.encoding = CONFIG_ENCODING_BASE64,
		.parts = {BODY}, .part_count = 1,
		.id_header = "x-shopify-webhook-id",
	},
	/* RFC 6750 2.1 */
	[CONFIG_SIGNATURE_BEARER] = {
		.method = VERIFY_TOKEN,
		.signature_header = "authorization", .prefix = "Bearer ",
	},
	/* docs.splunk.com, HTTP Event Collector */
	[CONFIG_SIGNATURE_HEC] = {
		.method = VERIFY_TOKEN,
		.signature_header = "authorization", .prefix = "Splunk ",
	},
	[CONFIG_SIGNATURE_NONE] = {.method = VERIFY_NOTHING, .id_header = "webhook-id"},
};
/* clang-format on */

static const char *
or_nothing(const char *text)
{
	return text != NULL ? text : "";
}

static void
fill_hmac(struct verify_scheme *scheme, const struct config_hmac *hmac)
{
	bool timed = hmac->timestamp_header != NULL || hmac->timestamp_prefix != NULL;

	*scheme = (struct verify_scheme){
	    .method = VERIFY_HMAC,
	    .signature_header = hmac->signature_header,
	    .prefix = or_nothing(hmac->prefix),
	    .delimiter = or_nothing(hmac->delimiter)[0],
	    .encoding = hmac->encoding,
	    .digest = hmac->digest,
	    .part_count = hmac->signed_texts_count,
	    .id_header = hmac->id_header,
	    .timestamp_header = hmac->timestamp_header,
	    .timestamp_prefix = hmac->timestamp_prefix,
	    .timestamp_unit = timed ? hmac->timestamp_unit : 0,
	    .secret_form = hmac->secret_form,
	};
	for (size_t i = 0; i < scheme->part_count; i++)
		scheme->parts[i] = (struct verify_part){hmac->parts[i], hmac->signed_texts[i]};
}

void
verify_scheme_of(struct verify_scheme *scheme, const struct config_source *source)
{
	switch (source->signature) {
	case CONFIG_SIGNATURE_STANDARD_WEBHOOKS:
		*scheme = standard_webhooks;
		return;
	case CONFIG_SIGNATURE_HMAC:
		fill_hmac(scheme, source->hmac);
		return;
	case CONFIG_SIGNATURE_TOKEN:
		*scheme = (struct verify_scheme){
		    .method = VERIFY_TOKEN,
		    .signature_header = source->token->header,
		    .prefix = or_nothing(source->token->prefix),
		    .id_header = source->token->id_header,
		};
		return;
	default:
		if ((unsigned)source->signature >= CONFIG_SIGNATURES)
			memory_panic("signature scheme %d", (int)source->signature);
		*scheme = rows[source->signature];
	}
}

bool
verify_scheme_signs_id(const struct verify_scheme *scheme)
{
	for (size_t i = 0; i < scheme->part_count; i++)
		if (scheme->parts[i].kind == CONFIG_PART_ID)
			return true;
	return false;
}
