/*
 * What a plain TCP peer can be said to have.
 *
 * TCP confirms nothing to the sender.  A byte counts as confirmed when (1) the
 * peer's kernel has acknowledged it and (2) the connection has then lived on for
 * `settle`: a collector that was killed leaves unread bytes behind, and its kernel
 * then breaks the connection at once.
 *
 * A collector that is slow or stopped has bytes unread for longer than that.  Its
 * window tells: while that is open less than half as far as it ever was, only what
 * lies two whole windows behind the last acknowledged byte is confirmed, for the rest
 * may be unread: Linux opens a window half as far as its buffer may come to hold.  As some stacks
 * never open their window as far again, this holds a byte back at most SETTLE_LAG.
 *
 * What all this cannot see: bytes that the collector had taken out of its socket
 * more than `settle` ago and lost itself.
 *
 * The ladder below remembers at which time which offset was acknowledged.  It is
 * of fixed size: two steps are at least `interval` apart, so that a byte waits for
 * confirmation at most that much longer than it must.
 */
#ifndef SETTLE_H
#define SETTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SETTLE_STEPS = 32, SETTLE_LAG = 20000 /* milliseconds */ };

struct settle {
	int64_t duration; /* milliseconds */
	int64_t interval; /* milliseconds between two steps */
	struct settle_step {
		uint64_t offset; /* acknowledged up to here ... */
		int64_t at;      /* ... at this time (deadline_now()) */
	} steps[SETTLE_STEPS];
	size_t first;
	size_t count;
	uint64_t acknowledged;
	uint64_t widest; /* bytes: the peer's window, as far open as it ever was */
	bool lagging;    /* less than half as far now */
	uint64_t noted;  /* offset of the last step ever taken */
	int64_t noted_at;
	uint64_t confirmed; /* offset */
};

/* A fresh connection. */
void settle_start(struct settle *settle, int64_t duration);

/*
 * The peer's kernel had everything up to `acknowledged` at `now`, and room for
 * `window` bytes more.
 */
void settle_note(struct settle *settle, uint64_t acknowledged, uint64_t window, int64_t now);

/* The connection was seen alive at `now`, no earlier.  Returns the offset that is confirmed. */
uint64_t settle_confirm(struct settle *settle, int64_t now);

/*
 * Has the peer surely read all that is confirmed?  So it has where none is, or where
 * two windows were acknowledged behind it.
 */
bool settle_is_read(const struct settle *settle);

/*
 * When to look again, with `written` bytes handed to the kernel: at the next step
 * that ripens, and as long as something is not acknowledged, every interval.
 * INT64_MAX: everything is confirmed.
 */
int64_t settle_next(const struct settle *settle, uint64_t written, int64_t now);

#endif
