#include "bridge/forwarder/settle.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	DISCARD_BYTES = 4096,
	DISCARD_READS = 16,    /* a turn: a peer that talks without end does not hold us */
	INTERVAL_SHORTEST = 5, /* milliseconds */
};

void
settle_start(struct settle *settle, int64_t duration)
{
	*settle = (struct settle){.duration = duration, .noted_at = INT64_MIN / 2};
	/* Steps that wait for `duration` then always find a place. */
	settle->interval = duration / (SETTLE_STEPS - 2) + 1;
	if (settle->interval < INTERVAL_SHORTEST)
		settle->interval = INTERVAL_SHORTEST;
}

void
settle_note(struct settle *settle, uint64_t acknowledged, int64_t now)
{
	struct settle_step *step;

	if (acknowledged <= settle->noted || now - settle->noted_at < settle->interval)
		return;
	if (settle->count == SETTLE_STEPS) /* nobody asked settle_confirm() for long */
		return;
	step = &settle->steps[(settle->first + settle->count++) % SETTLE_STEPS];
	step->offset = acknowledged;
	step->at = now;
	settle->noted = acknowledged;
	settle->noted_at = now;
}

uint64_t
settle_confirm(struct settle *settle, int64_t now)
{
	while (settle->count > 0 && now - settle->steps[settle->first].at >= settle->duration) {
		settle->confirmed = settle->steps[settle->first].offset;
		settle->first = (settle->first + 1) % SETTLE_STEPS;
		settle->count--;
	}
	return settle->confirmed;
}

int64_t
settle_next(const struct settle *settle, uint64_t written, int64_t now)
{
	int64_t next = INT64_MAX;

	if (settle->count > 0)
		next = settle->steps[settle->first].at + settle->duration;
	if (written > settle->noted && now + settle->interval < next)
		next = now + settle->interval;
	return next;
}

bool
settle_alive(int descriptor, const char *peer, struct error *error)
{
	char discarded[DISCARD_BYTES];

	for (int i = 0; i < DISCARD_READS; i++) {
		ssize_t length = recv(descriptor, discarded, sizeof(discarded), MSG_DONTWAIT);

		if (length > 0 || (length < 0 && errno == EINTR))
			continue;
		if (length == 0)
			return error_set(error, "%s closed the connection", peer);
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return true;
		return error_set_errno(error, "connection to %s broken", peer);
	}
	return true;
}

bool
settle_unacknowledged(int descriptor, uint64_t *bytes, struct error *error)
{
	int queued = 0;

	if (ioctl(descriptor, SIOCOUTQ, &queued) != 0)
		return error_set_errno(error, "cannot ask what the peer acknowledged");
	*bytes = queued > 0 ? (uint64_t)queued : 0;
	return true;
}
