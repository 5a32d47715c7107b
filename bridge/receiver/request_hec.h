/*
 * Requests of senders that speak to Splunk's HTTP Event Collector: hec_input.h behind
 * HTTP.
 */
#ifndef REQUEST_HEC_H
#define REQUEST_HEC_H

#include "bridge/receiver/request.h"

struct submission;

/* Answers it, or submits its events: of a POST or a GET. */
void request_hec_take(struct request_handler *handler, struct http_request *request,
		      const struct request_source *source);

/* Answers one that has come back from the commit thread, or did not get there. */
void request_hec_finish(struct request_handler *handler, const struct submission *submission);

#endif
