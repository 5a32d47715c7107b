#include "bridge/spool/search.h"

#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"

/* ---- what matches ---- */

static bool
matches(const struct search *search, const struct spool_event *event)
{
	if (!search->by_destination && !search->by_status)
		return true;
	for (size_t i = search->from; i < search->to; i++) {
		enum standing_status status = standing_of(search->standing, i, event);

		if (search->by_status ? status == search->status : status != STANDING_NOT_ROUTED)
			return true;
	}
	return false;
}

static bool
gather(void *context, const struct spool_event *event)
{
	struct search *search = context;

	if (matches(search, event)) {
		if (search->count == search->capacity) {
			search->capacity = search->capacity * 2 + 128;
			search->sequences = memory_resize_array(search->sequences, search->capacity,
								sizeof(*search->sequences));
		}
		search->sequences[search->count++] = event->sequence;
		if (search->limit > 0 && search->count >= search->limit)
			return false;
	}
	if (search->end.at == 0 || !deadline_passed(search->end))
		return true;
	search->reached = event->sequence;
	return false;
}

static int
compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* Where what is dead, pending or delivered stands is known: the rest is not looked at. */
static void
narrow(struct search *search)
{
	uint64_t lowest = UINT64_MAX, highest = 0;
	size_t count = 0;

	free(search->dead);
	search->dead = NULL;
	search->query.sequences = NULL;
	for (size_t i = search->from; i < search->to; i++) {
		const struct standing_destination *at = &search->standing->destinations[i];

		if (at->cursor.sequence < lowest)
			lowest = at->cursor.sequence;
		if (at->cursor.sequence > highest)
			highest = at->cursor.sequence;
		if (!search->by_status || search->status != STANDING_DEAD)
			continue;
		search->dead = memory_resize_array(search->dead, count + at->dead_count + 1,
						   sizeof(*search->dead));
		if (at->dead_count > 0)
			memcpy(search->dead + count, at->dead,
			       at->dead_count * sizeof(*search->dead));
		count += at->dead_count;
	}
	if (search->by_status && search->status == STANDING_PENDING &&
	    search->query.first <= lowest)
		search->query.first = lowest + 1;
	if (search->by_status && search->status == STANDING_DELIVERED &&
	    search->query.last > highest)
		search->query.last = highest;
	if (search->dead == NULL)
		return;
	if (count > 0)
		qsort(search->dead, count, sizeof(*search->dead), compare);
	search->query.sequences = search->dead;
	search->query.sequence_count = 0;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || search->dead[i] != search->dead[i - 1])
			search->dead[search->query.sequence_count++] = search->dead[i];
}

bool
search_backwards(struct search *search, struct error *error)
{
	search->count = 0;
	search->reached = 0;
	narrow(search);
	return spool_find_backwards(search->standing->find, &search->query, gather, search, error);
}

bool
search_forwards(struct search *search, struct error *error)
{
	search->count = 0;
	search->reached = 0;
	search->query.sequences = NULL;
	return spool_find_forwards(search->standing->find, &search->query, gather, search, error);
}

/* ---- life ---- */

static bool
set_status(struct search *search, const char *wanted, struct error *error)
{
	search->by_status = wanted != NULL;
	if (wanted == NULL)
		return true;
	for (int i = 0; i < STANDING_STATUSES; i++)
		if (strcmp(wanted, standing_name((enum standing_status)i)) == 0) {
			search->status = (enum standing_status)i;
			return true;
		}
	return error_set(
	    error, "a status is one of pending, delivered, dead, not-routed, not %.60s", wanted);
}

bool
search_open(struct search *search, struct standing *standing, const char *destination,
	    const char *status, struct error *error)
{
	*search = (struct search){
	    .standing = standing,
	    .query = spool_find_everything(),
	    .by_destination = destination != NULL,
	    .to = standing->count,
	};
	if (!set_status(search, status, error))
		return false;
	if (destination == NULL)
		return true;
	if (!standing_find(standing, destination, &search->from, error))
		return false;
	search->to = search->from + 1;
	return true;
}

void
search_close(struct search *search)
{
	free(search->sequences);
	free(search->dead);
	search->sequences = search->dead = NULL;
}
