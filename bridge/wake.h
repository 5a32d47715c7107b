/*
 * An eventfd that says "there is more".  Raising it twice is raising it once;
 * whoever waits on the descriptor with poll(2) or epoll clears it before it looks.
 * A descriptor of -1 is nobody's: nothing happens.
 */
#ifndef WAKE_H
#define WAKE_H

#include "formats/error.h"

/* Gives a non-blocking, close-on-exec descriptor. */
MUST_CHECK bool wake_open(int *descriptor, struct error *error);
void wake_raise(int descriptor);
void wake_clear(int descriptor);

#endif
