#include "bridge/forwarder/vendor_reply.h"

#include <string.h>
#include <strings.h>

#include "bridge/forwarder/vendor.h"
#include "bridge/http_client.h"
#include "formats/utf8.h"

/* clang-format off */
static const struct vendor_reply for_all[] = {
	/* status (to), body, action, meaning */
	{200, 299, NULL, VENDOR_DONE, "taken"},
	{300, 399, NULL, VENDOR_HOLD, "redirects are not followed; put the right address into url"},
	{400, 400, NULL, VENDOR_DROP, "the event is refused"},
	{401, 401, NULL, VENDOR_HOLD, "the key is refused; put the right one into its file"},
	{403, 403, NULL, VENDOR_HOLD, "access is refused; see the key and what it may do"},
	{404, 404, NULL, VENDOR_HOLD, "there is nothing at this address; see url"},
	{408, 408, NULL, VENDOR_RETRY, "the request took too long"},
	{410, 410, NULL, VENDOR_HOLD, "what this address led to is gone; see url"},
	{413, 414, NULL, VENDOR_DROP, "longer than it takes"},
	{422, 422, NULL, VENDOR_DROP, "the event is refused"},
	{425, 425, NULL, VENDOR_RETRY, "too early"},
	{429, 429, NULL, VENDOR_RETRY, "too many requests"},
	{431, 431, NULL, VENDOR_DROP, "longer than it takes"},
	{400, 499, NULL, VENDOR_HOLD, "the request is refused; see url and the other settings"},
	{0, 999, NULL, VENDOR_RETRY, "it is not available"},
};
/* clang-format on */

enum { ROWS = sizeof(for_all) / sizeof(for_all[0]), SECRET_LEAST = 8 /* bytes */ };

const char *
vendor_reply_action_name(enum vendor_action action)
{
	static const char *const names[] = {
	    [VENDOR_DONE] = "done",
	    [VENDOR_RETRY] = "retry",
	    [VENDOR_HOLD] = "hold",
	    [VENDOR_DROP] = "drop",
	};

	return names[action];
}

static bool
contains(struct slice body, const char *wanted)
{
	size_t length = strlen(wanted);

	for (size_t i = 0; i + length <= body.length; i++)
		if (strncasecmp(body.bytes + i, wanted, length) == 0)
			return true;
	return false;
}

static bool
fits(const struct vendor_reply *row, int status, struct slice body)
{
	return status >= row->first && status <= row->last &&
	       (row->body == NULL || contains(body, row->body));
}

const struct vendor_reply *
vendor_reply_find(const struct vendor_reply *own, size_t count, int status, struct slice body)
{
	for (size_t i = 0; i < count; i++)
		if (fits(&own[i], status, body))
			return &own[i];
	for (size_t i = 0; i < ROWS - 1; i++)
		if (fits(&for_all[i], status, body))
			return &for_all[i];
	return &for_all[ROWS - 1];
}

/* ---- what of it is shown ---- */

static bool
holds(struct slice text, struct slice secret)
{
	return secret.length > 0 &&
	       memmem(text.bytes, text.length, secret.bytes, secret.length) != NULL;
}

/* "Cannot POST /services/T0/B0/secret": an error page names the path, without its host. */
static bool
holds_part_of(struct slice text, struct slice url)
{
	size_t origin = http_client_origin(url.bytes).length;
	struct slice rest = {url.bytes + origin, url.length - origin};

	while (rest.length > 0) {
		struct slice part = {rest.bytes, 0};

		while (part.length < rest.length &&
		       strchr("/?&=#", part.bytes[part.length]) == NULL)
			part.length++;
		if (part.length >= SECRET_LEAST && holds(text, part))
			return true;
		part.length += part.length < rest.length;
		rest.bytes += part.length;
		rest.length -= part.length;
	}
	return false;
}

void
vendor_reply_excerpt(struct slice body, size_t most, const struct vendor_notification *notification,
		     struct text *text)
{
	struct slice cut = utf8_cut(body, most);

	if (cut.length == 0 || holds(body, notification->key) ||
	    holds(body, notification->secret) || holds(body, notification->topic) ||
	    holds_part_of(body, notification->url))
		return;
	text_append_string(text, ": ");
	for (size_t i = 0; i < cut.length;) {
		size_t hidden = utf8_hidden(cut.bytes + i, cut.length - i);

		text_append_byte(text, hidden > 0 ? ' ' : cut.bytes[i]);
		i += hidden > 0 ? hidden : 1;
	}
}
