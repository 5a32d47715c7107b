#include "bridge/receiver/verify.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/log.h"
#include "bridge/receiver/verify_key.h"
#include "bridge/secret.h"
#include "formats/memory.h"

enum { ID_MOST = 255, SHA256_LENGTH = 32 };

/* 9999-12-31 in milliseconds: what is later is no time but an attack on arithmetic. */
static const int64_t time_most = INT64_C(253402300799000);

/* A secret and how long it counts. */
struct accepted {
	struct verify_key *key;
	const char *file;
	int64_t not_after;         /* ms since 1970 */
	_Atomic bool late_is_told; /* that it was used after that */
};

struct verify {
	const char *source;
	struct verify_scheme scheme;
	int64_t tolerance; /* ms */
	struct accepted *secrets;
	size_t count;
};

/* What a request holds of what the scheme asks for. */
struct facts {
	struct verify_signed what;
	struct verify_header header;
};

/* ---- life ---- */

bool
verify_new_with(struct verify **out, const struct config_source *source,
		const struct slice *secrets, struct error *error)
{
	struct verify *verify = memory_allocate(sizeof(*verify));

	verify_scheme_of(&verify->scheme, source);
	verify->source = source->name;
	verify->tolerance = source->tolerance;
	verify->secrets = memory_allocate_array(source->secrets_count, sizeof(*verify->secrets));
	for (unsigned i = 0; i < source->secrets_count; i++) {
		struct accepted *accepted = &verify->secrets[i];

		accepted->file = source->secrets[i].file;
		accepted->not_after = source->secrets[i].not_after;
		if (!verify_key_new(&accepted->key, &verify->scheme, secrets[i], error)) {
			error_prefix(error, "%s", accepted->file);
			goto fail;
		}
		verify->count++;
	}
	/* fail closed: a scheme without a key would let nobody in, or worse, everybody */
	if (verify->scheme.method != VERIFY_NOTHING && verify->count == 0) {
		error_set(error, "source %s has no secrets", source->name);
		goto fail;
	}
	*out = verify;
	return true;
fail:
	verify_free(verify);
	return false;
}

bool
verify_new(struct verify **verify, const struct config_source *source, struct error *error)
{
	struct secret **secrets =
	    memory_allocate_array(source->secrets_count, sizeof(struct secret *));
	struct slice *bytes = memory_allocate_array(source->secrets_count, sizeof(*bytes));
	bool done = true;

	for (unsigned i = 0; done && i < source->secrets_count; i++) {
		done = secret_read(&secrets[i], source->secrets[i].file, error);
		if (done)
			bytes[i] = secret_bytes(secrets[i]);
	}
	done = done && verify_new_with(verify, source, bytes, error);
	for (unsigned i = 0; i < source->secrets_count; i++)
		secret_free(secrets[i]);
	free(bytes);
	free(secrets);
	return done;
}

void
verify_free(struct verify *verify)
{
	if (verify == NULL)
		return;
	for (size_t i = 0; i < verify->count; i++)
		verify_key_free(verify->secrets[i].key);
	free(verify->secrets);
	free(verify);
}

const char *
verify_reason_name(enum verify_reason reason)
{
	static const char *const names[VERIFY_REASONS] = {
	    [VERIFY_GOOD] = "good",
	    [VERIFY_MISSING] = "signature_missing",
	    [VERIFY_MALFORMED] = "signature_malformed",
	    [VERIFY_STALE] = "timestamp_outside_tolerance",
	    [VERIFY_MISMATCH] = "signature_mismatch",
	    [VERIFY_EXPIRED] = "secret_expired",
	    [VERIFY_STRANGER] = "client_certificate_invalid",
	};

	return names[reason];
}

/* ---- what a request holds ---- */

static bool
has_header(const struct verify_request *request, const char *name)
{
	size_t count = 0;

	(void)request->header(request->context, name, &count);
	return count > 0;
}

/* The row that this request is to be read by. */
static const struct verify_scheme *
scheme_of(const struct verify *verify, const struct verify_request *request)
{
	const struct verify_scheme *scheme = &verify->scheme;

	if (scheme->otherwise != NULL && !has_header(request, scheme->signature_header))
		return scheme->otherwise;
	return scheme;
}

static enum verify_reason
header_once(const struct verify_request *request, const char *name, struct slice *value,
	    struct error *error)
{
	size_t count = 0;

	*value = request->header(request->context, name, &count);
	if (count == 1)
		return VERIFY_GOOD;
	*value = (struct slice){NULL, 0};
	error_set(error, count == 0 ? "no %s header" : "more than one %s header", name);
	return count == 0 ? VERIFY_MISSING : VERIFY_MALFORMED;
}

