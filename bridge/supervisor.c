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
 * A child is always asked by SIGTERM and given a limit; SIGKILL comes after it.
 */
#include "bridge/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "bridge/config.h"
#include "bridge/config_snapshot.h"
#include "bridge/counters.h"
#include "bridge/counters_file.h"
#include "bridge/deadline.h"
#include "bridge/fault.h"
#include "bridge/log.h"
#include "bridge/service.h"
#include "bridge/watch.h"
#include "formats/memory.h"
#include "formats/text.h"

enum {
	/* milliseconds */
	BACKOFF_FIRST = 100,
#ifdef FAULTS
	BACKOFF_LAST = 100, /* a test kills hundreds of times */
#else
	BACKOFF_LAST = 10000,
#endif
	SETTLED = 10000,      /* a child that lived this long begins again at BACKOFF_FIRST */
	STOP_PATIENCE = 2500, /* for one child, before the next is asked as well */
	STOP_LIMIT = 4500,    /* for all, so that the last is reaped within 5 s */
	RELOAD_LIMIT = 5000,  /* for one child */
	LOOK_PERIOD = 1000,   /* at the files of TLS; and a snapshot of the counters */
	TICK = 1000,          /* between two looks at the children */
	READY_TICK = 50,
	SILENCE = 20000, /* without a sign of life: it hangs, and is killed */
	SIGNALS = 4,
	LONGEST_OBJECT = 32,
};

enum phase { PHASE_RUNNING, PHASE_RELOADING, PHASE_STOPPING };

struct supervisor;

struct child {
	const struct child_role *role;
	struct supervisor *supervisor;
	char object[LONGEST_OBJECT]; /* "role=receiver", for the log */
	pid_t process;               /* 0: none now */
	int64_t started_at;          /* monotonic ms */
	int64_t backoff;             /* ms before the next start */
	bool has_lived;              /* was replaced or restarted: not its first start any more */
	bool asked;                  /* to go, by SIGTERM */
	struct event *restart;       /* timer */
};

struct supervisor {
	struct event_base *base;
	struct event *signals[SIGNALS];
	struct event *tick;
	struct event *limit; /* of the child that reloads, or of the whole stop */
	struct child_inheritance inheritance;
	struct counters *counters;
	struct child *children;
	size_t count;
	enum phase phase;
	size_t current;      /* child that reloads, or was last asked to stop */
	pid_t checker;       /* 0: none; reload waits for it */
	int candidate;       /* the configuration that it checks; -1: none */
	bool reload_again;   /* SIGHUP came during a reload */
	struct event *look;  /* timer */
	struct watch *watch; /* NULL: there is nothing to look at */
	bool all_asked;      /* stopping: the patience for the first is over */
	struct deadline end; /* stopping: of the whole */
	int interrupts;      /* SIGINTs so far */
	bool ready;          /* every role has said once that it serves */
	int64_t silence;     /* SILENCE, or less where the service manager has less patience */
	int status;          /* exit status */
};

static void
set_timer(struct event *timer, int64_t milliseconds)
{
	struct timeval time = {.tv_sec = milliseconds / 1000,
			       .tv_usec = milliseconds % 1000 * 1000};

	if (event_add(timer, &time) != 0)
		memory_panic("a timer cannot be set");
}

static void
send_signal(const struct child *child, int number)
{
	/* It is our child and not yet waited for: the number cannot be somebody else's. */
	if (child->process > 0 && kill(child->process, number) != 0)
		log_error(child->object, "pid %d cannot be sent signal %d: %m", (int)child->process,
			  number);
}

static void
ask_to_go(struct child *child)
{
	child->asked = true;
	send_signal(child, SIGTERM);
}

static void
start_later(struct child *child)
{
	set_timer(child->restart, child->backoff);
	child->backoff = child->backoff * 2 < BACKOFF_LAST ? child->backoff * 2 : BACKOFF_LAST;
}

static void
start(struct child *child)
{
	struct error error;

	child->asked = false;
	child->started_at = deadline_now();
	if (!child_start(child->role, &child->supervisor->inheritance, &child->process, &error)) {
		log_error(child->object, "%s; trying again in %lld ms", error.text,
			  (long long)child->backoff);
		start_later(child);
		return;
	}
	log_info(child->object, "started as pid %d", (int)child->process);
}

