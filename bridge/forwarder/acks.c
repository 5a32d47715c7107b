/*
 * The changes are handed over as one list, which whoever exchanges the pointer for
 * NULL owns: the destination's thread takes it back to write more behind it.
 */
#include "bridge/forwarder/acks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"

struct pending {
	struct delivery_ack ack;
	int64_t posted;      /* deadline_now() */
	uint64_t start, end; /* on the stream; end 0: not on it */
	uint64_t round;      /* in which it was last asked for */
};

struct list {
	struct delivery_ack_change *changes;
	size_t count, capacity;
};

struct acks {
	struct pending *pending; /* those of before the stream first, in the order of sequences */
	size_t count, capacity;
	uint64_t recalled; /* the highest sequence that one of before the stream holds; 0: none */
	uint64_t passed;   /* the highest that the stream has come to */
	uint64_t lost;     /* start of the first on the stream that is given up; UINT64_MAX: none */
	uint64_t round;
	bool changed;   /* since `least` was looked for */
	uint64_t least; /* start of the first on the stream that waits; UINT64_MAX: none */
	_Atomic(struct list *) news;
	bool told;
};

struct acks *
acks_new(void)
{
	struct acks *acks = memory_allocate(sizeof(*acks));

	atomic_init(&acks->news, NULL);
	acks->least = acks->lost = UINT64_MAX;
	return acks;
}

void
acks_free_changes(struct delivery_ack_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(changes[i].ack.cookies);
	free(changes);
}

static void
free_list(struct list *list)
{
	if (list == NULL)
		return;
	acks_free_changes(list->changes, list->count);
	free(list);
}

void
acks_free(struct acks *acks)
{
	if (acks == NULL)
		return;
	free_list(atomic_exchange(&acks->news, NULL));
	for (size_t i = 0; i < acks->count; i++)
		free(acks->pending[i].ack.cookies);
	free(acks->pending);
	free(acks);
}

/* ---- changes ---- */

static char *
copy_cookies(const char *cookies)
{
	return cookies != NULL ? memory_copy_text(cookies, strlen(cookies)) : NULL;
}

static void
note(struct acks *acks, enum delivery_ack_event event, const struct delivery_ack *ack)
{
	struct list *list;
	struct delivery_ack_change *change;

	acks->changed = true;
	if (ack->last == 0)
		return;
	list = atomic_exchange(&acks->news, NULL);
	if (list == NULL)
		list = memory_allocate(sizeof(*list));
	if (list->count == list->capacity) {
		list->capacity = 2 * list->capacity + 16;
		list->changes =
		    memory_resize_array(list->changes, list->capacity, sizeof(*list->changes));
	}
	change = &list->changes[list->count++];
	change->event = event;
	change->ack = *ack;
	change->ack.cookies = event == DELIVERY_ACK_GIVEN ? copy_cookies(ack->cookies) : NULL;
	acks->told = false;
	atomic_store(&acks->news, list);
}

bool
acks_has_news(struct acks *acks)
{
	bool news = !acks->told && atomic_load(&acks->news) != NULL;

	acks->told = true;
	return news;
}

struct delivery_ack_change *
acks_take(struct acks *acks, size_t *count)
{
	struct list *list = atomic_exchange(&acks->news, NULL);
	struct delivery_ack_change *changes = NULL;

	*count = 0;
	if (list == NULL)
		return NULL;
	changes = list->changes;
	*count = list->count;
	free(list);
	return changes;
}

/* ---- the requests ---- */

static void
push(struct acks *acks, const struct pending *pending)
{
	if (acks->count == acks->capacity) {
		acks->capacity = 2 * acks->capacity + 16;
		acks->pending =
		    memory_resize_array(acks->pending, acks->capacity, sizeof(*acks->pending));
	}
	acks->pending[acks->count++] = *pending;
	acks->changed = true;
}

static void
drop(struct acks *acks, size_t i)
{
	free(acks->pending[i].ack.cookies);
	acks->count--;
	memmove(&acks->pending[i], &acks->pending[i + 1],
		(acks->count - i) * sizeof(*acks->pending));
	acks->changed = true;
}

void
acks_recall(struct acks *acks, const struct delivery_ack *ack, int64_t posted)
{
	const struct pending pending = {.ack = *ack, .posted = posted};

	push(acks, &pending);
	if (ack->last > acks->recalled)
		acks->recalled = ack->last;
}

int64_t
acks_age(int64_t posted_at, int64_t wall, int64_t longest)
{
	if (posted_at >= wall)
		return 0;
	return posted_at > wall - longest ? wall - posted_at : longest;
}

void
acks_begin(struct acks *acks)
{
	acks->recalled = acks->passed = 0;
	acks->lost = UINT64_MAX;
	acks->changed = true;
	for (size_t i = acks->count; i-- > 0;) {
		struct pending *pending = &acks->pending[i];

		pending->start = pending->end = 0;
		if (pending->ack.last > acks->recalled)
			acks->recalled = pending->ack.last;
		if (pending->ack.last == 0)
			drop(acks, i);
	}
}

size_t
acks_count(const struct acks *acks)
{
	return acks->count;
}

