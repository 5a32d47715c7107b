/*
 * Events -> the text of one destination, framed, into the batch.
 */
#ifndef RENDER_H
#define RENDER_H

#include "bridge/config.h"
#include "bridge/forwarder/batch.h"

struct render;

/* Gives a renderer for that destination, freed with render_free().  Borrows it. */
struct render *render_new(const struct config_destination *destination);
void render_free(struct render *render);

/* The most bytes that a batch may come to: for batch_new(). */
size_t render_capacity(const struct render *render);

/* How many bytes of output go out at once, where they are not those of one message. */
size_t render_bytes(const struct render *render);

/*
 * Writes every wanted item behind the output and numbers it, the first one with
 * `number` + 1.  Returns the last number.  What is too long to be written at all is
 * dead and takes no number; what goes beyond render_bytes() is cut off the batch.
 */
uint64_t render_batch(struct render *render, struct batch *batch, uint64_t number);

#endif
