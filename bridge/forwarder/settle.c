#include "bridge/forwarder/settle.h"

enum { INTERVAL_SHORTEST = 5 /* milliseconds */, WINDOWS_OF_A_BUFFER = 2 };

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

/* Too far back for the peer's buffer to hold it still. */
static bool
is_read(const struct settle *settle, uint64_t offset)
{
	return settle->acknowledged - offset >= WINDOWS_OF_A_BUFFER * settle->widest;
}

static bool
is_ripe(const struct settle *settle, const struct settle_step *step, int64_t now)
{
	int64_t age = now - step->at;

	if (age < settle->duration)
		return false;
	return !settle->lagging || is_read(settle, step->offset) ||
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

bool
settle_is_read(const struct settle *settle)
{
	return settle->confirmed == 0 || is_read(settle, settle->confirmed);
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
