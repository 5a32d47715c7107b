/*
 * Which event is this?  Senders of this protocol send a whole request again when its
 * answer was lost, and have no id for it.  So an envelope or line without an id is the
 * SHA-256 of the request's body and its place in it: the same request again is known,
 * two equal lines in one are two.  Where it names no time either, the hour in which it
 * came is part of that, or a line that is sent every day would be stored once.  With an
 * id it is the SHA-256 of its own text, wherever it stands: what has an id here may be
 * a user or a key, and two events of one second may name it.
 */
#include "bridge/receiver/hec_input.h"

#include <string.h>
#include <strings.h>

#include "bridge/receiver/identify.h"
#include "bridge/receiver/intake.h"
#include "bridge/receiver/submission.h"
#include "formats/json_read.h"
#include "formats/json_split.h"
#include "formats/memory.h"

enum { HOUR = 3600 * 1000 /* ms */, CHANNEL_LENGTH = 36, ACK_LENGTH = 32 };

/* clang-format off */
static const struct {
	const char *suffix;
	enum hec_endpoint endpoint;
} endpoints[] = {
	{"", HEC_EVENT}, {"/event", HEC_EVENT}, {"/event/1.0", HEC_EVENT},
	{"/raw", HEC_RAW}, {"/raw/1.0", HEC_RAW},
	{"/ack", HEC_ACK}, {"/ack/1.0", HEC_ACK},
	{"/health", HEC_HEALTH}, {"/health/1.0", HEC_HEALTH},
};

static const struct {
	enum hec_code code;
	enum answer outcome;
	const char *text;
} codes[] = {
	{HEC_SUCCESS, ANSWER_HEC_DONE, "Success"},
	{HEC_TOKEN_REQUIRED, ANSWER_HEC_UNAUTHORIZED, "Token is required"},
	{HEC_INVALID_AUTHORIZATION, ANSWER_HEC_UNAUTHORIZED, "Invalid authorization"},
	{HEC_INVALID_TOKEN, ANSWER_HEC_FORBIDDEN, "Invalid token"},
	{HEC_NO_DATA, ANSWER_HEC_WRONG, "No data"},
	{HEC_INVALID_DATA, ANSWER_HEC_WRONG, "Invalid data format"},
	{HEC_BUSY, ANSWER_HEC_BUSY, "Server is busy"},
	{HEC_CHANNEL_MISSING, ANSWER_HEC_WRONG, "Data channel is missing"},
	{HEC_CHANNEL_INVALID, ANSWER_HEC_WRONG, "Invalid data channel"},
	{HEC_EVENT_REQUIRED, ANSWER_HEC_WRONG, "Event field is required"},
	{HEC_EVENT_BLANK, ANSWER_HEC_WRONG, "Event field cannot be blank"},
	{HEC_INDEXED_FIELDS, ANSWER_HEC_WRONG, "Error in handling indexed fields"},
	{HEC_QUERY_AUTHORIZATION, ANSWER_HEC_WRONG, "Query string authorization is not enabled"},
	{HEC_HEALTHY, ANSWER_HEC_DONE, "HEC is healthy"},
	{HEC_SHUTTING_DOWN, ANSWER_HEC_BUSY, "Server is shutting down"},
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum hec_endpoint
hec_input_endpoint(const char *path, const char *target)
{
	size_t length = strlen(path), whole = strcspn(target, "?");

	if (whole < length || memcmp(path, target, length) != 0)
		return HEC_NOWHERE;
	for (size_t i = 0; i < COUNT(endpoints); i++)
		if (text_slice_is((struct slice){target + length, whole - length},
				  endpoints[i].suffix))
			return endpoints[i].endpoint;
	return HEC_NOWHERE;
}

/* ---- answers ---- */

static size_t
row_of(enum hec_code code)
{
	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i].code == code)
			return i;
	memory_panic("code %d of HEC has no row", (int)code);
}

enum answer
hec_input_outcome(enum hec_code code)
{
	return codes[row_of(code)].outcome;
}

void
hec_input_write(const struct hec_answer *answer, struct text *text)
{
	text_append_format(text, "{\"text\":\"%s\",\"code\":%d", codes[row_of(answer->code)].text,
			   (int)answer->code);
	if (answer->invalid_event >= 0) {
		text_append_string(text, ",\"invalid-event-number\":");
		text_append_number(text, answer->invalid_event);
	}
	if (answer->ack_id >= 0) {
		text_append_string(text, ",\"ackId\":");
		text_append_number(text, answer->ack_id);
	}
	text_append_byte(text, '}');
}

/* ---- what a request says beside its body ---- */

