/*
 * One libevent loop that nothing blocks.  What it is doing is one of three
 * phases; what is to happen next follows from the phase and from which children
 * are alive, and is decided in one place, after each death: child_ended().
 *
 *   running    a dead child is started anew, later each time
 *   reloading  the one child that was asked to go is started anew at once,
 *              and then the next one is asked
 *   stopping   the next one is asked to go; after the last the loop ends
 *
 * A child is always asked by SIGTERM and given a limit; SIGKILL comes after it.  How one
 * child is started, how a reload goes on and who hangs: supervisor_child.c,
 * supervisor_reload.c, supervisor_life.c.
 */
#include "bridge/supervisor.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "bridge/counters.h"
#include "bridge/counters_file.h"
#include "bridge/log.h"
#include "bridge/service.h"
#include "bridge/supervisor_internal.h"
#include "formats/memory.h"

enum {
	/* milliseconds */
	STOP_PATIENCE = 2500, /* for one child, before the next is asked as well */
	STOP_LIMIT = 4500,    /* for all, so that the last is reaped within 5 s */
	LOOK_PERIOD = 1000,   /* at the files of TLS; and a snapshot of the counters */
};

void
supervisor_set_timer(struct event *timer, int64_t milliseconds)
{
	struct timeval time = {.tv_sec = milliseconds / 1000,
			       .tv_usec = milliseconds % 1000 * 1000};

	if (event_add(timer, &time) != 0)
		memory_panic("a timer cannot be set");
}

/* ---- stopping ---- */

/*
 * Asks the next child in the order of the roles, so that the forwarder can still
 * send what the receiver took in last; or ends the loop where none is left.
 */
static void
stop_next(struct supervisor *supervisor)
{
	struct child *child = supervisor_child_next(supervisor, 0);

	if (child == NULL)
		(void)event_base_loopbreak(supervisor->base);
	else if (!child->asked)
		supervisor_child_ask(child);
}

static void
stop_all(struct supervisor *supervisor, int number)
{
	for (size_t i = 0; i < supervisor->count; i++)
		if (number == SIGKILL || !supervisor->children[i].asked)
			supervisor_child_signal(&supervisor->children[i], number);
	supervisor->all_asked = true;
}

static void
begin_stop(struct supervisor *supervisor, int status)
{
	if (supervisor->phase == PHASE_STOPPING)
		return;
	supervisor->phase = PHASE_STOPPING;
	service_notify("STOPPING=1\nSTATUS=sending what is under way");
	supervisor->status = status;
	supervisor->end = deadline_after(STOP_LIMIT);
	for (size_t i = 0; i < supervisor->count; i++)
		(void)event_del(supervisor->children[i].restart);
	supervisor_set_timer(supervisor->limit, STOP_PATIENCE);
	if (supervisor->checker > 0)
		(void)kill(supervisor->checker, SIGKILL);
	stop_next(supervisor);
}

/* ---- deaths ---- */

static void
child_ended(struct child *child, int status)
{
	struct supervisor *supervisor = child->supervisor;
	bool first = !child->has_lived, asked = child->asked;
	pid_t process = child->process;

	child->process = 0;
	child->has_lived = true;
	if (supervisor->phase == PHASE_STOPPING) {
		log_info(child->object, "pid %d has ended", (int)process);
		if (!supervisor->all_asked || supervisor_child_next(supervisor, 0) == NULL)
			stop_next(supervisor);
	} else if (first && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_EXIT_CONFIGURATION) {
		begin_stop(supervisor, CHILD_EXIT_FAILED); /* it has said why */
	} else if (supervisor->phase == PHASE_RELOADING && asked) {
		supervisor_child_start(child);
		supervisor_reload_next(supervisor);
	} else {
		supervisor_child_start_anew(child, process, status);
	}
}

static void
process_ended(struct supervisor *supervisor, pid_t process, int status)
{
	if (process == supervisor->checker) {
		supervisor_reload_checked(supervisor, status);
		return;
	}
	for (size_t i = 0; i < supervisor->count; i++) {
		if (supervisor->children[i].process == process) {
			child_ended(&supervisor->children[i], status);
			return;
		}
	}
}

/* ---- signals and timers ---- */

static void
on_child(evutil_socket_t number, short what, void *context)
{
	pid_t process;
	int status;

	(void)number;
	(void)what;
	while ((process = waitpid(-1, &status, WNOHANG)) > 0)
		process_ended(context, process, status);
}

static void
on_stop(evutil_socket_t number, short what, void *context)
{
	struct supervisor *supervisor = context;

	(void)what;
	log_info("stop", "told to by %s", number == SIGINT ? "SIGINT" : "SIGTERM");
	if (number == SIGINT && ++supervisor->interrupts > 1)
		stop_all(supervisor, SIGKILL);
	begin_stop(supervisor, CHILD_EXIT_OK);
}

