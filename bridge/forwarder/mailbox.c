#include "bridge/forwarder/mailbox.h"

void
mailbox_start(struct mailbox *mailbox)
{
	atomic_init(&mailbox->full, false);
	mailbox->letters = NULL;
	mailbox->count = 0;
}

void
mailbox_put(struct mailbox *mailbox, const struct delivery_dead *letters, size_t count)
{
	mailbox->letters = letters;
	mailbox->count = count;
	atomic_store_explicit(&mailbox->full, true, memory_order_release);
}

bool
mailbox_is_empty(const struct mailbox *mailbox)
{
	return !atomic_load_explicit(&mailbox->full, memory_order_acquire);
}

const struct delivery_dead *
mailbox_look(const struct mailbox *mailbox, size_t *count)
{
	if (mailbox_is_empty(mailbox))
		return NULL;
	*count = mailbox->count;
	return mailbox->letters;
}

void
mailbox_done(struct mailbox *mailbox)
{
	atomic_store_explicit(&mailbox->full, false, memory_order_release);
}
