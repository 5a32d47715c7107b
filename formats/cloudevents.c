#include "formats/cloudevents.h"

#include <string.h>
#include <strings.h>

#include "formats/json_tree.h"
#include "formats/utf8.h"

static bool
begins_with(struct slice text, const char *prefix)
{
	struct slice wanted = text_of(prefix);

	return text.length >= wanted.length &&
	       strncasecmp(text.bytes, wanted.bytes, wanted.length) == 0;
}

enum cloudevents_mode
cloudevents_mode(struct slice content_type)
{
	/* the longer one first: the other is its beginning */
	if (begins_with(content_type, "application/cloudevents-batch"))
		return CLOUDEVENTS_BATCH;
	if (begins_with(content_type, "application/cloudevents"))
		return CLOUDEVENTS_STRUCTURED;
	return CLOUDEVENTS_PLAIN;
}

/* RFC 9110 5.6.4: what stands in double quotes, each backslash taken off. */
static void
unquote(struct slice header, struct text *text)
{
	bool quoted =
	    header.length >= 2 && header.bytes[0] == '"' && header.bytes[header.length - 1] == '"';

	if (!quoted) {
		text_append_slice(text, header);
		return;
	}
	for (size_t i = 1; i < header.length - 1; i++) {
		if (i < header.length - 2 && header.bytes[i] == '\\')
			i++;
		text_append_byte(text, header.bytes[i]);
	}
}

/* In place, since it only gets shorter. */
static bool
decode_percent(struct text *text)
{
	struct slice coded = text_slice(text);

	text_cut(text, 0);
	for (size_t i = 0; i < coded.length; i++) {
		int high, low;

		if (coded.bytes[i] != '%') {
			text_append_byte(text, coded.bytes[i]);
			continue;
		}
		if (coded.length - i < 3)
			return false;
		high = text_hex_digit(coded.bytes[i + 1]);
		low = text_hex_digit(coded.bytes[i + 2]);
		if (high < 0 || low < 0)
			return false;
		text_append_byte(text, (char)(high * 16 + low));
		i += 2;
	}
	return true;
}

/* CloudEvents 1.0, type system: a String holds no control character. */
static bool
is_string(struct slice value)
{
	for (size_t i = 0; i < value.length; i++)
		if ((unsigned char)value.bytes[i] < 0x20 || value.bytes[i] == 0x7f)
			return false;
	return utf8_valid(value);
}

bool
cloudevents_decode(const char *name, struct slice header, struct arena *arena, struct slice *value,
		   struct error *error)
{
	struct text text;

	text_start(&text, arena_allocate(arena, header.length + 1), header.length + 1);
	unquote(header, &text);
	if (!decode_percent(&text))
		return error_set(
		    error, "not a CloudEvent: a %% in %s without two hexadecimal digits", name);
	if (!is_string(text_slice(&text)))
		return error_set(
		    error, "not a CloudEvent: %s is not UTF-8 without control characters", name);
	*value = text_slice(&text);
	return true;
}

bool
cloudevents_check(const struct cloudevents_attributes *attributes, struct error *error)
{
	const struct {
		const char *name;
		struct slice value;
	} required[] = {
	    {"id", attributes->id},
	    {"source", attributes->source},
	    {"specversion", attributes->version},
	    {"type", attributes->type},
	};

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		if (required[i].value.length == 0)
			return error_set(error, "not a CloudEvent: it has no %s", required[i].name);
		if (!is_string(required[i].value))
			return error_set(error, "not a CloudEvent: its %s has control characters",
					 required[i].name);
	}
	if (memchr(attributes->source.bytes, ' ', attributes->source.length) != NULL)
		return error_set(error, "not a CloudEvent: its source is no URI-reference");
	if (!text_slice_is(attributes->version, "1.0"))
		return error_set(error, "not a CloudEvent 1.0: specversion is another");
	return true;
}

bool
cloudevents_read(struct slice event, struct arena *arena, struct cloudevents_attributes *attributes,
		 struct error *error)
{
	struct {
		const char *name;
		struct slice *place;
	} wanted[] = {
	    {"id", &attributes->id},
	    {"source", &attributes->source},
	    {"specversion", &attributes->version},
	    {"type", &attributes->type},
	};
	const struct json_item *document;
	unsigned payloads = 0;

	*attributes = (struct cloudevents_attributes){0};
	if (!json_tree_read(&document, event, arena, error))
		return false;
	for (const struct json_item *member = document->first; member != NULL;
	     member = member->next) {
		if (text_slice_is(member->name, "data") ||
		    text_slice_is(member->name, "data_base64"))
			payloads++;
		if (member->kind != JSON_STRING)
			continue;
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (text_slice_is(member->name, wanted[i].name))
				*wanted[i].place = member->text;
	}
	if (payloads > 1)
		return error_set(error, "not a CloudEvent: it has both data and data_base64");
	return cloudevents_check(attributes, error);
}
