#include "bridge/forwarder/unrouted.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/batch.h"
#include "bridge/route.h"
#include "bridge/log.h"
#include "formats/memory.h"

enum { TELL_INTERVAL = 60 * 1000 /* milliseconds */ };

struct unrouted {
	struct unrouted_settings settings;
	struct spool_reader *reader;
	struct batch *batch; /* of which only the reading is used: nothing is sent */
	bool idle;           /* some destination wants everything */
	uint64_t untold;     /* counted and not logged yet */
	int64_t tell_at;     /* deadline_now() from which they may be */
	struct error failed; /* to read, as it was logged last; empty: all is well */
};

struct unrouted *
unrouted_new(const struct unrouted_settings *settings, struct spool_reader *reader, uint64_t after)
{
	struct unrouted *unrouted = memory_allocate(sizeof(*unrouted));
	uint64_t never = 0;

	unrouted->settings = *settings;
	unrouted->reader = reader;
	unrouted->batch = batch_new(1);
	for (unsigned i = 0; i < settings->config->destinations_count; i++)
		if (route_wants_everything(&settings->config->destinations[i]))
			unrouted->idle = true;
	(void)atomic_compare_exchange_strong(&settings->counters->unrouted_until, &never, after);
	return unrouted;
}

void
unrouted_free(struct unrouted *unrouted)
{
	if (unrouted == NULL)
		return;
	spool_reader_close(unrouted->reader);
	batch_free(unrouted->batch);
	free(unrouted);
}

/* What one look at the spool's row tells. */
enum verdict { NOBODY, SOMEBODY, ASK_THE_EVENT };

static enum verdict
verdict_of_row(const struct unrouted_settings *settings, const struct spool_event *stored)
{
	const struct config *config = settings->config;
	struct slice our_type = profiles_type(settings->profiles, stored);
	enum verdict verdict = NOBODY;

	if (!stored->intact)
		return SOMEBODY; /* every destination has it as a dead letter */
	for (unsigned i = 0; i < config->destinations_count; i++) {
		const struct config_destination *destination = &config->destinations[i];

		if (!route_wants(destination, stored->source, stored->type, our_type))
			continue;
		if (!route_reads_event(destination))
			return SOMEBODY;
		verdict = ASK_THE_EVENT;
	}
	return verdict;
}

static bool
is_wanted(const struct config *config, const struct batch_item *item)
{
	for (unsigned i = 0; i < config->destinations_count; i++) {
		const struct config_destination *destination = &config->destinations[i];

		if (route_wants(destination, item->stored->source, item->stored->type,
				item->event.fields[FIELD_TYPE]) &&
		    route_wants_event(destination, &item->event))
			return true;
	}
	return false;
}

/* How many of the batch go nowhere; *last: the last of them.  A dead one is a letter somewhere. */
static uint64_t
count_batch(struct unrouted *unrouted, const struct spool_event **last)
{
	const struct config *config = unrouted->settings.config;
	struct batch *batch = unrouted->batch;
	enum verdict verdicts[BATCH_EVENTS] = {NOBODY};
	uint64_t count = 0;

	for (size_t i = 0; i < batch->count; i++) {
		verdicts[i] = verdict_of_row(&unrouted->settings, batch->items[i].stored);
		if (verdicts[i] != ASK_THE_EVENT)
			batch->items[i].fate = BATCH_UNWANTED; /* not normalised */
	}
	batch_normalise(batch, unrouted->settings.profiles);
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_item *item = &batch->items[i];

		if (verdicts[i] == NOBODY ||
		    (item->fate == BATCH_WANTED && !is_wanted(config, item))) {
			*last = item->stored;
			count++;
		}
	}
	return count;
}

static void
tell(struct unrouted *unrouted, const struct spool_event *last)
{
	if (deadline_now() < unrouted->tell_at)
		return;
	log_warning("route",
		    "%" PRIu64 " event(s) more that no destination wants, the last one of type "
		    "%.*s from source %.*s; siembridge check says which types go nowhere",
		    unrouted->untold, (int)last->type.length, last->type.bytes,
		    (int)last->source.length, last->source.bytes);
	unrouted->untold = 0;
	unrouted->tell_at = deadline_now() + TELL_INTERVAL;
}

/* Only a reason that is new: this is asked every second. */
static void
tell_failure(struct unrouted *unrouted, const struct error *error)
{
	if (strcmp(unrouted->failed.text, error->text) == 0)
		return;
	unrouted->failed = *error;
	log_warning("route", "events that no destination wants are not counted now: %s",
		    error->text);
}

/* All that came was wanted: after a reload it is not looked at with other eyes. */
static void
skip(struct counters *counters)
{
	uint64_t last = atomic_load_explicit(&counters->last_sequence, memory_order_relaxed);

	if (last > atomic_load(&counters->unrouted_until))
		atomic_store(&counters->unrouted_until, last);
}

bool
unrouted_look(struct unrouted *unrouted)
{
	struct counters *counters = unrouted->settings.counters;
	struct batch *batch = unrouted->batch;
	const struct spool_event *last = NULL;
	struct error error;
	uint64_t count;

	if (unrouted->idle) {
		skip(counters);
		return false;
	}
	if (!batch_read(batch, unrouted->reader, atomic_load(&counters->unrouted_until),
			BATCH_EVENTS, &error)) {
		tell_failure(unrouted, &error);
		return false;
	}
	unrouted->failed.text[0] = '\0';
	if (batch->count == 0)
		return false;
	count = count_batch(unrouted, &last);
	atomic_store(&counters->unrouted_until, batch->items[batch->count - 1].stored->sequence);
	if (count > 0) {
		counters_add(counters, COUNTER_UNROUTED, count);
		unrouted->untold += count;
		tell(unrouted, last);
	}
	return true;
}
