/*
 * How a source shows that its events are its own: what a schema cannot say of
 * signature, hmac, token, secrets, tolerance and challenge.  The default and the
 * range of each key stand here, in its row or call.
 */
#include "bridge/config_value.h"

#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"
#include "formats/timestamp.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

enum { LONGEST_HEADER = 64, LONGEST_PREFIX = 64 };

static const struct config_word signatures[] = {
    {"standard-webhooks", CONFIG_SIGNATURE_STANDARD_WEBHOOKS},
    {"svix", CONFIG_SIGNATURE_SVIX},
    {"stripe", CONFIG_SIGNATURE_STRIPE},
    {"github", CONFIG_SIGNATURE_GITHUB},
    {"slack", CONFIG_SIGNATURE_SLACK},
    {"shopify", CONFIG_SIGNATURE_SHOPIFY},
    {"bearer", CONFIG_SIGNATURE_BEARER},
    {"token", CONFIG_SIGNATURE_TOKEN},
    {"hmac", CONFIG_SIGNATURE_HMAC},
    {"hec", CONFIG_SIGNATURE_HEC},
    {"none", CONFIG_SIGNATURE_NONE},
};

static const struct config_word challenges[] = {
    {"slack", CONFIG_CHALLENGE_SLACK}, {"okta", CONFIG_CHALLENGE_OKTA},
    {"zoom", CONFIG_CHALLENGE_ZOOM},   {"crc", CONFIG_CHALLENGE_CRC},
    {"none", CONFIG_CHALLENGE_NONE},
};

static const struct config_word encodings[] = {
    {"hex", CONFIG_ENCODING_HEX},
    {"base64", CONFIG_ENCODING_BASE64},
};

static const struct config_word digests[] = {
    {"sha256", CONFIG_DIGEST_SHA256},
    {"sha512", CONFIG_DIGEST_SHA512},
    {"sha1", CONFIG_DIGEST_SHA1},
};

static const struct config_word forms[] = {
    {"literal", CONFIG_SECRET_LITERAL},
    {"hex", CONFIG_SECRET_HEX},
    {"base64", CONFIG_SECRET_BASE64},
    {"whsec", CONFIG_SECRET_WHSEC},
};

static const struct config_word units[] = {{"s", 1000}, {"ms", 1}};

static const struct config_word parts[] = {
    {"id", CONFIG_PART_ID},
    {"timestamp", CONFIG_PART_TIMESTAMP},
    {"body", CONFIG_PART_BODY},
};

/* False, with the text in place->error, now complete. */
static bool
refuse(const struct config_place *place, const char *key, const char *text)
{
	error_set(place->error, "%s", text);
	return config_value_wrong(place, key);
}

/* ---- single values ---- */

/* RFC 9110 5.6.2, in lower case from here on; NULL is fine. */
static bool
validate_header(const struct config_place *place, const char *key, char *header)
{
	static const char letters[] = ALPHANUMERIC "!#$%&'*+-.^_`|~";

	if (header == NULL)
		return true;
	if (strlen(header) > LONGEST_HEADER || strspn(header, letters) != strlen(header)) {
		error_set(place->error,
			  "'%.70s' is no name of a header; they are 1 to %d letters, digits and -",
			  header, LONGEST_HEADER);
		return config_value_wrong(place, key);
	}
	for (; *header != '\0'; header++)
		if (*header >= 'A' && *header <= 'Z')
			*header = (char)(*header - 'A' + 'a');
	return true;
}

/* What stands in front of something in a header; NULL is fine. */
static bool
validate_prefix(const struct config_place *place, const char *key, const char *prefix)
{
	bool good = prefix == NULL || strlen(prefix) <= LONGEST_PREFIX;

	for (; good && prefix != NULL && *prefix != '\0'; prefix++)
		good = *prefix >= ' ' && *prefix < 0x7f;
	if (good)
		return true;
	error_set(place->error, "must be 1 to %d printable ASCII characters", LONGEST_PREFIX);
	return config_value_wrong(place, key);
}

/* A word of a table, or its first one where none is written. */
static bool
validate_word(const struct config_place *place, const char *key, const char *text,
	      const struct config_word *words, size_t count, int *value)
{
	*value = words[0].value;
	return text == NULL || config_value_word(place, key, text, words, count, value);
}

/* ---- secrets ---- */

