/*
 * The commit thread notes when a source was heard; a thread of our own, which the disk
 * may hold up, looks once a second at who was not, and hands what it has to tell to the
 * commit thread like any loop.
 *
 * Told once, over restarts too: what was told last of a source is found in the spool;
 * and the id of a source.silent names the last event before it, so that the same again
 * is a duplicate.
 */
#include "bridge/receiver/silence.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "bridge/log.h"
#include "bridge/receiver/commit_returns.h"
#include "bridge/receiver/submission.h"
#include "bridge/spool/spool_find.h"
#include "bridge/wake.h"
#include "formats/json_write.h"
#include "formats/memory.h"
#include "formats/timestamp.h"

enum {
	TICK = 1000,     /* milliseconds */
	PATIENCE = 5000, /* milliseconds for a commit */
	ID_BYTES = 128,
	BODY_BYTES = 1024,
};

static const char type_silent[] = "source.silent";
static const char type_heard[] = "source.heard_again";

struct watched {
	const struct config_source *source;
	_Atomic int64_t heard_at;    /* deadline_now() */
	_Atomic int64_t received_at; /* of the last event, ms since 1970; 0: none yet */

	/* the thread's own */
	bool silent;          /* and that was told */
	int64_t silent_since; /* heard_at when it was */
};

struct silence {
	const char *directory;
	int64_t began; /* deadline_now() of the start */
	struct watched *watched;
	size_t count;
	struct commit *commit;
	struct commit_returns *returns;
	int stop; /* wake */
	atomic_bool stopping;
	bool started;
	pthread_t thread;
};

/* ---- the commit thread's side ---- */

void
silence_stored(void *context, const struct spool_event *events, size_t count)
{
	struct silence *silence = context;
	int64_t now = deadline_now();

	for (size_t i = 0; i < count; i++) {
		for (size_t w = 0; w < silence->count; w++) {
			struct watched *watched = &silence->watched[w];

			if (!text_slice_is(events[i].source, watched->source->name))
				continue;
			atomic_store(&watched->received_at, events[i].received_at);
			atomic_store(&watched->heard_at, now);
		}
	}
}

/* ---- what is told ---- */

static void
write_sentence(const struct watched *watched, bool silent, int64_t last, struct text *text)
{
	text_append_format(text, "source %s %s", watched->source->name,
			   silent ? "has sent nothing for " : "is heard again");
	if (!silent)
		return;
	text_append_string(text, watched->source->silence_text);
	text_append_string(text, last > 0 ? "; its last event came at " : "; no event is known");
	if (last > 0)
		timestamp_write_rfc3339(text, last);
}

/* The names are those that the profile anyint looks for. */
static void
write_body(const struct watched *watched, const char *type, int64_t last, int64_t now,
	   struct text *body)
{
	struct json_node *document = json_write_object();
	char bytes[512];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	timestamp_write_rfc3339(&text, now);
	json_write_text(document, "type", text_of(type));
	json_write_text(document, "timestamp", text_slice(&text));
	json_write_text(document, "resource_id", text_of(watched->source->name));
	text_cut(&text, 0);
	write_sentence(watched, type == type_silent, last, &text);
	json_write_text(document, "message", text_slice(&text));
	json_write_finish(document, body);
}

/* True: it is durable. */
static bool
wait_for_answer(struct silence *silence, const struct submission *submission)
{
	struct submission *back = commit_returns_wait(silence->returns, submission, PATIENCE);
	bool done = back != NULL && back->answer == ANSWER_ACCEPTED;

	free(back);
	return done;
}

static bool
tell(struct silence *silence, const struct watched *watched, const char *type)
{
	int64_t last = atomic_load(&watched->received_at), now = deadline_wall();
	char id_bytes[ID_BYTES], body_bytes[BODY_BYTES];
	struct spool_event event = {.received_at = now, .type = text_of(type)};
	struct submission *submission;
	struct text id, body;

	text_start(&id, id_bytes, sizeof(id_bytes));
	text_start(&body, body_bytes, sizeof(body_bytes));
	text_append_format(&id, "%s-%s-%" PRId64, type, watched->source->name, last);
	write_body(watched, type, last, now, &body);
	if (id.overflowed || body.overflowed)
		memory_panic("an event about source %s does not fit", watched->source->name);
	event.source = SLICE_LITERAL(CONFIG_SOURCE_OWN);
	event.id = text_slice(&id);
	event.resource = text_of(watched->source->name);
	event.body = text_slice(&body);
	submission = submission_new(&event, 1);
	submission->returns = silence->returns;
	if (!commit_submit(silence->commit, submission)) {
		free(submission);
		return false;
	}
	return wait_for_answer(silence, submission);
}

/* What could not be stored is told at the next turn. */
static void
look_at(struct silence *silence, struct watched *watched)
{
	int64_t heard_at = atomic_load(&watched->heard_at);

	if (watched->silent && heard_at != watched->silent_since) {
		watched->silent = !tell(silence, watched, type_heard);
		if (!watched->silent)
			log_info("silence", "source %s is heard again", watched->source->name);
	}
	if (watched->silent || deadline_now() - heard_at < watched->source->silence)
		return;
	watched->silent = tell(silence, watched, type_silent);
	watched->silent_since = heard_at;
	if (watched->silent)
		log_warning("silence", "source %s has sent nothing for %s", watched->source->name,
			    watched->source->silence_text);
}

