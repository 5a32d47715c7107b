/*
 * One lock guards the queue, its size and the table of fingerprints; the disk is
 * never touched with it held.
 *
 * Why a duplicate waits its turn instead of being answered at once: the event it
 * repeats may be in the queue or in the commit under way, and a 202 for it must
 * not come before that is durable.  Behind it in the queue it cannot overtake it.
 *
 * When the disk is full nothing of the batch was stored, so its fingerprints are
 * taken out again; what came meanwhile is answered 503 as well, because among it
 * may be a duplicate of an event that is now not there.
 */
#include "bridge/receiver/commit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bridge/deadline.h"
#include "bridge/log.h"
#include "bridge/receiver/commit_returns.h"
#include "bridge/receiver/duplicate.h"
#include "bridge/receiver/upkeep.h"
#include "bridge/wake.h"
#include "formats/memory.h"

enum {
	COMMIT_PENDING_LIMIT = 8192,             /* events and rejected bodies */
	COMMIT_PENDING_BYTES = 64 * 1024 * 1024, /* of their bodies */
	COMMIT_BATCH = 2048,                     /* of them in a transaction, or a batch more */
	COMMIT_IDLE_MS = 1000,                   /* then the WAL is moved into the file */
	COMMIT_COMPANY = 8,                      /* rows: from this many on, more are waited for */
	COMMIT_GATHER_US = 1000,                 /* and at most so long */
	COMMIT_PRUNE_PAUSE_MS = 20,              /* between steps when there is more to prune */
};

/* See commit_watch(). */
struct watcher {
	void (*stored)(void *context, const struct spool_event *events, size_t count);
	void *context;
};

struct commit {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct submission_queue queue;
	struct duplicate *duplicate;
	struct watcher watcher;
	struct upkeep_settings settings;
	size_t answered; /* rows of the last batch */
	size_t company;  /* rows that are worth waiting for */
	bool stopping;
	bool is_broken;

	/* the commit thread's own */
	struct spool *spool;
	struct spool_event *events;
	struct spool_rejected *rejected;
	struct upkeep upkeep;
	struct deadline next_prune;
	bool is_full; /* and that was told */
	int wake;
	struct counters *counters;
	void (*broken)(void *context);
	void *context;
};

/* ---- the loops' side ---- */

static bool
has_room(const struct commit *commit, const struct submission *submission)
{
	return !commit->is_broken && commit->queue.weight < COMMIT_PENDING_LIMIT &&
	       submission->body_bytes <= COMMIT_PENDING_BYTES - commit->queue.bytes;
}

/* As many are here as are waited for. */
static bool
is_gathered(const struct commit *commit)
{
	return commit->queue.weight >= commit->company;
}

/* The fingerprints of an event, in the order of struct spool_event. */
enum { PRINT_EVENT, PRINT_ID, PRINT_BODY };

static void
fill_prints(const struct commit *commit, struct spool_event *event, bool binds_body)
{
	static const struct slice absent = {NULL, 0};
	struct slice body = binds_body ? event->body : absent;

	duplicate_fingerprint(commit->duplicate, event->source, event->id, body,
			      event->fingerprints[PRINT_EVENT]);
	if (!binds_body)
		return;
	duplicate_fingerprint(commit->duplicate, event->source, event->id, absent,
			      event->fingerprints[PRINT_ID]);
	duplicate_fingerprint(commit->duplicate, event->source, absent, body,
			      event->fingerprints[PRINT_BODY]);
}

/* Keeps one more of them where it is new; else it is another event's, which keeps it. */
static void
remember_one(struct commit *commit, struct spool_event *event, int print, enum spool_flag flag)
{
	if (duplicate_add(commit->duplicate, event->fingerprints[print]))
		memmove(event->fingerprints[event->fingerprint_count++], event->fingerprints[print],
			SPOOL_FINGERPRINT_LENGTH);
	else
		event->flags |= flag;
}

/* One that has none is remembered by another event: it is there already. */
static bool
is_known(const struct spool_event *event)
{
	return event->fingerprint_count == 0;
}

/* Returns all the flags that its events got. */
static uint32_t
remember_locked(struct commit *commit, struct submission *submission)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < submission->event_count; i++) {
		struct spool_event *event = &submission->events[i];

		event->fingerprint_count =
		    duplicate_add(commit->duplicate, event->fingerprints[PRINT_EVENT]);
		if (is_known(event)) {
			submission->duplicates++;
			continue;
		}
		if (!submission->binds_body)
			continue;
		remember_one(commit, event, PRINT_ID, SPOOL_FLAG_CONFLICT);
		remember_one(commit, event, PRINT_BODY, SPOOL_FLAG_REPLAY);
		flags |= event->flags;
	}
	return flags;
}

