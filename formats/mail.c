/*
 * A header is plain where it can be, else a run of encoded words in the Q encoding
 * (RFC 2047 4.2), each of whole characters, one a line.  The first one has the name
 * of the header in front of it: 76 characters hold a name of up to 9 and a word.
 */
#include "formats/mail.h"

#include <string.h>

#include "formats/timestamp.h"
#include "formats/utf8.h"

enum {
	LINE_LENGTH = 76,   /* characters: RFC 2045 6.7 (5), RFC 2047 2 */
	WORD_CONTENT = 54,  /* of an encoded word: with its frame of 12 it is 66 */
	PLAIN_LENGTH = 66,  /* of a header's value that stands as it is */
	LONGEST_HOST = 253, /* RFC 1035 2.3.4 */
};

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

/* ---- addresses ---- */

static bool
is_made_of(struct slice text, const char *allowed)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.bytes[i] == '\0' || strchr(allowed, text.bytes[i]) == NULL)
			return false;
	return text.length > 0;
}

/* dot-atom (RFC 5322 3.2.3) and a name of hosts. */
static bool
is_address(struct slice address)
{
	const char *at = memrchr(address.bytes, '@', address.length);
	struct slice local, domain;

	if (at == NULL || address.length > MAIL_ADDRESS)
		return false;
	local = (struct slice){address.bytes, (size_t)(at - address.bytes)};
	domain = (struct slice){at + 1, address.length - local.length - 1};
	return is_made_of(local, LETTERS DIGITS "!#$%&'*+-/=?^_`{|}~.") &&
	       is_made_of(domain, LETTERS DIGITS "-.") && domain.length <= LONGEST_HOST &&
	       local.bytes[0] != '.' && local.bytes[local.length - 1] != '.' &&
	       domain.bytes[0] != '.' && domain.bytes[0] != '-' &&
	       domain.bytes[domain.length - 1] != '.';
}

static bool
has_hidden(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (utf8_hidden(text.bytes + i, text.length - i) > 0)
			return true;
	return false;
}

static struct slice
without_blanks(struct slice text)
{
	while (text.length > 0 && text.bytes[0] == ' ') {
		text.bytes++;
		text.length--;
	}
	while (text.length > 0 && text.bytes[text.length - 1] == ' ')
		text.length--;
	return text;
}

bool
mail_split_address(struct slice text, struct slice *name, struct slice *address,
		   struct error *error)
{
	const char *open = memrchr(text.bytes, '<', text.length);

	*name = (struct slice){text.bytes, 0};
	*address = text;
	if (open != NULL && text.bytes[text.length - 1] == '>') {
		*name = without_blanks((struct slice){text.bytes, (size_t)(open - text.bytes)});
		*address = (struct slice){open + 1, text.length - (size_t)(open - text.bytes) - 2};
	}
	if (is_address(*address) && !has_hidden(*name))
		return true;
	return error_set(error, "'%.*s' is no address; write local@domain, or Name <local@domain>",
			 (int)(text.length < 80 ? text.length : 80), text.bytes);
}

static struct slice
domain_of(struct slice address)
{
	const char *at = memrchr(address.bytes, '@', address.length);

	return (struct slice){at + 1, address.length - (size_t)(at - address.bytes) - 1};
}

/* ---- headers ---- */

/* Bytes of the character there; what must not be shown is to be a blank instead. */
static size_t
character(struct slice text, size_t at, bool *hidden)
{
	size_t length = utf8_hidden(text.bytes + at, text.length - at);

	*hidden = length > 0;
	if (length == 0)
		length = utf8_sequence(text.bytes + at, text.length - at);
	if (length > 0)
		return length;
	*hidden = true; /* no UTF-8 at all */
	return 1;
}

static bool
is_plain(struct slice value)
{
	for (size_t i = 0; i < value.length; i++)
		if (value.bytes[i] < ' ' || value.bytes[i] > '~')
			return false;
	return value.length <= PLAIN_LENGTH && memmem(value.bytes, value.length, "=?", 2) == NULL;
}

/* One character in the Q encoding; never more than 12 bytes. */
static void
append_q(struct slice bytes, bool hidden, struct text *text)
{
	if (hidden || (bytes.length == 1 && bytes.bytes[0] == ' ')) {
		text_append_byte(text, '_');
	} else if (is_made_of(bytes, LETTERS DIGITS "!*+-/")) {
		text_append_slice(text, bytes);
	} else {
		for (size_t i = 0; i < bytes.length; i++)
			text_append_format(text, "=%02X", (unsigned)(unsigned char)bytes.bytes[i]);
	}
}

static void
append_words(struct slice value, struct text *text)
{
	char bytes[16];
	struct text encoded;
	size_t used = 0;
	bool hidden;

	text_append_string(text, "=?UTF-8?Q?");
	for (size_t i = 0, length; i < value.length; i += length) {
		length = character(value, i, &hidden);
		text_start(&encoded, bytes, sizeof(bytes));
		append_q((struct slice){value.bytes + i, length}, hidden, &encoded);
		if (used + encoded.length > WORD_CONTENT) {
			text_append_string(text, "?=\r\n =?UTF-8?Q?");
			used = 0;
		}
		text_append_slice(text, text_slice(&encoded));
		used += encoded.length;
	}
	text_append_string(text, "?=");
}

