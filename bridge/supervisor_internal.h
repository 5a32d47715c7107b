/* What the files of the supervisor share with each other and with nobody else. */
#ifndef SUPERVISOR_INTERNAL_H
#define SUPERVISOR_INTERNAL_H

#include <event2/event.h>

#include "bridge/child.h"
#include "bridge/deadline.h"
#include "bridge/watch.h"

enum {
	SUPERVISOR_SIGNALS = 4,
	SUPERVISOR_OBJECT = 32,     /* bytes */
	SUPERVISOR_READY_TICK = 50, /* ms between two looks at the children, until all serve */
};

/* supervisor.c: what each of them means. */
enum phase { PHASE_RUNNING, PHASE_RELOADING, PHASE_STOPPING };

struct supervisor;

struct child {
	const struct child_role *role;
	struct supervisor *supervisor;
	char object[SUPERVISOR_OBJECT]; /* "role=receiver", for the log */
	pid_t process;                  /* 0: none now */
	int64_t started_at;             /* monotonic ms */
	int64_t backoff;                /* ms before the next start */
	bool has_lived;        /* was replaced or restarted: not its first start any more */
	bool asked;            /* to go, by SIGTERM */
	struct event *restart; /* timer */
};

struct supervisor {
	struct event_base *base;
	struct event *signals[SUPERVISOR_SIGNALS];
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
	int64_t silence;     /* supervisor_life_silence() */
	int status;          /* exit status */
};

/* Once, from now on. */
void supervisor_set_timer(struct event *timer, int64_t milliseconds);

/* ---- supervisor_child.c ---- */

/* Not started yet. */
MUST_CHECK bool supervisor_child_open(struct child *child, struct supervisor *supervisor,
				      const struct child_role *role, struct error *error);
void supervisor_child_close(struct child *child);

/* At once; where that fails, it is tried again later. */
void supervisor_child_start(struct child *child);

/* Later: it was `process` and has died unasked, of `status` (waitpid(2)). */
void supervisor_child_start_anew(struct child *child, pid_t process, int status);

/* Asks it to go, by SIGTERM. */
void supervisor_child_ask(struct child *child);

/* Where it is alive. */
void supervisor_child_signal(const struct child *child, int number);

/* The first child still alive, at or after `from`; NULL: none. */
struct child *supervisor_child_next(struct supervisor *supervisor, size_t from);

/* ---- supervisor_reload.c ---- */

/* The files that the configuration names now, as they are now: those that children read. */
void supervisor_reload_watch(struct supervisor *supervisor);

/* Begins one where a file that is watched is another one now. */
void supervisor_reload_look(struct supervisor *supervisor);

/* SIGHUP: begins one, or has it follow the one under way. */
void supervisor_reload_begin(struct supervisor *supervisor);

/* The checker has ended, of `status` (waitpid(2)). */
void supervisor_reload_checked(struct supervisor *supervisor, int status);

/* The child that was asked to go is replaced: the next one is asked, or it is done. */
void supervisor_reload_next(struct supervisor *supervisor);

/* The child that was asked to go has not gone in time. */
void supervisor_reload_limit(struct supervisor *supervisor);

/* ---- supervisor_life.c ---- */

/* How long a child may give no sign of life, ms. */
int64_t supervisor_life_silence(void);

/* supervisor->tick: looks at the children, and tells the service manager. */
void supervisor_life_on_tick(evutil_socket_t descriptor, short what, void *supervisor);

#endif