static void
tell_flags(const struct commit *commit, struct slice source, uint32_t flags)
{
	if ((flags & SPOOL_FLAG_CONFLICT) != 0) {
		counters_add(commit->counters, COUNTER_CONFLICTS, 1);
		log_error("identity",
			  "source %.*s: two bodies came under one id, which its signature does "
			  "not cover; both are kept",
			  (int)source.length, source.bytes);
	}
	if ((flags & SPOOL_FLAG_REPLAY) != 0) {
		counters_add(commit->counters, COUNTER_REPLAYS, 1);
		log_warning("identity",
			    "source %.*s: one body came under two ids, which its signature does "
			    "not cover; the later one is kept and marked as a replay",
			    (int)source.length, source.bytes);
	}
}

bool
commit_submit(struct commit *commit, struct submission *submission)
{
	struct slice source = {NULL, 0};
	uint32_t flags = 0;
	bool taken;

	for (size_t i = 0; i < submission->event_count; i++) {
		fill_prints(commit, &submission->events[i], submission->binds_body);
		source = submission->events[i].source;
	}
	if (submission->kind == SUBMISSION_REJECTED)
		duplicate_fingerprint(commit->duplicate, submission->rejected.source,
				      (struct slice){NULL, 0}, submission->rejected.body,
				      submission->rejected.print);
	pthread_mutex_lock(&commit->lock);
	taken = has_room(commit, submission);
	if (taken) {
		flags = remember_locked(commit, submission);
		submission_put(&commit->queue, submission);
		if (commit->queue.first == submission || is_gathered(commit))
			pthread_cond_signal(&commit->filled);
	}
	pthread_mutex_unlock(&commit->lock);
	if (flags != 0)
		tell_flags(commit, source, flags);
	return taken;
}

int64_t
commit_line(const struct commit *commit)
{
	return steady_line(&commit->upkeep.steady);
}

void
commit_agree(struct commit *commit, int64_t wall)
{
	steady_agree(&commit->upkeep.steady, wall);
}

/* ---- the commit thread ---- */

static enum answer
answer_of(const struct submission *submission, bool stored)
{
	if (!stored)
		return ANSWER_UNAVAILABLE;
	return submission->kind == SUBMISSION_REJECTED ? ANSWER_NOT_AN_EVENT : ANSWER_ACCEPTED;
}

/*
 * Gives every submission of the queue back with its answer, all those of one loop at
 * once: a loop that is woken for each of them answers them one by one, and the time
 * goes into changing threads.
 */
static void
answer_all(struct submission_queue *queue, bool stored)
{
	while (queue->first != NULL) {
		struct submission *first = submission_take(queue), *last = first, *submission;
		struct submission_queue others = {0};

		first->answer = answer_of(first, stored);
		while ((submission = submission_take(queue)) != NULL) {
			if (submission->returns != first->returns) {
				submission_put(&others, submission);
				continue;
			}
			submission->answer = answer_of(submission, stored);
			last = last->next = submission;
		}
		commit_returns_give(first->returns, first, last);
		*queue = others;
	}
}

static void
forget_all(struct commit *commit, const struct submission_queue *queue)
{
	for (const struct submission *s = queue->first; s != NULL; s = s->next)
		for (size_t i = 0; i < s->event_count; i++)
			for (size_t k = 0; k < s->events[i].fingerprint_count; k++)
				duplicate_remove(commit->duplicate, s->events[i].fingerprints[k]);
}

/* Nothing of the batch is stored; nor is what came meanwhile. */
static void
refuse_all(struct commit *commit, struct submission_queue *batch)
{
	struct submission_queue waiting;

	pthread_mutex_lock(&commit->lock);
	waiting = commit->queue;
	commit->queue = (struct submission_queue){0};
	forget_all(commit, batch);
	forget_all(commit, &waiting);
	pthread_mutex_unlock(&commit->lock);
	answer_all(batch, false);
	answer_all(&waiting, false);
}

static struct timespec
time_from_now(int64_t microseconds)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	microseconds += time.tv_nsec / 1000;
	time.tv_sec += microseconds / 1000000;
	time.tv_nsec = microseconds % 1000000 * 1000;
	return time;
}