static bool
is_word(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

/* A dot in an id that is signed would move the border between the parts. */
static bool
is_id(struct slice id, bool is_signed)
{
	if (id.length == 0 || id.length > ID_MOST)
		return false;
	for (size_t i = 0; i < id.length; i++)
		if (!is_word(id.bytes[i]) && (is_signed || id.bytes[i] <= ' ' || id.bytes[i] > '~'))
			return false;
	return true;
}

/* One that is not signed may be missing: then the body says which event it is. */
static enum verify_reason
read_id(const struct verify_scheme *scheme, const struct verify_request *request, struct slice *id,
	struct error *error)
{
	bool is_signed = verify_scheme_signs_id(scheme);
	enum verify_reason reason;

	*id = (struct slice){NULL, 0};
	if (scheme->id_header == NULL)
		return VERIFY_GOOD;
	reason = header_once(request, scheme->id_header, id, error);
	if (reason == VERIFY_MISSING && !is_signed)
		return VERIFY_GOOD;
	if (reason != VERIFY_GOOD || is_id(*id, is_signed))
		return reason;
	*id = (struct slice){NULL, 0};
	error_set(error, "%s is not 1 to %d of %s", scheme->id_header, ID_MOST,
		  is_signed ? "A-Z a-z 0-9 _ -" : "printable ASCII");
	return VERIFY_MALFORMED;
}

static enum verify_reason
read_timestamp(const struct verify_scheme *scheme, const struct verify_request *request,
	       struct facts *facts, struct error *error)
{
	if (scheme->timestamp_header != NULL)
		return header_once(request, scheme->timestamp_header, &facts->what.timestamp,
				   error);
	if (scheme->timestamp_prefix == NULL)
		return VERIFY_GOOD;
	if (facts->header.timestamp_count == 1) {
		facts->what.timestamp = facts->header.timestamp;
		return VERIFY_GOOD;
	}
	error_set(error, "%s %s in %s", facts->header.timestamp_count == 0 ? "no" : "more than one",
		  scheme->timestamp_prefix, scheme->signature_header);
	return facts->header.timestamp_count == 0 ? VERIFY_MISSING : VERIFY_MALFORMED;
}

/* Reads all, whatever is missing; gives the first reason against it. */
static enum verify_reason
read_facts(const struct verify_scheme *scheme, const struct verify_request *request,
	   struct facts *facts, struct error *error)
{
	struct error later;
	struct slice value;
	enum verify_reason id, signature, timestamp;

	facts->what = (struct verify_signed){.body = request->body};
	id = read_id(scheme, request, &facts->what.id, error);
	signature = header_once(request, scheme->signature_header, &value,
				id == VERIFY_GOOD ? error : &later);
	verify_header_read(&facts->header, scheme, value);
	timestamp = read_timestamp(scheme, request, facts,
				   id == VERIFY_GOOD && signature == VERIFY_GOOD ? error : &later);
	if (id != VERIFY_GOOD)
		return id;
	return signature != VERIFY_GOOD ? signature : timestamp;
}

static int64_t
distance(int64_t now, uint64_t written, int64_t unit)
{
	int64_t away = (now / unit - (int64_t)written) * unit;

	return away < 0 ? -away : away;
}

/*
 * By the clock, unless it went back behind the line: then what was signed a year ago
 * would be of this time again.  Else by the line (bridge/steady.h).
 */
static enum verify_reason
check_time(const struct verify *verify, const struct verify_scheme *scheme,
	   const struct verify_request *request, struct slice timestamp, bool *clock_agrees,
	   struct error *error)
{
	int64_t unit = scheme->timestamp_unit;
	uint64_t written;

	if (unit == 0)
		return VERIFY_GOOD;
	if (!text_parse_unsigned(timestamp, (uint64_t)(time_most / unit), &written)) {
		error_set(error, "the timestamp is not a number of %s",
			  unit == 1 ? "milliseconds" : "seconds");
		return VERIFY_MALFORMED;
	}
	*clock_agrees = request->now + verify->tolerance >= request->line &&
			distance(request->now, written, unit) <= verify->tolerance;
	if (*clock_agrees ||
	    (request->line > 0 && distance(request->line, written, unit) <= verify->tolerance))
		return VERIFY_GOOD;
	error_set(error, "the timestamp is %lld s away from this clock",
		  (long long)distance(request->now, written, unit) / 1000);
	return VERIFY_STALE;
}

/* ---- is it good? ---- */

static void
tell_late(const struct verify *verify, struct accepted *accepted)
{
	if (!atomic_exchange(&accepted->late_is_told, true))
		log_warning("signature",
			    "source %s: the secret %s is still used after its not_after and was "
			    "refused; its sender needs the new one",
			    verify->source, accepted->file);
}

/* Bits of the secrets that fit: of those that count, and of those that do no more. */
static void
try_secrets(const struct verify *verify, const struct verify_scheme *scheme,
	    const struct facts *facts, int64_t now, uint32_t *good, uint32_t *late)
{
	*good = *late = 0;
	for (size_t i = 0; i < verify->count; i++) {
		bool fits =
		    verify_key_fits(verify->secrets[i].key, scheme, &facts->what, &facts->header);

		if (now <= verify->secrets[i].not_after)
			*good |= (uint32_t)fits << i;
		else
			*late |= (uint32_t)fits << i;
	}
}

/* The header that an operator cannot make out: how much of it was understood. */
static enum verify_reason
no_fit(const struct verify *verify, const struct facts *facts, uint32_t late, struct error *error)
{
	error_set(error, "no signature fits (%zu in the header, %zu secrets)",
		  facts->header.mac_count + facts->header.public_count +
		      (facts->header.token.bytes != NULL),
		  verify->count);
	for (size_t i = 0; i < verify->count; i++) {
		if ((late >> i & 1) == 0)
			continue;
		tell_late(verify, &verify->secrets[i]);
		error_set(error, "the secret %s is not accepted any more", verify->secrets[i].file);
	}
	return late != 0 ? VERIFY_EXPIRED : VERIFY_MISMATCH;
}

bool
verify_check(const struct verify *verify, const struct verify_request *request,
	     struct verify_outcome *outcome, struct error *error)
{
	const struct verify_scheme *scheme = scheme_of(verify, request);
	struct facts facts;
	uint32_t late;

	memset(outcome, 0, sizeof(*outcome));
	outcome->id_is_unsigned = scheme->id_header != NULL && !verify_scheme_signs_id(scheme);
	outcome->signs_body_alone = scheme->method == VERIFY_HMAC;
	if (scheme->method == VERIFY_NOTHING) {
		if (read_id(scheme, request, &outcome->delivery_id, error) != VERIFY_GOOD)
			outcome->delivery_id = (struct slice){NULL, 0};
		return true;
	}
	outcome->reason = read_facts(scheme, request, &facts, error);
	if (outcome->reason == VERIFY_GOOD)
		outcome->reason = check_time(verify, scheme, request, facts.what.timestamp,
					     &outcome->clock_agrees, error);
	/* whatever was found: all secrets, so that all refusals take the same time */
	try_secrets(verify, scheme, &facts, request->now, &outcome->secrets, &late);
	if (outcome->reason == VERIFY_GOOD && outcome->secrets == 0)
		outcome->reason = no_fit(verify, &facts, late, error);
	outcome->delivery_id = facts.what.id;
	return outcome->reason == VERIFY_GOOD;
}

/* ---- evidence, signing ---- */

void
verify_evidence(const struct verify *verify, const struct verify_request *request,
		struct text *text)
{
	const struct verify_scheme *scheme = scheme_of(verify, request);
	const char *const names[] = {scheme->id_header, scheme->timestamp_header,
				     scheme->method == VERIFY_HMAC ? scheme->signature_header
								   : NULL};

	if (scheme->method == VERIFY_NOTHING)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t count = 0;
		struct slice value = {NULL, 0};

		if (names[i] != NULL)
			value = request->header(request->context, names[i], &count);
		if (count == 0)
			continue;
		text_append_string(text, names[i]);
		text_append_string(text, ": ");
		text_append_slice(text, value);
		text_append_byte(text, '\n');
	}
}

