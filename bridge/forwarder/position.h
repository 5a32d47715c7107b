/*
 * A place in the stream of one destination, and the board on which its thread
 * writes how far it is confirmed, for the main thread to read.
 *
 * The two numbers of a position belong together, and there is no mutex here: the
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
};

struct position_board {
	_Atomic uint64_t version; /* odd: being written */
	_Atomic uint64_t sequence;
	_Atomic uint64_t number;
	atomic_bool changed; /* since it was last taken */
};

/* Before there is a second thread. */
void position_start(struct position_board *board, struct position position);

/* The writer's side.  True: nobody has been told of a change yet, so wake the reader. */
bool position_publish(struct position_board *board, struct position position);

/* The reader's side: false, and *position unchanged, where nothing new is there. */
bool position_take(struct position_board *board, struct position *position);

#endif
