/*
 * The way of a dead letter from a destination's thread to the main thread, which
 * alone writes delivery.db: one slot with a state, no mutex.
 *
 * The destination puts letters in and goes on only when the slot is empty again:
 * then they are durable.  Who waits for what is told by an eventfd each way.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>

#include "bridge/spool/delivery.h"

struct mailbox {
	atomic_bool full;
	const struct delivery_dead *letters; /* the destination's, while it waits */
	size_t count;
};

void mailbox_start(struct mailbox *mailbox);

/* The destination's side.  Borrows the letters until the slot is empty again. */
void mailbox_put(struct mailbox *mailbox, const struct delivery_dead *letters, size_t count);
bool mailbox_is_empty(const struct mailbox *mailbox);

/* The main thread's side: the letters that wait, or NULL. */
const struct delivery_dead *mailbox_look(const struct mailbox *mailbox, size_t *count);
/* They are durable. */
void mailbox_done(struct mailbox *mailbox);

#endif
