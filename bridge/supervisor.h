/*
 * The parent: starts the roles it is given, watches them, restarts what died,
 * reloads on SIGHUP, stops all on SIGTERM and SIGINT.  It holds the listening
 * sockets, so that a restart of the receiver refuses no connection, and no secret.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "bridge/child.h"

/*
 * Runs until told to stop; returns the exit status: 0 where it was told, 1 where a
 * role found its configuration unusable at its first start.
 *
 * The order of `roles` is that of starting, reloading and stopping.  A reload asks
 * child_start_check() first and then replaces one child after the other; sockets
 * and log level stay those of `inheritance`, which is borrowed until it returns.
 * Stopping takes at most 5 s in all; what has not ended by then is killed.
 */
int supervisor_run(const struct child_role *roles, size_t count,
		   const struct child_inheritance *inheritance);

#endif
