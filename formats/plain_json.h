/*
 * The normalised event as one JSON object: every field that is known, under its name
 * (event_field_name(), a dot is an object within), beside what the bridge and the
 * catalogue know of it.
 */
#ifndef PLAIN_JSON_H
#define PLAIN_JSON_H

#include "formats/format.h"

/* Appends the object on one line; with options->cee "@cee: " in front of it. */
void plain_json_write(const struct event *event, const struct format_options *options,
		      struct text *text);

#endif