static void
on_restart(evutil_socket_t descriptor, short what, void *context)
{
	(void)descriptor;
	(void)what;
	start(context);
}

/* ---- stopping ---- */

/* The first child still alive, at or after `from`; NULL: none. */
static struct child *
next_alive(struct supervisor *supervisor, size_t from)
{
	for (size_t i = from; i < supervisor->count; i++)
		if (supervisor->children[i].process > 0)
			return &supervisor->children[i];
	return NULL;
}

/*
 * Asks the next child in the order of the roles, so that the forwarder can still
 * send what the receiver took in last; or ends the loop where none is left.
 */
static void
stop_next(struct supervisor *supervisor)
{
	struct child *child = next_alive(supervisor, 0);

	if (child == NULL)
		(void)event_base_loopbreak(supervisor->base);
	else if (!child->asked)
		ask_to_go(child);
}

static void
stop_all(struct supervisor *supervisor, int number)
{
	for (size_t i = 0; i < supervisor->count; i++)
		if (number == SIGKILL || !supervisor->children[i].asked)
			send_signal(&supervisor->children[i], number);
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
	set_timer(supervisor->limit, STOP_PATIENCE);
	if (supervisor->checker > 0)
		(void)kill(supervisor->checker, SIGKILL);
	stop_next(supervisor);
}

/* ---- reloading ---- */

static void begin_check(struct supervisor *supervisor, bool anew);

static void
drop_candidate(struct supervisor *supervisor)
{
	if (supervisor->candidate >= 0)
		close(supervisor->candidate);
	supervisor->candidate = -1;
}

/* The files that the configuration names now, as they are now: those that children read. */
static void
watch_files(struct supervisor *supervisor)
{
	struct config *config;
	struct error error;

	watch_free(supervisor->watch);
	supervisor->watch = NULL;
	if (!config_read(&config, supervisor->inheritance.config_path, &error))
		return;
	supervisor->watch = watch_new(config);
	config_free(config);
}

static void
end_reload(struct supervisor *supervisor)
{
	supervisor->phase = PHASE_RUNNING;
	supervisor->ready = false; /* the service manager hears of it when all serve again */
	(void)event_del(supervisor->limit);
	log_info("reload", "done: every role was started anew with %s",
		 supervisor->inheritance.config_path);
	if (supervisor->reload_again) {
		supervisor->reload_again = false;
		begin_check(supervisor, true);
	}
}

/* Replaces children from `from` on: the first that is alive is asked to go. */
static void
reload_from(struct supervisor *supervisor, size_t from)
{
	struct child *child = next_alive(supervisor, from);

	/* One that is dead and waits for its restart will read the new file by itself. */
	if (child == NULL) {
		end_reload(supervisor);
		return;
	}
	supervisor->current = (size_t)(child - supervisor->children);
	set_timer(supervisor->limit, RELOAD_LIMIT);
	ask_to_go(child);
}

/*
 * What is checked is what will be used: a copy, which nobody edits meanwhile.  `anew`:
 * of the file as it is now; else of what is in use, because only files that it names
 * are others.
 */
static void
begin_check(struct supervisor *supervisor, bool anew)
{
	struct child_inheritance *inheritance = &supervisor->inheritance;
	struct error error;

	if (inheritance->config >= 0 && !anew)
		supervisor->candidate = fcntl(inheritance->config, F_DUPFD_CLOEXEC, 0);
	else if (inheritance->config >= 0 &&
		 !config_snapshot_take(inheritance->config_path, &supervisor->candidate, &error)) {
		log_error("reload", "%s; going on with the configuration as it was", error.text);
		return;
	}
	/* the sockets are ours, whether a receiver lives at this moment or not */
	if (!child_start_check(inheritance->config_path, supervisor->candidate, true,
			       &supervisor->checker, &error)) {
		supervisor->checker = 0;
		drop_candidate(supervisor);
		log_error("reload", "%s; going on with the configuration as it was", error.text);
	}
}

