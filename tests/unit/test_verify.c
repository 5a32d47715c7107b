#include "bridge/receiver/verify.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/receiver/verify_scheme.h"
#include "tests/unit/directory_fixture.h"
#include "tests/unit/vectors.h"

#define BODY "{\"test\": 2432232314}"

static int
tear_down(void **state)
{
	(void)state;
	return rmdir(directory);
}

static void
write_file(const char *path, struct slice bytes)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(file >= 0);
	assert_int_equal(write(file, bytes.bytes, bytes.length), (ssize_t)bytes.length);
	assert_int_equal(close(file), 0);
}

/*
 * The configuration of one source whose `signature` (and the keys behind it) is
 * that; its secrets are the files of that YAML list, none where it is NULL.
 */
static struct config *
config_of(const char *signature, const char *secrets)
{
	char path[128], bytes[4096];
	struct config *config;
	struct error error;
	struct text text;

	(void)snprintf(path, sizeof(path), "%s/siembridge.yaml", directory);
	text_start(&text, bytes, sizeof(bytes));
	text_append_format(&text,
			   "listen: {address: ':1', certificate: c, private_key: k}\n"
			   "spool: {directory: s}\n"
			   "destinations: [{name: d, file: {path: '-'}}]\n"
			   "sources:\n  - name: anyint\n    path: /a\n    signature: %s\n",
			   signature);
	if (secrets != NULL)
		text_append_format(&text, "    secrets: %s\n", secrets);
	assert_false(text.overflowed);
	write_file(path, text_slice(&text));
	if (!config_read(&config, path, &error))
		fail_msg("%s", error.text);
	assert_int_equal(unlink(path), 0);
	return config;
}

/* ---- vectors ---- */

static struct slice
header_of_vector(void *context, const char *name, size_t *count)
{
	const struct vector *vector = context;
	struct slice value = vector_get(vector, name);

	*count = value.bytes == NULL ? 0 : 1 + text_slice_is(vector_get(vector, "twice"), name);
	return value;
}

static void
check_id(const struct vector *vector, const struct verify_outcome *outcome)
{
	struct slice expected = vector_get(vector, "id");
	char line[300];

	if (expected.bytes == NULL)
		return;
	(void)snprintf(line, sizeof(line), "%.*s %s", (int)outcome->delivery_id.length,
		       outcome->delivery_id.bytes, outcome->id_is_unsigned ? "unsigned" : "signed");
	assert_string_equal(line, expected.bytes);
}

