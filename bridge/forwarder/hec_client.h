/*
 * The requests that a Splunk HTTP Event Collector is sent (standards.md 9.1, 9.3):
 * events, a look at its health, and the question which of them are indexed.
 *
 * The token is read before the first request and again whenever its file changes; it
 * stands in the Authorization header alone, never in a URL, and in no error.
 */
#ifndef HEC_CLIENT_H
#define HEC_CLIENT_H

#include <stdatomic.h>

#include "bridge/config.h"
#include "bridge/forwarder/hec_reply.h"
#include "formats/error.h"

enum { HEC_CLIENT_ACKS = 1000 /* that are asked for at once */ };

struct hec_client;

/* What became of a request. */
struct hec_client_answer {
	int status; /* of HTTP */
	struct hec_reply reply;
	int64_t retry_after; /* milliseconds; 0: not said */
};

enum hec_client_result {
	HEC_CLIENT_ANSWERED, /* the answer is filled */
	HEC_CLIENT_AWAY,     /* nothing of the request was sent */
	HEC_CLIENT_LOST,     /* no answer: it may have the request or not */
	HEC_CLIENT_WRONG,    /* nothing was sent: a token, a certificate, another setting is bad */
};

/* Gives a client, freed with hec_client_free().  Borrows all three; sends nothing yet. */
struct hec_client *hec_client_new(const struct config_splunk_hec *hec, const char *url,
				  const atomic_bool *stopping);
void hec_client_free(struct hec_client *client);

/* scheme://host:port, for people; borrowed from the client. */
const char *hec_client_peer(const struct hec_client *client);

/* Posts `count` envelopes; with a channel, if it is not "".  The error is filled where
 * nothing was answered. */
MUST_CHECK enum hec_client_result hec_client_post(struct hec_client *client, const char *channel,
						  struct slice envelopes, size_t count,
						  struct hec_client_answer *answer,
						  struct error *error);

/* `limit`: milliseconds it may take; 0: as long as any request. */
MUST_CHECK enum hec_client_result hec_client_look(struct hec_client *client, int64_t limit,
						  struct hec_client_answer *answer,
						  struct error *error);

/*
 * Asks for at most HEC_CLIENT_ACKS of them, and calls `indexed` for each that is true.
 * answer->reply.action is HEC_DONE where that is what was answered.
 */
MUST_CHECK enum hec_client_result hec_client_ask(struct hec_client *client, const char *channel,
						 const uint64_t *ack_ids, size_t count,
						 void (*indexed)(void *context, uint64_t ack_id),
						 void *context, struct hec_client_answer *answer,
						 struct error *error);

/* "https://splunk:8088 answered 403: the token is disabled; enable it in Splunk" */
void hec_client_explain(const struct hec_client *client, const struct hec_client_answer *answer,
			struct error *error);

/* As http_client_cookies(), of all requests so far: a balancer's, so that the same
 * indexer answers. */
void hec_client_cookies(const struct hec_client *client, struct text *text);
void hec_client_set_cookies(struct hec_client *client, struct slice cookies);

#endif
