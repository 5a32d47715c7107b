#include "bridge/receiver/challenge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The expected HMACs are of: openssl dgst -sha256 -hmac 0123456789abcdef */
#define KEY "0123456789abcdef"

static struct verify *verify;

static int
set_up(void **state)
{
	static char name[] = "source", header[] = "x-signature", file[] = "file", body[] = "body";
	static char *signed_texts[] = {body};
	static struct config_hmac hmac = {.signature_header = header,
					  .signed_texts = signed_texts,
					  .signed_texts_count = 1,
					  .parts = {CONFIG_PART_BODY}};
	static struct config_secret secret = {.file = file, .not_after = INT64_MAX};
	static const struct config_source source = {.name = name,
						    .signature = CONFIG_SIGNATURE_HMAC,
						    .hmac = &hmac,
						    .secrets = &secret,
						    .secrets_count = 1};
	const struct slice key = SLICE_LITERAL(KEY);
	struct error error;

	(void)state;
	return verify_new_with(&verify, &source, &key, &error) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	verify_free(verify);
	return 0;
}

static void
expect(bool answered, const struct text *answer, const char *expected, const char *asked)
{
	if (answered != (expected != NULL))
		fail_msg("%s: answered %d", asked, answered);
	if (answered && !text_slice_is(text_slice(answer), expected))
		fail_msg("%s: '%.*s'", asked, (int)answer->length, answer->bytes);
}

