/*
 * A few pages of numbers that all processes share: a memfd made by the supervisor,
 * mapped by every child.  Writers add with relaxed atomics; readers may see a
 * moment that never was.  A child that died leaves its numbers standing.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/error.h"

enum counter {
	COUNTER_CONNECTIONS,       /* accepted */
	COUNTER_REQUESTS,          /* whole requests, refused ones too */
	COUNTER_ACCEPTED,          /* 202, stored */
	COUNTER_DUPLICATES,        /* 202, known already */
	COUNTER_NOT_SUBSCRIBED,    /* 202, not stored */
	COUNTER_SIGNATURE_INVALID, /* 401 */
	COUNTER_REJECTED,          /* good signature, no event: kept as a dead letter */
	COUNTER_REFUSED,           /* any other 4xx */
	COUNTER_UNAVAILABLE,       /* 503 */
	COUNTER_COMMITS,           /* transactions */
	COUNTER_RESTARTS,          /* of children */
	COUNTER_CHALLENGES,        /* answered */
	COUNTER_REPLAYS,           /* a known body under a new id that is not signed: kept */
	COUNTER_CONFLICTS,         /* another body under a known id that is not signed: kept */
	COUNTER_UNROUTED,          /* stored events that no destination wants */
	COUNTER_TURNED_AWAY,       /* connections, for there were too many */
	COUNTER_RATE_LIMITED,      /* 429 */
	COUNTER_POLLED,            /* stored, found at a sender's list */
	COUNTERS
};

enum { COUNTERS_DESTINATIONS = 64, COUNTERS_SOURCES = 64, COUNTERS_SECRETS = 16 };

/* Who says now and then that it lives; see counters_beat(). */
enum counters_life {
	COUNTERS_LIFE_NONE, /* a role that does not */
	COUNTERS_LIFE_RECEIVER,
	COUNTERS_LIFE_FORWARDER,
	COUNTERS_LIFE_CONSOLE,
	COUNTERS_LIVES
};

struct counters_destination {
	_Atomic uint64_t confirmed; /* sequence of the cursor */
	_Atomic uint64_t sent;      /* messages, repeated ones too */
	_Atomic uint64_t dead;      /* dead letters */
	_Atomic uint64_t breaks;    /* connections lost or refused */
	_Atomic int64_t retry_at;   /* ms since 1970: the next attempt after a failure; 0: well */
	_Atomic uint64_t held;      /* 1: it waits for somebody who mends it; see send.h */
};

/* So that an operator sees when the old one has fallen silent. */
struct counters_secret {
	_Atomic uint64_t used;     /* requests that it vouched for */
	_Atomic int64_t last_used; /* ms since 1970; 0: never */
};

struct counters {
	_Atomic uint64_t values[COUNTERS];
	_Atomic int64_t beats[COUNTERS_LIVES]; /* deadline_now() of the last sign of life */
	_Atomic uint64_t last_sequence;        /* durable in the spool */
	_Atomic uint64_t unrouted_until;       /* sequence up to which COUNTER_UNROUTED has them */
	_Atomic int64_t started_at;            /* the supervisor: ms since 1970 */
	_Atomic int64_t full_at;               /* there was no room: monotonic ms; 0: never */
	struct counters_destination destinations[COUNTERS_DESTINATIONS]; /* in configured order */
	struct counters_secret secrets[COUNTERS_SOURCES][COUNTERS_SECRETS]; /* likewise */
};

/* Gives a memfd of the right size; the supervisor's part. */
MUST_CHECK bool counters_create(int *descriptor, struct error *error);

/* Maps it; -1 gives a private page (tests, commands).  Unmapped with the process. */
MUST_CHECK bool counters_map(int descriptor, struct counters **counters, struct error *error);

void counters_add(struct counters *counters, enum counter counter, uint64_t amount);

/* It lives and serves: said at least every few seconds, from when it is ready on. */
void counters_beat(struct counters *counters, enum counters_life life);

/* That source's secrets vouched for a request: bit i of `secrets` is the i-th one. */
void counters_use_secrets(struct counters *counters, size_t source, uint32_t secrets, int64_t now);

/* "requests_total" and the like: the name in logs and metrics. */
const char *counters_name(enum counter counter);

#endif
