#include "bridge/forwarder/indexer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bridge/log.h"
#include "bridge/spool/spool_index.h"
#include "bridge/wake.h"
#include "formats/memory.h"

/*
 * Milliseconds; and what it asks of the processor: a tenth where others want it, for
 * one that got nothing at all would hold its read transaction for ever.
 */
enum { PAUSE = 1000, PAUSE_AFTER_FAILURE = 60000, NICENESS = 10 };

struct indexer {
	const char *directory;
	pthread_t thread;
	int wake;
	atomic_bool stopping;
};

static void
wait_for(struct indexer *indexer, int milliseconds)
{
	struct pollfd wait = {.fd = indexer->wake, .events = POLLIN};

	if (poll(&wait, 1, milliseconds) < 0 && errno != EINTR)
		memory_panic("indexer: poll: %m");
}

/* Until told to stop, or until the index fails. */
static bool
keep_up(struct indexer *indexer, struct spool_index *index, struct error *error)
{
	bool more = false;

	while (!atomic_load(&indexer->stopping)) {
		if (!spool_index_extend(index, &more, error))
			return false;
		if (!more)
			wait_for(indexer, PAUSE);
	}
	return true;
}

static void *
run(void *context)
{
	struct indexer *indexer = context;
	struct error error;
	bool good = true;

	/* on Linux the priority is the thread's own; without it we are only less polite */
	if (setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS) != 0)
		log_debug("index", "its priority cannot be lowered: %m");
	while (!atomic_load(&indexer->stopping)) {
		struct spool_index *index = NULL;

		good = spool_index_open(&index, indexer->directory, !good, &error);
		if (good) {
			good = keep_up(indexer, index, &error);
			spool_index_close(index);
		}
		if (!good) {
			log_warning("index",
				    "index.db cannot be written: %s; searching takes longer, "
				    "nothing else depends on it",
				    error.text);
			wait_for(indexer, PAUSE_AFTER_FAILURE);
		}
	}
	return NULL;
}

bool
indexer_start(struct indexer **out, const char *directory, struct error *error)
{
	struct indexer *indexer = memory_allocate(sizeof(*indexer));
	int code;

	indexer->directory = directory;
	if (!wake_open(&indexer->wake, error)) {
		free(indexer);
		return false;
	}
	code = pthread_create(&indexer->thread, NULL, run, indexer);
	if (code != 0) {
		errno = code;
		error_set_errno(error, "the thread of the index cannot be started");
		close(indexer->wake);
		free(indexer);
		return false;
	}
	*out = indexer;
	return true;
}

void
indexer_stop(struct indexer *indexer)
{
	if (indexer == NULL)
		return;
	atomic_store(&indexer->stopping, true);
	wake_raise(indexer->wake);
	(void)pthread_join(indexer->thread, NULL);
	close(indexer->wake);
	free(indexer);
}