/*
 * What was answered together comes together again, so more are waited for: one fsync
 * less for each.  But only for half of all that is under way: the other half is read
 * while this one is committed.  A lone event waits for nobody.
 */
static void
gather_locked(struct commit *commit)
{
	struct timespec until = time_from_now(COMMIT_GATHER_US);
	bool waiting = commit->company >= COMMIT_COMPANY;

	while (waiting && !is_gathered(commit) && !commit->stopping)
		waiting = pthread_cond_timedwait(&commit->filled, &commit->lock, &until) == 0;
}

/* Takes work, waiting for it at most COMMIT_IDLE_MS; false when none will come. */
static bool
take_batch(struct commit *commit, struct submission_queue *batch)
{
	int left = deadline_left(commit->next_prune);
	struct timespec until =
	    time_from_now((int64_t)1000 * (left < COMMIT_IDLE_MS ? left : COMMIT_IDLE_MS));
	bool waiting = true, more;

	*batch = (struct submission_queue){0};
	pthread_mutex_lock(&commit->lock);
	commit->company = (commit->answered + commit->queue.weight) / 2;
	while (commit->queue.first == NULL && !commit->stopping && waiting)
		waiting = pthread_cond_timedwait(&commit->filled, &commit->lock, &until) == 0;
	if (commit->queue.first != NULL)
		gather_locked(commit);
	while (batch->weight < COMMIT_BATCH && commit->queue.first != NULL)
		submission_put(batch, submission_take(&commit->queue));
	commit->answered = batch->weight;
	more = batch->first != NULL || !commit->stopping;
	pthread_mutex_unlock(&commit->lock);
	return more;
}

static void
tell_watcher(struct commit *commit, size_t count)
{
	struct watcher watcher;

	pthread_mutex_lock(&commit->lock);
	watcher = commit->watcher;
	pthread_mutex_unlock(&commit->lock);
	if (watcher.stored != NULL)
		watcher.stored(watcher.context, commit->events, count);
}

static enum spool_result
store(struct commit *commit, const struct submission_queue *batch, struct error *error)
{
	bool is_numbered = false;
	size_t events = 0, rejected = 0;
	enum spool_result result;

	for (const struct submission *s = batch->first; s != NULL; s = s->next) {
		if (s->kind == SUBMISSION_REJECTED)
			commit->rejected[rejected++] = s->rejected;
		is_numbered = is_numbered || s->wants_sequence;
		for (size_t i = 0; i < s->event_count; i++)
			if (!is_known(&s->events[i]))
				commit->events[events++] = s->events[i];
	}
	if (events + rejected > 0) {
		result = spool_append(commit->spool, commit->events, events, commit->rejected,
				      rejected, error);
		if (result != SPOOL_DONE)
			return result;
	}
	if (is_numbered)
		submission_number(batch, spool_last(commit->spool), events);
	if (events + rejected == 0)
		return SPOOL_DONE;
	counters_add(commit->counters, COUNTER_COMMITS, 1);
	atomic_store_explicit(&commit->counters->last_sequence, spool_last(commit->spool),
			      memory_order_relaxed);
	if (events > 0 && commit->wake >= 0)
		wake_raise(commit->wake);
	tell_watcher(commit, events);
	return SPOOL_DONE;
}

static void
forget(void *context, const unsigned char *prints, size_t count)
{
	struct commit *commit = context;

	pthread_mutex_lock(&commit->lock);
	for (size_t i = 0; i < count; i++)
		duplicate_remove(commit->duplicate, prints + i * SPOOL_FINGERPRINT_LENGTH);
	pthread_mutex_unlock(&commit->lock);
}

/* What is not urgent, when it is due; *more: there is more of it at once. */
static bool
tidy(struct commit *commit, bool *more, struct error *error)
{
	*more = false;
	if (!deadline_passed(commit->next_prune))
		return true;
	pthread_mutex_lock(&commit->lock);
	commit->upkeep.settings = commit->settings;
	pthread_mutex_unlock(&commit->lock);
	if (!upkeep_turn(&commit->upkeep, commit->spool, forget, commit, more, error))
		return false;
	commit->next_prune = deadline_after(*more ? COMMIT_PRUNE_PAUSE_MS : COMMIT_IDLE_MS);
	return true;
}