/* From now on children are started with what was checked; says what is new in it. */
static void
take_candidate(struct supervisor *supervisor)
{
	struct child_inheritance *inheritance = &supervisor->inheritance;
	char changes[1024];
	struct text text;

	if (supervisor->candidate < 0)
		return;
	text_start(&text, changes, sizeof(changes) - 1);
	config_snapshot_compare(inheritance->config, supervisor->candidate, &text);
	changes[text.length] = '\0';
	log_info("reload", "what changes in %s: %s%s", inheritance->config_path, changes,
		 text.overflowed ? " ..." : "");
	close(inheritance->config);
	inheritance->config = supervisor->candidate;
	supervisor->candidate = -1;
	config_snapshot_use(inheritance->config_path, inheritance->config);
}

static void
checker_ended(struct supervisor *supervisor, int status)
{
	supervisor->checker = 0;
	if (supervisor->phase != PHASE_RUNNING) {
		drop_candidate(supervisor);
		return;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		supervisor->reload_again = false;
		drop_candidate(supervisor);
		log_error("reload",
			  "%s cannot be used (siembridge check says why); going on with the "
			  "configuration as it was",
			  supervisor->inheritance.config_path);
		return;
	}
	log_info("reload", "%s is good: replacing one role after the other",
		 supervisor->inheritance.config_path);
	take_candidate(supervisor);
	supervisor->phase = PHASE_RELOADING;
	watch_files(supervisor); /* before they are read: what changes meanwhile is seen */
	service_notify("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=replacing the processes",
		       (long long)deadline_now() * 1000);
	reload_from(supervisor, 0);
}

/* ---- deaths ---- */

/* "was killed by signal 9 (Killed)", "ended with status 1" */
static void
describe_end(int status, struct text *text)
{
	const char *description = WIFSIGNALED(status) ? sigdescr_np(WTERMSIG(status)) : NULL;

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		text_append_string(text, "made a system call that its confinement ends it for "
					 "(SIGSYS; the kernel's log has its number)");
	else if (WIFSIGNALED(status))
		text_append_format(text, "was killed by signal %d (%s)", WTERMSIG(status),
				   description != NULL ? description : "of no name");
	else
		text_append_format(text, "ended with status %d", WEXITSTATUS(status));
	text_append_byte(text, '\0');
}

static void
start_anew(struct child *child, pid_t process, int status)
{
	char end[128];
	struct text text;

	text_start(&text, end, sizeof(end));
	describe_end(status, &text);
	if (deadline_now() - child->started_at >= SETTLED)
		child->backoff = BACKOFF_FIRST;
	log_warning(child->object, "pid %d %s; starting it anew in %lld ms", (int)process, end,
		    (long long)child->backoff);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		fault_spent();
	counters_add(child->supervisor->counters, COUNTER_RESTARTS, 1);
	start_later(child);
}

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
		if (!supervisor->all_asked || next_alive(supervisor, 0) == NULL)
			stop_next(supervisor);
	} else if (first && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_EXIT_CONFIGURATION) {
		begin_stop(supervisor, CHILD_EXIT_FAILED); /* it has said why */
	} else if (supervisor->phase == PHASE_RELOADING && asked) {
		child->backoff = BACKOFF_FIRST;
		start(child);
		reload_from(supervisor, supervisor->current + 1);
	} else {
		start_anew(child, process, status);
	}
}

