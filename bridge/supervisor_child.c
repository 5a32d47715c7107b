/*
 * One child: how it is started, and started anew, later each time that it dies soon.
 * What becomes of it after a death is decided in supervisor.c.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "bridge/counters.h"
#include "bridge/fault.h"
#include "bridge/log.h"
#include "bridge/supervisor_internal.h"
#include "formats/text.h"

enum {
	/* milliseconds */
	BACKOFF_FIRST = 100,
#ifdef FAULTS
	BACKOFF_LAST = 100, /* a test kills hundreds of times */
#else
	BACKOFF_LAST = 10000,
#endif
	SETTLED = 10000, /* a child that lived this long begins again at BACKOFF_FIRST */
};

void
supervisor_child_signal(const struct child *child, int number)
{
	/* It is our child and not yet waited for: the number cannot be somebody else's. */
	if (child->process > 0 && kill(child->process, number) != 0)
		log_error(child->object, "pid %d cannot be sent signal %d: %m", (int)child->process,
			  number);
}

void
supervisor_child_ask(struct child *child)
{
	child->asked = true;
	supervisor_child_signal(child, SIGTERM);
}

struct child *
supervisor_child_next(struct supervisor *supervisor, size_t from)
{
	for (size_t i = from; i < supervisor->count; i++)
		if (supervisor->children[i].process > 0)
			return &supervisor->children[i];
	return NULL;
}

static void
start_later(struct child *child)
{
	supervisor_set_timer(child->restart, child->backoff);
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

bool
supervisor_child_open(struct child *child, struct supervisor *supervisor,
		      const struct child_role *role, struct error *error)
{
	struct text object;

	child->role = role;
	child->supervisor = supervisor;
	text_start(&object, child->object, sizeof(child->object));
	text_append_format(&object, "role=%s", role->name);
	text_append_byte(&object, '\0');
	child->restart = evtimer_new(supervisor->base, on_restart, child);
	if (child->restart == NULL)
		return error_set(error, "a timer cannot be made");
	return true;
}

void
supervisor_child_close(struct child *child)
{
	if (child->restart != NULL)
		event_free(child->restart);
}

void
supervisor_child_start(struct child *child)
{
	child->backoff = BACKOFF_FIRST;
	start(child);
}

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

void
supervisor_child_start_anew(struct child *child, pid_t process, int status)
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
