/*
 * What a Splunk HTTP Event Collector answered, and what is to be done about it.
 *
 * One table says it all (hec_reply.c): code -> HTTP status -> action.  An answer
 * that is not the collector's own, a balancer's page or garbage, goes by its status
 * alone; nothing but the collector's own word makes an event delivered.
 */
#ifndef HEC_REPLY_H
#define HEC_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/text.h"

enum hec_action {
	HEC_DONE,      /* taken */
	HEC_SLOW,      /* taken; the next request after a pause */
	HEC_RETRY,     /* not taken: the same again after a pause */
	HEC_ELSEWHERE, /* not taken: the same at another address at once; where there is none,
			  as HEC_RETRY */
	HEC_HOLD,      /* a setting is bad: nothing is dropped, the same again now and then */
	HEC_DROP,      /* one event is bad: which one, says hec_reply.event, where it is known */
	HEC_SPLIT,     /* too much at once, or something in it is bad: again in halves */
};

struct hec_reply {
	enum hec_action action;
	int code;            /* of the table; -1: the answer was not the collector's */
	const char *meaning; /* for the operator: "the token is disabled; enable it in Splunk" */
	bool names_event;
	size_t event; /* in the request, from 0: the bad one.  Those before it were taken */
	bool has_ack_id;
	uint64_t ack_id;
};

/* Reads the answer to a request of `count` events, or to a look at its health. */
void hec_reply_read(int status, struct slice body, size_t count, struct hec_reply *reply);

/*
 * Reads the answer to a question for acknowledgements, and calls `indexed` for each
 * ackId that is true.  False: it was no such answer; hec_reply_read() tells more.
 */
bool hec_reply_acks(int status, struct slice body, void (*indexed)(void *context, uint64_t ack_id),
		    void *context);

/* One row of the table: everything about a code.  For tests and the manual. */
struct hec_reply_row {
	int code;   /* -1: an answer without one */
	int status; /* of HTTP; of a row without code the first of a range ... */
	int last;   /* ... to this one */
	enum hec_action action;
	int event_offset; /* that invalid-event-number is too high by */
	const char *meaning;
};

/* The i-th row, or NULL behind the last. */
const struct hec_reply_row *hec_reply_row(size_t i);

/* "done", "hold" ... */
const char *hec_reply_action_name(enum hec_action action);

#endif