/* "name: " in front, nothing for a scheme without such a header. */
static void
append_header(struct text *headers, const char *name, struct slice value)
{
	if (name == NULL)
		return;
	text_append_string(headers, name);
	text_append_string(headers, ": ");
	text_append_slice(headers, value);
	text_append_byte(headers, '\n');
}

bool
verify_sign(const struct verify *verify, struct slice delivery_id, int64_t now, struct slice body,
	    struct text *headers, struct error *error)
{
	const struct verify_scheme *scheme = &verify->scheme;
	struct verify_signed what = {.id = delivery_id, .body = body};
	char digits[24];
	struct text timestamp;
	bool done;

	if (scheme->id_header != NULL && !is_id(delivery_id, verify_scheme_signs_id(scheme)))
		return error_set(error, "the id is not 1 to %d of A-Z a-z 0-9 _ -", ID_MOST);
	append_header(headers, scheme->id_header, delivery_id);
	if (scheme->method == VERIFY_NOTHING)
		return true;
	text_start(&timestamp, digits, sizeof(digits));
	if (scheme->timestamp_unit > 0)
		text_append_number(&timestamp, now / scheme->timestamp_unit);
	what.timestamp = text_slice(&timestamp);
	append_header(headers, scheme->timestamp_header, what.timestamp);
	text_append_string(headers, scheme->signature_header);
	text_append_string(headers, ": ");
	if (scheme->timestamp_prefix != NULL) {
		text_append_string(headers, scheme->timestamp_prefix);
		text_append_slice(headers, what.timestamp);
		text_append_byte(headers, scheme->delimiter);
	}
	done = verify_key_sign(verify->secrets[0].key, scheme, &what, headers, error);
	text_append_byte(headers, '\n');
	return done;
}

bool
verify_authenticate(const struct verify *verify, struct slice text, unsigned char mac[32])
{
	unsigned char whole[VERIFY_HEADER_MAC];

	if (verify->count == 0 || verify->scheme.digest != CONFIG_DIGEST_SHA256 ||
	    !verify_key_authenticate(verify->secrets[0].key, text, whole))
		return false;
	memcpy(mac, whole, SHA256_LENGTH);
	return true;
}
