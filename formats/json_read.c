/*
 * json-c gets only what json_scan() has passed.  Equal names in one object are
 * found by counting: json-c keeps the last of them, so its objects hold fewer
 * members than the scan saw.  That costs nothing for each name, needs no memory,
 * and shows any other disagreement of the two readers as well.
 *
 * An integer beyond 64 bits json-c clamps or refuses, by its version; of a number
 * with an exponent it keeps the digits.  So the rare document with such an integer
 * is copied, with an exponent behind each that says nothing, and that is taken off
 * again when the number becomes text.
 */
#include "formats/json_read.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "formats/json_scan.h"
#include "formats/memory.h"

static const char no_exponent[] = "e0000000";

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

static struct json_tokener *
new_tokener(void)
{
	/* json-c counts a scalar as a level of its own */
	struct json_tokener *tokener = json_tokener_new_ex(JSON_SCAN_DEPTH + 2);

	if (tokener == NULL)
		memory_panic("out of memory while reading JSON");
	/* without JSON_TOKENER_VALIDATE_UTF8: the scan knows more, and it is a tenth of the time */
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	return tokener;
}

static struct json_object *
parse(struct slice text, struct error *error)
{
	struct json_tokener *tokener = new_tokener();
	struct json_object *object = json_tokener_parse_ex(tokener, text.bytes, (int)text.length);

	if (object == NULL)
		(void)error_set(error, "not JSON: %s",
				json_tokener_error_desc(json_tokener_get_error(tokener)));
	json_tokener_free(tokener);
	return object;
}

/* Length of the string, with its quotes, or of the one byte that begins none. */
static size_t
string_length(const char *at, const char *end)
{
	const char *byte = at;

	if (*byte++ != '"')
		return 1;
	while (byte < end && *byte != '"')
		byte += *byte == '\\' ? 2 : 1;
	return (size_t)(byte - at) + 1;
}

/* Length of the number; *wide: it is an integer that may not fit 64 bits. */
static size_t
number_length(const char *at, const char *end, bool *wide)
{
	const char *byte = at;
	bool integer = true;

	for (; byte < end && *byte != '\0' && strchr("+-.0123456789Ee", *byte) != NULL; byte++)
		integer = integer && strchr(".Ee", *byte) == NULL;
	*wide = integer && byte - at - (*at == '-') > JSON_SCAN_DIGITS;
	return (size_t)(byte - at);
}

/* A copy, freed with free(), of what the scan has passed. */
static struct slice
with_exponents(struct slice text)
{
	const char *at = text.bytes, *end = text.bytes + text.length;
	/* at most one exponent to as many digits and a comma */
	size_t capacity = text.length + text.length / (JSON_SCAN_DIGITS + 2) * sizeof(no_exponent);
	struct text copy;

	text_start(&copy, memory_allocate(capacity), capacity);
	while (at < end) {
		bool wide = false;
		size_t length = *at == '-' || (*at >= '0' && *at <= '9')
				    ? number_length(at, end, &wide)
				    : string_length(at, end);

		text_append(&copy, at, length);
		if (wide)
			text_append_string(&copy, no_exponent);
		at += length;
	}
	return text_slice(&copy);
}

static struct json_object *
parse_wide(struct slice text, struct error *error)
{
	struct slice copy = with_exponents(text);
	struct json_object *object = NULL;

	if (copy.length <= INT_MAX)
		object = parse(copy, error);
	else
		error_set(error, "JSON of more than 2 GiB");
	free((char *)(uintptr_t)copy.bytes);
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
	object = scan.wide ? parse_wide(text, error) : parse(text, error);
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

size_t
json_read_count(const struct json_value *array)
{
	struct json_object *object = native(array);

	return json_object_is_type(object, json_type_array) ? json_object_array_length(object) : 0;
}

struct json_value *
json_read_element(const struct json_value *array, size_t i)
{
	return foreign(json_object_array_get_idx(native(array), i));
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

/* Of at most JSON_SCAN_DIGITS: no other comes as an integer. */
static struct slice
integer_text(const struct json_object *object, struct arena *arena)
{
	enum { LENGTH = 24 };
	struct text text;

	text_start(&text, arena_allocate(arena, LENGTH), LENGTH);
	text_append_number(&text, json_object_get_int64(object));
	return text_slice(&text);
}

/* The sender's digits. */
static struct slice
decimal_text(struct json_object *object, struct arena *arena)
{
	const size_t behind = sizeof(no_exponent) - 1;
	struct slice digits = text_of(json_object_get_string(object));

	if (digits.length > behind &&
	    memcmp(digits.bytes + digits.length - behind, no_exponent, behind) == 0)
		digits.length -= behind;
	return (struct slice){arena_copy_text(arena, digits.bytes, digits.length), digits.length};
}

static struct slice
string_text(struct json_object *object, struct arena *arena)
{
	size_t length = (size_t)json_object_get_string_len(object);
	char *copy = arena_copy_text(arena, json_object_get_string(object), length);

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
		return decimal_text(object, arena);
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
	if (read < 0 || (uint64_t)read > maximum)
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
