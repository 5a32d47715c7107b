#include "formats/json_event.h"

#include "formats/timestamp.h"

void
json_event_time(struct json_node *object, const char *name, int64_t milliseconds)
{
	char bytes[32];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	timestamp_write_rfc3339(&text, milliseconds);
	if (text.length > 1) /* it is no "-" */
		json_write_text(object, name, text_slice(&text));
}

void
json_event_delivery(struct json_node *object, const struct event *event)
{
	struct json_node *heartbeat;

	if (event->truncated)
		json_write_boolean(object, "truncated", true);
	if (event->replayed)
		json_write_boolean(object, "replayed", true);
	if (event->heartbeat == NULL)
		return;
	heartbeat = json_write_object();
	json_write_number(heartbeat, "count", (int64_t)event->heartbeat->count);
	json_write_number(heartbeat, "last", (int64_t)event->heartbeat->last);
	json_write_child(object, "heartbeat", heartbeat);
}
