/*
 * ntfy (standards.md 14.4), always by its JSON form: a header holds no umlaut, and a
 * path would show the topic, which may be a secret.
 *
 *   other as for all (vendor_reply.h)
 */
#include "bridge/forwarder/vendor.h"

#include "formats/json_write.h"
#include "formats/utf8.h"

/* Longer than 4096 bytes a message would become an attachment. */
enum { TITLE = 250 /* characters */, MESSAGE = 4000 /* bytes */, SCRATCH = 32 * 1024 };

static int
priority_of(const struct event *event)
{
	static const int priorities[] = {
	    [SEVERITY_INFO] = 2, [SEVERITY_LOW] = 3,      [SEVERITY_MEDIUM] = 3,
	    [SEVERITY_HIGH] = 4, [SEVERITY_CRITICAL] = 5,
	};

	return priorities[event->severity];
}

static bool
write(const struct vendor_notification *notification, struct vendor_request *request, bool *hold,
      struct error *error)
{
	bool resolve = notification->incident->action == INCIDENT_RESOLVE;
	struct json_node *document = json_write_object(), *tags = json_write_array();
	char bytes[SCRATCH], cut_bytes[SCRATCH];
	struct text text, cut;

	(void)hold, (void)error;
	json_write_text(document, "topic", notification->topic);
	text_start(&text, bytes, sizeof(bytes));
	text_start(&cut, cut_bytes, sizeof(cut_bytes));
	vendor_write_subject(notification, &text);
	vendor_cut(text_slice(&text), TITLE, &cut);
	json_write_text(document, "title", text_slice(&cut));
	text_cut(&text, 0);
	vendor_write_text(notification, &text);
	json_write_text(document, "message", utf8_cut(text_slice(&text), MESSAGE));
	json_write_number(document, "priority", resolve ? 3 : priority_of(notification->event));
	json_write_element_text(tags, notification->event->fields[FIELD_TYPE]);
	json_write_child(document, "tags", tags);
	vendor_write_authorization(notification, "Bearer", &request->headers);
	json_write_finish(document, &request->body);
	return true;
}

const struct vendor send_ntfy = {.name = "ntfy", .write = write};
