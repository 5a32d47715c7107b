/*
 * A child process: our own binary, executed anew for one role.
 *
 *   siembridge --role receiver -c FILE --parent 4711 --log-level 2 --wake 5 --counters 6
 *              --listen 7,8 --text 9
 *
 * A fresh address space; `ps` shows the role in the arguments and in the command
 * name ("siembridge-recv").  It inherits nothing but stdin (/dev/null), stdout,
 * stderr and the descriptors named in its arguments.  It ends with its parent:
 * by SIGTERM, and from child_confine() on, where it has not ended 6 s later, by SIGALRM.  SIGPIPE,
 * SIGINT and SIGHUP are ignored: a terminal sends the latter two to the whole group, and it is for
 * the supervisor to say what they mean.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bridge/counters.h"
#include "bridge/log.h"
#include "formats/error.h"

enum { CHILD_LISTEN_SOCKETS = 64 };

/* What a role is given, on both sides of the exec. */
struct child_inheritance {
	const char *config_path;
	int config; /* config_snapshot.h: what to read in its place; -1: the file */
	enum log_level log_level;
	enum log_format log_format;
	int wake;     /* eventfd: the receiver raises it, the forwarder waits; -1: none */
	int counters; /* memfd of counters.h; -1: none */
	int listen[CHILD_LISTEN_SOCKETS]; /* listening sockets, for a role that listens */
	size_t listen_count;
	const char *role; /* child's side: its name */
	int console;      /* the console's listening socket; -1: none */
	int snapshot;     /* the supervisor's own: counters_file.h; -1: none */
};

/* Which listening sockets a role is given. */
enum child_listens {
	CHILD_LISTENS_NOT,
	CHILD_LISTENS,         /* `listen` */
	CHILD_LISTENS_CONSOLE, /* `console` */
};

/* One role of the program. */
struct child_role {
	const char *name;         /* "receiver" */
	const char *process_name; /* "siembridge-recv": at most 15 bytes */
	enum child_listens listens;
	/*
	 * The whole life of the process; returns its exit status.  Calls child_confine()
	 * once it has opened what it needs and before it starts a thread.  Ends cleanly
	 * on SIGTERM within 5 s.
	 */
	int (*run)(const struct child_inheritance *inheritance);
	enum counters_life life; /* by which it says that it lives */
};

enum { CHILD_EXIT_OK = 0, CHILD_EXIT_FAILED = 1, CHILD_EXIT_CONFIGURATION = 78 };

/* Parent's side: starts it.  *process is its pid. */
MUST_CHECK bool child_start(const struct child_role *role,
			    const struct child_inheritance *inheritance, pid_t *process,
			    struct error *error);

/*
 * Starts `siembridge check -c FILE --quiet`, which exits 0 where the configuration
 * may be used and else says on stderr why not.  In a process of its own, because
 * it reads secrets.  `text`: a snapshot to be read in place of the file, or -1.
 * `activated`: the listening socket is there already.
 */
MUST_CHECK bool child_start_check(const char *config_path, int text, bool activated, pid_t *process,
				  struct error *error);

/*
 * Child's side, called by main() when argv[1] is "--role": reads the arguments,
 * sees to it that the process dies with its parent, and runs the role of that
 * name out of `count`.  Returns the exit status.
 */
int child_main(int argc, char **argv, const struct child_role *roles, size_t count);

/*
 * Child's side: confines the process as its role's row in confine.c says, and has a
 * thread watch the parent.  Before any other thread.
 */
struct config;
MUST_CHECK bool child_confine(const struct child_inheritance *inheritance,
			      const struct config *config, struct error *error);

/* The second half of it alone. */
MUST_CHECK bool child_watch(struct error *error);

#endif
