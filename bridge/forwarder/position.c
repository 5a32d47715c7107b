#include "bridge/forwarder/position.h"

/*
 * Whoever reads a number of a later write (acquire) also sees the odd version that
 * was stored before it (release), and so finds the version changed.  No fences:
 * ThreadSanitizer does not understand them.
 */

void
position_start(struct position_board *board, struct position position)
{
	atomic_init(&board->version, 0);
	atomic_init(&board->sequence, position.sequence);
	atomic_init(&board->number, position.number);
	atomic_init(&board->replay, position.replay);
	atomic_init(&board->replayed, position.replayed);
	atomic_init(&board->changed, false);
}

bool
position_publish(struct position_board *board, struct position position)
{
	uint64_t version = atomic_load_explicit(&board->version, memory_order_relaxed);

	atomic_store_explicit(&board->version, version + 1, memory_order_relaxed);
	atomic_store_explicit(&board->sequence, position.sequence, memory_order_release);
	atomic_store_explicit(&board->number, position.number, memory_order_release);
	atomic_store_explicit(&board->replay, position.replay, memory_order_release);
	atomic_store_explicit(&board->replayed, position.replayed, memory_order_release);
	atomic_store_explicit(&board->version, version + 2, memory_order_release);
	return !atomic_exchange_explicit(&board->changed, true, memory_order_acq_rel);
}

bool
position_equals(const struct position *left, const struct position *right)
{
	return left->sequence == right->sequence && left->number == right->number &&
	       left->replay == right->replay && left->replayed == right->replayed;
}

bool
position_take(struct position_board *board, struct position *position)
{
	struct position read = {0};
	uint64_t before;
	uint64_t after;

	/* First, so that a change during the reading is told again. */
	if (!atomic_exchange_explicit(&board->changed, false, memory_order_acq_rel))
		return false;
	do {
		before = atomic_load_explicit(&board->version, memory_order_acquire);
		read.sequence = atomic_load_explicit(&board->sequence, memory_order_acquire);
		read.number = atomic_load_explicit(&board->number, memory_order_acquire);
		read.replay = atomic_load_explicit(&board->replay, memory_order_acquire);
		read.replayed = atomic_load_explicit(&board->replayed, memory_order_acquire);
		after = atomic_load_explicit(&board->version, memory_order_relaxed);
	} while (before != after || before % 2 != 0);
	*position = read;
	return true;
}
