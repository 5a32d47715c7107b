/*
 * A body of HEC, as its first byte says: envelopes, lines, or a query of acks.  What is
 * taken stands in the body, in its order, under ids that the spool can hold, and taken
 * again it is the same.
 */
#include <stdlib.h>

#include "bridge/receiver/hec_input.h"
#include "formats/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct config_source source;
static struct normalise *normalise;

static void
start(void)
{
	static char name[] = "hec", any[] = "*", *events[] = {any};
	const struct normalise_settings settings = {.profile = "hec", .default_type = "hec.event"};
	struct error error;

	source = (struct config_source){.name = name, .events = events, .events_count = 1};
	if (!normalise_new_with(&normalise, &settings, &error))
		memory_panic("%s", error.text);
}

static struct hec_input
take(enum hec_endpoint endpoint, struct slice body, struct arena *arena)
{
	struct hec_input input = {
	    .config = &source, .normalise = normalise, .endpoint = endpoint, .body = body};
	struct error error;

	hec_input_read(&input, arena, &error);
	return input;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_new();
	enum hec_endpoint endpoint = size > 0 && bytes[0] % 2 == 0 ? HEC_EVENT : HEC_RAW;
	struct slice body = {(const char *)bytes + 1, size > 0 ? size - 1 : 0}, acks;
	const char *position = body.bytes;
	struct hec_input first, again;

	if (normalise == NULL)
		start();
	if (size > 0) {
		first = take(endpoint, body, arena);
		again = take(endpoint, body, arena);
		if (first.count != again.count || first.code != again.code)
			abort();
		for (size_t i = 0; i < first.count; i++) {
			const struct spool_event *event = &first.events[i];

			if (event->body.bytes < position ||
			    event->body.bytes + event->body.length > body.bytes + body.length ||
			    event->id.length == 0 || event->id.length > 255 ||
			    !text_slices_equal(event->id, again.events[i].id))
				abort();
			position = event->body.bytes + event->body.length;
		}
		if (hec_input_acks(body, 7, arena, &acks) && acks.length == 0)
			abort();
	}
	arena_free(arena);
	return 0;
}
