/*
 * Signs of life: each role writes into the shared page when it was last well.  Who hangs
 * is killed, and the service manager is told that all serve, and then that we live.
 */
#include <signal.h>
#include <stdatomic.h>

#include "bridge/counters.h"
#include "bridge/log.h"
#include "bridge/service.h"
#include "bridge/supervisor_internal.h"

enum {
	TICK = 1000,     /* ms between two looks at the children */
	SILENCE = 20000, /* ms without a sign of life: it hangs, and is killed */
};

/* When it was last heard of; 0: it has not yet said that it serves. */
static int64_t
last_beat(const struct child *child)
{
	int64_t beat = atomic_load_explicit(&child->supervisor->counters->beats[child->role->life],
					    memory_order_relaxed);

	return beat >= child->started_at ? beat : 0;
}

static bool
is_watched(const struct child *child)
{
	return child->role->life != COUNTERS_LIFE_NONE && child->process > 0;
}

/*
 * A start may take its time (a large spool is read), and so may a farewell, which
 * has a limit of its own: only who has served and says nothing any more hangs.
 */
static bool
hangs(const struct child *child)
{
	int64_t beat = last_beat(child);

	return is_watched(child) && !child->asked && beat > 0 &&
	       deadline_now() - beat > child->supervisor->silence;
}

static bool
all_serve(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->count; i++) {
		const struct child *child = &supervisor->children[i];

		if (child->role->life != COUNTERS_LIFE_NONE &&
		    (child->process == 0 || last_beat(child) == 0))
			return false;
	}
	return true;
}

static void
look_for_ready(struct supervisor *supervisor)
{
	if (supervisor->ready || supervisor->phase != PHASE_RUNNING || !all_serve(supervisor))
		return;
	supervisor->ready = true;
	log_info("start", "ready: every role serves");
	service_notify("READY=1\nSTATUS=receiving and forwarding");
}

/*
 * The service manager hears of us as long as nobody hangs, or as who hangs can still
 * be killed: a process that even SIGKILL does not end (a disk that does not answer)
 * is for it to deal with.
 */
void
supervisor_life_on_tick(evutil_socket_t descriptor, short what, void *context)
{
	struct supervisor *supervisor = context;
	bool all_live = true;

	(void)descriptor;
	(void)what;
	for (size_t i = 0; i < supervisor->count; i++) {
		struct child *child = &supervisor->children[i];

		if (!hangs(child))
			continue;
		all_live = false;
		log_error(child->object, "pid %d has given no sign of life for %lld ms; killing it",
			  (int)child->process, (long long)supervisor->silence);
		supervisor_child_signal(child, SIGKILL);
	}
	look_for_ready(supervisor);
	if (all_live)
		service_notify("WATCHDOG=1");
	supervisor_set_timer(supervisor->tick, supervisor->ready ? TICK : SUPERVISOR_READY_TICK);
}

/* Half of its patience for the children's silence, so that it hears of us in time. */
int64_t
supervisor_life_silence(void)
{
	int64_t half = service_watchdog() / 2;

	return half > 0 && half < SILENCE ? half : SILENCE;
}