static void
on_reload(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	supervisor_reload_begin(context);
}

static void
on_look(evutil_socket_t descriptor, short what, void *context)
{
	struct supervisor *supervisor = context;

	(void)descriptor;
	(void)what;
	if (supervisor->inheritance.snapshot >= 0)
		counters_file_write(supervisor->inheritance.snapshot, supervisor->counters);
	supervisor_reload_look(supervisor);
}

static void
on_limit(evutil_socket_t descriptor, short what, void *context)
{
	struct supervisor *supervisor = context;

	(void)descriptor;
	(void)what;
	if (supervisor->phase == PHASE_RELOADING) {
		supervisor_reload_limit(supervisor);
	} else if (supervisor->phase == PHASE_STOPPING && !deadline_passed(supervisor->end)) {
		stop_all(supervisor, SIGTERM);
		supervisor_set_timer(supervisor->limit, deadline_left(supervisor->end));
	} else if (supervisor->phase == PHASE_STOPPING) {
		log_warning("stop", "not all have ended within %d ms; killing what is left",
			    STOP_LIMIT);
		stop_all(supervisor, SIGKILL);
	}
}

/* ---- the whole ---- */

static bool
open_events(struct supervisor *supervisor, struct error *error)
{
	static const struct {
		int number;
		event_callback_fn callback;
	} signals[SUPERVISOR_SIGNALS] = {
	    {SIGCHLD, on_child},
	    {SIGTERM, on_stop},
	    {SIGINT, on_stop},
	    {SIGHUP, on_reload},
	};

	supervisor->base = event_base_new();
	if (supervisor->base == NULL)
		return error_set_errno(error, "an event loop cannot be made");
	for (size_t i = 0; i < SUPERVISOR_SIGNALS; i++) {
		supervisor->signals[i] = evsignal_new(supervisor->base, signals[i].number,
						      signals[i].callback, supervisor);
		if (supervisor->signals[i] == NULL || event_add(supervisor->signals[i], NULL) != 0)
			return error_set(error, "signal %d cannot be waited for",
					 signals[i].number);
	}
	supervisor->limit = evtimer_new(supervisor->base, on_limit, supervisor);
	supervisor->look = event_new(supervisor->base, -1, EV_PERSIST, on_look, supervisor);
	supervisor->tick = evtimer_new(supervisor->base, supervisor_life_on_tick, supervisor);
	if (supervisor->limit == NULL || supervisor->look == NULL || supervisor->tick == NULL)
		return error_set(error, "a timer cannot be made");
	supervisor_set_timer(supervisor->look, LOOK_PERIOD);
	return true;
}

static bool
open_children(struct supervisor *supervisor, const struct child_role *roles, struct error *error)
{
	for (size_t i = 0; i < supervisor->count; i++)
		if (!supervisor_child_open(&supervisor->children[i], supervisor, &roles[i], error))
			return false;
	return true;
}

static void
close_all(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->count; i++)
		supervisor_child_close(&supervisor->children[i]);
	for (size_t i = 0; i < SUPERVISOR_SIGNALS; i++)
		if (supervisor->signals[i] != NULL)
			event_free(supervisor->signals[i]);
	if (supervisor->limit != NULL)
		event_free(supervisor->limit);
	if (supervisor->look != NULL)
		event_free(supervisor->look);
	watch_free(supervisor->watch);
	if (supervisor->tick != NULL)
		event_free(supervisor->tick);
	if (supervisor->base != NULL)
		event_base_free(supervisor->base);
	free(supervisor->children);
}

int
supervisor_run(const struct child_role *roles, size_t count,
	       const struct child_inheritance *inheritance)
{
	struct supervisor supervisor = {
	    .inheritance = *inheritance,
	    .candidate = -1,
	    .children = memory_allocate_array(count, sizeof(struct child)),
	    .count = count,
	    .status = CHILD_EXIT_FAILED,
	    .silence = supervisor_life_silence(),
	};
	struct error error;

	if (!counters_map(inheritance->counters, &supervisor.counters, &error) ||
	    !open_events(&supervisor, &error) || !open_children(&supervisor, roles, &error)) {
		log_error("start", "%s", error.text);
		goto finish;
	}
	supervisor_reload_watch(&supervisor);
	atomic_store_explicit(&supervisor.counters->started_at, deadline_wall(),
			      memory_order_relaxed);
	for (size_t i = 0; i < count; i++)
		supervisor_child_start(&supervisor.children[i]);
	supervisor_set_timer(supervisor.tick, SUPERVISOR_READY_TICK);
	if (event_base_dispatch(supervisor.base) < 0)
		log_error("stop", "the event loop has failed: %m");
	else
		log_info("stop", "all have ended");
	if (inheritance->snapshot >= 0)
		counters_file_write(inheritance->snapshot, supervisor.counters);
finish:
	close_all(&supervisor);
	return supervisor.status;
}
