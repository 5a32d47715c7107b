/*
 * A rate is kept by one number: the time at which the bucket is full again (the
 * "theoretical arrival time" of ATM's cell rate algorithm).  Each request moves it on
 * by the time that it is worth; too many is when it lies more than a second ahead.
 *
 * Peers stand in a table of chains.  One without connections and with full buckets
 * says nothing that a fresh one would not, and is dropped when its chain is looked
 * at; each arrival also looks at one chain in turn, so that the table holds no more
 * than the peers that are here and a few thousand that were.  The table's hash has a
 * random seed: nobody can choose addresses that share a chain.
 */
#include "bridge/receiver/limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/deadline.h"
#include "bridge/log.h"
#include "formats/memory.h"

enum {
	CHAINS = 4096, /* a power of two */
	KEY_LENGTH = 16,
	SUBNET_LENGTH = 8,           /* bytes of an IPv6 address that name a customer */
	COMPLAINT_PERIOD = 60 * 1000 /* ms between two log lines of one kind */
};

#define SECOND INT64_C(1000000) /* in the unit of the buckets, microseconds */

struct bucket {
	_Atomic int64_t full_at; /* monotonic microseconds */
};

struct limit_peer {
	struct limit_peer *next;
	unsigned char key[KEY_LENGTH]; /* IPv4 as ::ffff:a.b.c.d */
	size_t connections;
	struct bucket handshakes, requests, refusals;
};

enum complaint { COMPLAINT_FULL, COMPLAINT_CONNECTIONS, COMPLAINT_HANDSHAKES, COMPLAINTS };

struct limit {
	struct limit_settings settings;
	struct bucket *sources;
	_Atomic uint64_t memory;          /* bytes taken */
	_Atomic int64_t told[COMPLAINTS]; /* monotonic ms at which the next may be */
	pthread_mutex_t lock;             /* of all below */
	size_t connections;
	size_t swept; /* the chain that was looked at last */
	uint64_t seed;
	struct limit_peer *chains[CHAINS];
};

struct limit *
limit_new(const struct limit_settings *settings, size_t source_count)
{
	struct limit *limit = memory_allocate(sizeof(*limit));

	limit->settings = *settings;
	limit->sources = memory_allocate_array(source_count, sizeof(*limit->sources));
	if (pthread_mutex_init(&limit->lock, NULL) != 0)
		memory_panic("no lock for the limits");
	if (getrandom(&limit->seed, sizeof(limit->seed), 0) != (ssize_t)sizeof(limit->seed))
		memory_panic("no random seed for the table of addresses");
	return limit;
}

void
limit_free(struct limit *limit)
{
	if (limit == NULL)
		return;
	for (size_t i = 0; i < CHAINS; i++) {
		struct limit_peer *next;

		for (struct limit_peer *peer = limit->chains[i]; peer != NULL; peer = next) {
			next = peer->next;
			free(peer);
		}
	}
	(void)pthread_mutex_destroy(&limit->lock);
	free(limit->sources);
	free(limit);
}

/* ---- rates ---- */

static int64_t
now_of_buckets(void)
{
	return deadline_now() * 1000;
}

/*
 * One more.  Where it would come too early returns by how many microseconds, or takes
 * it all the same where that is at most `patience`.
 */
static int64_t
take(struct bucket *bucket, uint32_t rate, int64_t now, int64_t patience)
{
	int64_t full_at = atomic_load_explicit(&bucket->full_at, memory_order_relaxed);
	int64_t worth = rate > 0 ? SECOND / rate : 0;
	int64_t next, early;

	if (rate == 0)
		return 0;
	do {
		next = (full_at > now ? full_at : now) + worth;
		early = next - now - SECOND;
		if (early > patience)
			return early;
	} while (!atomic_compare_exchange_weak_explicit(
	    &bucket->full_at, &full_at, next, memory_order_relaxed, memory_order_relaxed));
	return early > 0 ? early : 0;
}

bool
limit_request(struct limit *limit, struct limit_peer *peer)
{
	return limit->settings.request_rate == 0 ||
	       take(&peer->requests, limit->settings.request_rate, now_of_buckets(), 0) == 0;
}

bool
limit_refusal(struct limit *limit, struct limit_peer *peer)
{
	return take(&peer->refusals, limit->settings.refusal_rate, now_of_buckets(), 0) == 0;
}

bool
limit_source(struct limit *limit, size_t index, uint32_t rate)
{
	return rate == 0 || take(&limit->sources[index], rate, now_of_buckets(), 0) == 0;
}

/* ---- memory ---- */

bool
limit_take(struct limit *limit, uint64_t bytes)
{
	uint64_t before = atomic_fetch_add(&limit->memory, bytes);

	if (before <= limit->settings.memory && bytes <= limit->settings.memory - before)
		return true;
	(void)atomic_fetch_sub(&limit->memory, bytes);
	return false;
}

void
limit_release(struct limit *limit, uint64_t bytes)
{
	(void)atomic_fetch_sub(&limit->memory, bytes);
}

/* ---- peers ---- */