/* The value of a parameter "name=" of the target, as it stands; absent: there is none. */
static struct slice
parameter_of(const char *target, const char *name)
{
	const char *position = strchr(target, '?');
	size_t length = strlen(name);

	while (position != NULL) {
		position++;
		if (strncmp(position, name, length) == 0)
			return (struct slice){position + length, strcspn(position + length, "&")};
		position = strchr(position, '&');
	}
	return (struct slice){NULL, 0};
}

enum hec_code
hec_input_refusal(struct slice authorization, const char *target)
{
	static const char word[] = "Splunk ";

	if (authorization.bytes == NULL)
		return parameter_of(target, "token=").bytes != NULL ? HEC_QUERY_AUTHORIZATION
								    : HEC_TOKEN_REQUIRED;
	if (authorization.length <= strlen(word) ||
	    strncasecmp(authorization.bytes, word, strlen(word)) != 0)
		return HEC_INVALID_AUTHORIZATION;
	return HEC_INVALID_TOKEN;
}

/* RFC 9562 4: 8-4-4-4-12 hexadecimal digits. */
static bool
is_channel(struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		char byte = text.bytes[i];

		if (is_dash ? byte != '-'
			    : byte == '\0' || strchr("0123456789abcdefABCDEF", byte) == NULL)
			return false;
	}
	return text.length == CHANNEL_LENGTH;
}

enum hec_code
hec_input_channel(struct slice header, const char *target)
{
	struct slice channel = header.bytes != NULL ? header : parameter_of(target, "channel=");

	if (channel.bytes == NULL)
		return HEC_CHANNEL_MISSING;
	return is_channel(channel) ? HEC_SUCCESS : HEC_CHANNEL_INVALID;
}

/* ---- envelopes ---- */

/* Splunk takes no exponent (H3); a text of digits does as well. */
static bool
is_time(struct json_value *value, struct arena *arena)
{
	struct slice text = json_read_text(value, arena);
	enum json_kind kind = json_read_kind(value);

	if (kind == JSON_NULL)
		return true;
	for (size_t i = 0; i < text.length; i++)
		if ((text.bytes[i] < '0' || text.bytes[i] > '9') && text.bytes[i] != '.')
			return false;
	return (kind == JSON_NUMBER || kind == JSON_STRING) && text.length > 0;
}

/* Flat: texts, numbers, or arrays of them (H4). */
static bool
is_flat(struct json_value *fields)
{
	struct json_member member;

	if (json_read_kind(fields) != JSON_OBJECT)
		return false;
	for (bool more = json_read_first(fields, &member); more; more = json_read_next(&member))
		if (json_read_kind(member.value) == JSON_OBJECT)
			return false;
	return true;
}

static enum hec_code
judge_members(struct json_value *envelope, struct arena *arena)
{
	enum hec_code code = HEC_EVENT_REQUIRED;
	struct json_member member;

	for (bool more = json_read_first(envelope, &member); more; more = json_read_next(&member)) {
		struct json_value *value = member.value;

		if (text_slice_is(member.name, "event"))
			code = json_read_kind(value) == JSON_NULL ||
				       (json_read_kind(value) == JSON_STRING &&
					json_read_string(value).length == 0)
				   ? HEC_EVENT_BLANK
				   : HEC_SUCCESS;
		else if ((text_slice_is(member.name, "time") && !is_time(value, arena)) ||
			 (text_slice_is(member.name, "fields") && !is_flat(value)))
			return HEC_INDEXED_FIELDS;
	}
	return code;
}

static enum hec_code
judge_envelope(struct slice envelope, struct arena *arena, struct error *error)
{
	struct json_value *document;
	enum hec_code code;

	if (!json_read(&document, envelope, error))
		return HEC_INVALID_DATA;
	code = judge_members(document, arena);
	json_read_free(document);
	if (code != HEC_SUCCESS)
		error_set(error, "not an envelope of HEC: %s", codes[row_of(code)].text);
	return code;
}

/* ---- all of them ---- */

/* Envelopes behind one another, or, as some versions of Splunk take them, in an array. */
static enum json_split_step
next_piece(struct hec_input *input, struct json_split *split, bool is_array, struct slice *piece)
{
	const char *end;

	if (is_array)
		return json_split_element(split, piece);
	if (input->endpoint == HEC_EVENT)
		return json_split_next(&split->rest, piece);
	do {
		if (split->rest.length == 0)
			return JSON_SPLIT_END;
		*piece = split->rest;
		end = memchr(piece->bytes, '\n', piece->length);
		if (end != NULL)
			piece->length = (size_t)(end - piece->bytes);
		split->rest.bytes += piece->length + (end != NULL);
		split->rest.length -= piece->length + (end != NULL);
		while (piece->length > 0 && (piece->bytes[piece->length - 1] == '\r' ||
					     piece->bytes[piece->length - 1] == ' '))
			piece->length--;
	} while (piece->length == 0);
	return JSON_SPLIT_VALUE;
}

