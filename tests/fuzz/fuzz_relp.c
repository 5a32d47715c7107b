/*
 * What a RELP server may send: the frames in it are the same whether it comes whole or
 * in pieces, and nothing of it is read twice or not at all.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/forwarder/relp.h"
#include "formats/memory.h"

/* The first frame of the input must not be seen earlier, nor otherwise, in a part of it. */
static void
check_prefixes(struct slice input, enum relp_result whole, size_t used)
{
	for (size_t length = 0; length < input.length && length < RELP_INCOMING; length++) {
		struct relp_frame frame;
		struct error error;
		size_t part_used = 0;
		enum relp_result part =
		    relp_parse((struct slice){input.bytes, length}, &frame, &part_used, &error);

		if (part == RELP_MORE)
			continue;
		if (part != whole || (part == RELP_FRAME && part_used != used))
			memory_panic("%zu bytes are read otherwise than %zu", length, input.length);
		break;
	}
}

static void
read_frame(const struct relp_frame *frame)
{
	struct relp_reply reply;
	struct error error;

	if (frame->command.length < 1 || frame->command.length > 32 ||
	    frame->txnr > RELP_TXNR_HIGHEST)
		memory_panic("a frame that is none");
	if (!relp_read_reply(frame->data, &reply, &error))
		return;
	if (reply.code > 999)
		memory_panic("a status that is none");
	(void)relp_check_offers(reply.rest, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy of just that length: one byte too far is seen */
	char *copy = memory_allocate(size + 1);
	struct slice rest = {copy, size};
	struct relp_frame frame;
	struct error error;
	size_t used = 0;

	memcpy(copy, data, size);
	copy = memory_resize_array(copy, size > 0 ? size : 1, 1);
	rest.bytes = copy;
	for (;;) {
		enum relp_result result = relp_parse(rest, &frame, &used, &error);

		check_prefixes(rest, result, used);
		if (result == RELP_MORE && rest.length >= RELP_INCOMING)
			memory_panic("more is wanted than a frame may have");
		if (result != RELP_FRAME)
			break;
		if (used == 0 || used > rest.length)
			memory_panic("%zu bytes of %zu used", used, rest.length);
		read_frame(&frame);
		rest.bytes += used;
		rest.length -= used;
	}
	free(copy);
	return 0;
}
