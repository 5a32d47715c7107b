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
 * second: about 130,000 messages or 64 MiB.
 */
enum { WINDOW_MESSAGES = 1 << 17, WINDOW_BYTES = 64 << 20 };

struct window;

/* Gives an empty window; freed with window_free(). */
struct window *window_new(void);
void window_free(struct window *window);

/* Forgets everything: the connection is gone. */
void window_clear(struct window *window);

/* Room for `messages` more, and fewer than WINDOW_BYTES under way. */
bool window_has_room(const struct window *window, size_t messages);
bool window_is_empty(const struct window *window);

/*
 * One more message: its place in the stream, and the offset on the connection of
 * the byte behind it.  Offsets rise.  Only where window_has_room() said so.
 */
void window_push(struct window *window, struct position position, uint64_t end);

/* The position of the first message in it; false: it is empty. */
bool window_first(const struct window *window, struct position *position);

/*
 * Everything up to `offset` is confirmed.  True where that moves *position: to the
 * last message that is confirmed whole.
 */
bool window_confirm(struct window *window, uint64_t offset, struct position *position);

#endif
