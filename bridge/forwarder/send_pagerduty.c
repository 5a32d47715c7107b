/*
 * PagerDuty, Events API v2 (standards.md 14.1).
 *
 *   202   done: accepted, though PagerDuty does not say that it routes the key
 *   2xx   retry: whoever answers is not PagerDuty
 *   400   drop; hold where it is the routing key that is refused
 *   other as for all (vendor_reply.h)
 */
#include "bridge/forwarder/vendor.h"

#include "formats/json_event.h"
#include "formats/json_write.h"
#include "formats/utf8.h"

enum { SUMMARY = 1024 /* characters */, DETAIL = 1000 /* bytes */, SCRATCH = 16 * 1024 };

static const struct vendor_reply replies[] = {
    {202, 202, NULL, VENDOR_DONE, "accepted"},
    {200, 299, NULL, VENDOR_RETRY, "the answer is not that of PagerDuty; see url and proxy"},
    {400, 400, "routing_key", VENDOR_HOLD, "the routing key is refused; see routing_key_file"},
    {400, 400, "routing key", VENDOR_HOLD, "the routing key is refused; see routing_key_file"},
    {400, 400, "service key", VENDOR_HOLD, "the routing key is refused; see routing_key_file"},
};

static struct slice
severity_of(const struct event *event)
{
	static const char *const words[] = {
	    [SEVERITY_INFO] = "info",         [SEVERITY_LOW] = "info",
	    [SEVERITY_MEDIUM] = "warning",    [SEVERITY_HIGH] = "error",
	    [SEVERITY_CRITICAL] = "critical",
	};

	return text_of(words[event->severity]);
}

/* Every field that is known, under its name. */
static struct json_node *
details_of(const struct vendor_notification *notification)
{
	const struct event *event = notification->event;
	struct json_node *details = json_write_object();

	json_write_text(details, "event_id", event->id);
	if (notification->count > 1)
		json_write_number(details, "events", (int64_t)notification->count);
	for (enum event_field i = 0; i < EVENT_FIELDS; i++)
		if (event->fields[i].length > 0)
			json_write_text(details, event_field_name(i),
					utf8_cut(event->fields[i], DETAIL));
	return details;
}

static struct json_node *
payload_of(const struct vendor_notification *notification)
{
	const struct event *event = notification->event;
	struct json_node *payload = json_write_object();
	char bytes[SCRATCH], cut_bytes[SCRATCH];
	struct text text, cut;

	text_start(&text, bytes, sizeof(bytes));
	text_start(&cut, cut_bytes, sizeof(cut_bytes));
	vendor_write_subject(notification, &text);
	vendor_cut(text_slice(&text), SUMMARY, &cut);
	json_write_text(payload, "summary", text_slice(&cut));
	json_write_text(payload, "source", event->source);
	json_write_text(payload, "severity", severity_of(event));
	json_event_time(payload, "timestamp", event->occurred_at);
	json_write_text(payload, "component", event->family);
	json_write_text(payload, "group", event->fields[FIELD_ORGANIZATION_ID]);
	json_write_text(payload, "class", event->fields[FIELD_TYPE]);
	json_write_child(payload, "custom_details", details_of(notification));
	return payload;
}

static bool
write(const struct vendor_notification *notification, struct vendor_request *request, bool *hold,
      struct error *error)
{
	bool resolve = notification->incident->action == INCIDENT_RESOLVE;
	struct json_node *document = json_write_object();

	(void)hold, (void)error;
	vendor_complete_url(request, "/v2/enqueue");
	json_write_text(document, "routing_key", notification->key);
	json_write_text(document, "event_action", text_of(resolve ? "resolve" : "trigger"));
	json_write_text(document, "dedup_key", incident_key(notification->incident));
	if (!resolve) {
		json_write_child(document, "payload", payload_of(notification));
		json_write_text(document, "client", SLICE_LITERAL("siembridge"));
	}
	json_write_finish(document, &request->body);
	return true;
}

const struct vendor send_pagerduty = {
    .name = "pagerduty",
    .write = write,
    .replies = replies,
    .reply_count = sizeof(replies) / sizeof(replies[0]),
};