/* What stands for the request in the identity of what has none of its own. */
static struct identify_frame
frame_of(const struct hec_input *input, struct arena *arena)
{
	struct identify_frame frame = {.id = identify_digest(input->body, arena),
				       .ids_are_weak = true};
	size_t capacity = frame.id.length + ACK_LENGTH;
	struct text text;

	text_start(&text, arena_allocate(arena, capacity), capacity);
	text_append_slice(&text, frame.id);
	text_append_format(&text, "@%lld", (long long)(input->now / HOUR));
	frame.id_of_hour = identify_digest(text_slice(&text), arena);
	return frame;
}

static enum hec_code
take_piece(struct hec_input *input, const struct identify_frame *frame, size_t index,
	   struct slice piece, struct arena *arena, struct error *error)
{
	struct spool_event event = {.received_at = input->now,
				    .source = text_of(input->config->name),
				    .evidence = input->evidence};
	enum hec_code code = HEC_SUCCESS;

	if (input->endpoint == HEC_EVENT)
		code = judge_envelope(piece, arena, error);
	if (code != HEC_SUCCESS)
		return code;
	if (!identify_element(input->normalise, frame, index, piece, arena, &event, error))
		return HEC_INVALID_DATA;
	if (intake_wants(input->config, input->normalise, event.type))
		input->events[input->count++] = event;
	else
		input->unwanted++;
	return HEC_SUCCESS;
}

void
hec_input_read(struct hec_input *input, struct arena *arena, struct error *error)
{
	struct json_split split, counting;
	bool is_array = input->endpoint == HEC_EVENT && json_split_array(&split, input->body);
	struct identify_frame frame = frame_of(input, arena);
	enum json_split_step step;
	struct slice piece;
	size_t room = 1;

	if (!is_array)
		split = (struct json_split){.rest = input->body};
	for (counting = split; room < SUBMISSION_MOST &&
			       next_piece(input, &counting, is_array, &piece) == JSON_SPLIT_VALUE;)
		room++;
	input->events = arena_allocate(arena, room * sizeof(*input->events));
	input->count = input->unwanted = input->invalid = 0;
	input->code = HEC_SUCCESS;
	while ((step = next_piece(input, &split, is_array, &piece)) == JSON_SPLIT_VALUE) {
		if (input->count == SUBMISSION_MOST) {
			error_set(error, "more than %d events in one request", SUBMISSION_MOST);
			input->code = HEC_INVALID_DATA;
			return;
		}
		input->code = take_piece(input, &frame, input->invalid, piece, arena, error);
		if (input->code != HEC_SUCCESS)
			return;
		input->invalid++;
	}
	if (step == JSON_SPLIT_WRONG) {
		input->code = HEC_INVALID_DATA;
		error_set(error, "not JSON behind %zu envelopes", input->invalid);
	} else if (input->invalid == 0) {
		input->code = HEC_NO_DATA;
		error_set(error, "there is no event in it");
	}
}

/* ---- acknowledgements ---- */

static struct json_value *
member_of(struct json_value *object, const char *name)
{
	struct json_member member;

	for (bool more = json_read_first(object, &member); more; more = json_read_next(&member))
		if (text_slice_is(member.name, name))
			return member.value;
	return NULL;
}

static bool
write_acks(struct json_value *ids, uint64_t durable, struct text *text)
{
	size_t count = json_read_count(ids);

	text_append_string(text, "{\"acks\":{");
	for (size_t i = 0; i < count; i++) {
		uint64_t id;

		if (!json_read_unsigned(json_read_element(ids, i), INT64_MAX, &id))
			return false;
		text_append_string(text, i > 0 ? ",\"" : "\"");
		text_append_unsigned(text, id);
		text_append_string(text, id <= durable ? "\":true" : "\":false");
	}
	text_append_string(text, "}}");
	return !text->overflowed;
}

bool
hec_input_acks(struct slice body, uint64_t durable, struct arena *arena, struct slice *answer)
{
	struct json_value *document, *ids;
	struct error ignored;
	struct text text;
	size_t capacity;
	bool done = false;

	if (!json_read(&document, body, &ignored))
		return false;
	ids = member_of(document, "acks");
	if (ids != NULL && json_read_kind(ids) == JSON_ARRAY) {
		capacity = (json_read_count(ids) + 1) * ACK_LENGTH;
		text_start(&text, arena_allocate(arena, capacity), capacity);
		done = write_acks(ids, durable, &text);
		*answer = text_slice(&text);
	}
	json_read_free(document);
	return done;
}
