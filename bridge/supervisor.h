/*
 * The parent: starts the roles it is given, watches them, restarts what died,
 * reloads on SIGHUP, stops all on SIGTERM and SIGINT.  It holds the listening
 * sockets, so that a restart of the receiver refuses no connection, and no secret.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "bridge/child.h"

/*
 * Runs until told to stop; returns the exit status.  `check` is called before a
 * reload in a child of its own and says whether the file may be used.
 */
int supervisor_run(const struct child_role *roles, size_t count,
		   const struct child_inheritance *inheritance);

#endif
