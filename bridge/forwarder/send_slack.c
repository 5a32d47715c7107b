/*
 * Slack, incoming webhooks (standards.md 14.5).
 *
 *   200 "ok"               done
 *   2xx otherwise          retry: whoever answers is not Slack
 *   400 user_not_found     hold: the webhook's own user or channel
 *   400 channel_not_found  hold
 *   other as for all (vendor_reply.h): 400 invalid_payload drops, 403 404 410 hold
 */
#include "bridge/forwarder/vendor.h"

#include "formats/json_write.h"

enum { TEXT = 3000 /* characters */, SCRATCH = 32 * 1024, ESCAPED = 80 * 1024 };

static const struct vendor_reply replies[] = {
    {200, 200, "ok", VENDOR_DONE, "ok"},
    {200, 299, NULL, VENDOR_RETRY, "the answer is not that of Slack; see url_file and proxy"},
    {400, 400, "user_not_found", VENDOR_HOLD, "its user is not found; see url_file"},
    {400, 400, "channel_not_found", VENDOR_HOLD, "its channel is not found; see url_file"},
};

/* Unescaped, a name like <!channel> would call everybody. */
static void
escape(struct slice value, struct text *text)
{
	for (size_t i = 0; i < value.length; i++) {
		switch (value.bytes[i]) {
		case '&':
			text_append_string(text, "&amp;");
			break;
		case '<':
			text_append_string(text, "&lt;");
			break;
		case '>':
			text_append_string(text, "&gt;");
			break;
		default:
			text_append_byte(text, value.bytes[i]);
		}
	}
}

static bool
write(const struct vendor_notification *notification, struct vendor_request *request, bool *hold,
      struct error *error)
{
	struct json_node *document = json_write_object();
	char bytes[SCRATCH], cut_bytes[SCRATCH], escaped_bytes[ESCAPED];
	struct text text, cut, escaped;

	(void)hold, (void)error;
	text_start(&text, bytes, sizeof(bytes));
	vendor_write_subject(notification, &text);
	text_append_string(&text, "\n\n");
	vendor_write_text(notification, &text);
	text_start(&cut, cut_bytes, sizeof(cut_bytes));
	vendor_cut(text_slice(&text), TEXT, &cut);
	text_start(&escaped, escaped_bytes, sizeof(escaped_bytes));
	escape(text_slice(&cut), &escaped);
	json_write_text(document, "text", text_slice(&escaped));
	json_write_finish(document, &request->body);
	return true;
}

const struct vendor send_slack = {
    .name = "slack",
    .write = write,
    .replies = replies,
    .reply_count = sizeof(replies) / sizeof(replies[0]),
};
