/*
 * What a service manager gives and is told: systemd's protocols, by their documented
 * environment variables (sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3)).
 * Without a service manager every function is harmless.
 *
 * Our own, and not libsystemd: it is a datagram and three numbers, and the library
 * brings liblzma, liblz4, libzstd and libgcrypt into a process that faces the internet.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "formats/error.h"

/*
 * Reads the variables and takes them out of the environment, so that no child speaks
 * for us.  Once, before any thread.  False: what is there cannot be used.
 */
MUST_CHECK bool service_open(struct error *error);

/* "READY=1\nSTATUS=...": lines of sd_notify(3).  Never blocks; a lost one is lost. */
void service_notify(const char *format, ...) PRINTF_LIKE(1, 2);

/* Milliseconds within which it wants to hear WATCHDOG=1; 0: it does not. */
int64_t service_watchdog(void);

/*
 * Fills sockets[] with `count` descriptors of the listening sockets that were handed
 * down: each of them, in turn and as often as needed.  Their addresses go to *text as
 * "127.0.0.1:443" with a NUL.  *given is false where there are none.
 */
struct text;
MUST_CHECK bool service_sockets(int *sockets, size_t count, bool *given, struct text *text,
				struct error *error);

#endif
