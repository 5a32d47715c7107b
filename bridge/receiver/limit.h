/*
 * What one peer, and all of them together, may take: connections, handshakes and
 * requests a second, memory for bodies under way.
 *
 * A peer is an IPv4 address or an IPv6 /64, which is what one customer is given.
 * Every rate is a whole number a second with room for one second's worth at once; 0
 * stands for no limit.  One `struct limit` is shared by all loops: its lock is held
 * for a look into a table when a connection comes and goes, never for a request.
 */
#ifndef LIMIT_H
#define LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

struct limit;
struct limit_peer;

struct limit_settings {
	uint32_t connections;
	uint32_t connections_per_address;
	uint32_t handshake_rate; /* this and the next two: of one address */
	uint32_t request_rate;
	uint32_t refusal_rate;
	uint64_t memory; /* bytes of bodies that are not whole yet */
};

/* Gives one for that many sources, freed with limit_free(), when all peers have left. */
struct limit *limit_new(const struct limit_settings *settings, size_t source_count);
void limit_free(struct limit *limit); /* NULL is fine */

enum limit_verdict {
	LIMIT_ADMITTED,
	LIMIT_FULL,    /* admitted, but the house is over-full: somebody else has to go */
	LIMIT_REFUSED, /* not admitted: this address has all that it may have */
};

/*
 * A connection from that address has come.  Unless it is refused gives *peer, for
 * limit_leave(), and *wait, the milliseconds (at most `patience`) that its handshake
 * has to wait so that the rate is kept.
 */
enum limit_verdict limit_enter(struct limit *limit, const struct sockaddr *address,
			       int64_t patience, struct limit_peer **peer, int64_t *wait);
void limit_leave(struct limit *limit, struct limit_peer *peer);

/* One more request of that address; one more that is refused; false: too many. */
bool limit_request(struct limit *limit, struct limit_peer *peer);
bool limit_refusal(struct limit *limit, struct limit_peer *peer);

/* One more good request of the source with that index and rate; false: too many. */
bool limit_source(struct limit *limit, size_t index, uint32_t rate);

/* Takes memory for bodies, given back with limit_release(); false: there is no more. */
bool limit_take(struct limit *limit, uint64_t bytes);
void limit_release(struct limit *limit, uint64_t bytes);

#endif
