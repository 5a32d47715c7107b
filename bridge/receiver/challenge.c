/*
 * Two of them hand out an HMAC by the key that signs the source's events, of bytes
 * that the asker chose; X's even to anybody.  So only words are answered, made of
 * letters that no JSON object begins with: such an HMAC is never an event's signature.
 */
#include "bridge/receiver/challenge.h"

#include <string.h>

#include "bridge/base64.h"
#include "bridge/hex.h"
#include "formats/json_read.h"
#include "formats/json_write.h"

enum { MAC_LENGTH = 32, MAC_TEXT = 80 };

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* One of 1..CHALLENGE_LENGTH letters, digits and + / = _ - . */
static bool
is_word(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.bytes[i] == '\0' || strchr(LETTERS "+/=_-.", text.bytes[i]) == NULL)
			return false;
	return text.length > 0 && text.length <= CHALLENGE_LENGTH;
}

/* The member of that name, absent where there is none. */
static struct json_value *
member_of(struct json_value *object, const char *name)
{
	struct json_member member;

	if (object == NULL || json_read_kind(object) != JSON_OBJECT)
		return NULL;
	for (bool more = json_read_first(object, &member); more; more = json_read_next(&member))
		if (text_slice_is(member.name, name))
			return member.value;
	return NULL;
}

static struct slice
string_of(struct json_value *object, const char *name)
{
	struct json_value *value = member_of(object, name);

	return value != NULL ? json_read_string(value) : (struct slice){NULL, 0};
}

/* {"name": text} */
static void
write_answer(const char *name, struct slice text, struct text *answer)
{
	struct json_node *document = json_write_object();

	json_write_text(document, name, text);
	json_write_finish(document, answer);
}

/* docs.slack.dev, url_verification: the body's challenge comes back. */
static bool
answer_slack(struct json_value *document, const struct verify *verify, struct text *answer)
{
	struct slice asked = string_of(document, "challenge");

	(void)verify;
	if (!text_slice_is(string_of(document, "type"), "url_verification") || !is_word(asked))
		return false;
	write_answer("challenge", asked, answer);
	return true;
}

/* developers.zoom.us, endpoint.url_validation: plainToken and its HMAC in hex. */
static bool
answer_zoom(struct json_value *document, const struct verify *verify, struct text *answer)
{
	struct slice asked = string_of(member_of(document, "payload"), "plainToken");
	unsigned char mac[MAC_LENGTH];
	struct json_node *node;
	char bytes[MAC_TEXT];
	struct text text;

	if (!text_slice_is(string_of(document, "event"), "endpoint.url_validation") ||
	    !is_word(asked) || !verify_authenticate(verify, asked, mac))
		return false;
	text_start(&text, bytes, sizeof(bytes));
	hex_encode(mac, sizeof(mac), &text);
	node = json_write_object();
	json_write_text(node, "plainToken", asked);
	json_write_text(node, "encryptedToken", text_slice(&text));
	json_write_finish(node, answer);
	return true;
}

/* Those that come as a POST.  A body without the word is not parsed a second time. */
static const struct {
	enum config_challenge challenge;
	const char *word;
	bool (*answer)(struct json_value *document, const struct verify *verify,
		       struct text *answer);
} posts[] = {
    {CONFIG_CHALLENGE_SLACK, "url_verification", answer_slack},
    {CONFIG_CHALLENGE_ZOOM, "endpoint.url_validation", answer_zoom},
};

bool
challenge_post(enum config_challenge challenge, const struct verify *verify, struct slice body,
	       struct text *answer)
{
	struct json_value *document;
	struct error ignored; /* a body that is no JSON is no challenge either */
	bool answered = false;

	for (size_t i = 0; i < sizeof(posts) / sizeof(posts[0]); i++) {
		if (posts[i].challenge != challenge || body.length == 0 ||
		    memmem(body.bytes, body.length, posts[i].word, strlen(posts[i].word)) == NULL ||
		    !json_read(&document, body, &ignored))
			continue;
		answered = posts[i].answer(document, verify, answer);
		json_read_free(document);
	}
	return answered;
}

/* developer.okta.com, event hooks: the header's value comes back. */
static bool
answer_okta(const struct verify_request *request, struct text *answer)
{
	size_t count = 0;
	struct slice asked =
	    request->header(request->context, "x-okta-verification-challenge", &count);

	if (count != 1 || !is_word(asked))
		return false;
	write_answer("verification", asked, answer);
	return true;
}

/* With %xx decoded; false where it is not whole or does not fit. */
static bool
decode(struct slice value, struct text *text)
{
	for (size_t i = 0; i < value.length; i++) {
		struct slice digits = {value.bytes + i + 1, 2};
		unsigned char byte = (unsigned char)value.bytes[i];
		size_t decoded;

		if (byte == '%') {
			if (value.length - i < 3 || !hex_decode(digits, &byte, 1, &decoded))
				return false;
			i += 2;
		}
		text_append_byte(text, (char)byte);
	}
	return !text->overflowed;
}

/* Decodes the first parameter that begins with `prefix`, "name="; false: none. */
static bool
read_parameter(struct slice query, const char *prefix, struct text *text)
{
	size_t length = strlen(prefix);

	while (query.length > 0) {
		const char *end = memchr(query.bytes, '&', query.length);
		size_t size = end != NULL ? (size_t)(end - query.bytes) : query.length;

		if (size >= length && memcmp(query.bytes, prefix, length) == 0)
			return decode((struct slice){query.bytes + length, size - length}, text);
		if (end != NULL)
			size++;
		query.bytes += size;
		query.length -= size;
	}
	return false;
}

/* docs.x.com, challenge-response check: crc_token and its HMAC in Base64. */
static bool
answer_crc(const struct verify *verify, struct slice query, struct text *answer)
{
	char token_bytes[CHALLENGE_LENGTH], mac_bytes[MAC_TEXT];
	unsigned char mac[MAC_LENGTH];
	struct text token, text;

	text_start(&token, token_bytes, sizeof(token_bytes));
	if (!read_parameter(query, "crc_token=", &token) || !is_word(text_slice(&token)) ||
	    !verify_authenticate(verify, text_slice(&token), mac))
		return false;
	text_start(&text, mac_bytes, sizeof(mac_bytes));
	text_append_string(&text, "sha256=");
	base64_encode(mac, sizeof(mac), &text);
	write_answer("response_token", text_slice(&text), answer);
	return true;
}

bool
challenge_get(enum config_challenge challenge, const struct verify *verify,
	      const struct verify_request *request, struct slice query, struct text *answer)
{
	if (challenge == CONFIG_CHALLENGE_OKTA)
		return answer_okta(request, answer);
	return challenge == CONFIG_CHALLENGE_CRC && answer_crc(verify, query, answer);
}
