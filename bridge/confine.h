/*
 * What each process may still do after it has opened what it needs.  One table,
 * a row a role, in confine.c: files and TCP ports (Landlock), system calls
 * (seccomp), limits; and for all of them no new privileges, no capabilities, no
 * core dumps and no reading of its memory by others of its user.
 *
 * A refused call fails with EPERM (system calls) or EACCES (files, ports); what
 * no library of ours does and an intruder would (execve, ptrace, mount, bpf ...)
 * ends the process by SIGSYS, and the supervisor says so.
 *
 * Builds with sanitizers are not confined, because these need what is refused.
 */
#ifndef CONFINE_H
#define CONFINE_H

#include "bridge/config.h"
#include "formats/text.h"

/*
 * Confines this process for good, and all that it starts.  Before its first thread:
 * Landlock takes hold of the calling thread and of what that starts.  What this
 * kernel does not have is left out, and told in the log.  False: it has it and
 * refused.
 */
MUST_CHECK bool confine_enter(const char *role, const struct config *config, struct error *error);

/*
 * True where a file that this process may read was replaced, so that it may not read
 * the new one: *path is its name, borrowed for good.  The remedy is to start anew.
 */
bool confine_files_are_stale(const char **path);

/* What of all that this kernel and this build give: a line of words with its NUL. */
void confine_describe(struct text *text);

/*
 * What each role may do and what is refused to it, from the tables that confine_enter()
 * goes by and the ports of that configuration: lines, with a NUL behind the last.
 */
void confine_describe_roles(struct text *text, const struct config *config);

#endif
