#include "bridge/forwarder/vendor.h"

#include <inttypes.h>
#include <string.h>

#include "formats/notice.h"
#include "formats/utf8.h"

void
vendor_write_subject(const struct vendor_notification *notification, struct text *text)
{
	if (notification->incident->action == INCIDENT_RESOLVE)
		text_append_string(text, "Resolved: ");
	notice_write_subject(notification->event, text);
	if (notification->count > 1)
		text_append_format(text, " (%" PRIu64 " events)", notification->count);
}

void
vendor_write_text(const struct vendor_notification *notification, struct text *text)
{
	if (notification->count > 1)
		text_append_format(text, "%" PRIu64 " events of this kind; the last one:\n\n",
				   notification->count);
	notice_write_text(notification->event, text);
}

void
vendor_cut(struct slice text, size_t characters, struct text *cut)
{
	size_t length = 0, count = 0, kept = 0;

	while (length < text.length) {
		size_t sequence = utf8_sequence(text.bytes + length, text.length - length);

		if (++count == characters)
			kept = length;
		length += sequence > 0 ? sequence : 1;
	}
	if (count <= characters) {
		text_append_slice(cut, text);
		return;
	}
	text_append(cut, text.bytes, kept);
	text_append_string(cut, "…");
}

void
vendor_complete_url(struct vendor_request *request, const char *path)
{
	struct text *url = &request->url;
	size_t length = strlen(path);

	if (url->length < length || memcmp(url->bytes + url->length - length, path, length) != 0)
		text_append_string(url, path);
}

void
vendor_escape_path(struct slice text, struct text *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (size_t i = 0; i < text.length; i++) {
		char byte = text.bytes[i];

		if (byte != '\0' && strchr(plain, byte) != NULL)
			text_append_byte(path, byte);
		else
			text_append_format(path, "%%%02X", (unsigned)(unsigned char)byte);
	}
}

void
vendor_write_authorization(const struct vendor_notification *notification, const char *scheme,
			   struct text *headers)
{
	if (notification->key.bytes == NULL)
		return;
	text_append_format(headers, "Authorization: %s ", scheme);
	text_append_slice(headers, notification->key);
	text_append_byte(headers, '\n');
}