/* The id that the vector has, under whatever name. */
static struct slice
any_id(const struct vector *vector)
{
	static const char *const names[] = {"webhook-id", "svix-id", "x-github-delivery",
					    "x-shopify-webhook-id", "x-id"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (vector_get(vector, names[i]).bytes != NULL)
			return vector_get(vector, names[i]);
	return SLICE_LITERAL("id-1");
}

static void
check_signing(const struct verify *verify, const struct vector *vector,
	      const struct verify_request *request)
{
	struct slice expected = vector_get(vector, "signs");
	struct error error;
	char headers[512];
	struct text text;

	if (expected.bytes == NULL)
		return;
	text_start(&text, headers, sizeof(headers) - 1);
	if (!verify_sign(verify, any_id(vector), request->now, request->body, &text, &error))
		fail_msg("%s", error.text);
	headers[text.length] = '\0';
	if (strstr(headers, expected.bytes) == NULL)
		fail_msg("'%s' is not in '%s'", expected.bytes, headers);
}

static void
check_vector(const struct vector *vector)
{
	struct slice secret = vector_get(vector, "secret"), clock = vector_get(vector, "clock");
	struct slice expected = vector_get(vector, "expect");
	struct config *config = config_of(vector_get(vector, "signature").bytes,
					  secret.bytes != NULL ? "[./secret]" : NULL);
	struct verify_request request = {.header = header_of_vector,
					 .context = (void *)(uintptr_t)vector,
					 .body = vector_get(vector, "body"),
					 .now = 1790856000000};
	struct verify_outcome outcome;
	struct verify *verify;
	struct error error = {.text = ""};
	bool good;

	if (clock.bytes != NULL)
		request.now = strtoll(clock.bytes, NULL, 10) * 1000;
	if (!verify_new_with(&verify, &config->sources[0], &secret, &error))
		fail_msg("%s", error.text);
	good = verify_check(verify, &request, &outcome, &error);
	assert_int_equal(good, outcome.reason == VERIFY_GOOD);
	if (text_slice_is(expected, "accept")) {
		if (!good)
			fail_msg("refused: %s", error.text);
		check_id(vector, &outcome);
		assert_int_equal(outcome.secrets, secret.bytes != NULL ? 1 : 0);
	} else if (good || strstr(error.text, expected.bytes) == NULL) {
		fail_msg("expected '%s', found '%s'", expected.bytes, good ? "accept" : error.text);
	}
	check_signing(verify, vector, &request);
	verify_free(verify);
	config_free(config);
}

static void
the_vectors_of_all_schemes_hold(void **state)
{
	(void)state;
	vectors_each("tests/vectors/signatures.txt", check_vector);
}

/* ---- several secrets ---- */

/* Signed with the second of these. */
static const struct slice two_secrets[] = {
    {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 38},
    {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38},
};

static struct slice
header_of_signed(void *context, const char *name, size_t *count)
{
	(void)context;
	*count = 1;
	if (strcmp(name, "webhook-id") == 0)
		return SLICE_LITERAL("msg_p5jXN8AQM9LWM0D4loKWxJek");
	if (strcmp(name, "webhook-timestamp") == 0)
		return SLICE_LITERAL("1614265330");
	return SLICE_LITERAL("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static const struct verify_request signed_request = {
    .header = header_of_signed, .body = {BODY, sizeof(BODY) - 1}, .now = 1614265330000};

static void
each_of_several_secrets_is_accepted_and_told_apart(void **state)
{
	struct config *config = config_of("standard-webhooks", "[./secret0, ./secret1]");
	struct verify_outcome outcome;
	struct verify *verify;
	struct error error;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		write_file(config->sources[0].secrets[i].file, two_secrets[i]);
	if (!verify_new(&verify, &config->sources[0], &error))
		fail_msg("%s", error.text);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(unlink(config->sources[0].secrets[i].file), 0);
	assert_true(verify_check(verify, &signed_request, &outcome, &error));
	assert_int_equal(outcome.secrets, 1U << 1);
	verify_free(verify);
	config_free(config);
}

static void
authenticate(const struct config *config, struct slice secret, unsigned char mac[32])
{
	struct verify *verify;
	struct error error;

	if (!verify_new_with(&verify, &config->sources[0], &secret, &error))
		fail_msg("%s", error.text);
	assert_true(verify_authenticate(verify, (struct slice){BODY, sizeof(BODY) - 1}, mac));
	verify_free(verify);
}

/* A thread keeps the key that it used last: the next one may lie where that was. */
static void
a_key_that_went_is_not_taken_for_the_next(void **state)
{
	struct config *config = config_of("standard-webhooks", "[./secret]");
	unsigned char first[32], second[32], again[32];

	(void)state;
	for (int i = 0; i < 3; i++) {
		authenticate(config, two_secrets[0], first);
		authenticate(config, two_secrets[1], second);
		authenticate(config, two_secrets[0], again);
		assert_memory_not_equal(first, second, sizeof(first));
		assert_memory_equal(first, again, sizeof(first));
	}
	config_free(config);
}

/* Two live ones in turn, and each several times: every message is begun anew. */
static void
keys_in_turn_give_what_each_gives_alone(void **state)
{
	struct config *config = config_of("standard-webhooks", "[./secret]");
	unsigned char alone[2][32], mac[32];
	struct verify *verify[2];
	struct error error;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		authenticate(config, two_secrets[i], alone[i]);
		if (!verify_new_with(&verify[i], &config->sources[0], &two_secrets[i], &error))
			fail_msg("%s", error.text);
	}
	for (unsigned i = 0; i < 12; i++) {
		unsigned which = i / 3 % 2;

		assert_true(verify_authenticate(verify[which],
						(struct slice){BODY, sizeof(BODY) - 1}, mac));
		assert_memory_equal(mac, alone[which], sizeof(mac));
	}
	verify_free(verify[0]);
	verify_free(verify[1]);
	config_free(config);
}

/* DESIGN.md: a clock that jumps a year neither drops events nor opens the window of replays. */
static void
a_clock_that_jumped_a_year_is_judged_by_the_line(void **state)
{
	const int64_t year = INT64_C(365) * 24 * 60 * 60 * 1000, at = signed_request.now;
	const struct {
		int64_t now, line;
		bool good, agrees;
	} rows[] = {
	    {at, 0, true, true},
	    {at, at, true, true},
	    {at + year, 0, false, false},
	    {at + year, at + 5000, true, false},  /* forward: what is of this time is taken */
	    {at - year, at - 5000, true, false},  /* back: likewise */
	    {at, at + year, false, false},        /* back, and a request of a year ago again */
	    {at, at - year, true, true},          /* it was wrong and is right now */
	    {at + year, at + year, false, false}, /* old by both */
	};
	struct config *config = config_of("standard-webhooks", "[./secret0, ./secret1]");
	struct verify_request request = signed_request;
	struct verify_outcome outcome;
	struct verify *verify;
	struct error error;

	(void)state;
	if (!verify_new_with(&verify, &config->sources[0], two_secrets, &error))
		fail_msg("%s", error.text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		request.now = rows[i].now;
		request.line = rows[i].line;
		if (verify_check(verify, &request, &outcome, &error) != rows[i].good ||
		    outcome.clock_agrees != rows[i].agrees)
			fail_msg("row %zu", i);
	}
	verify_free(verify);
	config_free(config);
}

static void
a_secret_counts_until_its_not_after(void **state)
{
	static const struct {
		const char *secrets;
		enum verify_reason reason;
	} rows[] = {
	    {"[a, {file: b, not_after: 2021-02-25T15:02:10Z}]", VERIFY_GOOD}, /* its second */
	    {"[a, {file: b, not_after: 2021-02-25T15:02:09Z}]", VERIFY_EXPIRED},
	    {"[{file: a, not_after: 2021-02-25T15:02:09Z}, b]", VERIFY_GOOD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *config = config_of("standard-webhooks", rows[i].secrets);
		struct verify_outcome outcome;
		struct verify *verify;
		struct error error;

		if (!verify_new_with(&verify, &config->sources[0], two_secrets, &error))
			fail_msg("%s", error.text);
		assert_int_equal(verify_check(verify, &signed_request, &outcome, &error),
				 rows[i].reason == VERIFY_GOOD);
		assert_int_equal(outcome.reason, rows[i].reason);
		assert_int_equal(outcome.secrets, rows[i].reason == VERIFY_GOOD ? 2 : 0);
		verify_free(verify);
		config_free(config);
	}
}

/* ---- secrets that are none ---- */

static void
a_secret_that_is_none_is_refused_without_showing_it(void **state)
{
	static const struct {
		const char *signature;
		const char *secret;
		const char *error;
	} rows[] = {
	    {"standard-webhooks", "whsec_dG9vIHNob3J0IGtleQ==", "not a Standard Webhooks secret"},
	    {"standard-webhooks", "whsec_not-base64-at-all-but-long",
	     "not a Standard Webhooks secret"},
	    {"standard-webhooks", "It's a Secret to Everybody", "not a Standard Webhooks secret"},
	    {"standard-webhooks", "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPc",
	     "not a public key"},
	    {"standard-webhooks",
	     "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", "the sender's private key"},
	    {"bearer", "a token with spaces in it", "printable ASCII without spaces"},
	    {"{hmac: {signature_header: a, secret: hex}}", "0011223344556677",
	     "not the hexadecimal of 16 to 1024 bytes"},
	    {"{hmac: {signature_header: a, secret: base64}}", "not really Base64!",
	     "not the Base64 of 16 to 1024 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *config = config_of(rows[i].signature, "[./secret]");
		struct slice secret = text_of(rows[i].secret);
		struct verify *verify;
		struct error error;

		assert_false(verify_new_with(&verify, &config->sources[0], &secret, &error));
		if (strstr(error.text, rows[i].error) == NULL)
			fail_msg("%s: '%s'", rows[i].secret, error.text);
		assert_non_null(strstr(error.text, "/secret"));
		assert_null(strstr(error.text, rows[i].secret + 6));
		config_free(config);
	}
}

static void
a_source_without_secrets_does_not_start(void **state)
{
	char name[] = "anyint";
	struct config_source source = {.name = name,
				       .signature = CONFIG_SIGNATURE_STANDARD_WEBHOOKS};
	struct verify *verify;
	struct error error;

	(void)state;
	assert_false(verify_new(&verify, &source, &error));
	assert_non_null(strstr(error.text, "has no secrets"));
}

static void
a_public_key_does_not_sign(void **state)
{
	struct config *config = config_of("standard-webhooks", "[./secret]");
	struct slice secret = SLICE_LITERAL("whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
	unsigned char mac[32];
	struct verify *verify;
	struct error error;
	char bytes[256];
	struct text text;

	(void)state;
	if (!verify_new_with(&verify, &config->sources[0], &secret, &error))
		fail_msg("%s", error.text);
	text_start(&text, bytes, sizeof(bytes));
	assert_false(
	    verify_sign(verify, SLICE_LITERAL("a"), 0, SLICE_LITERAL("{}"), &text, &error));
	assert_non_null(strstr(error.text, "a public key cannot sign"));
	assert_false(verify_authenticate(verify, SLICE_LITERAL("a"), mac));
	verify_free(verify);
	config_free(config);
}

/* ---- evidence ---- */

static struct slice
header_of_any(void *context, const char *name, size_t *count)
{
	(void)context, (void)name;
	*count = strcmp(name, "svix-signature") != 0;
	return *count == 1 ? SLICE_LITERAL("value") : (struct slice){NULL, 0};
}

static void
evidence_is_what_the_signature_rests_on_and_never_a_token(void **state)
{
	static const struct {
		const char *signature;
		const char *evidence;
	} rows[] = {
	    {"standard-webhooks",
	     "webhook-id: value\nwebhook-timestamp: value\nwebhook-signature: value\n"},
	    {"svix", "webhook-id: value\nwebhook-timestamp: value\nwebhook-signature: value\n"},
	    {"stripe", "stripe-signature: value\n"},
	    {"github", "x-github-delivery: value\nx-hub-signature-256: value\n"},
	    {"bearer", ""},
	    {"{token: {header: a, id_header: b}}", "b: value\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *config = config_of(rows[i].signature, "[./secret]");
		struct slice secret = two_secrets[0];
		struct verify_request request = {.header = header_of_any};
		struct verify *verify;
		struct error error;
		char bytes[256];
		struct text text;

		if (!verify_new_with(&verify, &config->sources[0], &secret, &error))
			fail_msg("%s", error.text);
		text_start(&text, bytes, sizeof(bytes));
		verify_evidence(verify, &request, &text);
		if (!text_slice_is(text_slice(&text), rows[i].evidence))
			fail_msg("%s: '%.*s'", rows[i].signature, (int)text.length, text.bytes);
		verify_free(verify);
		config_free(config);
	}
}

static void
every_scheme_has_a_row_that_a_request_can_be_read_by(void **state)
{
	char header[] = "a", part[] = "body", *signed_texts[] = {part};
	struct config_hmac hmac = {.signature_header = header,
				   .signed_texts = signed_texts,
				   .signed_texts_count = 1,
				   .parts = {CONFIG_PART_BODY}};
	struct config_token token = {.header = header};

	(void)state;
	for (int i = 0; i < CONFIG_SIGNATURES; i++) {
		const struct config_source source = {
		    .signature = (enum config_signature)i, .hmac = &hmac, .token = &token};
		struct verify_scheme scheme;

		verify_scheme_of(&scheme, &source);
		if (scheme.method == VERIFY_NOTHING) {
			assert_int_equal(i, CONFIG_SIGNATURE_NONE);
			continue;
		}
		assert_non_null(scheme.signature_header);
		assert_non_null(scheme.prefix);
		assert_int_equal(scheme.method == VERIFY_HMAC, scheme.part_count > 0);
		assert_int_equal(scheme.timestamp_unit > 0, scheme.timestamp_header != NULL ||
								scheme.timestamp_prefix != NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_vectors_of_all_schemes_hold),
	    cmocka_unit_test(each_of_several_secrets_is_accepted_and_told_apart),
	    cmocka_unit_test(a_key_that_went_is_not_taken_for_the_next),
	    cmocka_unit_test(keys_in_turn_give_what_each_gives_alone),
	    cmocka_unit_test(a_clock_that_jumped_a_year_is_judged_by_the_line),
	    cmocka_unit_test(a_secret_counts_until_its_not_after),
	    cmocka_unit_test(a_secret_that_is_none_is_refused_without_showing_it),
	    cmocka_unit_test(a_source_without_secrets_does_not_start),
	    cmocka_unit_test(a_public_key_does_not_sign),
	    cmocka_unit_test(evidence_is_what_the_signature_rests_on_and_never_a_token),
	    cmocka_unit_test(every_scheme_has_a_row_that_a_request_can_be_read_by),
	};

	return cmocka_run_group_tests(tests, directory_set_up, tear_down);
}
