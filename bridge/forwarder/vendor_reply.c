#include "bridge/forwarder/vendor_reply.h"

#include <string.h>
#include <strings.h>

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

enum { ROWS = sizeof(for_all) / sizeof(for_all[0]) };

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
