#include "bridge/spool/order_find.h"

#include <stdlib.h>

#include "formats/memory.h"

/* Runs of sequences, falling, as they are found. */
struct runs {
	struct order_range *ranges;
	size_t count, capacity;
	uint64_t events;
};

static bool
note(void *context, const struct spool_event *event)
{
	struct runs *runs = context;
	struct order_range *run = runs->count > 0 ? &runs->ranges[runs->count - 1] : NULL;

	runs->events++;
	if (run != NULL && event->sequence + 1 == run->first) {
		run->first = event->sequence;
		return true;
	}
	if (runs->ranges == NULL || runs->count == runs->capacity) {
		runs->capacity = runs->capacity * 2 + 64;
		runs->ranges =
		    memory_resize_array(runs->ranges, runs->capacity, sizeof(*runs->ranges));
	}
	runs->ranges[runs->count++] = (struct order_range){event->sequence, event->sequence};
	return true;
}

bool
order_find(struct order *order, struct spool_find *find, const struct spool_find_query *query,
	   uint64_t *events, struct error *error)
{
	struct runs runs = {0};
	bool done = spool_find_backwards(find, query, note, &runs, error);

	if (done && runs.events == 0)
		done = error_set(error, "no event of that range is kept");
	for (size_t i = runs.count; done && i > 0; i--)
		order_add(order, runs.ranges[i - 1].first, runs.ranges[i - 1].last);
	*events = runs.events;
	free(runs.ranges);
	return done;
}
