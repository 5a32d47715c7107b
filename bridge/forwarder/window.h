/*
 * What was sent on a connection and is not yet confirmed: numbers only, never
 * text, so that its size is fixed however far behind a destination is.  What a
 * break leaves unconfirmed is read from the spool again.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/forwarder/position.h"

/*
 * With `settle` at 1 s the window is what one destination can have sent in that
 * second.  The first WINDOW_ALONE messages have an entry each; behind them those that
 * follow each other within WINDOW_STRIDE bytes share one, and are confirmed together.
 */
enum {
	WINDOW_ALONE = 1024,
	WINDOW_STRIDE = 16 << 10,
	WINDOW_BYTES = 256 << 20,
	WINDOW_ENTRIES = 2 * (WINDOW_BYTES / WINDOW_STRIDE),
};

struct window;

/* Gives an empty window; freed with window_free(). */
struct window *window_new(void);
void window_free(struct window *window);

/* Forgets everything: the connection is gone. */
void window_clear(struct window *window);

/* Room for `messages` more of whatever size, and fewer than WINDOW_BYTES under way. */
bool window_has_room(const struct window *window, size_t messages);
bool window_is_empty(const struct window *window);

/*
 * One more message: its place in the stream, and the offset on the connection of
 * the byte behind it.  Offsets rise.  Only where window_has_room() said so.
 */
void window_push(struct window *window, struct position position, uint64_t end);

/*
 * The position of the first message in it, where never more than WINDOW_ALONE are in it
 * at a time; false: it is empty.
 */
bool window_first(const struct window *window, struct position *position);

/*
 * Everything up to `offset` is confirmed.  True where that moves *position: to the
 * last message that is confirmed whole, with all that share its entry.
 */
bool window_confirm(struct window *window, uint64_t offset, struct position *position);

#endif
