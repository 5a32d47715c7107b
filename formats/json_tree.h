/*
 * The body of an event, taken apart where it lies: each receiver and each destination
 * does this for every event, and with json-c's tree, an allocation a name and two a
 * value, it was a third of their time.  All other JSON is read by json_read().
 *
 * What a body may be json_scan() decides; this only notes where things are in it.
 */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include "formats/arena.h"
#include "formats/json_read.h"
#include "formats/text.h"

/* A value. */
struct json_item {
	enum json_kind kind;
	/*
	 * Of a string its bytes, valid UTF-8, a space for each NUL; of a number the
	 * sender's digits, however many; of a boolean its word; of all others absent.
	 */
	struct slice text;
	struct slice name;             /* absent: it is no member of an object */
	const struct json_item *first; /* what is in it, in the order of the text; NULL: nothing */
	const struct json_item *next;  /* behind it in the same object or array; NULL: the last */
};

/*
 * Reads one JSON object and nothing behind it: what json_scan() demands, and no two
 * equal names in one object.  The items last until the next call with this arena or
 * arena_clear(); their texts are borrowed from `text`, or are in the arena where there
 * was an escape in them.  No other thing is kept in that arena (arena_keep()).  The
 * error is fit for the sender.
 */
MUST_CHECK bool json_tree_read(const struct json_item **object, struct slice text,
			       struct arena *arena, struct error *error);

#endif
