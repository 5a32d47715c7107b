/*
 * Whoever takes HTTP: a body of one's own or the event in any format, and signed as a
 * Standard Webhook where a secret is given, with the event's id as the message's: it is
 * the same at each try, so that a receiver knows what it has.
 *
 * The answers mean what they mean for all (vendor_reply.h).
 */
#include "bridge/forwarder/vendor.h"

#include <inttypes.h>
#include <string.h>

#include "bridge/route.h"
#include "bridge/webhook_sign.h"
#include "formats/template.h"

enum { ID = 255 };

/* A dot would move the border between the parts that are signed. */
static void
write_id(const struct event *event, struct text *id)
{
	bool altered = event->id.length > ID - 32;

	for (size_t i = 0; i < event->id.length && i < ID - 32; i++) {
		char byte = event->id.bytes[i];
		bool fine = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
			    (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';

		altered = altered || !fine;
		text_append_byte(id, fine ? byte : '_');
	}
	if (altered)
		text_append_format(id, "_%" PRIu64, event->sequence);
}

static void
write_body(const struct vendor_notification *notification, struct text *body)
{
	const struct config_destination *destination = notification->destination;
	const struct config_http *http = destination->http;
	bool json = strstr(http->content_type, "json") != NULL;
	struct format_options options = destination->options;

	if (http->body != NULL) {
		template_write(text_of(http->body), notification->event,
			       json ? TEMPLATE_JSON : TEMPLATE_LINE, body);
		return;
	}
	options.sequence_number =
	    notification->number > 0 ? route_sequence_id(notification->number) : 0;
	options.maximum_length = body->capacity;
	format_write(http->format, notification->event, &options, body);
}

static bool
write(const struct vendor_notification *notification, struct vendor_request *request, bool *hold,
      struct error *error)
{
	const struct config_http *http = notification->destination->http;
	struct text *headers = &request->headers, id;
	char bytes[ID];

	request->method = http->method;
	for (unsigned i = 0; i < http->headers_count; i++)
		text_append_format(headers, "%s\n", http->headers[i]);
	if (notification->count > 1)
		text_append_format(headers, "siembridge-events: %" PRIu64 "\n",
				   notification->count);
	vendor_write_authorization(notification, "Bearer", headers);
	write_body(notification, &request->body);
	text_start(&id, bytes, sizeof(bytes));
	write_id(notification->event, &id);
	text_append_string(headers, "webhook-id: ");
	text_append_slice(headers, text_slice(&id));
	text_append_byte(headers, '\n');
	if (notification->secret.bytes == NULL)
		return true;
	*hold = true;
	return webhook_sign(notification->secret, text_slice(&id), notification->now / 1000,
			    text_slice(&request->body), headers, error);
}

const struct vendor send_webhook = {.name = "http", .write = write};
