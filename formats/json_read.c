/*
 * json-c gets only what json_scan() has passed.  Equal names in one object are
 * found by counting: json-c keeps the last of them, so its objects hold fewer
 * members than the scan saw.  That costs nothing for each name, needs no memory,
 * and shows any other disagreement of the two readers as well.
 */
#include "formats/json_read.h"

#include <limits.h>
#include <string.h>

#include <json-c/json.h>

#include "formats/json_scan.h"

static struct json_object *
native(const struct json_value *value)
{
	/* json-c's readers take what they do not change without const */
	union {
		const struct json_value *ours;
		struct json_object *theirs;
	} both = {.ours = value};

	return both.theirs;
}

static struct json_value *
foreign(struct json_object *object)
{
	return (struct json_value *)object;
}

/* Members in all objects together; the scan has bounded the depth. */
static size_t
count_members(struct json_object *object)
{
	size_t count = 0;

	if (json_object_is_type(object, json_type_object)) {
		struct lh_entry *entry = lh_table_head(json_object_get_object(object));

		for (; entry != NULL; entry = lh_entry_next(entry))
			count += 1 + count_members(lh_entry_v(entry));
	} else if (json_object_is_type(object, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(object); i++)
			count += count_members(json_object_array_get_idx(object, i));
	}
	return count;
}

static struct json_object *
parse(struct slice text, struct error *error)
{
	/* json-c counts a scalar as a level of its own */
	struct json_tokener *tokener = json_tokener_new_ex(JSON_SCAN_DEPTH + 2);
	struct json_object *object;

	if (tokener == NULL) {
		(void)error_set(error, "out of memory while reading JSON");
		return NULL;
	}
	/* without JSON_TOKENER_VALIDATE_UTF8: the scan knows more, and it is a tenth of the time */
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, text.bytes, (int)text.length);
	if (object == NULL)
		(void)error_set(error, "not JSON: %s",
				json_tokener_error_desc(json_tokener_get_error(tokener)));
	json_tokener_free(tokener);
	return object;
}

bool
json_read(struct json_value **document, struct slice text, struct error *error)
{
	struct json_object *object;
	struct json_scan scan;

	if (!json_scan(text, &scan, error))
		return false;
	if (scan.outermost != '{')
		return error_set(error, "not a JSON object");
	if (text.length > INT_MAX)
		return error_set(error, "JSON of more than 2 GiB");
	object = parse(text, error);
	if (object == NULL)
		return false;
	if (count_members(object) != scan.members) {
		json_object_put(object);
		return error_set(error, "the same name twice in one JSON object");
	}
	*document = foreign(object);
	return true;
}

void
json_read_free(struct json_value *document)
{
	json_object_put(native(document));
}

enum json_kind
json_read_kind(const struct json_value *value)
{
	switch (json_object_get_type(native(value))) {
	case json_type_boolean:
		return JSON_BOOLEAN;
	case json_type_int:
	case json_type_double:
		return JSON_NUMBER;
	case json_type_string:
		return JSON_STRING;
	case json_type_object:
		return JSON_OBJECT;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_null:
		break;
	}
	return JSON_NULL;
}

static bool
show(struct json_member *member, struct lh_entry *entry)
{
	if (entry == NULL)
		return false;
	member->name = text_of(lh_entry_k(entry));
	member->value = foreign(lh_entry_v(entry));
	member->position = lh_entry_next(entry);
	return true;
}

bool
json_read_first(const struct json_value *object, struct json_member *member)
{
	return show(member, lh_table_head(json_object_get_object(native(object))));
}

bool
json_read_next(struct json_member *member)
{
	union {
		const void *ours;
		struct lh_entry *theirs;
	} position = {.ours = member->position};

	return show(member, position.theirs);
}

struct slice
json_read_string(const struct json_value *value)
{
	struct json_object *object = native(value);

	if (!json_object_is_type(object, json_type_string))
		return (struct slice){NULL, 0};
	return (struct slice){json_object_get_string(object),
			      (size_t)json_object_get_string_len(object)};
}

/* json-c makes UINT64_MAX or INT64_MIN of what lies beyond them: then nothing is known. */
static struct slice
integer_text(const struct json_object *object, struct arena *arena)
{
	enum { LENGTH = 24 };
	int64_t number = json_object_get_int64(object);
	struct text text;

	if (number == INT64_MIN || json_object_get_uint64(object) == UINT64_MAX)
		return (struct slice){NULL, 0};
	text_start(&text, arena_allocate(arena, LENGTH), LENGTH);
	if (number < 0)
		text_append_number(&text, number);
	else
		text_append_unsigned(&text, json_object_get_uint64(object));
	return text_slice(&text);
}

static struct slice
string_text(struct json_object *object, struct arena *arena)
{
	const char *string = json_object_get_string(object);
	size_t length = json_object_is_type(object, json_type_string)
			    ? (size_t)json_object_get_string_len(object)
			    : strlen(string);
	char *copy = arena_copy_text(arena, string, length);

	for (char *nul = memchr(copy, '\0', length); nul != NULL;
	     nul = memchr(nul, '\0', length - (size_t)(nul - copy)))
		*nul = ' ';
	return (struct slice){copy, length};
}

struct slice
json_read_text(struct json_value *value, struct arena *arena)
{
	struct json_object *object = native(value);

	switch (json_object_get_type(object)) {
	case json_type_boolean:
		return text_of(json_object_get_boolean(object) ? "true" : "false");
	case json_type_int:
		return integer_text(object, arena);
	case json_type_double:
	case json_type_string:
		return string_text(object, arena);
	case json_type_null:
	case json_type_object:
	case json_type_array:
		break;
	}
	return (struct slice){NULL, 0};
}

bool
json_read_unsigned(const struct json_value *value, uint64_t maximum, uint64_t *number)
{
	const struct json_object *object = native(value);
	int64_t read;

	if (!json_object_is_type(object, json_type_int))
		return false;
	read = json_object_get_int64(object);
	if (read < 0 || (uint64_t)read > maximum || read == INT64_MAX)
		return false;
	*number = (uint64_t)read;
	return true;
}

bool
json_read_is_true(const struct json_value *value)
{
	return json_object_is_type(native(value), json_type_boolean) &&
	       json_object_get_boolean(native(value));
}