/* A broken spool is never written again: see spool.h. */
static void
give_up(struct commit *commit, struct submission_queue *batch, const struct error *error)
{
	log_error("spool", "%s; the receiver ends and starts anew", error->text);
	pthread_mutex_lock(&commit->lock);
	commit->is_broken = true;
	pthread_mutex_unlock(&commit->lock);
	refuse_all(commit, batch);
	commit->broken(commit->context);
}

/* Answers the batch according to what became of it; false when the spool is broken. */
static bool
settle_batch(struct commit *commit, struct submission_queue *batch, struct error *error)
{
	/* durable, then answered */
	enum spool_result result = store(commit, batch, error);

	if (result == SPOOL_DONE) {
		if (commit->is_full && batch->first != NULL) {
			log_info("spool", "events are stored again");
			commit->is_full = false;
		}
		answer_all(batch, true);
	} else if (result == SPOOL_FULL) {
		if (!commit->is_full)
			log_error("spool", "%s; senders are told to come again", error->text);
		commit->is_full = true;
		atomic_store_explicit(&commit->counters->full_at, deadline_now(),
				      memory_order_relaxed);
		refuse_all(commit, batch);
	}
	return result != SPOOL_BROKEN;
}

static void *
run(void *argument)
{
	struct commit *commit = argument;
	struct submission_queue batch;
	struct error error;
	bool idle, more = false;

	while (take_batch(commit, &batch)) {
		idle = batch.first == NULL && !more;
		if (!settle_batch(commit, &batch, &error) || !tidy(commit, &more, &error) ||
		    !spool_checkpoint(commit->spool, idle, &error)) {
			give_up(commit, &batch, &error);
			break;
		}
	}
	return NULL;
}

/* ---- life ---- */

static void
remember(void *context, const unsigned char *prints, size_t count)
{
	duplicate_gather(context, prints, count);
}

static void
release(struct commit *commit)
{
	duplicate_free(commit->duplicate);
	pthread_cond_destroy(&commit->filled);
	pthread_mutex_destroy(&commit->lock);
	free(commit->events);
	free(commit->rejected);
	free(commit);
}

bool
commit_start(struct commit **out, struct spool *spool, int wake, struct counters *counters,
	     void (*broken)(void *context), void *context, struct error *error)
{
	struct commit *commit = memory_allocate(sizeof(*commit));
	pthread_condattr_t attributes;
	uint64_t kept;
	int failed;

	commit->spool = spool;
	commit->wake = wake;
	commit->counters = counters;
	commit->broken = broken;
	commit->context = context;
	/* the last one taken may be a batch of its own */
	commit->events =
	    memory_allocate_array(COMMIT_BATCH + SUBMISSION_MOST, sizeof(*commit->events));
	commit->rejected = memory_allocate_array(COMMIT_BATCH, sizeof(*commit->rejected));
	pthread_mutex_init(&commit->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&commit->filled, &attributes);
	pthread_condattr_destroy(&attributes);
	commit->duplicate = duplicate_new(spool_key(spool));
	atomic_store_explicit(&counters->last_sequence, spool_last(spool), memory_order_relaxed);
	if (!spool_fingerprints_expected(spool, &kept, error))
		goto fail;
	duplicate_reserve(commit->duplicate, kept);
	if (!spool_fingerprints(spool, remember, commit->duplicate, error))
		goto fail;
	duplicate_build(commit->duplicate);
	if (!upkeep_start(&commit->upkeep, spool, error))
		goto fail;
	failed = pthread_create(&commit->thread, NULL, run, commit);
	if (failed != 0) {
		error_set(error, "cannot start the commit thread: %s", strerror(failed));
		goto fail;
	}
	*out = commit;
	return true;
fail:
	release(commit);
	return false;
}

void
commit_keep(struct commit *commit, const char *directory, const char *const *destinations,
	    size_t count, int64_t retention)
{
	pthread_mutex_lock(&commit->lock);
	commit->settings = (struct upkeep_settings){directory, destinations, count, retention};
	pthread_mutex_unlock(&commit->lock);
}

void
commit_watch(struct commit *commit,
	     void (*stored)(void *context, const struct spool_event *events, size_t count),
	     void *context)
{
	pthread_mutex_lock(&commit->lock);
	commit->watcher = (struct watcher){stored, context};
	pthread_mutex_unlock(&commit->lock);
}

void
commit_stop(struct commit *commit)
{
	pthread_mutex_lock(&commit->lock);
	commit->stopping = true;
	pthread_cond_signal(&commit->filled);
	pthread_mutex_unlock(&commit->lock);
	pthread_join(commit->thread, NULL);
	release(commit);
}
