/*
 * A reload: the configuration is checked, in a process of its own, and where it is good
 * one child after the other is asked to go and is started with it.  Where it is not,
 * nothing changes.  A second reload waits for the end of the first.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/config_snapshot.h"
#include "bridge/log.h"
#include "bridge/service.h"
#include "bridge/supervisor_internal.h"
#include "formats/text.h"

enum { RELOAD_LIMIT = 5000 }; /* ms, for one child */

static void
drop_candidate(struct supervisor *supervisor)
{
	if (supervisor->candidate >= 0)
		close(supervisor->candidate);
	supervisor->candidate = -1;
}

void
supervisor_reload_watch(struct supervisor *supervisor)
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
	struct child *child = supervisor_child_next(supervisor, from);

	/* One that is dead and waits for its restart will read the new file by itself. */
	if (child == NULL) {
		end_reload(supervisor);
		return;
	}
	supervisor->current = (size_t)(child - supervisor->children);
	supervisor_set_timer(supervisor->limit, RELOAD_LIMIT);
	supervisor_child_ask(child);
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

void
supervisor_reload_checked(struct supervisor *supervisor, int status)
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
	/* before they are read: what changes meanwhile is seen */
	supervisor_reload_watch(supervisor);
	service_notify("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=replacing the processes",
		       (long long)deadline_now() * 1000);
	reload_from(supervisor, 0);
}

void
supervisor_reload_next(struct supervisor *supervisor)
{
	reload_from(supervisor, supervisor->current + 1);
}

void
supervisor_reload_limit(struct supervisor *supervisor)
{
	struct child *current = &supervisor->children[supervisor->current];

	log_warning(current->object, "has not ended within %d ms; killing it", RELOAD_LIMIT);
	supervisor_child_signal(current, SIGKILL);
}

void
supervisor_reload_begin(struct supervisor *supervisor)
{
	if (supervisor->phase == PHASE_RELOADING || supervisor->checker > 0)
		supervisor->reload_again = true;
	else if (supervisor->phase == PHASE_RUNNING)
		begin_check(supervisor, true);
}

void
supervisor_reload_look(struct supervisor *supervisor)
{
	const char *changed;

	if (supervisor->phase != PHASE_RUNNING || supervisor->checker > 0 ||
	    supervisor->watch == NULL)
		return;
	changed = watch_look(supervisor->watch);
	if (changed == NULL)
		return;
	log_info("reload", "%s is another one now", changed);
	begin_check(supervisor, false);
}
