/*
 * Listening sockets: opened once, above the processes that accept from them.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stddef.h>

#include "formats/error.h"

/*
 * Opens `count` listening sockets on "host:port" that share the port
 * (SO_REUSEPORT): one for each loop.  The supervisor's part; fills sockets[].
 */
MUST_CHECK bool listen_open(const char *address, int *sockets, size_t count, struct error *error);

#endif
