/*
 * One event loop: a thread, its listening socket and the connections that came
 * out of it.  Loops share the TLS context, the sources and the commit thread, and
 * nothing that needs a lock of theirs.
 */
#ifndef LOOP_H
#define LOOP_H

#include "bridge/receiver/http_connection.h"
#include "bridge/receiver/request.h"
#include "formats/error.h"

struct limit;
struct loop;
struct tls_server;

/* What all loops are given; borrowed until loop_free(). */
struct loop_settings {
	struct tls_server *server;
	struct http_limits limits;
	struct limit *limit; /* NULL: there is none */
	const struct request_source *sources;
	size_t source_count;
	struct commit *commit;
	struct report *report; /* NULL: no source wants one */
	struct counters *counters;
};

/*
 * Starts a loop on a listening socket, which stays the caller's.  Gives *loop, to
 * be stopped with loop_stop().
 */
MUST_CHECK bool loop_start(struct loop **loop, const struct loop_settings *settings, int socket,
			   struct error *error);

/* It has taken a turn in the last seconds.  Any thread. */
bool loop_is_alive(const struct loop *loop);

/* Tells it to accept no more, to answer what is under way (at most 4 s) and to end. */
void loop_stop(struct loop *loop);

/* Waits for its end. */
void loop_join(struct loop *loop);

/* After the join, and after commit_stop(), which has given back all that was at the disk. */
void loop_free(struct loop *loop);

#endif
