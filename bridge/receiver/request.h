/*
 * One request, from the gate to the answer: path, method, media type, signature,
 * identity, subscription, disk, answer.
 *
 * A handler belongs to one loop and is used from its thread alone; the sources
 * are shared and read-only.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>

#include "bridge/counters.h"
#include "bridge/receiver/answer.h"

struct client_certificate;
struct commit;
struct commit_returns;
struct config_source;
struct http_connection;
struct http_request;
struct limit;
struct normalise;
struct report;
struct request_handler;
struct verify;

/* One of the configured sources, made ready; all borrowed. */
struct request_source {
	const struct config_source *config;
	const struct verify *verify;
	const struct normalise *normalise;
	const struct client_certificate *client; /* NULL: none is wanted */
	size_t body_limit;                       /* bytes, of what comes out of a packed body too */
};

/*
 * Gives a handler, freed with request_handler_free(); borrows all until then.
 * `report` may be NULL: bad signatures are counted and no more.  So may `limit`.
 */
struct request_handler *request_handler_new(const struct request_source *sources, size_t count,
					    struct commit *commit, struct commit_returns *returns,
					    struct report *report, struct limit *limit,
					    struct counters *counters);
void request_handler_free(struct request_handler *handler);

/* Takes a request, or what is none, as struct http_connection_group hands it on. */
void request_handle(struct http_request *request, void *handler);
void request_handle_refusal(struct http_connection *connection, enum answer why, void *handler);

/*
 * Hands to the commit thread what this turn of the loop has taken in: all at once,
 * so that it commits them together and does not take the processor for each.
 */
void request_flush(struct request_handler *handler);

/* Answers what has come back from the commit thread. */
void request_finish(struct request_handler *handler);

/* Tells of bad signatures that are due to be told; to be called every few seconds. */
void request_tick(struct request_handler *handler);

/* From now on every answer closes its connection; tells what is still to be told. */
void request_drain(struct request_handler *handler);

/* How many are at the disk: their connections are there until they came back. */
size_t request_pending(const struct request_handler *handler);

#endif
