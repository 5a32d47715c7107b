/*
 * Does the time of a refusal tell how much of a signature was right?  Welch's t of
 * refused requests whose signature differs in its first byte against such that
 * differ in the last one, as dudect does it: both in random order, in one process, a
 * new message each time, without the slowest tenth of each.  |t| below 5 is no
 * evidence.  A quiet machine is needed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bridge/base64.h"
#include "bridge/hex.h"
#include "bridge/receiver/verify.h"

enum { ROUNDS = 1000000, BODY = 300, LINE = 512, NOW = 1790856000 };

/* One message, whose signature is wrong in its first or its last byte. */
struct message {
	char id[32];
	char body[BODY];
	char signature[LINE]; /* the value of its header */
};

struct sample {
	double times[ROUNDS];
	size_t count;
};

static struct sample samples[2];

static double
now(void)
{
	struct timespec time;

	if (clock_gettime(CLOCK_MONOTONIC_RAW, &time) != 0)
		return 0;
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static uint64_t
next_random(void)
{
	static uint64_t state;

	/* another one each run, or a chance of its messages would look like a finding */
	if (state == 0)
		state = (uint64_t)now() | 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static struct slice
header_of(void *context, const char *name, size_t *count)
{
	const struct message *message = context;

	*count = 1;
	if (strcmp(name, "webhook-id") == 0)
		return text_of(message->id);
	if (strcmp(name, "webhook-timestamp") == 0)
		return SLICE_LITERAL("1790856000");
	return text_of(message->signature);
}

/* Takes the signature out of what verify_sign() wrote, and changes one byte of it. */
static bool
spoil(struct message *message, const char *headers, bool is_hex, bool is_last)
{
	const char *start = strrchr(headers, is_hex ? '=' : ',') + 1;
	struct slice good = {start, strcspn(start, "\n")};
	unsigned char bytes[32];
	struct text text;
	size_t length;

	if (!(is_hex ? hex_decode(good, bytes, sizeof(bytes), &length)
		     : base64_decode(good, bytes, sizeof(bytes), &length)))
		return false;
	bytes[is_last ? sizeof(bytes) - 1 : 0] ^= (unsigned char)(1 + next_random() % 255);
	text_start(&text, message->signature, LINE - 1);
	text_append_string(&text, is_hex ? "sha256=" : "v1,");
	if (is_hex)
		hex_encode(bytes, sizeof(bytes), &text);
	else
		base64_encode(bytes, sizeof(bytes), &text);
	message->signature[text.length] = '\0';
	return true;
}

static bool
make_message(const struct verify *verify, bool is_hex, bool is_last, struct message *message,
	     struct error *error)
{
	char headers[LINE];
	struct text text;

	(void)snprintf(message->id, sizeof(message->id), "msg_%016llx",
		       (unsigned long long)next_random());
	for (size_t byte = 0; byte < BODY; byte++)
		message->body[byte] = (char)(' ' + next_random() % 95);
	text_start(&text, headers, sizeof(headers) - 1);
	if (!verify_sign(verify, text_of(message->id), INT64_C(1000) * NOW,
			 (struct slice){message->body, BODY}, &text, error))
		return false;
	headers[text.length] = '\0';
	return spoil(message, headers, is_hex, is_last) ||
	       error_set(error, "no signature in: %s", headers);
}

static int
compare(const void *left, const void *right)
{
	double l = *(const double *)left, r = *(const double *)right;

	return (l > r) - (l < r);
}

static double
mean_of(const struct sample *sample, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += sample->times[i];
	return sum / (double)count;
}

/* The square of the standard error. */
static double
error_of(const struct sample *sample, size_t count, double mean)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (sample->times[i] - mean) * (sample->times[i] - mean);
	return sum / (double)(count - 1) / (double)count;
}

static void
report(const char *scheme)
{
	size_t counts[2];
	double means[2], errors[2];

	for (int i = 0; i < 2; i++) {
		qsort(samples[i].times, samples[i].count, sizeof(double), compare);
		counts[i] = samples[i].count / 10 * 9;
		means[i] = mean_of(&samples[i], counts[i]);
		errors[i] = error_of(&samples[i], counts[i], means[i]);
	}
	printf("%-18s first byte wrong %.1f ns, last byte wrong %.1f ns, t = %.2f (%zu and %zu)\n",
	       scheme, means[0], means[1], (means[0] - means[1]) / sqrt(errors[0] + errors[1]),
	       counts[0], counts[1]);
}

static bool
measure(const struct verify *verify, bool is_hex, struct error *error)
{
	struct message message;
	const struct verify_request request = {.header = header_of,
					       .context = &message,
					       .body = {message.body, BODY},
					       .now = INT64_C(1000) * NOW};
	struct verify_outcome outcome;

	samples[0].count = samples[1].count = 0;
	for (size_t i = 0; i < ROUNDS; i++) {
		bool is_last = (next_random() >> 32 & 1) != 0;
		struct sample *sample = &samples[is_last];
		double began;

		if (!make_message(verify, is_hex, is_last, &message, error))
			return false;
		began = now();
		if (verify_check(verify, &request, &outcome, error))
			return error_set(error, "a wrong signature was accepted");
		sample->times[sample->count++] = now() - began;
	}
	return true;
}

static bool
run(const char *scheme, enum config_signature signature, struct slice secret, bool is_hex,
    struct error *error)
{
	char name[] = "bench", file[] = "secret";
	struct config_secret place = {.file = file, .not_after = INT64_MAX};
	const struct config_source source = {.name = name,
					     .signature = signature,
					     .tolerance = 300000,
					     .secrets = &place,
					     .secrets_count = 1};
	struct verify *verify;
	bool done;

	if (!verify_new_with(&verify, &source, &secret, error))
		return false;
	done = measure(verify, is_hex, error);
	verify_free(verify);
	if (done)
		report(scheme);
	return done;
}

int
main(void)
{
	struct error error;

	if (run("standard-webhooks", CONFIG_SIGNATURE_STANDARD_WEBHOOKS,
		SLICE_LITERAL("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), false, &error) &&
	    run("github", CONFIG_SIGNATURE_GITHUB, SLICE_LITERAL("It's a Secret to Everybody"),
		true, &error))
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "%s\n", error.text);
	return EXIT_FAILURE;
}