static void
a_signed_post_is_a_challenge_where_the_source_has_one(void **state)
{
	static const struct {
		enum config_challenge challenge;
		const char *body;
		const char *answer; /* NULL: it is an event */
	} rows[] = {
	    {CONFIG_CHALLENGE_SLACK,
	     "{\"token\":\"x\",\"challenge\":\"3eZbrw1aBm2rZgRNFdxV2595E9CY\","
	     "\"type\":\"url_verification\"}",
	     "{\"challenge\":\"3eZbrw1aBm2rZgRNFdxV2595E9CY\"}"},
	    {CONFIG_CHALLENGE_NONE, "{\"challenge\":\"a\",\"type\":\"url_verification\"}", NULL},
	    {CONFIG_CHALLENGE_ZOOM, "{\"challenge\":\"a\",\"type\":\"url_verification\"}", NULL},
	    {CONFIG_CHALLENGE_SLACK, "{\"challenge\":\"a b\",\"type\":\"url_verification\"}", NULL},
	    {CONFIG_CHALLENGE_SLACK, "{\"challenge\":\"\",\"type\":\"url_verification\"}", NULL},
	    {CONFIG_CHALLENGE_SLACK, "{\"challenge\":7,\"type\":\"url_verification\"}", NULL},
	    {CONFIG_CHALLENGE_SLACK, "{\"type\":\"url_verification\"}", NULL},
	    {CONFIG_CHALLENGE_SLACK, "{\"type\":\"message\",\"text\":\"url_verification\"}", NULL},
	    {CONFIG_CHALLENGE_SLACK, "{\"type\":\"url_verification\"", NULL},
	    {CONFIG_CHALLENGE_SLACK, "", NULL},
	    {CONFIG_CHALLENGE_ZOOM,
	     "{\"event\":\"endpoint.url_validation\",\"payload\":{\"plainToken\":\"qgg8vlvZRS6\"}}",
	     "{\"plainToken\":\"qgg8vlvZRS6\",\"encryptedToken\":"
	     "\"65fb44a3ee5212b93aa4b47435c4e20c6e1ed9c7489458f4098cc4a201b6511a\"}"},
	    {CONFIG_CHALLENGE_ZOOM,
	     "{\"event\":\"endpoint.url_validation\",\"payload\":{\"plainToken\":\"{}\"}}", NULL},
	    {CONFIG_CHALLENGE_ZOOM, "{\"event\":\"endpoint.url_validation\",\"payload\":1}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char bytes[CHALLENGE_ANSWER];
		struct text answer;

		text_start(&answer, bytes, sizeof(bytes));
		expect(challenge_post(rows[i].challenge, verify, text_of(rows[i].body), &answer),
		       &answer, rows[i].answer, rows[i].body);
	}
}

static struct slice
header_of(void *context, const char *name, size_t *count)
{
	*count = context != NULL && strcmp(name, "x-okta-verification-challenge") == 0;
	return *count == 1 ? text_of(context) : (struct slice){NULL, 0};
}

static void
a_get_is_a_challenge_where_the_source_has_one(void **state)
{
	static char asked[] = "qgg8vlvZRS6UYooatFL8Aw", markup[] = "<script>";
	static const struct {
		enum config_challenge challenge;
		char *header;
		const char *query;
		const char *answer; /* NULL: it is refused */
	} rows[] = {
	    {CONFIG_CHALLENGE_OKTA, asked, "", "{\"verification\":\"qgg8vlvZRS6UYooatFL8Aw\"}"},
	    {CONFIG_CHALLENGE_OKTA, markup, "", NULL},
	    {CONFIG_CHALLENGE_OKTA, NULL, "", NULL},
	    {CONFIG_CHALLENGE_NONE, asked, "crc_token=abc", NULL},
	    {CONFIG_CHALLENGE_CRC, asked, "", NULL},
	    {CONFIG_CHALLENGE_CRC, NULL, "crc_token=qgg8vlvZRS6",
	     "{\"response_token\":\"sha256=ZftEo+5SErk6pLR0NcTiDG4e2cdIlFj0CYzEogG2URo=\"}"},
	    {CONFIG_CHALLENGE_CRC, NULL, "nonce=1&crc_token=qgg8vlvZRS6&x=",
	     "{\"response_token\":\"sha256=ZftEo+5SErk6pLR0NcTiDG4e2cdIlFj0CYzEogG2URo=\"}"},
	    {CONFIG_CHALLENGE_CRC, NULL, "crc_token=%71gg8vlvZRS%36",
	     "{\"response_token\":\"sha256=ZftEo+5SErk6pLR0NcTiDG4e2cdIlFj0CYzEogG2URo=\"}"},
	    {CONFIG_CHALLENGE_CRC, NULL, "xcrc_token=a", NULL},
	    {CONFIG_CHALLENGE_CRC, NULL, "crc_token=", NULL},
	    {CONFIG_CHALLENGE_CRC, NULL, "crc_token=%", NULL},
	    {CONFIG_CHALLENGE_CRC, NULL, "crc_token=%4", NULL},
	    {CONFIG_CHALLENGE_CRC, NULL, "crc_token=%zz", NULL},
	    {CONFIG_CHALLENGE_CRC, NULL, "crc_token", NULL},
	    {CONFIG_CHALLENGE_CRC, NULL, "&&", NULL},
	    /* whoever could have this one signed could sign any event */
	    {CONFIG_CHALLENGE_CRC, NULL, "crc_token=%7B%22type%22%3A%22key.deleted%22%7D", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct verify_request request = {.header = header_of,
						       .context = rows[i].header};
		char bytes[CHALLENGE_ANSWER];
		struct text answer;

		text_start(&answer, bytes, sizeof(bytes));
		expect(challenge_get(rows[i].challenge, verify, &request, text_of(rows[i].query),
				     &answer),
		       &answer, rows[i].answer, rows[i].query);
	}
}

static void
what_is_too_long_is_no_challenge(void **state)
{
	char query[1100] = "crc_token=", bytes[CHALLENGE_ANSWER];
	struct text answer;

	(void)state;
	for (size_t length = CHALLENGE_LENGTH; length <= CHALLENGE_LENGTH + 1; length++) {
		memset(query + 10, 'a', length);
		query[10 + length] = '\0';
		text_start(&answer, bytes, sizeof(bytes));
		assert_int_equal(
		    challenge_get(CONFIG_CHALLENGE_CRC, verify, NULL, text_of(query), &answer),
		    length <= CHALLENGE_LENGTH);
		assert_false(answer.overflowed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_signed_post_is_a_challenge_where_the_source_has_one),
	    cmocka_unit_test(a_get_is_a_challenge_where_the_source_has_one),
	    cmocka_unit_test(what_is_too_long_is_no_challenge),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