static void
process_ended(struct supervisor *supervisor, pid_t process, int status)
{
	if (process == supervisor->checker) {
		checker_ended(supervisor, status);
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
	struct supervisor *supervisor = context;

	(void)number;
	(void)what;
	if (supervisor->phase == PHASE_RELOADING || supervisor->checker > 0)
		supervisor->reload_again = true;
	else if (supervisor->phase == PHASE_RUNNING)
		begin_check(supervisor, true);
}

static void
on_look(evutil_socket_t descriptor, short what, void *context)
{
	struct supervisor *supervisor = context;
	const char *changed;

	(void)descriptor;
	(void)what;
	if (supervisor->inheritance.snapshot >= 0)
		counters_file_write(supervisor->inheritance.snapshot, supervisor->counters);
	if (supervisor->phase != PHASE_RUNNING || supervisor->checker > 0 ||
	    supervisor->watch == NULL)
		return;
	changed = watch_look(supervisor->watch);
	if (changed == NULL)
		return;
	log_info("reload", "%s is another one now", changed);
	begin_check(supervisor, false);
}

static void
on_limit(evutil_socket_t descriptor, short what, void *context)
{
	struct supervisor *supervisor = context;
	struct child *current = &supervisor->children[supervisor->current];

	(void)descriptor;
	(void)what;
	if (supervisor->phase == PHASE_RELOADING) {
		log_warning(current->object, "has not ended within %d ms; killing it",
			    RELOAD_LIMIT);
		send_signal(current, SIGKILL);
	} else if (supervisor->phase == PHASE_STOPPING && !deadline_passed(supervisor->end)) {
		stop_all(supervisor, SIGTERM);
		set_timer(supervisor->limit, deadline_left(supervisor->end));
	} else if (supervisor->phase == PHASE_STOPPING) {
		log_warning("stop", "not all have ended within %d ms; killing what is left",
			    STOP_LIMIT);
		stop_all(supervisor, SIGKILL);
	}
}

/* ---- life ---- */

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
static void
on_tick(evutil_socket_t descriptor, short what, void *context)
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
		send_signal(child, SIGKILL);
	}
	look_for_ready(supervisor);
	if (all_live)
		service_notify("WATCHDOG=1");
	set_timer(supervisor->tick, supervisor->ready ? TICK : READY_TICK);
}

/* Half of its patience for the children's silence, so that it hears of us in time. */
static int64_t
patience(void)
{
	int64_t half = service_watchdog() / 2;

	return half > 0 && half < SILENCE ? half : SILENCE;
}

/* ---- the whole ---- */

static bool
open_events(struct supervisor *supervisor, struct error *error)
{
	static const struct {
		int number;
		event_callback_fn callback;
	} signals[SIGNALS] = {
	    {SIGCHLD, on_child},
	    {SIGTERM, on_stop},
	    {SIGINT, on_stop},
	    {SIGHUP, on_reload},
	};

	supervisor->base = event_base_new();
	if (supervisor->base == NULL)
		return error_set_errno(error, "an event loop cannot be made");
	for (size_t i = 0; i < SIGNALS; i++) {
		supervisor->signals[i] = evsignal_new(supervisor->base, signals[i].number,
						      signals[i].callback, supervisor);
		if (supervisor->signals[i] == NULL || event_add(supervisor->signals[i], NULL) != 0)
			return error_set(error, "signal %d cannot be waited for",
					 signals[i].number);
	}
	supervisor->limit = evtimer_new(supervisor->base, on_limit, supervisor);
	supervisor->look = event_new(supervisor->base, -1, EV_PERSIST, on_look, supervisor);
	supervisor->tick = evtimer_new(supervisor->base, on_tick, supervisor);
	if (supervisor->limit == NULL || supervisor->look == NULL || supervisor->tick == NULL)
		return error_set(error, "a timer cannot be made");
	set_timer(supervisor->look, LOOK_PERIOD);
	return true;
}

static bool
open_children(struct supervisor *supervisor, const struct child_role *roles, struct error *error)
{
	for (size_t i = 0; i < supervisor->count; i++) {
		struct child *child = &supervisor->children[i];
		struct text object;

		child->role = &roles[i];
		child->supervisor = supervisor;
		child->backoff = BACKOFF_FIRST;
		text_start(&object, child->object, sizeof(child->object));
		text_append_format(&object, "role=%s", roles[i].name);
		text_append_byte(&object, '\0');
		child->restart = evtimer_new(supervisor->base, on_restart, child);
		if (child->restart == NULL)
			return error_set(error, "a timer cannot be made");
	}
	return true;
}

static void
close_all(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->count; i++)
		if (supervisor->children[i].restart != NULL)
			event_free(supervisor->children[i].restart);
	for (size_t i = 0; i < SIGNALS; i++)
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
	    .silence = patience(),
	};
	struct error error;

	if (!counters_map(inheritance->counters, &supervisor.counters, &error) ||
	    !open_events(&supervisor, &error) || !open_children(&supervisor, roles, &error)) {
		log_error("start", "%s", error.text);
		goto finish;
	}
	watch_files(&supervisor);
	atomic_store_explicit(&supervisor.counters->started_at, deadline_wall(),
			      memory_order_relaxed);
	for (size_t i = 0; i < count; i++)
		start(&supervisor.children[i]);
	set_timer(supervisor.tick, READY_TICK);
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
