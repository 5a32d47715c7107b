#include "bridge/forwarder/rerun.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "bridge/deadline.h"
#include "formats/memory.h"

/*
 * A batch is at most a twentieth of a second's worth, so that the rate is even; ranges
 * nearer to each other than GAP are read together.
 */
enum { BATCHES_A_SECOND = 20, GAP = 64 };

struct rerun {
	_Atomic(const struct delivery_replay *) offered;
	const struct delivery_replay *replay; /* under way; NULL: none */
	size_t range;                         /* the first that is not read to its end */
	int64_t next_at;
};

struct rerun *
rerun_new(void)
{
	return memory_allocate(sizeof(struct rerun));
}

void
rerun_free(struct rerun *rerun)
{
	free(rerun);
}

void
rerun_offer(struct rerun *rerun, const struct delivery_replay *replay)
{
	atomic_store(&rerun->offered, replay);
}

void
rerun_resume(struct rerun *rerun, struct position *head)
{
	if (rerun->replay == NULL)
		rerun->replay = atomic_exchange(&rerun->offered, NULL);
	if (rerun->replay == NULL)
		return;
	if (head->replay != rerun->replay->number) {
		head->replay = rerun->replay->number;
		head->replayed = rerun->replay->done;
	}
	rerun->range = 0; /* rerun_read() finds the place */
}

int64_t
rerun_due(const struct rerun *rerun, const struct position *head)
{
	if (rerun->replay == NULL || head->replay != rerun->replay->number ||
	    head->replayed >= rerun->replay->last)
		return INT64_MAX;
	return rerun->next_at;
}

static size_t
most_events(const struct delivery_replay *replay)
{
	uint64_t share = replay->rate / BATCHES_A_SECOND;

	if (replay->rate == 0 || share > BATCH_EVENTS)
		return BATCH_EVENTS;
	return share > 0 ? (size_t)share : 1;
}

/* The end of the ranges from rerun->range on that are read together. */
static uint64_t
end_of_run(const struct rerun *rerun)
{
	const struct delivery_replay *replay = rerun->replay;
	size_t at = rerun->range;

	while (at + 1 < replay->range_count &&
	       replay->ranges[at + 1].first - replay->ranges[at].last < GAP)
		at++;
	return replay->ranges[at].last;
}

/* What lies between the ranges is unwanted. */
static void
mark(struct rerun *rerun, struct batch *batch)
{
	const struct delivery_replay *replay = rerun->replay;

	for (size_t i = 0; i < batch->count; i++) {
		uint64_t sequence = batch->items[i].stored->sequence;

		while (rerun->range < replay->range_count &&
		       replay->ranges[rerun->range].last < sequence)
			rerun->range++;
		if (rerun->range == replay->range_count ||
		    sequence < replay->ranges[rerun->range].first)
			batch->items[i].fate = BATCH_UNWANTED;
	}
}

bool
rerun_read(struct rerun *rerun, struct batch *batch, struct spool_reader *reader,
	   const struct position *head, struct error *error)
{
	const struct delivery_replay *replay = rerun->replay;
	uint64_t after = head->replayed, end;
	size_t limit = most_events(replay), count;

	while (replay->ranges[rerun->range].last <= after)
		rerun->range++;
	if (after < replay->ranges[rerun->range].first)
		after = replay->ranges[rerun->range].first - 1;
	end = end_of_run(rerun);
	if (end - after < limit)
		limit = (size_t)(end - after);
	if (!batch_read(batch, reader, after, limit, error))
		return false;
	for (count = 0; count < batch->count; count++)
		if (batch->items[count].stored->sequence > end)
			break;
	batch->passed =
	    count == 0 || count < batch->count ? end : batch->items[count - 1].stored->sequence;
	batch_cut(batch, count);
	batch->lane = BATCH_REPLAY;
	mark(rerun, batch);
	return true;
}

void
rerun_count(struct rerun *rerun, size_t messages)
{
	int64_t now = deadline_now();

	if (rerun->next_at < now)
		rerun->next_at = now;
	if (rerun->replay->rate > 0)
		rerun->next_at += (int64_t)messages * 1000 / (int64_t)rerun->replay->rate;
}

void
rerun_finish(struct rerun *rerun, const struct position *cursor)
{
	if (rerun->replay != NULL && cursor->replay == rerun->replay->number &&
	    cursor->replayed >= rerun->replay->last)
		rerun->replay = NULL;
}
