/*
 * What the files of the destination share with each other and with nobody else.  All of
 * it is its thread's, but for what destination.h hands over.
 */
#ifndef DESTINATION_INTERNAL_H
#define DESTINATION_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "bridge/forwarder/backoff.h"
#include "bridge/forwarder/batch.h"
#include "bridge/forwarder/destination.h"
#include "bridge/forwarder/feed.h"
#include "bridge/forwarder/mailbox.h"
#include "bridge/forwarder/render.h"
#include "bridge/forwarder/uplink.h"
#include "bridge/forwarder/window.h"

struct destination {
	struct destination_settings settings;
	char object[128];       /* what the log says it is about */
	struct error complaint; /* that was logged last; empty: all is well */

	uint64_t failures; /* in a row */

	struct feed *feed;
	struct batch *batch;
	struct render *render;
	struct window *window;
	struct backoff backoff;
	struct uplink uplink;
	int64_t paused_until; /* deadline_now() before which nothing is sent; 0: no pause */
	struct position head; /* of the last item of the batch */
	struct position cursor;
	uint64_t doubted; /* live events up to here may have been delivered before */
	uint64_t buried;  /* highest sequence of a dead letter */

	int wake; /* raised by the main thread */
	atomic_bool stopping;
	atomic_bool finished;
	struct position_board board;
	struct mailbox mailbox;
	struct complaint_box complaints;
	pthread_t thread; /* the main thread's own, like the next */
	bool started;     /* and not yet joined */
};

bool destination_is_stopping(const struct destination *destination);

/* ---- destination_connection.c ---- */

/* Where there is none; false: nobody accepts one, or it is to end. */
MUST_CHECK bool destination_connection_open(struct destination *destination, struct error *error);

/* To an address that is to be preferred, where one accepts.  Only between two batches. */
void destination_connection_move(struct destination *destination);

/* The connection is gone, and with it all that it had not confirmed. */
void destination_connection_close(struct destination *destination);

/* From the cursor on: what was handed over counts from the start of a connection. */
void destination_connection_begin(struct destination *destination);

/* Bytes handed over on this connection. */
uint64_t destination_connection_written(const struct destination *destination);

/* What the connection waits for, into *watch. */
void destination_connection_watch(const struct destination *destination, struct send_watch *watch);

/* The peer is to be left alone for now. */
bool destination_connection_rests(const struct destination *destination);

/* ---- destination_wait.c ---- */

/* Until woken, until the watched descriptor says something, or until `at`; not for ever. */
void destination_wait(struct destination *destination, const struct send_watch *watch);

/* For the spool, the peer or the clock: until `at` of deadline_now() at most. */
void destination_wait_for_news(struct destination *destination, int64_t at);

/* ---- destination_retry.c ---- */

/* All is well again; `how`, in front of the peer's address: "connected", "goes on". */
void destination_retry_over(struct destination *destination, const char *how);

/* Nothing more is sent for a while; what was handed over is waited for meanwhile. */
void destination_retry_pause(struct destination *destination, enum send_result result,
			     const struct error *error);
bool destination_retry_is_paused(const struct destination *destination);

/* The peer has not confirmed in time what it has: it may come to be there twice. */
void destination_retry_anew(struct destination *destination, const struct error *error);

/* Waits before the next attempt to connect, or until it is to end. */
void destination_retry_back_off(struct destination *destination, const struct error *error);

/* Another address gets the next attempt; not always after a pause. */
void destination_retry_elsewhere(struct destination *destination, const struct error *error);

/* ---- destination_bury.c: each returns when the letters are durable ---- */

/* Those of the batch that can never be delivered, once each. */
void destination_bury_dead(struct destination *destination);

/* The peer can never take message batch->next: the others go on without it. */
void destination_bury_refused(struct destination *destination, const struct error *error);

/* The peer refused, for that reason, the first message of the window. */
MUST_CHECK bool destination_bury_first(struct destination *destination, const struct error *reason,
				       struct error *error);

#endif
