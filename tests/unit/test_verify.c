#include "bridge/receiver/verify.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/vectors.h"

static char directory[] = "/tmp/test_verify.XXXXXX";

static int
set_up(void **state)
{
	(void)state;
	memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
	return mkdtemp(directory) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return rmdir(directory);
}

/* A verifier with one secret; NULL where it is refused, the error told. */
static struct verify *
verify_of(struct slice secret, struct error *error)
{
	char path[256], *paths[] = {path}, name[] = "anyint";
	struct config_source source = {.name = name,
				       .signature = CONFIG_SIGNATURE_STANDARD_WEBHOOKS,
				       .secrets = paths,
				       .secrets_count = 1,
				       .tolerance = 300000};
	struct verify *verify = NULL;
	int file;

	(void)snprintf(path, sizeof(path), "%s/secret", directory);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(file >= 0);
	assert_int_equal(write(file, secret.bytes, secret.length), (ssize_t)secret.length);
	close(file);
	if (!verify_new(&verify, &source, error))
		verify = NULL;
	assert_int_equal(unlink(path), 0);
	return verify;
}

static struct slice
header_of_vector(void *context, const char *name, size_t *count)
{
	const struct vector *vector = context;
	struct slice value = {NULL, 0}, twice = vector_get(vector, "twice");

	if (strcmp(name, "webhook-id") == 0)
		value = vector_get(vector, "id");
	if (strcmp(name, "webhook-timestamp") == 0)
		value = vector_get(vector, "timestamp");
	if (strcmp(name, "webhook-signature") == 0)
		value = vector_get(vector, "signature");
	*count = value.bytes == NULL ? 0 : 1 + text_slice_is(twice, name);
	return value;
}

static void
check_vector(const struct vector *vector)
{
	struct slice clock = vector_get(vector, "clock"), signs = vector_get(vector, "signs");
	struct slice expected = vector_get(vector, "expect");
	struct verify_request request = {.header = header_of_vector,
					 .context = (void *)(uintptr_t)vector,
					 .body = vector_get(vector, "body")};
	struct verify_outcome outcome;
	struct error error = {.text = ""};
	struct verify *verify = verify_of(vector_get(vector, "secret"), &error);
	uint64_t seconds;
	char headers[1024];
	struct text text;

	assert_non_null(verify);
	if (clock.bytes == NULL)
		clock = vector_get(vector, "timestamp");
	assert_true(text_parse_unsigned(clock, UINT32_MAX, &seconds));
	request.now = (int64_t)seconds * 1000;
	if (verify_check(verify, &request, &outcome, &error)) {
		assert_string_equal(expected.bytes, "accept");
		assert_true(text_slices_equal(outcome.delivery_id, vector_get(vector, "id")));
	} else if (strstr(error.text, expected.bytes) == NULL) {
		fail_msg("expected '%s', found '%s'", expected.bytes, error.text);
	}
	if (signs.bytes != NULL) {
		text_start(&text, headers, sizeof(headers) - 1);
		assert_true(verify_sign(verify, vector_get(vector, "id"), request.now, request.body,
					&text, &error));
		headers[text.length] = '\0';
		assert_non_null(strstr(headers, signs.bytes));
	}
	verify_free(verify);
}

static void
standard_webhooks_vectors_hold(void **state)
{
	(void)state;
	vectors_each("tests/vectors/standard_webhooks.txt", check_vector);
}

static void
each_of_several_secrets_is_accepted(void **state)
{
	char old_path[256], new_path[256], *paths[] = {old_path, new_path}, name[] = "anyint";
	const char *const secrets[] = {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
				       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
	struct config_source source = {.name = name,
				       .signature = CONFIG_SIGNATURE_STANDARD_WEBHOOKS,
				       .secrets = paths,
				       .secrets_count = 2,
				       .tolerance = 300000};
	struct verify_request request = {.header = header_of_vector,
					 .body = SLICE_LITERAL("{\"test\": 2432232314}"),
					 .now = 1614265330000};
	struct vector vector = {.count = 0};
	const char *const keys[] = {"id", "timestamp", "signature"};
	struct verify_outcome outcome;
	struct verify *verify;
	struct error error;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int file;

		(void)snprintf(paths[i], sizeof(old_path), "%s/secret%zu", directory, i);
		file = open(paths[i], O_WRONLY | O_CREAT, 0600);
		assert_int_equal(write(file, secrets[i], strlen(secrets[i])),
				 (ssize_t)strlen(secrets[i]));
		close(file);
	}
	if (!verify_new(&verify, &source, &error))
		fail_msg("%s", error.text);
	memcpy(vector.keys, keys, sizeof(keys));
	vector.count = 3;
	vector.values[0] = SLICE_LITERAL("msg_p5jXN8AQM9LWM0D4loKWxJek");
	vector.values[1] = SLICE_LITERAL("1614265330");
	vector.values[2] = SLICE_LITERAL("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	request.context = &vector;
	assert_true(verify_check(verify, &request, &outcome, &error));
	verify_free(verify);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(unlink(paths[i]), 0);
}

static void
a_secret_that_is_none_is_refused_without_showing_it(void **state)
{
	static const char *const secrets[] = {
	    "whsec_dG9vIHNob3J0IGtleQ==", "whsec_not-base64-at-all-but-long",
	    "It's a Secret to Everybody"};
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		assert_null(verify_of(text_of(secrets[i]), &error));
		assert_non_null(strstr(error.text, "not a Standard Webhooks secret"));
		assert_non_null(strstr(error.text, directory));
		assert_null(strstr(error.text, secrets[i] + 6));
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
evidence_is_what_the_signature_rests_on(void **state)
{
	struct verify *verify;
	struct vector vector = {.count = 2, .keys = {"id", "signature"}};
	struct verify_request request = {.header = header_of_vector, .context = &vector};
	char bytes[256];
	struct text text;
	struct error error;

	(void)state;
	vector.values[0] = SLICE_LITERAL("msg_1");
	vector.values[1] = SLICE_LITERAL("v1,abc");
	verify = verify_of(SLICE_LITERAL("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &error);
	text_start(&text, bytes, sizeof(bytes));
	verify_evidence(verify, &request, &text);
	assert_true(
	    text_slice_is(text_slice(&text), "webhook-id: msg_1\nwebhook-signature: v1,abc\n"));
	verify_free(verify);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(standard_webhooks_vectors_hold, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(each_of_several_secrets_is_accepted, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_secret_that_is_none_is_refused_without_showing_it,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_source_without_secrets_does_not_start, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(evidence_is_what_the_signature_rests_on, set_up,
					    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