static void
key_of(const struct sockaddr *address, unsigned char *key)
{
	memset(key, 0, KEY_LENGTH);
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *four = (const void *)address;

		key[10] = key[11] = 0xff;
		memcpy(key + 12, &four->sin_addr, sizeof(four->sin_addr));
	} else if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const void *)address;

		memcpy(key, &six->sin6_addr,
		       IN6_IS_ADDR_V4MAPPED(&six->sin6_addr) ? KEY_LENGTH : SUBNET_LENGTH);
	}
}

/* The finaliser of SplitMix64 over both halves. */
static size_t
chain_of(const struct limit *limit, const unsigned char *key)
{
	uint64_t halves[2];
	uint64_t sum = limit->seed;

	memcpy(halves, key, sizeof(halves));
	for (size_t i = 0; i < 2; i++) {
		sum ^= halves[i];
		sum = (sum ^ sum >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		sum = (sum ^ sum >> 27) * UINT64_C(0x94d049bb133111eb);
		sum ^= sum >> 31;
	}
	return sum & (CHAINS - 1);
}

static bool
says_nothing(const struct limit_peer *peer, int64_t now)
{
	return peer->connections == 0 && atomic_load(&peer->handshakes.full_at) <= now &&
	       atomic_load(&peer->requests.full_at) <= now &&
	       atomic_load(&peer->refusals.full_at) <= now;
}

static void
sweep_locked(struct limit_peer **link, int64_t now)
{
	while (*link != NULL) {
		struct limit_peer *peer = *link;

		if (!says_nothing(peer, now)) {
			link = &peer->next;
			continue;
		}
		*link = peer->next;
		free(peer);
	}
}

static struct limit_peer *
find_locked(struct limit *limit, const unsigned char *key, int64_t now)
{
	struct limit_peer **chain = &limit->chains[chain_of(limit, key)];
	struct limit_peer *peer;

	sweep_locked(chain, now);
	limit->swept = (limit->swept + 1) & (CHAINS - 1);
	sweep_locked(&limit->chains[limit->swept], now);
	for (peer = *chain; peer != NULL; peer = peer->next)
		if (memcmp(peer->key, key, KEY_LENGTH) == 0)
			return peer;
	peer = memory_allocate(sizeof(*peer));
	memcpy(peer->key, key, KEY_LENGTH);
	peer->next = *chain;
	*chain = peer;
	return peer;
}

/* Once a minute of each kind: a flood is not to fill the log as well. */
static void
complain(struct limit *limit, enum complaint complaint, const unsigned char *key)
{
	static const char *const sentences[COMPLAINTS] = {
	    [COMPLAINT_FULL] = "all connections of listen.max_connections are taken; for each new "
			       "one the oldest that never posted a signed event is closed",
	    [COMPLAINT_CONNECTIONS] = "it has all connections of "
				      "listen.max_connections_per_address; more are closed",
	    [COMPLAINT_HANDSHAKES] = "it connects more often than "
				     "listen.handshake_rate_per_address; what has to wait too long "
				     "is closed",
	};
	int64_t now = deadline_now();
	int64_t next = atomic_load(&limit->told[complaint]);
	char address[INET6_ADDRSTRLEN] = "";

	if (now < next ||
	    !atomic_compare_exchange_strong(&limit->told[complaint], &next, now + COMPLAINT_PERIOD))
		return;
	if (inet_ntop(AF_INET6, key, address, sizeof(address)) == NULL)
		address[0] = '\0';
	log_warning("listen", "connection from %s: %s", address, sentences[complaint]);
}

enum limit_verdict
limit_enter(struct limit *limit, const struct sockaddr *address, int64_t patience,
	    struct limit_peer **out, int64_t *wait)
{
	const struct limit_settings *settings = &limit->settings;
	int64_t now = now_of_buckets();
	unsigned char key[KEY_LENGTH];
	enum complaint complaint = COMPLAINTS;
	enum limit_verdict verdict = LIMIT_ADMITTED;
	struct limit_peer *peer;
	int64_t early = 0;

	key_of(address, key);
	(void)pthread_mutex_lock(&limit->lock);
	peer = find_locked(limit, key, now);
	if (settings->connections_per_address > 0 &&
	    peer->connections >= settings->connections_per_address)
		complaint = COMPLAINT_CONNECTIONS;
	else if ((early = take(&peer->handshakes, settings->handshake_rate, now, patience * 1000)) >
		 patience * 1000)
		complaint = COMPLAINT_HANDSHAKES;
	if (complaint != COMPLAINTS) {
		verdict = LIMIT_REFUSED;
	} else {
		peer->connections++;
		if (++limit->connections > settings->connections) {
			verdict = LIMIT_FULL;
			complaint = COMPLAINT_FULL;
		}
		*out = peer;
		*wait = (early + 999) / 1000;
	}
	(void)pthread_mutex_unlock(&limit->lock);
	if (complaint != COMPLAINTS)
		complain(limit, complaint, key);
	return verdict;
}

void
limit_leave(struct limit *limit, struct limit_peer *peer)
{
	(void)pthread_mutex_lock(&limit->lock);
	peer->connections--;
	limit->connections--;
	(void)pthread_mutex_unlock(&limit->lock);
}
