/*
 * Root is never needed.  Who is root all the same goes on as the service's user, with
 * no capability but the one for ports below 1024, and that until the port is bound:
 * confine_enter() takes it away.
 */
#ifndef PRIVILEGE_H
#define PRIVILEGE_H

#include "formats/error.h"

/* The user where the configuration names none. */
#define PRIVILEGE_USER "siembridge"

/*
 * Of a process that is not root: nothing.  Else it becomes `user` (NULL:
 * PRIVILEGE_USER), for good, and *note says so.  Where `user` is NULL and there is no
 * PRIVILEGE_USER it stays root without capabilities, and *note says that; where the
 * named one is not there: false.  Before the first thread.
 */
MUST_CHECK bool privilege_reduce(const char *user, struct error *note, struct error *error);

#endif
