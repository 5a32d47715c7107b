/*
 * The receiver: bytes from the internet -> a durable event, then the answer.
 *
 *   listen -> tls_server -> http_connection -> request -> verify -> identify
 *          -> duplicate -> commit (spool_append) -> answer
 *
 * Threads: one event loop a core, which own their connections, and one commit
 * thread, which blocks for the disk so that no loop does.
 */
#ifndef RECEIVER_H
#define RECEIVER_H

#include "bridge/child.h"

/* The role's whole life; see child.h. */
int receiver_run(const struct child_inheritance *inheritance);

#endif
