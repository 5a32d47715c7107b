/*
 * The memfd is sealed against a change of its size: a child that went mad can
 * write wrong numbers, but not make the others fault by cutting the page away.
 */
#include "bridge/counters.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/deadline.h"

static const char *const names[COUNTERS] = {
    [COUNTER_CONNECTIONS] = "connections_total",
    [COUNTER_REQUESTS] = "requests_total",
    [COUNTER_ACCEPTED] = "accepted_total",
    [COUNTER_DUPLICATES] = "duplicates_total",
    [COUNTER_NOT_SUBSCRIBED] = "not_subscribed_total",
    [COUNTER_SIGNATURE_INVALID] = "signature_invalid_total",
    [COUNTER_REJECTED] = "rejected_total",
    [COUNTER_REFUSED] = "refused_total",
    [COUNTER_UNAVAILABLE] = "unavailable_total",
    [COUNTER_COMMITS] = "commits_total",
    [COUNTER_RESTARTS] = "restarts_total",
    [COUNTER_CHALLENGES] = "challenges_total",
    [COUNTER_REPLAYS] = "replays_total",
    [COUNTER_CONFLICTS] = "id_conflicts_total",
    [COUNTER_UNROUTED] = "unrouted_total",
    [COUNTER_TURNED_AWAY] = "turned_away_total",
    [COUNTER_RATE_LIMITED] = "rate_limited_total",
    [COUNTER_POLLED] = "polled_total",
};

bool
counters_create(int *descriptor, struct error *error)
{
	int created = memfd_create("siembridge-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (created < 0)
		return error_set_errno(error, "memory for the counters cannot be made");
	if (ftruncate(created, sizeof(struct counters)) != 0 ||
	    fcntl(created, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
		error_set_errno(error, "memory for the counters cannot be sized");
		close(created);
		return false;
	}
	*descriptor = created;
	return true;
}

bool
counters_map(int descriptor, struct counters **counters, struct error *error)
{
	int flags = descriptor < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	struct stat status;
	void *page;

	if (descriptor >= 0) {
		if (fstat(descriptor, &status) != 0)
			return error_set_errno(error, "the counters (descriptor %d)", descriptor);
		if (status.st_size != sizeof(struct counters))
			return error_set(error,
					 "the counters (descriptor %d) are of another version: "
					 "%lld bytes, not %zu; restart the whole daemon",
					 descriptor, (long long)status.st_size,
					 sizeof(struct counters));
	}
	page = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, flags, descriptor, 0);
	if (page == MAP_FAILED)
		return error_set_errno(error, "the counters cannot be mapped");
	*counters = page;
	return true;
}

void
counters_add(struct counters *counters, enum counter counter, uint64_t amount)
{
	atomic_fetch_add_explicit(&counters->values[counter], amount, memory_order_relaxed);
}

void
counters_beat(struct counters *counters, enum counters_life life)
{
	atomic_store_explicit(&counters->beats[life], deadline_now(), memory_order_relaxed);
}

void
counters_use_secrets(struct counters *counters, size_t source, uint32_t secrets, int64_t now)
{
	for (size_t i = 0; i < COUNTERS_SECRETS && source < COUNTERS_SOURCES; i++) {
		struct counters_secret *secret = &counters->secrets[source][i];

		if ((secrets >> i & 1) == 0)
			continue;
		atomic_fetch_add_explicit(&secret->used, 1, memory_order_relaxed);
		atomic_store_explicit(&secret->last_used, now, memory_order_relaxed);
	}
}

const char *
counters_name(enum counter counter)
{
	return names[counter];
}
