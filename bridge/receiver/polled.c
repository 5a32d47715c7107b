/*
 * One connection at a time, one item at a time: each is answered when it is durable, so
 * that the poller can count what had been missed.  A poller or a `siembridge backfill`
 * that comes meanwhile waits in the socket's queue.
 */
#include "bridge/receiver/polled.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "bridge/handover.h"
#include "bridge/log.h"
#include "bridge/receiver/commit_returns.h"
#include "bridge/receiver/identify.h"
#include "bridge/receiver/intake.h"
#include "bridge/wake.h"
#include "formats/memory.h"

/* Milliseconds. */
enum { ACCEPT_PAUSE = 100, PATIENCE = 10000 /* for a commit */ };

struct polled {
	int listener;
	const struct request_source *sources;
	size_t count;
	struct commit *commit;
	struct counters *counters;
	struct commit_returns *returns;
	int stop; /* wake */
	atomic_bool stopping;
	struct arena *arena;
	bool started;
	pthread_t thread;
};

/* ---- one item ---- */

static const struct request_source *
source_of(const struct polled *polled, struct slice name)
{
	for (size_t i = 0; i < polled->count; i++)
		if (text_slice_is(name, polled->sources[i].config->name))
			return &polled->sources[i];
	return NULL;
}

/* What does not come back in time is asked for again by the next poll, and is then known. */
static enum handover_outcome
wait_for_answer(struct polled *polled, const struct submission *submission)
{
	struct submission *back = commit_returns_wait(polled->returns, submission, PATIENCE);
	enum handover_outcome outcome = HANDOVER_LATER;

	if (back != NULL && back->answer == ANSWER_ACCEPTED)
		outcome = back->duplicates > 0 ? HANDOVER_KNOWN : HANDOVER_STORED;
	free(back);
	return outcome;
}

static enum handover_outcome
store(struct polled *polled, const struct handover_item *item)
{
	const struct request_source *source = source_of(polled, item->source);
	struct spool_event event = {.received_at = deadline_wall(),
				    .source = item->source,
				    .evidence = item->origin,
				    .flags = SPOOL_FLAG_POLLED};
	struct submission *submission;
	struct error error;

	if (source == NULL ||
	    !identify_event(source->normalise, item->id, item->body, polled->arena, &event, &error))
		return HANDOVER_NO_EVENT;
	if (!intake_wants(source->config, source->normalise, event.type))
		return HANDOVER_UNWANTED;
	submission = submission_new(&event, 1);
	submission->returns = polled->returns;
	if (!commit_submit(polled->commit, submission)) {
		free(submission);
		return HANDOVER_LATER;
	}
	return wait_for_answer(polled, submission);
}

/* ---- connections ---- */

/* False: it is time to stop. */
static bool
wait_for(const struct polled *polled, int descriptor)
{
	struct pollfd waits[] = {{.fd = polled->stop, .events = POLLIN},
				 {.fd = descriptor, .events = POLLIN}};

	while (!atomic_load(&polled->stopping)) {
		int ready = poll(waits, 2, -1);

		if (ready < 0 && errno != EINTR)
			memory_panic("polled: poll: %m");
		if (ready > 0 && waits[1].revents != 0)
			return true;
	}
	return false;
}

static void
serve(struct polled *polled, int connection)
{
	struct handover_item item;
	struct error error = {.text = ""};
	char *memory;
	bool going = true;

	while (going && wait_for(polled, connection) &&
	       handover_take(connection, &memory, &item, &error)) {
		enum handover_outcome outcome = store(polled, &item);

		if (outcome == HANDOVER_STORED)
			counters_add(polled->counters, COUNTER_POLLED, 1);
		going = handover_answer(connection, outcome, &error);
		arena_clear(polled->arena);
		free(memory);
	}
	if (error.text[0] != '\0')
		log_warning("poll", "%s", error.text);
}

static void *
run(void *context)
{
	struct polled *polled = context;

	while (wait_for(polled, polled->listener)) {
		int connection = accept4(polled->listener, NULL, NULL, SOCK_CLOEXEC);

		if (connection < 0) { /* out of descriptors, mostly: not at once again */
			(void)poll(&(struct pollfd){.fd = polled->stop, .events = POLLIN}, 1,
				   ACCEPT_PAUSE);
			continue;
		}
		serve(polled, connection);
		(void)close(connection);
	}
	return NULL;
}

/* ---- life ---- */

bool
polled_open(struct polled **out, const struct config *config, struct error *error)
{
	struct polled *polled;
	int listener;

	*out = NULL;
	if (!config_polls(config))
		return true;
	if (!handover_listen(&listener, config->spool.directory, error))
		return false;
	polled = memory_allocate(sizeof(*polled));
	polled->listener = listener;
	polled->stop = -1;
	polled->arena = arena_new();
	*out = polled;
	return true;
}

bool
polled_start(struct polled *polled, const struct request_source *sources, size_t count,
	     struct commit *commit, struct counters *counters, struct error *error)
{
	int returned, code;

	if (polled == NULL)
		return true;
	polled->sources = sources;
	polled->count = count;
	polled->commit = commit;
	polled->counters = counters;
	if (!wake_open(&polled->stop, error) ||
	    !commit_returns_new(&polled->returns, &returned, error))
		return false;
	code = pthread_create(&polled->thread, NULL, run, polled);
	polled->started = code == 0;
	errno = code;
	return polled->started ||
	       error_set_errno(error, "the thread that takes polled events cannot be started");
}

void
polled_stop(struct polled *polled)
{
	if (polled == NULL || !polled->started)
		return;
	atomic_store(&polled->stopping, true);
	wake_raise(polled->stop);
	(void)pthread_join(polled->thread, NULL);
	polled->started = false;
}

void
polled_free(struct polled *polled)
{
	if (polled == NULL)
		return;
	commit_returns_free(polled->returns);
	arena_free(polled->arena);
	if (polled->stop >= 0)
		(void)close(polled->stop);
	(void)close(polled->listener);
	free(polled);
}
