/*
 * The kinds of destination.  Each is one file with a table of functions; none of
 * them waits, tries again or gives up: that is the loop's (destination.c, destination_retry.c).
 *
 * What was handed over on a connection is counted in bytes of framed output from
 * its start; `confirm` says up to which of them the peer can be said to have it.
 */
#ifndef SEND_H
#define SEND_H

#include "bridge/config.h"
#include "bridge/forwarder/batch.h"
#include "bridge/forwarder/connect.h"

enum send_result {
	SEND_PROGRESS,  /* something moved: go on at once */
	SEND_IDLE,      /* nothing to do before something happens: see struct send_watch */
	SEND_REFUSED,   /* one message can never be sent, for the reason in the error */
	SEND_LATER,     /* the connection is of no more use, for the reason in the error */
	SEND_ELSEWHERE, /* the same, and another address is to be tried before this one */
	/* The same again after a while; what was handed over stays so, the connection too: */
	SEND_ANEW,  /* what is not confirmed is to be handed over once more, on this connection,
		       as a fresh stream, for the reason in the error */
	SEND_AGAIN, /* not now, for the reason in the error */
	SEND_HOLD, /* a setting is bad, here or there, for the reason in the error: nothing is lost,
		      all waits until somebody mends it, and it is tried every `hold_retry` */
};

/* What the loop is to wait for beside the spool. */
struct send_watch {
	int descriptor;     /* -1: none */
	short events;       /* of poll(2) */
	int64_t at;         /* deadline_now() by which to come again; INT64_MAX: no need */
	int64_t not_before; /* deadline_now() until when the peer is to be left alone; 0: no need */
};

struct acks;

struct send_kind {
	const char *name;

	/*
	 * Gives *connection, closed with close().  Borrows the destination until then.
	 * `address` is the one of its addresses to go to; NULL where it has none.
	 */
	bool (*open)(void **connection, const struct config_destination *destination,
		     const char *address, const struct connect_patience *patience,
		     struct error *error);

	/* Who is at the other end, for the log; borrowed from the connection. */
	const char *(*peer)(const void *connection);

	/*
	 * Hands over what it can of the rest of the batch (batch_advance()).
	 * SEND_REFUSED: message batch->next.
	 */
	enum send_result (*send)(void *connection, struct batch *batch, struct error *error);

	/*
	 * Up to which of the `written` bytes is it confirmed?  *confirmed never falls.
	 * SEND_IDLE; or SEND_REFUSED: everything before the message that ends at
	 * *confirmed is confirmed, and that message the peer has refused for good, ask
	 * again for what is behind it; or SEND_LATER or SEND_ELSEWHERE where the connection
	 * turned out to be of no more use; or SEND_AGAIN or SEND_HOLD, with *confirmed as far as it
	 * is, where nothing more is to be sent for a while.
	 */
	enum send_result (*confirm)(void *connection, uint64_t written, uint64_t *confirmed,
				    struct error *error);

	/* `blocked`: the last send() took less than there was. */
	void (*watch)(const void *connection, bool blocked, uint64_t written,
		      struct send_watch *watch);

	void (*close)(void *connection);

	/* NULL, or appends what is known of the connection beside its peer; may be nothing. */
	void (*describe)(const void *connection, struct text *text);

	/* NULL, or after open(): what it handed over before and still waits for.  Borrowed. */
	void (*recall)(void *connection, struct acks *acks);
};

extern const struct send_kind send_syslog_stream; /* tcp, tls, unix-stream */
extern const struct send_kind send_relp;          /* relp, relp-tls */
extern const struct send_kind send_syslog_udp;
extern const struct send_kind send_syslog_unix;
extern const struct send_kind send_file;
extern const struct send_kind send_email;
extern const struct send_kind send_hec;
extern const struct send_kind send_http; /* pagerduty, opsgenie, alertmanager, slack, ntfy, http */

/* The kind of that destination. */
const struct send_kind *send_kind_of(const struct config_destination *destination);

#endif
