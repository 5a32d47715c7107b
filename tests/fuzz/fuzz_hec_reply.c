/*
 * What stands where a Splunk collector should: only the collector's own word makes an
 * event delivered, and an event that is blamed is one of those that were sent.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/forwarder/hec_reply.h"
#include "formats/memory.h"

static void
on_indexed(void *context, uint64_t ack_id)
{
	size_t *count = context;

	(void)ack_id;
	(*count)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hec_reply reply;
	struct slice body;
	size_t indexed = 0, count;
	int status;

	if (size < 2)
		return 0;
	status = 100 + data[0] * 2;
	count = data[1] + 1U;
	body = (struct slice){(const char *)data + 2, size - 2};
	hec_reply_read(status, body, count, &reply);
	if ((reply.action == HEC_DONE || reply.action == HEC_SLOW) && reply.code < 0)
		memory_panic("delivered by the word of somebody else");
	if (reply.names_event && reply.event >= count)
		memory_panic("event %zu of %zu is blamed", reply.event, count);
	if (reply.meaning == NULL || hec_reply_action_name(reply.action) == NULL)
		memory_panic("an answer without a meaning");
	if (!hec_reply_acks(status, body, on_indexed, &indexed) && indexed > 0)
		memory_panic("acknowledged by what is no acknowledgement");
	return 0;
}
