/*
 * A socket to a collector: resolved anew each time, all its addresses in turn,
 * with a deadline for each.
 */
#ifndef CONNECT_H
#define CONNECT_H

#include <stdatomic.h>
#include <stdint.h>

#include "bridge/deadline.h"
#include "formats/error.h"

enum { CONNECT_PEER_SIZE = 128 };

/* Who is at the other end, for logs and errors: "10.0.0.5:6514", "[::1]:6514", a path. */
struct connect_peer {
	char name[CONNECT_PEER_SIZE]; /* NUL-terminated */
};

/* What ends the waiting early: `wake` (wake.h) is raised and *stopping is true. */
struct connect_patience {
	int wake;
	const atomic_bool *stopping;
	int64_t limit; /* milliseconds for each step of an attempt; 0: CONNECT_LIMIT */
};

enum { CONNECT_LIMIT = 10000 };

/*
 * Gives a connected, non-blocking TCP socket that notices a dead peer within 20 s
 * (TCP_USER_TIMEOUT, RFC 5482), or one that has stalled for so long; what waits for it in
 * our kernel is dropped then.  `address` is "host:port"; each that it resolves to
 * has the time of `patience`.
 * Names are resolved by getaddrinfo(3), whose own time-outs hold.
 */
MUST_CHECK bool connect_stream(int *descriptor, const char *address,
			       const struct connect_patience *patience, struct connect_peer *peer,
			       struct error *error);

/* Gives a non-blocking UDP socket that sends to the first usable address. */
MUST_CHECK bool connect_datagram(int *descriptor, const char *address,
				 const struct connect_patience *patience, struct connect_peer *peer,
				 struct error *error);

/* Gives a non-blocking unix socket, SOCK_DGRAM or SOCK_STREAM, that sends to `path`. */
MUST_CHECK bool connect_unix(int *descriptor, const char *path, int type, struct connect_peer *peer,
			     struct error *error);

/*
 * Waits until the descriptor is ready for `events` (poll(2)), or has an error.
 * False: the deadline has passed, or it is time to stop.
 */
MUST_CHECK bool connect_wait(int descriptor, short events, struct deadline deadline,
			     const struct connect_patience *patience, struct error *error);

#endif
