/*
 * The forwarder: a durable event -> confirmed at every destination.
 *
 *   spool_reader_next -> normalise -> route -> render -> frame -> send_<kind>
 *   settle: is it confirmed? -> the cursor moves (delivery_save)
 *
 * One thread for each destination, straight-line code with deadlines, no mutex;
 * the main thread waits for the receiver's wake-up, hands it on to each of them,
 * and is the only one that writes delivery.db.
 */
#ifndef FORWARDER_H
#define FORWARDER_H

#include "bridge/child.h"

/* The role's whole life; see child.h. */
int forwarder_run(const struct child_inheritance *inheritance);

#endif
