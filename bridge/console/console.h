/*
 * The console: a window on loopback (elsewhere behind TLS and a password) that shows
 * what the bridge does, as a page, as JSON and as metrics.
 *
 * It reads both databases and writes neither; what it is asked to do (replay) it leaves
 * as an order, like a command.  One thread.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "bridge/child.h"

/* The role's whole life; see child.h. */
int console_run(const struct child_inheritance *inheritance);

#endif
