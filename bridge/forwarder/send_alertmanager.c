/*
 * What Prometheus' Alertmanager posts to its webhook receivers, version 4 (standards.md
 * 14.3): a group with one alert, its group key the incident's key.
 *
 * The answers mean what they mean for all (vendor_reply.h).
 */
#include "bridge/forwarder/vendor.h"

#include <inttypes.h>

#include "formats/json_event.h"
#include "formats/json_write.h"

enum { SCRATCH = 32 * 1024 };

static struct json_node *
labels_of(const struct event *event)
{
	struct json_node *labels = json_write_object();

	json_write_text(labels, "alertname", event->fields[FIELD_TYPE]);
	json_write_text(labels, "severity", text_of(severity_row(event->severity)->name));
	json_write_text(labels, "source", event->source);
	json_write_text(labels, "family", event->family);
	json_write_text(labels, "organization", event->fields[FIELD_ORGANIZATION_ID]);
	json_write_text(labels, "project", event->fields[FIELD_PROJECT_ID]);
	json_write_text(labels, "resource", event->fields[FIELD_RESOURCE_ID]);
	return labels;
}

static struct json_node *
annotations_of(const struct vendor_notification *notification)
{
	struct json_node *annotations = json_write_object();
	char bytes[SCRATCH];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	vendor_write_subject(notification, &text);
	json_write_text(annotations, "summary", text_slice(&text));
	text_cut(&text, 0);
	vendor_write_text(notification, &text);
	json_write_text(annotations, "description", text_slice(&text));
	json_write_text(annotations, "event_id", notification->event->id);
	return annotations;
}

/* 16 hexadecimal digits, of the incident and not of the event, as theirs are of the labels. */
static void
add_fingerprint(struct json_node *alert, struct slice key)
{
	uint64_t hash = 14695981039346656037U; /* FNV-1a */
	char bytes[32];
	struct text text;

	for (size_t i = 0; i < key.length; i++)
		hash = (hash ^ (unsigned char)key.bytes[i]) * 1099511628211U;
	text_start(&text, bytes, sizeof(bytes));
	text_append_format(&text, "%016" PRIx64, hash);
	json_write_text(alert, "fingerprint", text_slice(&text));
}

static struct json_node *
alert_of(const struct vendor_notification *notification, struct slice status)
{
	const struct event *event = notification->event;
	struct json_node *alert = json_write_object();

	json_write_text(alert, "status", status);
	json_write_child(alert, "labels", labels_of(event));
	json_write_child(alert, "annotations", annotations_of(notification));
	json_event_time(alert, "startsAt", event->occurred_at);
	if (notification->incident->action == INCIDENT_RESOLVE)
		json_event_time(alert, "endsAt", event->occurred_at);
	else
		json_write_text(alert, "endsAt", SLICE_LITERAL("0001-01-01T00:00:00Z"));
	json_write_text(alert, "generatorURL", SLICE_LITERAL(""));
	add_fingerprint(alert, incident_key(notification->incident));
	return alert;
}

static bool
write(const struct vendor_notification *notification, struct vendor_request *request, bool *hold,
      struct error *error)
{
	bool resolve = notification->incident->action == INCIDENT_RESOLVE;
	struct slice status = text_of(resolve ? "resolved" : "firing");
	struct json_node *document = json_write_object(), *alerts = json_write_array();
	struct json_node *group = json_write_object();

	(void)hold, (void)error;
	json_write_text(document, "version", SLICE_LITERAL("4"));
	json_write_text(document, "groupKey", incident_key(notification->incident));
	json_write_number(document, "truncatedAlerts", 0);
	json_write_text(document, "status", status);
	json_write_text(document, "receiver", text_of(notification->destination->name));
	json_write_text(group, "alertname", notification->event->fields[FIELD_TYPE]);
	json_write_child(document, "groupLabels", group);
	json_write_child(document, "commonLabels", labels_of(notification->event));
	json_write_child(document, "commonAnnotations", annotations_of(notification));
	json_write_text(document, "externalURL", SLICE_LITERAL(""));
	json_write_element(alerts, alert_of(notification, status));
	json_write_child(document, "alerts", alerts);
	vendor_write_authorization(notification, "Bearer", &request->headers);
	json_write_finish(document, &request->body);
	return true;
}

const struct vendor send_alertmanager = {.name = "alertmanager", .write = write};
