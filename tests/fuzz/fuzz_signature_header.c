/*
 * The headers of a request, as an attacker writes them, against each scheme.  The
 * first byte chooses the scheme; then come signature, id and timestamp, a line each,
 * and the body.  What was not signed is never accepted; with the first byte's highest
 * bit the same id and body are signed by us and must be, or there is no such id.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/receiver/verify.h"
#include "bridge/receiver/verify_header.h"
#include "formats/memory.h"

enum { NOW = 1790856000, HEADERS = 3, SIGNED_BIT = 0x80, LONGEST = 4096 };

/* What a header function is asked from. */
struct input {
	struct slice values[HEADERS];
	const char *names[HEADERS];
	char signed_bytes[LONGEST]; /* "name: value\n" lines of verify_sign() */
	struct text lines;
};

static const struct {
	enum config_signature signature;
	const char *secret;
} rows[] = {
    {CONFIG_SIGNATURE_STANDARD_WEBHOOKS, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    {CONFIG_SIGNATURE_STANDARD_WEBHOOKS, "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="},
    {CONFIG_SIGNATURE_SVIX, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    {CONFIG_SIGNATURE_STRIPE, "whsec_test_secret"},
    {CONFIG_SIGNATURE_GITHUB, "It's a Secret to Everybody"},
    {CONFIG_SIGNATURE_SLACK, "8f742231b10e8888abcd99yyyzzz85a5"},
    {CONFIG_SIGNATURE_SHOPIFY, "hush-hush-hush-hush"},
    {CONFIG_SIGNATURE_BEARER, "0123456789abcdef0123456789abcdef"},
    {CONFIG_SIGNATURE_HMAC, "0123456789abcdef0123456789abcdef"},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static struct verify *verifiers[ROWS];
static struct verify_scheme schemes[ROWS];

static void
prepare(void)
{
	static char name[] = "fuzz", file[] = "secret", signature[] = "x-signature", id[] = "x-id";
	static char prefix[] = "s=", time_prefix[] = "t=", delimiter[] = ";";
	static char parts[][10] = {"timestamp", ".", "body", ".", "id"};
	static char *texts[] = {parts[0], parts[1], parts[2], parts[3], parts[4]};
	static struct config_hmac hmac = {
	    .signature_header = signature,
	    .id_header = id,
	    .prefix = prefix,
	    .timestamp_prefix = time_prefix,
	    .timestamp_unit = 1000,
	    .delimiter = delimiter,
	    .encoding = CONFIG_ENCODING_BASE64,
	    .digest = CONFIG_DIGEST_SHA512,
	    .signed_texts = texts,
	    .signed_texts_count = 5,
	    .parts = {CONFIG_PART_TIMESTAMP, CONFIG_PART_TEXT, CONFIG_PART_BODY, CONFIG_PART_TEXT,
		      CONFIG_PART_ID},
	};
	static struct config_secret secret = {.file = file, .not_after = INT64_MAX};
	static struct config_source sources[ROWS];

	for (size_t i = 0; i < ROWS; i++) {
		struct slice bytes = text_of(rows[i].secret);
		struct error error;

		sources[i] = (struct config_source){.name = name,
						    .signature = rows[i].signature,
						    .hmac = &hmac,
						    .tolerance = 300000,
						    .secrets = &secret,
						    .secrets_count = 1};
		verify_scheme_of(&schemes[i], &sources[i]);
		if (!verify_new_with(&verifiers[i], &sources[i], &bytes, &error))
			memory_panic("%s", error.text);
	}
}

static struct slice
header_of_input(void *context, const char *name, size_t *count)
{
	const struct input *input = context;

	for (size_t i = 0; i < HEADERS; i++) {
		if (input->names[i] == NULL || strcmp(input->names[i], name) != 0 ||
		    input->values[i].bytes == NULL)
			continue;
		*count = 1;
		return input->values[i];
	}
	*count = 0;
	return (struct slice){NULL, 0};
}

/* Of the lines that we signed. */
static struct slice
header_of_lines(void *context, const char *name, size_t *count)
{
	const struct input *input = context;
	struct slice rest = text_slice(&input->lines);

	*count = 0;
	while (rest.length > 0) {
		size_t length =
		    (size_t)((char *)memchr(rest.bytes, '\n', rest.length) - rest.bytes);
		size_t name_length = strlen(name);

		if (length > name_length + 1 && memcmp(rest.bytes, name, name_length) == 0 &&
		    rest.bytes[name_length] == ':') {
			*count = 1;
			return (struct slice){rest.bytes + name_length + 2,
					      length - name_length - 2};
		}
		rest.bytes += length + 1;
		rest.length -= length + 1;
	}
	return (struct slice){NULL, 0};
}

/* The next line of the input; absent where there is none. */
static struct slice
take_line(struct slice *rest)
{
	const char *end = rest->length > 0 ? memchr(rest->bytes, '\n', rest->length) : NULL;
	struct slice line = {NULL, 0};

	if (end == NULL)
		return line;
	line = (struct slice){rest->bytes, (size_t)(end - rest->bytes)};
	rest->bytes = end + 1;
	rest->length -= line.length + 1;
	return line;
}

/* The id is the input's; there is none to sign where the scheme does not allow it. */
static void
check_signed(const struct verify *verify, struct input *input, struct verify_request *request)
{
	struct verify_outcome outcome;
	struct error error;

	text_start(&input->lines, input->signed_bytes, sizeof(input->signed_bytes));
	if (!verify_sign(verify, input->values[1], request->now, request->body, &input->lines,
			 &error) ||
	    input->lines.overflowed)
		return;
	request->header = header_of_lines;
	if (!verify_check(verify, request, &outcome, &error))
		memory_panic("what was signed is refused: %s", error.text);
	if (outcome.secrets != 1)
		memory_panic("no secret vouches for it");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct input input;
	struct slice rest;
	struct verify_header header;
	struct verify_outcome outcome;
	struct verify_request request = {
	    .header = header_of_input, .context = &input, .now = INT64_C(1000) * NOW};
	struct error error;
	size_t row;

	if (verifiers[0] == NULL)
		prepare();
	if (size == 0)
		return 0;
	rest = (struct slice){(const char *)data + 1, size - 1};
	row = (data[0] & ~SIGNED_BIT) % ROWS;
	for (size_t i = 0; i < HEADERS; i++)
		input.values[i] = take_line(&rest);
	input.names[0] = schemes[row].signature_header;
	input.names[1] = schemes[row].id_header;
	input.names[2] = schemes[row].timestamp_header;
	request.body = rest;
	if ((data[0] & SIGNED_BIT) != 0) {
		check_signed(verifiers[row], &input, &request);
		return 0;
	}
	verify_header_read(&header, &schemes[row], input.values[0]);
	if (header.mac_count > VERIFY_HEADER_SIGNATURES ||
	    header.public_count > VERIFY_HEADER_PUBLIC)
		memory_panic("more signatures than were asked for");
	if (verify_check(verifiers[row], &request, &outcome, &error))
		memory_panic("what nobody signed is accepted");
	return 0;
}
