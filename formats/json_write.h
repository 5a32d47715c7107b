/*
 * Writing JSON: the only file that knows libfastjson.
 *
 * A document is a tree of objects and arrays that is built, written once and gone.
 * Its names are constants; its text may be anything: what is no UTF-8, and NUL, is
 * written as U+FFFD, so that what comes out is valid whatever went in; what
 * utf8_hidden() knows is written as \uXXXX, so that it is one line for everybody.
 */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include "formats/text.h"

struct json_node;

/* Each gives a node: freed by json_write_finish(), or with the node that it was put into. */
struct json_node *json_write_object(void);
struct json_node *json_write_array(void);

/*
 * One more member.  `name` is borrowed until the end, and not in the object yet.
 * What is absent is left out; present and empty is "".
 */
void json_write_text(struct json_node *object, const char *name, struct slice text);
void json_write_number(struct json_node *object, const char *name, int64_t number);
void json_write_boolean(struct json_node *object, const char *name, bool value);

/*
 * As a number, in the digits given: -?[0-9]+ with .[0-9]+ or without, no zeros in
 * front, never an exponent, at most 15 digits in all, for of those a reader that
 * knows nothing but doubles loses none.  What is anything else is written as text.
 */
void json_write_decimal(struct json_node *object, const char *name, struct slice digits);

/* Takes `child`.  With `unless_empty`, one without members is thrown away. */
void json_write_child(struct json_node *object, const char *name, struct json_node *child);
void json_write_child_unless_empty(struct json_node *object, const char *name,
				   struct json_node *child);

/* One more element of an array; the second one takes `child`. */
void json_write_element_text(struct json_node *array, struct slice text);
void json_write_element(struct json_node *array, struct json_node *child);

/* Appends it, on one line without spaces, and frees it. */
void json_write_finish(struct json_node *document, struct text *text);

#endif
