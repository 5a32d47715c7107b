#include "bridge/receiver/commit_returns.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridge/deadline.h"
#include "bridge/receiver/submission.h"
#include "bridge/wake.h"
#include "formats/memory.h"

struct commit_returns {
	pthread_mutex_t lock;
	struct submission *list;
	int descriptor;
};

bool
commit_returns_new(struct commit_returns **out, int *descriptor, struct error *error)
{
	struct commit_returns *returns = memory_allocate(sizeof(*returns));

	if (!wake_open(&returns->descriptor, error)) {
		free(returns);
		return false;
	}
	pthread_mutex_init(&returns->lock, NULL);
	*descriptor = returns->descriptor;
	*out = returns;
	return true;
}

void
commit_returns_free(struct commit_returns *returns)
{
	struct submission *submission, *next;

	if (returns == NULL)
		return;
	for (submission = returns->list; submission != NULL; submission = next) {
		next = submission->next;
		free(submission);
	}
	close(returns->descriptor);
	pthread_mutex_destroy(&returns->lock);
	free(returns);
}

struct submission *
commit_returns_take(struct commit_returns *returns)
{
	struct submission *list;

	wake_clear(returns->descriptor);
	pthread_mutex_lock(&returns->lock);
	list = returns->list;
	returns->list = NULL;
	pthread_mutex_unlock(&returns->lock);
	return list;
}

void
commit_returns_give(struct commit_returns *returns, struct submission *first,
		    struct submission *last)
{
	pthread_mutex_lock(&returns->lock);
	last->next = returns->list;
	returns->list = first;
	pthread_mutex_unlock(&returns->lock);
	wake_raise(returns->descriptor);
}

/* Frees what came late of others; gives the one that is waited for. */
static struct submission *
find(struct submission *list, const struct submission *wanted)
{
	struct submission *found = NULL, *next;

	for (; list != NULL; list = next) {
		next = list->next;
		if (list == wanted)
			found = list;
		else
			free(list);
	}
	return found;
}

struct submission *
commit_returns_wait(struct commit_returns *returns, const struct submission *submission,
		    int patience)
{
	struct deadline deadline = deadline_after(patience);
	struct pollfd wait = {.fd = returns->descriptor, .events = POLLIN};
	struct submission *found = NULL;

	while (found == NULL && !deadline_passed(deadline)) {
		if (poll(&wait, 1, deadline_left(deadline)) < 0 && errno != EINTR)
			memory_panic("commit_returns: poll: %m");
		found = find(commit_returns_take(returns), submission);
	}
	return found;
}
