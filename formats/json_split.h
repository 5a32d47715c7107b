/*
 * Where the values in a text of JSON begin and end: the elements of an array, or
 * values one after another, each as the bytes it came in.  Only borders are looked
 * for: whatever is inside of one is still to be read strictly (json_read.h).
 */
#ifndef JSON_SPLIT_H
#define JSON_SPLIT_H

#include "formats/text.h"

enum json_split_step {
	JSON_SPLIT_VALUE,
	JSON_SPLIT_END,
	JSON_SPLIT_WRONG, /* neither a value nor the end is there */
};

/* Takes the next of values that stand one after another, white space between them or not. */
enum json_split_step json_split_next(struct slice *rest, struct slice *value);

/* An array that is being gone through. */
struct json_split {
	struct slice rest;
	bool begun;
};

/* False: the text does not begin with an array. */
MUST_CHECK bool json_split_array(struct json_split *split, struct slice text);

/* The next element.  At the end split->rest is what stands behind the array. */
enum json_split_step json_split_element(struct json_split *split, struct slice *element);

/*
 * The value of the first member of that name, whose bytes are compared as they are, of
 * an object; absent where there is none, or the object has not the form of one.
 */
struct slice json_split_member(struct slice object, const char *name);

#endif
