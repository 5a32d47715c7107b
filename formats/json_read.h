/*
 * Reading JSON, strict and bounded: the only file that knows json-c.
 */
#ifndef JSON_READ_H
#define JSON_READ_H

#include "formats/arena.h"
#include "formats/text.h"

/* A value of a document; lives until json_read_free() of the document. */
struct json_value;

enum json_kind { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_OBJECT, JSON_ARRAY };

/* A member of an object, while going through all of them. */
struct json_member {
	struct slice name; /* borrowed from the document */
	struct json_value *value;
	const void *position;
};

/*
 * Reads one JSON object and nothing behind it: what json_scan() demands, and no
 * two equal names in one object.  Gives *document, freed with json_read_free().  The error is fit
 * for the sender.
 */
MUST_CHECK bool json_read(struct json_value **document, struct slice text, struct error *error);
void json_read_free(struct json_value *document);

enum json_kind json_read_kind(const struct json_value *value);

/* The members in the order of the text; false where there are no more. */
bool json_read_first(const struct json_value *object, struct json_member *member);
bool json_read_next(struct json_member *member);

/* How many elements an array has, 0 for what is none; the i-th of them. */
size_t json_read_count(const struct json_value *array);
struct json_value *json_read_element(const struct json_value *array, size_t i);

/* The bytes of a string, borrowed from the document, NULs and all; absent for what is none. */
struct slice json_read_string(const struct json_value *value);

/*
 * Text of a string, number or boolean, in the arena: valid UTF-8, a space for
 * each NUL.  A number keeps the sender's digits, however many.
 */
struct slice json_read_text(struct json_value *value, struct arena *arena);

/* True for a whole number of 0 to `maximum`, of at most 18 digits; else *number stays. */
bool json_read_unsigned(const struct json_value *value, uint64_t maximum, uint64_t *number);

/* True for the value true and for nothing else. */
bool json_read_is_true(const struct json_value *value);

#endif
