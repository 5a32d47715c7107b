/*
 * Members that every JSON format has, each in its own place.
 */
#ifndef JSON_EVENT_H
#define JSON_EVENT_H

#include "formats/event.h"
#include "formats/json_write.h"

/* As RFC 3339; nothing for a time that has no such form. */
void json_event_time(struct json_node *object, const char *name, int64_t milliseconds);

/*
 * What is so of this message and not of the event: "truncated" and "replayed", true
 * or left out; "heartbeat" with "count" and "last".
 */
void json_event_delivery(struct json_node *object, const struct event *event);

#endif
