#include "bridge/forwarder/settle.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h> /* glibc's own has no tcpi_snd_wnd */
#include <netinet/in.h>
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
settle_note(struct settle *settle, uint64_t acknowledged, uint64_t window, int64_t now)
{
	struct settle_step *step;

	settle->acknowledged = acknowledged;
	if (window > settle->widest)
		settle->widest = window;
	settle->lagging = window < settle->widest / 2;
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

static bool
is_ripe(const struct settle *settle, const struct settle_step *step, int64_t now)
{
	int64_t age = now - step->at;

	if (age < settle->duration)
		return false;
	return !settle->lagging || settle->acknowledged - step->offset >= settle->widest ||
	       age - settle->duration >= SETTLE_LAG;
}

uint64_t
settle_confirm(struct settle *settle, int64_t now)
{
	while (settle->count > 0 && is_ripe(settle, &settle->steps[settle->first], now)) {
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
	/* A step that is held back: the window opens without an event. */
	if (next <= now || (written > settle->noted && now + settle->interval < next))
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
settle_ask(int descriptor, uint64_t *unacknowledged, uint64_t *window, struct error *error)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);
	int queued = 0;

	if (ioctl(descriptor, SIOCOUTQ, &queued) != 0 ||
	    getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
		return error_set_errno(error, "cannot ask what the peer acknowledged");
	*unacknowledged = queued > 0 ? (uint64_t)queued : 0;
	*window = info.tcpi_snd_wnd;
	return true;
}
