/*
 * Those who tell people: each is one file with a table, which writes the request and
 * says what the answers mean.  When, how often and what is then done is send_http.c's.
 */
#ifndef VENDOR_H
#define VENDOR_H

#include "bridge/config.h"
#include "bridge/incident.h"
#include "bridge/forwarder/vendor_reply.h"

/* What is to be told; all borrowed. */
struct vendor_notification {
	const struct config_destination *destination; /* of its http */
	const struct event *event;
	const struct incident *incident;
	uint64_t count;      /* events that it stands for; 1: the event alone */
	uint64_t number;     /* in the count of the destination; 0: it stands for several */
	struct slice url;    /* without a slash at its end; it may be secret */
	struct slice key;    /* of the key file; absent: none */
	struct slice topic;  /* ntfy */
	struct slice secret; /* of the signature; absent: none */
	int64_t now;         /* milliseconds since 1970 */
};

/* Written front to back; what does not fit shows in `overflowed`. */
struct vendor_request {
	const char *method;  /* "POST" where nobody says otherwise */
	struct text url;     /* begins as the notification's */
	struct text headers; /* "name: value\n" lines; Content-Type is there already */
	struct text body;
};

struct vendor {
	const char *name;

	/* False: never to be sent, for the reason in the error; or a setting is bad, *hold. */
	bool (*write)(const struct vendor_notification *notification,
		      struct vendor_request *request, bool *hold, struct error *error);

	/* Before those that hold for all: vendor_reply.c. */
	const struct vendor_reply *replies;
	size_t reply_count;
};

extern const struct vendor send_pagerduty;
extern const struct vendor send_opsgenie;
extern const struct vendor send_alertmanager;
extern const struct vendor send_slack;
extern const struct vendor send_ntfy;
extern const struct vendor send_webhook; /* http */

/*
 * Appends "Resolved: [high] Invoice overdue ... (12 events)": the subject of the notice
 * (notice.h), and what of it the event alone does not know.
 */
void vendor_write_subject(const struct vendor_notification *notification, struct text *text);

/* The same above the text of the notice. */
void vendor_write_text(const struct vendor_notification *notification, struct text *text);

/* At most so many code points of it, the last one "…" where it was longer. */
void vendor_cut(struct slice text, size_t characters, struct text *cut);

/* Appends the path to the address, unless that ends in it already. */
void vendor_complete_url(struct vendor_request *request, const char *path);

/* Appends its bytes percent-encoded (RFC 3986 2.3). */
void vendor_escape_path(struct slice text, struct text *path);

/* Appends "Authorization: <scheme> <key>\n" where there is a key. */
void vendor_write_authorization(const struct vendor_notification *notification, const char *scheme,
				struct text *headers);

#endif
