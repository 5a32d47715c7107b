#include "bridge/forwarder/window.h"

#include <stdlib.h>

#include "formats/memory.h"

/* A ring: count entries from `first` on. */
struct window {
	struct entry {
		struct position position;
		uint64_t end;
	} * entries; /* WINDOW_ENTRIES of them */
	size_t first;
	size_t count;
	uint64_t confirmed; /* offset */
};

static struct entry *
entry_at(const struct window *window, size_t i)
{
	return &window->entries[(window->first + i) % WINDOW_ENTRIES];
}

struct window *
window_new(void)
{
	struct window *window = memory_allocate(sizeof(*window));

	window->entries = memory_allocate_array(WINDOW_ENTRIES, sizeof(*window->entries));
	return window;
}

void
window_free(struct window *window)
{
	if (window == NULL)
		return;
	free(window->entries);
	free(window);
}

void
window_clear(struct window *window)
{
	window->first = 0;
	window->count = 0;
	window->confirmed = 0;
}

bool
window_has_room(const struct window *window, size_t messages)
{
	if (window->count == 0)
		return true;
	return messages <= WINDOW_ENTRIES - window->count &&
	       entry_at(window, window->count - 1)->end - window->confirmed < WINDOW_BYTES;
}

bool
window_is_empty(const struct window *window)
{
	return window->count == 0;
}

bool
window_first(const struct window *window, struct position *position)
{
	if (window->count > 0)
		*position = entry_at(window, 0)->position;
	return window->count > 0;
}

/* The entry that the next message may share: the last one, where both fit a stride. */
static struct entry *
shared_entry(const struct window *window, uint64_t end)
{
	struct entry *last;

	if (window->count < WINDOW_ALONE)
		return NULL;
	last = entry_at(window, window->count - 1);
	/* the last one begins where the one before it ends */
	return end - entry_at(window, window->count - 2)->end <= WINDOW_STRIDE ? last : NULL;
}

void
window_push(struct window *window, struct position position, uint64_t end)
{
	struct entry *entry = shared_entry(window, end);

	if (entry == NULL && window->count == WINDOW_ENTRIES)
		memory_panic("window: more than %d entries", WINDOW_ENTRIES);
	/* From the front again: a quiet destination touches the first page alone. */
	if (window->count == 0)
		window->first = 0;
	if (entry == NULL)
		entry = entry_at(window, window->count++);
	entry->position = position;
	entry->end = end;
}

bool
window_confirm(struct window *window, uint64_t offset, struct position *position)
{
	bool moved = false;

	if (offset > window->confirmed)
		window->confirmed = offset;
	while (window->count > 0 && entry_at(window, 0)->end <= offset) {
		*position = entry_at(window, 0)->position;
		window->first = (window->first + 1) % WINDOW_ENTRIES;
		window->count--;
		moved = true;
	}
	return moved;
}
