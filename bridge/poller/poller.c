/*
 * A thread asks one list after the other, each when it is due, and may be held up by
 * every one of them for its `timeout`; the main thread waits to be told to stop.
 *
 * Nothing is remembered from one look to the next, nor over a restart: each asks for
 * everything of the last `lookback`, and the receiver knows what it has.
 */
#include "bridge/poller/poller.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "bridge/log.h"
#include "bridge/poller/poll_walk.h"
#include "bridge/wake.h"
#include "formats/memory.h"

enum { FIRST_LOOK = 2000 /* milliseconds after the start: the receiver starts as well */ };

struct polled_source {
	const struct config_source *source;
	struct secret *token;
	int64_t due;            /* deadline_now() */
	struct error complaint; /* that was logged last; empty: all is well */
};

struct poller {
	struct config *config;
	struct polled_source *sources;
	size_t count;
	int signals; /* signalfd */
	int wake;    /* raised when it is to stop */
	atomic_bool stopping;
	pthread_t thread;
};

bool
poller_token(struct secret **token, const struct config_poll *poll, struct error *error)
{
	*token = NULL;
	return poll->token_file == NULL || secret_read_token(token, poll->token_file, error) ||
	       error_prefix(error, "token_file");
}

/* ---- a look ---- */

/* Only a reason that is new is told. */
static void
complain(struct polled_source *polled, const struct error *error)
{
	if (strcmp(polled->complaint.text, error->text) != 0)
		log_warning("poll", "source %s: %s; again in %s", polled->source->name, error->text,
			    polled->source->poll->interval_text != NULL
				? polled->source->poll->interval_text
				: "5m");
	polled->complaint = *error;
}

static void
tell(struct polled_source *polled, const struct poll_found *found)
{
	if (polled->complaint.text[0] != '\0')
		log_info("poll", "source %s answers again", polled->source->name);
	polled->complaint.text[0] = '\0';
	if (found->missed > 0)
		log_warning("poll",
			    "source %s: %llu event(s) in its list that no webhook had brought; "
			    "they are stored now, see what keeps its webhooks from here",
			    polled->source->name, (unsigned long long)found->missed);
	if (found->unreadable > 0)
		log_warning("poll",
			    "source %s: %llu item(s) of its list are no events; look at `event` of "
			    "its poll",
			    polled->source->name, (unsigned long long)found->unreadable);
	log_debug("poll", "source %s: %llu seen, %llu known, %llu young", polled->source->name,
		  (unsigned long long)found->seen, (unsigned long long)found->known,
		  (unsigned long long)found->young);
}

static void
look(struct poller *poller, struct polled_source *polled)
{
	const struct config_poll *poll = polled->source->poll;
	int64_t now = deadline_wall();
	struct poll_walk walk = {
	    .source = polled->source,
	    .spool_directory = poller->config->spool.directory,
	    .token = polled->token,
	    .since = now - poll->lookback,
	    .until = now - poll->grace,
	    .stopping = &poller->stopping,
	};
	struct poll_found found;
	struct error error;
	int64_t pause = poll->interval;

	if (poll_walk_run(&walk, &found, &error))
		tell(polled, &found);
	else if (!atomic_load(&poller->stopping))
		complain(polled, &error);
	if (walk.retry_after > pause)
		pause = walk.retry_after;
	polled->due = deadline_now() + pause;
}

static struct polled_source *
next_of(const struct poller *poller)
{
	struct polled_source *next = &poller->sources[0];

	for (size_t i = 1; i < poller->count; i++)
		if (poller->sources[i].due < next->due)
			next = &poller->sources[i];
	return next;
}

static void *
run(void *context)
{
	struct poller *poller = context;
	struct pollfd wait = {.fd = poller->wake, .events = POLLIN};

	while (!atomic_load(&poller->stopping)) {
		struct polled_source *next = next_of(poller);
		int64_t left = next->due - deadline_now();

		if (left <= 0)
			look(poller, next);
		else if (poll(&wait, 1, left < INT32_MAX ? (int)left : INT32_MAX) < 0 &&
			 errno != EINTR)
			memory_panic("poller: poll: %m");
	}
	return NULL;
}

/* ---- the process ---- */

static bool
prepare_sources(struct poller *poller, struct error *error)
{
	const struct config *config = poller->config;

	poller->sources = memory_allocate_array(config->sources_count, sizeof(*poller->sources));
	for (unsigned i = 0; i < config->sources_count; i++) {
		struct polled_source *polled = &poller->sources[poller->count];

		if (config->sources[i].poll == NULL)
			continue;
		polled->source = &config->sources[i];
		polled->due = deadline_now() + FIRST_LOOK;
		poller->count++;
		if (!poller_token(&polled->token, polled->source->poll, error))
			return error_prefix(error, "source %s", polled->source->name);
	}
	return true;
}

static bool
start(struct poller *poller, const struct child_inheritance *inheritance, struct error *error)
{
	sigset_t stop;
	int code;

	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTERM);
	if (pthread_sigmask(SIG_BLOCK, &stop, NULL) != 0)
		return error_set_errno(error, "cannot set up signals");
	poller->signals = signalfd(-1, &stop, SFD_CLOEXEC);
	if (poller->signals < 0)
		return error_set_errno(error, "cannot wait for signals");
	if (!wake_open(&poller->wake, error) || !prepare_sources(poller, error) ||
	    !child_confine(inheritance, poller->config, error))
		return false;
	if (poller->count == 0) /* after a reload that took the last one away */
		return true;
	code = pthread_create(&poller->thread, NULL, run, poller);
	errno = code;
	return code == 0 || error_set_errno(error, "its thread cannot be started");
}

static void
wait_for_end(struct poller *poller)
{
	struct signalfd_siginfo signal;

	while (read(poller->signals, &signal, sizeof(signal)) < 0)
		if (errno != EINTR)
			memory_panic("poller: signals: %m");
	atomic_store(&poller->stopping, true);
	wake_raise(poller->wake);
	if (poller->count > 0)
		(void)pthread_join(poller->thread, NULL);
}

static void
release(struct poller *poller)
{
	for (size_t i = 0; i < poller->count; i++)
		secret_free(poller->sources[i].token);
	free(poller->sources);
	if (poller->signals >= 0)
		(void)close(poller->signals);
	if (poller->wake >= 0)
		(void)close(poller->wake);
	config_free(poller->config);
}

int
poller_run(const struct child_inheritance *inheritance)
{
	struct poller poller = {.signals = -1, .wake = -1};
	struct error error;
	int status = CHILD_EXIT_OK;

	if (!config_read(&poller.config, inheritance->config_path, &error)) {
		log_error("config", "%s", error.text);
		return CHILD_EXIT_CONFIGURATION;
	}
	if (start(&poller, inheritance, &error)) {
		wait_for_end(&poller);
	} else {
		log_error("start", "%s", error.text);
		status = CHILD_EXIT_FAILED;
	}
	release(&poller);
	return status;
}
