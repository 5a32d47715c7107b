/*
 * Two readers of JSON, one opinion: what json_tree_read() makes of a text is what
 * json-c makes of it.  For the unit tests and the fuzz target.
 */
#ifndef JSON_SAME_H
#define JSON_SAME_H

#include <string.h>

#include "formats/json_read.h"
#include "formats/json_tree.h"

static bool
json_same_value(const struct json_item *item, struct json_value *value, struct arena *scratch)
{
	const struct json_item *inner = item->first;
	struct json_member member;
	struct slice text = json_read_text(value, scratch);

	if (item->kind != json_read_kind(value))
		return false;
	/* json-c knows no negative zero */
	if (!text_slices_equal(item->text, text) && !text_slice_is(item->text, "-0"))
		return false;
	if (item->kind == JSON_OBJECT)
		for (bool more = json_read_first(value, &member); more;
		     more = json_read_next(&member), inner = inner->next)
			if (inner == NULL || !text_slices_equal(inner->name, member.name) ||
			    !json_same_value(inner, member.value, scratch))
				return false;
	for (size_t i = 0; i < json_read_count(value); i++, inner = inner->next)
		if (inner == NULL || inner->name.bytes != NULL ||
		    !json_same_value(inner, json_read_element(value, i), scratch))
			return false;
	return inner == NULL;
}

/* Also: both refuse it, and for the same reason. */
static inline bool
json_same(struct slice text, struct arena *scratch)
{
	struct error tree_error = {.text = ""}, read_error = {.text = ""};
	const struct json_item *object;
	struct json_value *document;
	bool is_read = json_read(&document, text, &read_error), same;

	if (json_tree_read(&object, text, scratch, &tree_error) != is_read) {
		if (is_read)
			json_read_free(document);
		return false;
	}
	if (!is_read)
		return strcmp(tree_error.text, read_error.text) == 0;
	same = json_same_value(object, document, scratch);
	json_read_free(document);
	return same;
}

#endif
