#include "bridge/forwarder/feed.h"

#include <stdlib.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/heartbeat.h"
#include "bridge/forwarder/rerun.h"
#include "formats/memory.h"

struct feed {
	const struct config_destination *configuration;
	const struct profiles *profiles;
	const char *spool_directory;
	struct spool_reader *reader;        /* NULL: not opened yet */
	struct spool_reader *replay_reader; /* its own: each checks the chain as it goes on */
	struct rerun *rerun;
	struct heartbeat heartbeat;
	bool replay_turn;
};

struct feed *
feed_new(const struct config_destination *configuration, const struct profiles *profiles,
	 const char *spool_directory, const struct position *start)
{
	struct feed *feed = memory_allocate(sizeof(*feed));

	feed->configuration = configuration;
	feed->profiles = profiles;
	feed->spool_directory = spool_directory;
	feed->rerun = rerun_new();
	heartbeat_start(&feed->heartbeat, configuration->heartbeat, start->number);
	return feed;
}

void
feed_free(struct feed *feed)
{
	if (feed == NULL)
		return;
	spool_reader_close(feed->reader);
	spool_reader_close(feed->replay_reader);
	rerun_free(feed->rerun);
	free(feed);
}

void
feed_offer(struct feed *feed, const struct delivery_replay *replay)
{
	rerun_offer(feed->rerun, replay);
}

/* Opens it when it is first needed: the spool may not be there before. */
static bool
ensure_reader(const struct feed *feed, struct spool_reader **reader, struct error *error)
{
	if (*reader != NULL || spool_reader_open(reader, feed->spool_directory, error))
		return true;
	*reader = NULL;
	return false;
}

static enum send_result
read_live(struct feed *feed, struct batch *batch, const struct position *head, struct error *error)
{
	if (!ensure_reader(feed, &feed->reader, error) ||
	    !batch_read(batch, feed->reader, head->sequence, batch->events, error))
		return SEND_LATER;
	if (batch->count == 0)
		return SEND_IDLE;
	batch->lane = BATCH_LIVE;
	batch->passed = batch->items[batch->count - 1].stored->sequence;
	return SEND_PROGRESS;
}

static enum send_result
read_replay(struct feed *feed, struct batch *batch, struct position *head, struct error *error)
{
	rerun_resume(feed->rerun, head);
	if (rerun_due(feed->rerun, head) > deadline_now())
		return SEND_IDLE;
	if (!ensure_reader(feed, &feed->replay_reader, error) ||
	    !rerun_read(feed->rerun, batch, feed->replay_reader, head, error))
		return SEND_LATER;
	return SEND_PROGRESS;
}

static enum send_result
read_either(struct feed *feed, struct batch *batch, struct position *head, struct error *error)
{
	bool replay = feed->replay_turn;
	enum send_result result =
	    replay ? read_replay(feed, batch, head, error) : read_live(feed, batch, head, error);

	feed->replay_turn = !replay;
	if (result != SEND_IDLE)
		return result;
	return replay ? read_live(feed, batch, head, error) : read_replay(feed, batch, head, error);
}

enum send_result
feed_next(struct feed *feed, struct batch *batch, struct position *head, struct error *error)
{
	enum send_result result;

	if (heartbeat_due(&feed->heartbeat) <= deadline_now()) {
		heartbeat_fill(&feed->heartbeat, batch, head->number);
		return SEND_PROGRESS;
	}
	result = read_either(feed, batch, head, error);
	if (result == SEND_PROGRESS) {
		batch_route(batch, feed->configuration, feed->profiles);
		batch_normalise(batch, feed->profiles);
		batch_select(batch, feed->configuration);
	}
	return result;
}

void
feed_count(struct feed *feed, const struct batch *batch)
{
	if (batch->lane == BATCH_REPLAY)
		rerun_count(feed->rerun, batch->message_count);
}

int64_t
feed_due(const struct feed *feed, const struct position *head)
{
	int64_t replay = rerun_due(feed->rerun, head);
	int64_t heartbeat = heartbeat_due(&feed->heartbeat);

	return replay < heartbeat ? replay : heartbeat;
}

void
feed_confirm(struct feed *feed, const struct position *cursor)
{
	rerun_finish(feed->rerun, cursor);
}

bool
feed_find(struct feed *feed, uint64_t sequence, struct arena *arena, struct spool_event **event,
	  struct error *error)
{
	size_t count = 0;

	if (!ensure_reader(feed, &feed->reader, error) ||
	    !spool_reader_next(feed->reader, sequence - 1, 1, 1, arena, event, &count, error))
		return false;
	if (count == 1 && (*event)->sequence == sequence)
		return true;
	return error_set(error, "event %llu is no longer in the spool",
			 (unsigned long long)sequence);
}
