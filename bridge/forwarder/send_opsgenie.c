/*
 * Opsgenie, Alert API (standards.md 14.2).  The alias is the incident's key: repeats
 * raise the count of the open alert.
 *
 *   202   done: taken, and worked on later
 *   2xx   retry: whoever answers is not Opsgenie
 *   other as for all (vendor_reply.h)
 */
#include "bridge/forwarder/vendor.h"

#include "formats/json_write.h"
#include "formats/utf8.h"

/* Characters. */
enum { MESSAGE = 130, DESCRIPTION = 15000, ENTITY = 512, SOURCE = 100, NOTE = 25000, TAG = 50 };

enum { DETAIL = 1000 /* bytes */, SCRATCH = 32 * 1024 };

static const struct vendor_reply replies[] = {
    {202, 202, NULL, VENDOR_DONE, "taken"},
    {200, 299, NULL, VENDOR_RETRY, "the answer is not that of Opsgenie; see url and proxy"},
};

static struct slice
priority_of(const struct event *event)
{
	static const char *const words[] = {
	    [SEVERITY_INFO] = "P5", [SEVERITY_LOW] = "P4",      [SEVERITY_MEDIUM] = "P3",
	    [SEVERITY_HIGH] = "P2", [SEVERITY_CRITICAL] = "P1",
	};

	return text_of(words[event->severity]);
}

static void
add_cut(struct json_node *object, const char *name, struct slice value, size_t characters)
{
	char bytes[SCRATCH];
	struct text cut;

	text_start(&cut, bytes, sizeof(bytes));
	vendor_cut(value, characters, &cut);
	json_write_text(object, name, text_slice(&cut));
}

static void
add_tags(struct json_node *document, const struct event *event)
{
	const struct slice values[] = {event->fields[FIELD_TYPE], event->family,
				       text_of(severity_row(event->severity)->name)};
	struct json_node *tags = json_write_array();

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		json_write_element_text(tags, utf8_cut(values[i], TAG));
	json_write_child(document, "tags", tags);
}

static struct json_node *
details_of(const struct event *event)
{
	struct json_node *details = json_write_object();

	json_write_text(details, "event_id", event->id);
	for (enum event_field i = 0; i < EVENT_FIELDS; i++)
		if (event->fields[i].length > 0)
			json_write_text(details, event_field_name(i),
					utf8_cut(event->fields[i], DETAIL));
	return details;
}

/* What the message has no room for is in the description, in full. */
static void
write_alert(const struct vendor_notification *notification, struct slice subject,
	    struct json_node *document)
{
	const struct event *event = notification->event;
	char bytes[SCRATCH];
	struct text text;

	add_cut(document, "message", subject, MESSAGE);
	json_write_text(document, "alias", incident_key(notification->incident));
	text_start(&text, bytes, sizeof(bytes));
	text_append_slice(&text, subject);
	text_append_string(&text, "\n\n");
	vendor_write_text(notification, &text);
	add_cut(document, "description", text_slice(&text), DESCRIPTION);
	add_tags(document, event);
	if (event->fields[FIELD_RESOURCE_ID].length > 0)
		add_cut(document, "entity", event->fields[FIELD_RESOURCE_ID], ENTITY);
	json_write_text(document, "priority", priority_of(event));
	json_write_child(document, "details", details_of(event));
}

static bool
write(const struct vendor_notification *notification, struct vendor_request *request, bool *hold,
      struct error *error)
{
	struct json_node *document = json_write_object();
	char bytes[SCRATCH];
	struct text subject;

	(void)hold, (void)error;
	text_start(&subject, bytes, sizeof(bytes));
	vendor_write_subject(notification, &subject);
	vendor_complete_url(request, "/v2/alerts");
	if (notification->incident->action == INCIDENT_RESOLVE) {
		text_append_byte(&request->url, '/');
		vendor_escape_path(incident_key(notification->incident), &request->url);
		text_append_string(&request->url, "/close?identifierType=alias");
		add_cut(document, "note", text_slice(&subject), NOTE);
	} else {
		write_alert(notification, text_slice(&subject), document);
	}
	add_cut(document, "source", notification->event->source, SOURCE);
	vendor_write_authorization(notification, "GenieKey", &request->headers);
	json_write_finish(document, &request->body);
	return true;
}

const struct vendor send_opsgenie = {
    .name = "opsgenie",
    .write = write,
    .replies = replies,
    .reply_count = sizeof(replies) / sizeof(replies[0]),
};