/* ---- the start ---- */

/* What is kept of an event that was found. */
struct found {
	uint64_t sequence; /* 0: none */
	int64_t received_at;
	bool silent; /* it is a source.silent */
};

static bool
keep_first(void *context, const struct spool_event *event)
{
	struct found *found = context;

	*found = (struct found){event->sequence, event->received_at,
				text_slice_is(event->type, type_silent)};
	return false;
}

static bool
find_last(struct spool_find *find, const struct spool_find_query *query, struct found *found,
	  struct error *error)
{
	*found = (struct found){0};
	return spool_find_backwards(find, query, keep_first, found, error);
}

/* As if it had run all the time: when it was heard, and what of it was told. */
static void
resume(struct watched *watched, const struct found *last, const struct found *told, int64_t began)
{
	int64_t silence = watched->source->silence;
	int64_t most = silence > SILENCE_GRACE ? silence - SILENCE_GRACE : 0;
	int64_t passed = last->sequence > 0 ? deadline_wall() - last->received_at : 0;
	int64_t expected = began;

	if (passed > most)
		passed = most;
	if (passed < 0) /* the clock was set back */
		passed = 0;
	watched->silent = told->silent;
	watched->silent_since = began - passed;
	/* heard since that was told, and nobody was told of it */
	if (told->silent && last->sequence > told->sequence)
		watched->silent_since--;
	/* unless it was heard while we looked */
	if (!atomic_compare_exchange_strong(&watched->heard_at, &expected, began - passed))
		return;
	atomic_store(&watched->received_at, last->received_at);
}

static bool
look_back(struct silence *silence, struct error *error)
{
	struct spool_find *find = NULL;
	bool done = spool_find_open(&find, silence->directory, error);

	for (size_t i = 0; done && i < silence->count; i++) {
		struct watched *watched = &silence->watched[i];
		struct spool_find_query own = spool_find_everything();
		struct spool_find_query its = spool_find_everything();
		struct found last, told;

		own.source = SLICE_LITERAL(CONFIG_SOURCE_OWN);
		own.resource = text_of(watched->source->name);
		own.type = "source.*";
		its.source = own.resource;
		done = find_last(find, &own, &told, error) && find_last(find, &its, &last, error);
		if (done)
			resume(watched, &last, &told, silence->began);
	}
	spool_find_close(find);
	return done;
}

/* ---- the thread ---- */

static void *
run(void *context)
{
	struct silence *silence = context;
	struct pollfd wait = {.fd = silence->stop, .events = POLLIN};
	struct error error;

	if (!look_back(silence, &error))
		log_warning("silence", "%s; the time begins with this start", error.text);
	while (!atomic_load(&silence->stopping)) {
		for (size_t i = 0; i < silence->count; i++)
			look_at(silence, &silence->watched[i]);
		if (poll(&wait, 1, TICK) < 0 && errno != EINTR)
			memory_panic("silence: poll: %m");
	}
	return NULL;
}

static void
add_sources(struct silence *silence, const struct config *config)
{
	silence->began = deadline_now();
	silence->watched = memory_allocate_array(config->sources_count, sizeof(*silence->watched));
	for (unsigned i = 0; i < config->sources_count; i++) {
		struct watched *watched = &silence->watched[silence->count];

		if (config->sources[i].silence == 0)
			continue;
		watched->source = &config->sources[i];
		atomic_init(&watched->heard_at, silence->began);
		silence->count++;
	}
}

bool
silence_start(struct silence **out, const struct config *config, struct commit *commit,
	      struct error *error)
{
	struct silence *silence = memory_allocate(sizeof(*silence));
	int returned, code;

	silence->stop = -1;
	silence->directory = config->spool.directory;
	silence->commit = commit;
	add_sources(silence, config);
	*out = silence->count > 0 ? silence : NULL;
	if (silence->count == 0) {
		silence_free(silence);
		return true;
	}
	if (!wake_open(&silence->stop, error) ||
	    !commit_returns_new(&silence->returns, &returned, error))
		return false;
	commit_watch(commit, silence_stored, silence);
	code = pthread_create(&silence->thread, NULL, run, silence);
	silence->started = code == 0;
	errno = code;
	return silence->started ||
	       error_set_errno(error, "the thread that watches for silence cannot be started");
}

void
silence_stop(struct silence *silence)
{
	if (silence == NULL || !silence->started)
		return;
	atomic_store(&silence->stopping, true);
	wake_raise(silence->stop);
	(void)pthread_join(silence->thread, NULL);
	silence->started = false;
}

void
silence_free(struct silence *silence)
{
	if (silence == NULL)
		return;
	commit_returns_free(silence->returns);
	if (silence->stop >= 0)
		close(silence->stop);
	free(silence->watched);
	free(silence);
}
