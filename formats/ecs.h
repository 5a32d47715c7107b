/*
 * ECS 9.4.0 (Elastic Common Schema): one JSON object, names nested.
 *
 * What ECS has no field for stands under "siembridge", always as text: a field that
 * was once a number takes no other text, and one such event would be refused whole.
 */
#ifndef ECS_H
#define ECS_H

#include "formats/format.h"

/* Appends the object on one line. */
void ecs_write(const struct event *event, const struct format_options *options, struct text *text);

#endif