static void
append_value(struct slice value, struct text *text)
{
	if (is_plain(value))
		text_append_slice(text, value);
	else
		append_words(value, text);
}

/* A phrase (RFC 5322 3.2.5): a word that would need quotes is encoded instead. */
static void
write_from(struct slice name, struct slice address, struct text *text)
{
	text_append_string(text, "From: ");
	if (name.length > 0 && is_plain(name) && is_made_of(name, LETTERS DIGITS " -"))
		text_append_slice(text, name);
	else if (name.length > 0)
		append_words(name, text);
	text_append_string(text, name.length > 0 ? "\r\n <" : "<");
	text_append_slice(text, address);
	text_append_string(text, ">\r\n");
}

static void
write_subject(struct slice subject, struct text *text)
{
	char bytes[MAIL_SUBJECT + 4];
	struct text cut;

	text_start(&cut, bytes, sizeof(bytes));
	if (subject.length > MAIL_SUBJECT) {
		text_append_slice(&cut, utf8_cut(subject, MAIL_SUBJECT - strlen("…")));
		text_append_string(&cut, "…");
		subject = text_slice(&cut);
	}
	text_append_string(text, "Subject: ");
	append_value(subject, text);
	text_append_string(text, "\r\n");
}

/* atext alone: what is not of it is '-', so that one stands for one. */
static void
write_id(const char *header, struct slice id, struct slice domain, struct text *text)
{
	if (id.length == 0)
		return;
	text_append_string(text, header);
	text_append_string(text, ":\r\n <");
	for (size_t i = 0; i < id.length && i < MAIL_ID; i++) {
		const struct slice byte = {id.bytes + i, 1};

		text_append_byte(text,
				 is_made_of(byte, LETTERS DIGITS "_-+=~") ? id.bytes[i] : '-');
	}
	text_append_byte(text, '@');
	text_append_slice(text, domain);
	text_append_string(text, ">\r\n");
}

static void
write_headers(const struct mail *mail, struct text *text)
{
	struct slice domain = domain_of(mail->from);

	text_append_string(text, "Date: ");
	timestamp_write_rfc5322(text, mail->date);
	text_append_string(text, "\r\n");
	write_from(mail->from_name, mail->from, text);
	for (size_t i = 0; i < mail->to_count; i++) {
		text_append_string(text, i == 0 ? "To: <" : ",\r\n <");
		text_append_string(text, mail->to[i]);
		text_append_byte(text, '>');
	}
	text_append_string(text, "\r\n");
	write_subject(mail->subject, text);
	write_id("Message-ID", mail->id, domain, text);
	write_id("References", mail->thread, domain, text);
	text_append_string(text, "Auto-Submitted: auto-generated\r\n"
				 "MIME-Version: 1.0\r\n"
				 "Content-Type: text/plain; charset=utf-8\r\n"
				 "Content-Transfer-Encoding: quoted-printable\r\n"
				 "\r\n");
}

/* ---- the body ---- */

/* A blank at the end of a line would be lost, and "From " at its start changed on disk. */
static bool
stands_as_it_is(struct slice line, size_t at)
{
	char byte = line.bytes[at];

	if (byte == ' ' || byte == '\t')
		return at + 1 < line.length;
	if (at == 0 && line.length >= 5 && memcmp(line.bytes, "From ", 5) == 0)
		return false;
	return byte > ' ' && byte <= '~' && byte != '=';
}

/* RFC 2045 6.7 */
static void
write_line(struct slice line, struct text *text)
{
	size_t column = 0;

	for (size_t i = 0; i < line.length; i++) {
		bool plain = stands_as_it_is(line, i);
		size_t width = plain ? 1 : 3;

		if (column + width > LINE_LENGTH - 1) { /* and the "=" of a soft break */
			text_append_string(text, "=\r\n");
			column = 0;
		}
		if (plain)
			text_append_byte(text, line.bytes[i]);
		else
			text_append_format(text, "=%02X", (unsigned)(unsigned char)line.bytes[i]);
		column += width;
	}
	text_append_string(text, "\r\n");
}

static void
write_body(struct slice body, struct text *text)
{
	while (body.length > 0) {
		const char *end = memchr(body.bytes, '\n', body.length);
		size_t length = end != NULL ? (size_t)(end - body.bytes) : body.length;
		size_t skip = end != NULL ? length + 1 : length;

		write_line((struct slice){body.bytes, length}, text);
		body.bytes += skip;
		body.length -= skip;
	}
}

void
mail_write(const struct mail *mail, struct text *text)
{
	write_headers(mail, text);
	write_body(mail->text, text);
}
