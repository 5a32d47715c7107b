/*
 * A place in the stream of one destination, and the board on which its thread
 * writes how far it is confirmed, for the main thread to read.
 *
 * The numbers of a position belong together, and there is no mutex here: the
 * board is a sequence lock with one writer.  Any number of readers.
 */
#ifndef POSITION_H
#define POSITION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct position {
	uint64_t sequence; /* of the event in the spool */
	uint64_t number;   /* of the last message that this destination was sent by then */
	uint64_t replay;   /* the replay that is under way; 0: none yet */
	uint64_t replayed; /* sequence up to which it has come */
	uint64_t event;    /* that the message here is about; 0: none.  Not on the board */
};

struct position_board {
	_Atomic uint64_t version; /* odd: being written */
	_Atomic uint64_t sequence;
	_Atomic uint64_t number;
	_Atomic uint64_t replay;
	_Atomic uint64_t replayed;
	atomic_bool changed; /* since it was last taken */
};

/* Before there is a second thread. */
void position_start(struct position_board *board, struct position position);

/* The writer's side.  True: nobody has been told of a change yet, so wake the reader. */
bool position_publish(struct position_board *board, struct position position);

bool position_equals(const struct position *left, const struct position *right);

/* The reader's side: false, and *position unchanged, where nothing new is there. */
bool position_take(struct position_board *board, struct position *position);

#endif
