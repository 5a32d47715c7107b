#include "formats/json_split.h"

static void
skip(struct slice *rest, size_t length)
{
	rest->bytes += length;
	rest->length -= length;
}

static void
skip_white(struct slice *rest)
{
	while (rest->length > 0 && (rest->bytes[0] == ' ' || rest->bytes[0] == '\t' ||
				    rest->bytes[0] == '\n' || rest->bytes[0] == '\r'))
		skip(rest, 1);
}

static bool
begins_with(struct slice rest, char byte)
{
	return rest.length > 0 && rest.bytes[0] == byte;
}

/* The length of the string that begins there, quotes and all; 0: it does not end. */
static size_t
string_length(struct slice text)
{
	for (size_t i = 1; i < text.length; i++) {
		if (text.bytes[i] == '"')
			return i + 1;
		if (text.bytes[i] == '\\')
			i++;
	}
	return 0;
}

/* Of a number or a word: up to what divides values. */
static size_t
scalar_length(struct slice text)
{
	size_t length = 0;

	for (; length < text.length; length++) {
		char byte = text.bytes[length];

		if (byte == ',' || byte == ':' || byte == ']' || byte == '}' || byte == '[' ||
		    byte == '{' || byte == '"' || byte == ' ' || byte == '\t' || byte == '\n' ||
		    byte == '\r')
			break;
	}
	return length;
}

/* Of an object or array; which bracket closes which is for the strict reader to see. */
static size_t
container_length(struct slice text)
{
	size_t depth = 0, length = 0;

	while (length < text.length) {
		char byte = text.bytes[length];
		size_t taken = 1;

		if (byte == '"') {
			taken = string_length(
			    (struct slice){text.bytes + length, text.length - length});
			if (taken == 0)
				return 0;
		} else if (byte == '{' || byte == '[') {
			depth++;
		} else if (byte == '}' || byte == ']') {
			depth--;
		}
		length += taken;
		if (depth == 0)
			return length;
	}
	return 0;
}

enum json_split_step
json_split_next(struct slice *rest, struct slice *value)
{
	size_t length;

	skip_white(rest);
	if (rest->length == 0)
		return JSON_SPLIT_END;
	if (rest->bytes[0] == '"')
		length = string_length(*rest);
	else if (rest->bytes[0] == '{' || rest->bytes[0] == '[')
		length = container_length(*rest);
	else
		length = scalar_length(*rest);
	if (length == 0)
		return JSON_SPLIT_WRONG;
	*value = (struct slice){rest->bytes, length};
	skip(rest, length);
	return JSON_SPLIT_VALUE;
}

bool
json_split_array(struct json_split *split, struct slice text)
{
	*split = (struct json_split){.rest = text};
	skip_white(&split->rest);
	if (!begins_with(split->rest, '['))
		return false;
	skip(&split->rest, 1);
	return true;
}

enum json_split_step
json_split_element(struct json_split *split, struct slice *element)
{
	bool first = !split->begun;

	split->begun = true;
	skip_white(&split->rest);
	if (begins_with(split->rest, ']')) {
		skip(&split->rest, 1);
		return JSON_SPLIT_END;
	}
	if (!first) {
		if (!begins_with(split->rest, ','))
			return JSON_SPLIT_WRONG;
		skip(&split->rest, 1);
	}
	return json_split_next(&split->rest, element) == JSON_SPLIT_VALUE ? JSON_SPLIT_VALUE
									  : JSON_SPLIT_WRONG;
}

/* Takes `"name": value`; false where it is not there. */
static bool
take_member(struct slice *rest, struct slice *name, struct slice *value)
{
	skip_white(rest);
	if (!begins_with(*rest, '"') || json_split_next(rest, name) != JSON_SPLIT_VALUE)
		return false;
	skip_white(rest);
	if (!begins_with(*rest, ':'))
		return false;
	skip(rest, 1);
	return json_split_next(rest, value) == JSON_SPLIT_VALUE;
}

struct slice
json_split_member(struct slice object, const char *name)
{
	struct slice found = {NULL, 0}, quoted, value;

	skip_white(&object);
	if (!begins_with(object, '{'))
		return found;
	do {
		skip(&object, 1);
		if (!take_member(&object, &quoted, &value))
			return found;
		if (text_slice_is((struct slice){quoted.bytes + 1, quoted.length - 2}, name))
			return value;
		skip_white(&object);
	} while (begins_with(object, ','));
	return found;
}
