/*
 * A frame is read from its start each time: a header is at most 53 bytes, and a
 * reader without a state has no state to get wrong between two reads.
 */
#include "bridge/forwarder/relp.h"

#include <string.h>

enum {
	DIGITS = 9,   /* of a number; a tenth is a framing error */
	LETTERS = 32, /* of a command */
	CODE = 3,     /* digits of a status */
};

static const char offers[] = "relp_version=0\n"
			     "relp_software=siembridge\n"
			     "commands=syslog";

/* ---- writing ---- */

void
relp_append(uint32_t txnr, const char *command, struct slice data, struct text *text)
{
	text_append_unsigned(text, txnr);
	text_append_byte(text, ' ');
	text_append_string(text, command);
	text_append_byte(text, ' ');
	text_append_unsigned(text, data.length);
	if (data.length > 0)
		text_append_byte(text, ' ');
	text_append_slice(text, data);
	text_append_byte(text, '\n');
}

void
relp_append_open(uint32_t txnr, struct text *text)
{
	relp_append(txnr, "open", text_of(offers), text);
}

/* ---- reading a frame ---- */

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool
is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* What is left to be read of the input. */
struct cursor {
	const char *at;
	const char *end;
	struct error *error;
};

static enum relp_result
broken(const struct cursor *cursor, const char *what)
{
	error_set(cursor->error, "what it sent is no RELP: %s", what);
	return RELP_BROKEN;
}

/* A run of 1 to `longest` such bytes, and whatever comes behind it. */
static enum relp_result
read_run(struct cursor *cursor, bool (*belongs)(char byte), ptrdiff_t longest, struct slice *run)
{
	const char *start = cursor->at;

	while (cursor->at < cursor->end && belongs(*cursor->at))
		if (++cursor->at - start > longest)
			return broken(cursor, "a number or a command that is too long");
	if (cursor->at == cursor->end)
		return RELP_MORE;
	if (cursor->at == start)
		return broken(cursor, "a number or a command is missing");
	*run = (struct slice){start, (size_t)(cursor->at - start)};
	return RELP_FRAME;
}

static enum relp_result
read_number(struct cursor *cursor, uint64_t *number)
{
	struct slice digits = {NULL, 0};
	enum relp_result result = read_run(cursor, is_digit, DIGITS, &digits);

	if (result == RELP_FRAME && !text_parse_unsigned(digits, RELP_TXNR_HIGHEST, number))
		return broken(cursor, "a number that is none");
	return result;
}

static enum relp_result
read_byte(struct cursor *cursor, char wanted, const char *otherwise)
{
	if (cursor->at == cursor->end)
		return RELP_MORE;
	return *cursor->at++ == wanted ? RELP_FRAME : broken(cursor, otherwise);
}

/* "DATALEN [SP DATA] LF": with no data there is no space either. */
static enum relp_result
read_data(struct cursor *cursor, struct slice *data)
{
	uint64_t length = 0;
	enum relp_result result = read_number(cursor, &length);

	if (result == RELP_FRAME && length > RELP_INCOMING_DATA)
		return broken(cursor, "an answer that is too long");
	if (result == RELP_FRAME && length > 0)
		result = read_byte(cursor, ' ', "no space before the data");
	if (result != RELP_FRAME)
		return result;
	if ((size_t)(cursor->end - cursor->at) < length)
		return RELP_MORE;
	*data = (struct slice){cursor->at, (size_t)length};
	cursor->at += length;
	return read_byte(cursor, '\n', "no line feed behind the data");
}

enum relp_result
relp_parse(struct slice input, struct relp_frame *frame, size_t *used, struct error *error)
{
	struct cursor cursor = {input.bytes, input.bytes + input.length, error};
	uint64_t txnr = 0;
	enum relp_result result = read_number(&cursor, &txnr);

	if (result == RELP_FRAME)
		result = read_byte(&cursor, ' ', "no space behind the transaction number");
	if (result == RELP_FRAME)
		result = read_run(&cursor, is_letter, LETTERS, &frame->command);
	if (result == RELP_FRAME)
		result = read_byte(&cursor, ' ', "no space behind the command");
	if (result == RELP_FRAME)
		result = read_data(&cursor, &frame->data);
	frame->txnr = (uint32_t)txnr;
	*used = (size_t)(cursor.at - input.bytes);
	return result;
}

/* ---- reading what is in it ---- */

/* Takes the first line off `rest`, without its LF. */
static struct slice
take_line(struct slice *rest)
{
	const char *end = rest->length > 0 ? memchr(rest->bytes, '\n', rest->length) : NULL;
	struct slice line = *rest;

	if (end == NULL) {
		*rest = (struct slice){rest->bytes + rest->length, 0};
		return line;
	}
	line.length = (size_t)(end - rest->bytes);
	*rest = (struct slice){end + 1, rest->length - line.length - 1};
	return line;
}

bool
relp_read_reply(struct slice data, struct relp_reply *reply, struct error *error)
{
	struct slice line = take_line(&data);
	uint64_t code = 0;

	if (line.length < CODE ||
	    !text_parse_unsigned((struct slice){line.bytes, CODE}, 999, &code) ||
	    (line.length > CODE && line.bytes[CODE] != ' '))
		return error_set(error, "what it sent is no RELP: an answer without a status");
	reply->code = (unsigned)code;
	reply->text = (struct slice){line.bytes + CODE, line.length - CODE};
	if (reply->text.length > 0) {
		reply->text.bytes++;
		reply->text.length--;
	}
	reply->rest = data;
	return true;
}

/* The value of "name=value", or absent. */
static struct slice
value_of(struct slice line, const char *name)
{
	size_t length = strlen(name);

	if (line.length <= length || line.bytes[length] != '=' ||
	    memcmp(line.bytes, name, length) != 0)
		return (struct slice){NULL, 0};
	return (struct slice){line.bytes + length + 1, line.length - length - 1};
}

/* Is `word` one of "a,b,c"? */
static bool
lists(struct slice list, const char *word)
{
	size_t start = 0;

	for (size_t i = 0; list.bytes != NULL && i <= list.length; i++) {
		if (i < list.length && list.bytes[i] != ',')
			continue;
		if (text_slice_is((struct slice){list.bytes + start, i - start}, word))
			return true;
		start = i + 1;
	}
	return false;
}

bool
relp_check_offers(struct slice rest, struct error *error)
{
	struct slice version = {NULL, 0};
	bool takes_syslog = false;
	uint64_t number = 0;

	while (rest.length > 0) {
		struct slice line = take_line(&rest);
		struct slice value = value_of(line, "relp_version");

		if (value.bytes != NULL)
			version = value;
		takes_syslog = takes_syslog || lists(value_of(line, "commands"), "syslog");
	}
	/* The lower of both versions is to be answered, and ours is 0. */
	if (version.bytes == NULL)
		return error_set(error, "it does not say which version of RELP it speaks");
	if (!text_parse_unsigned(version, 0, &number))
		return error_set(error, "it does not speak version 0 of RELP");
	if (!takes_syslog)
		return error_set(error, "it takes no syslog over RELP");
	return true;
}