/* An operator who wrote the secret itself: it is not shown again. */
static bool
looks_secret(const char *file)
{
	static const char *const prefixes[] = {"whsec_", "whpk_", "whsk_"};

	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (strncmp(file, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* One without a slash is a credential of systemd's and stays as it is. */
static bool
validate_secret(const struct config_place *source, struct config_secret *secrets, unsigned index)
{
	const struct config_place place = config_value_place(source, "secrets", (int)index);
	struct config_secret *secret = &secrets[index];

	if (looks_secret(secret->file))
		return refuse(&place, "",
			      "is a secret; put it in a file of mode 600 and give the "
			      "file's name here");
	for (unsigned i = 0; i < index; i++) {
		if (strcmp(secrets[i].file, secret->file) != 0)
			continue;
		error_set(place.error, "names the same file as secrets[%u]", i);
		return config_value_wrong(&place, "");
	}
	secret->not_after = INT64_MAX;
	if (secret->not_after_text != NULL &&
	    !timestamp_read_strict(text_of(secret->not_after_text), &secret->not_after)) {
		error_set(place.error, "'%.40s' is no time of RFC 3339, as in 2026-12-31T00:00:00Z",
			  secret->not_after_text);
		return config_value_wrong(&place, "not_after");
	}
	return strchr(secret->file, '/') == NULL || config_value_path(&place, "", &secret->file);
}

static bool
validate_secrets(const struct config_place *place, struct config_source *source)
{
	if (source->secrets_count == 0)
		return refuse(place, "",
			      "needs the key 'secrets' to check signatures: a list of files, each "
			      "with one secret");
	/* every one of them is tried for each request, whoever it comes from */
	if (source->secrets_count > CONFIG_SOURCE_SECRETS) {
		error_set(place->error, "has more than %d entries", CONFIG_SOURCE_SECRETS);
		return config_value_wrong(place, "secrets");
	}
	for (unsigned i = 0; i < source->secrets_count; i++)
		if (!validate_secret(place, source->secrets, i))
			return false;
	return true;
}

/* ---- hmac ---- */

/* The delimiter must not be part of what it divides. */
static bool
validate_list(const struct config_place *place, const struct config_hmac *hmac)
{
	const char *delimiter = hmac->delimiter;
	const char *const prefixes[] = {hmac->prefix, hmac->timestamp_prefix};

	if (delimiter == NULL) {
		if (hmac->timestamp_prefix == NULL)
			return true;
		return refuse(place, "timestamp_prefix",
			      "names an entry of a list; say with 'delimiter' what divides them");
	}
	if (strlen(delimiter) != 1 || delimiter[0] < ' ' || delimiter[0] > '~' ||
	    strchr(ALPHANUMERIC "+/=", delimiter[0]) != NULL)
		return refuse(place, "delimiter",
			      "must be one character that no signature holds, as in \",\"");
	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (prefixes[i] != NULL && strchr(prefixes[i], delimiter[0]) != NULL)
			return refuse(place, "delimiter", "is part of a prefix too");
	return true;
}

/* The i-th part can be told from an id beside it. */
static bool
ends_an_id(const struct config_hmac *hmac, unsigned i)
{
	const char *text = hmac->signed_texts[i];

	return hmac->parts[i] == CONFIG_PART_TEXT &&
	       strspn(text, ALPHANUMERIC "_-") != strlen(text);
}

/*
 * No byte may move from one part to the next with the signature still good.  A
 * timestamp is digits, fresh, and of one length for the next 260 years; an id is
 * anything of A-Z a-z 0-9 _ - and needs something else beside it.
 */
static bool
borders_hold(const struct config_hmac *hmac)
{
	for (unsigned i = 0; i < hmac->signed_texts_count; i++) {
		if (hmac->parts[i] != CONFIG_PART_ID)
			continue;
		if (i > 0 && !ends_an_id(hmac, i - 1))
			return false;
		if (i + 1 < hmac->signed_texts_count && !ends_an_id(hmac, i + 1))
			return false;
	}
	return true;
}

static void
read_parts(struct config_hmac *hmac, unsigned counts[CONFIG_PART_BODY + 1])
{
	for (unsigned i = 0; i < hmac->signed_texts_count; i++) {
		hmac->parts[i] = CONFIG_PART_TEXT;
		for (size_t word = 0; word < COUNT(parts); word++)
			if (strcmp(hmac->signed_texts[i], parts[word].name) == 0)
				hmac->parts[i] = (enum config_part)parts[word].value;
		counts[hmac->parts[i]]++;
	}
}

/* What is signed is what is trusted, so it has to be there, once, and to be told apart. */
static bool
validate_signed(const struct config_place *place, struct config_hmac *hmac)
{
	unsigned counts[CONFIG_PART_BODY + 1] = {0};
	bool timed = hmac->timestamp_header != NULL || hmac->timestamp_prefix != NULL;

	if (hmac->signed_texts_count == 0) {
		hmac->signed_texts = memory_allocate_array(1, sizeof(*hmac->signed_texts));
		hmac->signed_texts[hmac->signed_texts_count++] =
		    memory_copy_text("body", strlen("body"));
	}
	if (hmac->signed_texts_count > CONFIG_PARTS) {
		error_set(place->error, "has more than %d entries", CONFIG_PARTS);
		return config_value_wrong(place, "signed");
	}
	read_parts(hmac, counts);
	if (counts[CONFIG_PART_BODY] != 1)
		return refuse(place, "signed", "must hold the word body, once");
	if (counts[CONFIG_PART_TIMESTAMP] > 1 || counts[CONFIG_PART_ID] > 1)
		return refuse(place, "signed", "holds a word twice");
	if (timed != (counts[CONFIG_PART_TIMESTAMP] == 1))
		return refuse(place, "signed",
			      timed
				  ? "does not hold the timestamp, and one that is not signed is "
				    "worth nothing"
				  : "holds timestamp; say where it stands: 'timestamp_header', or "
				    "'timestamp_prefix' in the signature's list");
	if (counts[CONFIG_PART_ID] == 1 && hmac->id_header == NULL)
		return refuse(place, "signed", "holds id; say where it stands: 'id_header'");
	return borders_hold(hmac) ||
	       refuse(place, "signed",
		      "must set the id apart by a text that is not of letters, digits, _ and - "
		      "alone, as in [id, \".\", body]");
}

static bool
validate_hmac_words(const struct config_place *place, struct config_hmac *hmac)
{
	int encoding, digest, unit, form;

	if (!validate_word(place, "encoding", hmac->encoding_text, encodings, COUNT(encodings),
			   &encoding) ||
	    !validate_word(place, "algorithm", hmac->algorithm_text, digests, COUNT(digests),
			   &digest) ||
	    !validate_word(place, "timestamp_unit", hmac->timestamp_unit_text, units, COUNT(units),
			   &unit) ||
	    !validate_word(place, "secret", hmac->secret_text, forms, COUNT(forms), &form))
		return false;
	hmac->encoding = (enum config_encoding)encoding;
	hmac->digest = (enum config_digest)digest;
	hmac->timestamp_unit = unit;
	hmac->secret_form = (enum config_secret_form)form;
	return true;
}

static bool
validate_hmac(const struct config_place *source, struct config_hmac *hmac)
{
	const struct config_place place = config_value_place(source, "hmac", -1);

	if (!validate_header(&place, "signature_header", hmac->signature_header) ||
	    !validate_header(&place, "id_header", hmac->id_header) ||
	    !validate_header(&place, "timestamp_header", hmac->timestamp_header) ||
	    !validate_prefix(&place, "prefix", hmac->prefix) ||
	    !validate_prefix(&place, "timestamp_prefix", hmac->timestamp_prefix) ||
	    !validate_hmac_words(&place, hmac))
		return false;
	if (hmac->timestamp_header != NULL && hmac->timestamp_prefix != NULL)
		return refuse(&place, "timestamp_prefix",
			      "and 'timestamp_header' say two places; take out one of them");
	if (hmac->timestamp_unit_text != NULL && hmac->timestamp_header == NULL &&
	    hmac->timestamp_prefix == NULL)
		return refuse(&place, "timestamp_unit",
			      "has no use without a timestamp; take it out");
	return validate_list(&place, hmac) && validate_signed(&place, hmac);
}

static bool
validate_token(const struct config_place *source, struct config_token *token)
{
	const struct config_place place = config_value_place(source, "token", -1);

	return validate_header(&place, "header", token->header) &&
	       validate_header(&place, "id_header", token->id_header) &&
	       validate_prefix(&place, "prefix", token->prefix);
}

/* ---- the whole ---- */

/* The mappings beside `signature`: there where their scheme is, and only there. */
static bool
validate_settings(const struct config_place *place, const struct config_source *source)
{
	const struct {
		const char *key;
		enum config_signature signature;
		bool written;
	} rows[] = {
	    {"hmac", CONFIG_SIGNATURE_HMAC, source->hmac != NULL},
	    {"token", CONFIG_SIGNATURE_TOKEN, source->token != NULL},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].written == (source->signature == rows[i].signature))
			continue;
		error_set(place->error,
			  rows[i].written ? "has a use with 'signature: %s' alone; take it out"
					  : "'signature: %s' needs settings of that name, with the "
					    "header's name at least",
			  rows[i].key);
		return config_value_wrong(place, rows[i].written ? rows[i].key : "signature");
	}
	return (source->hmac == NULL || validate_hmac(place, source->hmac)) &&
	       (source->token == NULL || validate_token(place, source->token));
}

/* Does the scheme sign a time? */
static bool
is_timed(const struct config_source *source)
{
	switch (source->signature) {
	case CONFIG_SIGNATURE_STANDARD_WEBHOOKS:
	case CONFIG_SIGNATURE_SVIX:
	case CONFIG_SIGNATURE_STRIPE:
	case CONFIG_SIGNATURE_SLACK:
		return true;
	case CONFIG_SIGNATURE_HMAC:
		return source->hmac->timestamp_header != NULL ||
		       source->hmac->timestamp_prefix != NULL;
	default:
		return false;
	}
}

static bool
validate_tolerance(const struct config_place *place, struct config_source *source)
{
	const struct config_quantity row = {"tolerance", source->tolerance_text,
					    "300s",      "1s",
					    "1d",        .milliseconds = &source->tolerance};

	if (source->tolerance_text != NULL && !is_timed(source)) {
		error_set(place->error,
			  "has no use with 'signature: %s', which signs no time; take it out",
			  source->signature_text);
		return config_value_wrong(place, "tolerance");
	}
	return config_value_quantities(place, &row, 1);
}

/* Zoom and X are answered with an HMAC by the key that signs their events. */
static bool
validate_challenge(const struct config_place *place, struct config_source *source)
{
	bool has_key = source->signature == CONFIG_SIGNATURE_HMAC &&
		       source->hmac->digest == CONFIG_DIGEST_SHA256 &&
		       source->hmac->secret_form != CONFIG_SECRET_WHSEC;
	int challenge = source->signature == CONFIG_SIGNATURE_SLACK ? CONFIG_CHALLENGE_SLACK
								    : CONFIG_CHALLENGE_NONE;

	if (source->challenge_text != NULL &&
	    !config_value_word(place, "challenge", source->challenge_text, challenges,
			       COUNT(challenges), &challenge))
		return false;
	source->challenge = (enum config_challenge)challenge;
	if (has_key || (source->challenge != CONFIG_CHALLENGE_ZOOM &&
			source->challenge != CONFIG_CHALLENGE_CRC))
		return true;
	error_set(place->error, "'%s' needs 'signature: hmac' with algorithm sha256",
		  source->challenge_text);
	return config_value_wrong(place, "challenge");
}

/* Whoever accepts anything has no use for what would check it. */
static bool
validate_none(const struct config_place *place, const struct config_source *source)
{
	const char *idle = source->secrets_count > 0             ? "secrets"
			   : source->tolerance_text != NULL      ? "tolerance"
			   : source->report_invalid_text != NULL ? "report_invalid"
								 : NULL;

	if (idle == NULL)
		return true;
	error_set(place->error, "has no use with 'signature: none'; take out one of them");
	return config_value_wrong(place, idle);
}

/* Fail closed: whoever wants to trust anybody has to write it. */
bool
config_validate_signature(const struct config_place *place, struct config_source *source)
{
	bool is_none;
	int signature = 0;

	if (source->signature_text == NULL)
		return refuse(place, "",
			      "needs the key 'signature': standard-webhooks or another scheme, or "
			      "none to accept anything from anybody");
	if (!config_value_word(place, "signature", source->signature_text, signatures,
			       COUNT(signatures), &signature))
		return false;
	source->signature = (enum config_signature)signature;
	is_none = source->signature == CONFIG_SIGNATURE_NONE;
	return validate_settings(place, source) &&
	       (is_none ? validate_none(place, source) : validate_secrets(place, source)) &&
	       validate_tolerance(place, source) && validate_challenge(place, source);
}