const char *
acks_cookies(const struct acks *acks)
{
	const struct pending *newest = NULL;

	for (size_t i = 0; i < acks->count; i++)
		if (newest == NULL || acks->pending[i].posted >= newest->posted)
			newest = &acks->pending[i];
	return newest != NULL ? newest->ack.cookies : NULL;
}

static struct pending *
find_covering(const struct acks *acks, uint64_t sequence)
{
	if (sequence > acks->recalled)
		return NULL;
	for (size_t i = 0; i < acks->count; i++)
		if (sequence >= acks->pending[i].ack.first && sequence <= acks->pending[i].ack.last)
			return &acks->pending[i];
	return NULL;
}

bool
acks_covers(const struct acks *acks, uint64_t sequence)
{
	return find_covering(acks, sequence) != NULL;
}

bool
acks_adopt(struct acks *acks, uint64_t sequence, uint64_t start, uint64_t end)
{
	struct pending *pending = find_covering(acks, sequence);

	if (pending == NULL)
		return false;
	if (pending->end == 0)
		pending->start = start;
	pending->end = end;
	acks->passed = sequence;
	acks->changed = true;
	return true;
}

void
acks_add(struct acks *acks, const struct delivery_ack *ack, int64_t posted, uint64_t start,
	 uint64_t end, bool keep)
{
	struct pending pending = {.ack = *ack, .posted = posted, .start = start, .end = end};

	pending.ack.cookies = copy_cookies(ack->cookies);
	push(acks, &pending);
	if (ack->last > acks->passed)
		acks->passed = ack->last;
	if (keep)
		note(acks, DELIVERY_ACK_GIVEN, ack);
}

void
acks_indexed(struct acks *acks, const char *channel, uint64_t id)
{
	for (size_t i = 0; i < acks->count; i++) {
		struct delivery_ack *ack = &acks->pending[i].ack;

		if (ack->indexed || ack->id != id || strcmp(ack->channel, channel) != 0)
			continue;
		ack->indexed = true;
		note(acks, DELIVERY_ACK_INDEXED, ack);
		return;
	}
}

/*
 * What is kept of these on disk goes when the cursor has passed them.  A request that
 * was only half adopted stays for its other half.
 */
static void
drop_confirmed(struct acks *acks, uint64_t least)
{
	size_t kept = 0;

	for (size_t i = 0; i < acks->count; i++) {
		struct pending *pending = &acks->pending[i];

		if (pending->end > 0 && pending->ack.indexed && pending->end <= least &&
		    pending->ack.last <= acks->passed)
			free(pending->ack.cookies);
		else
			acks->pending[kept++] = *pending;
	}
	acks->count = kept;
}

uint64_t
acks_confirm(struct acks *acks, uint64_t written)
{
	uint64_t least = acks->lost;

	if (!acks->changed)
		return acks->least < written ? acks->least : written;
	for (size_t i = 0; i < acks->count; i++) {
		const struct pending *pending = &acks->pending[i];

		if (pending->end > 0 && !pending->ack.indexed && pending->start < least)
			least = pending->start;
	}
	drop_confirmed(acks, least);
	acks->least = least;
	acks->changed = false;
	return least < written ? least : written;
}

/*
 * Waits no more for that one.  True: it is on the stream, which confirms nothing more
 * from there on.
 */
static bool
give_up(struct acks *acks, size_t i)
{
	const struct pending *pending = &acks->pending[i];
	bool on_stream = pending->end > 0;

	if (on_stream && pending->start < acks->lost)
		acks->lost = pending->start;
	note(acks, DELIVERY_ACK_FORGOTTEN, &pending->ack);
	drop(acks, i);
	return on_stream;
}

bool
acks_expire(struct acks *acks, int64_t posted_before)
{
	bool again = false;

	for (size_t i = acks->count; i-- > 0;)
		if (!acks->pending[i].ack.indexed && acks->pending[i].posted < posted_before)
			again = give_up(acks, i) || again;
	return again;
}

bool
acks_forget(struct acks *acks, const char *channel, uint64_t highest)
{
	bool again = false;

	for (size_t i = acks->count; i-- > 0;)
		if (!acks->pending[i].ack.indexed && acks->pending[i].ack.id <= highest &&
		    strcmp(acks->pending[i].ack.channel, channel) == 0)
			again = give_up(acks, i) || again;
	return again;
}

int64_t
acks_oldest(const struct acks *acks)
{
	int64_t oldest = INT64_MAX;

	for (size_t i = 0; i < acks->count; i++)
		if (!acks->pending[i].ack.indexed && acks->pending[i].posted < oldest)
			oldest = acks->pending[i].posted;
	return oldest;
}

void
acks_begin_round(struct acks *acks)
{
	acks->round++;
}

size_t
acks_next(struct acks *acks, char channel[DELIVERY_CHANNEL + 1], uint64_t *ids, size_t most)
{
	size_t found = 0;

	for (size_t i = 0; i < acks->count && found < most; i++) {
		struct pending *pending = &acks->pending[i];

		if (pending->ack.indexed || pending->round == acks->round ||
		    (found > 0 && strcmp(pending->ack.channel, channel) != 0))
			continue;
		memcpy(channel, pending->ack.channel, DELIVERY_CHANNEL + 1);
		pending->round = acks->round;
		ids[found++] = pending->ack.id;
	}
	return found;
}
