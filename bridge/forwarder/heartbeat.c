#include "bridge/forwarder/heartbeat.h"

#include <string.h>

#include "bridge/deadline.h"
#include "formats/catalogue.h"

static const char type[] = "siembridge.heartbeat";

void
heartbeat_start(struct heartbeat *heartbeat, int64_t interval, uint64_t number)
{
	*heartbeat = (struct heartbeat){interval, deadline_now() + interval, number};
}

int64_t
heartbeat_due(const struct heartbeat *heartbeat)
{
	return heartbeat->interval > 0 ? heartbeat->next_at : INT64_MAX;
}

static struct slice
write_id(struct arena *arena, uint64_t number, int64_t now)
{
	enum { CAPACITY = 64 };
	struct text text;

	text_start(&text, arena_allocate(arena, CAPACITY), CAPACITY);
	text_append_format(&text, "heartbeat-%llu-%lld", (unsigned long long)number,
			   (long long)now);
	return text_slice(&text);
}

static struct slice
write_message(struct arena *arena, const struct event_heartbeat *numbers)
{
	enum { CAPACITY = 160 };
	struct text text;

	text_start(&text, arena_allocate(arena, CAPACITY), CAPACITY);
	text_append_format(&text, "%llu messages since the last heartbeat",
			   (unsigned long long)numbers->count);
	if (numbers->count > 0) {
		uint64_t first = numbers->last - numbers->count + 1;

		text_append_string(&text, ", numbers ");
		text_append_unsigned(&text, first);
		text_append_string(&text, " to ");
		text_append_unsigned(&text, numbers->last);
	}
	return text_slice(&text);
}

/* As normalise_finish() would leave it. */
static void
fill_event(struct event *event, const struct heartbeat *heartbeat, struct arena *arena,
	   uint64_t number)
{
	struct event_heartbeat *numbers = arena_allocate(arena, sizeof(*numbers));

	/* after a break numbers are used again: fewer than were counted already */
	numbers->count = number > heartbeat->number ? number - heartbeat->number : 0;
	numbers->last = number;
	memset(event, 0, sizeof(*event));
	event->source = SLICE_LITERAL("siembridge");
	event->received_at = event->occurred_at = deadline_wall();
	event->id = write_id(arena, number + 1, event->received_at);
	event->body = SLICE_LITERAL("{}");
	event->heartbeat = numbers;
	event->fields[FIELD_TYPE] = text_of(type);
	event->fields[FIELD_MESSAGE] = write_message(arena, numbers);
	event->entry = catalogue_find(text_of(type));
	event->severity = SEVERITY_INFO;
	event->family = text_of(catalogue_family_name(FAMILY_OTHER));
	event->name = SLICE_LITERAL("siembridge heartbeat");
}

void
heartbeat_fill(struct heartbeat *heartbeat, struct batch *batch, uint64_t number)
{
	struct batch_item *item = &batch->items[0];
	struct spool_event *stored;

	batch_clear(batch);
	stored = arena_allocate(batch->arena, sizeof(*stored));
	memset(stored, 0, sizeof(*stored));
	fill_event(&item->event, heartbeat, batch->arena, number);
	stored->source = item->event.source;
	stored->id = item->event.id;
	stored->type = item->event.fields[FIELD_TYPE];
	stored->received_at = item->event.received_at;
	stored->body = item->event.body;
	batch->lane = BATCH_HEARTBEAT;
	item->stored = stored;
	item->fate = BATCH_WANTED;
	batch->count = 1;
	heartbeat->number = number + 1;
	heartbeat->next_at = deadline_now() + heartbeat->interval;
}
