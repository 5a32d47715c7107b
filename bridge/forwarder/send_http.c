/*
 * Those on call, and whoever else takes a request an event: PagerDuty, Opsgenie,
 * Alertmanager's receivers, Slack, ntfy, any HTTP.  What is said and what the answers
 * mean is the vendor's file (vendor.h); here is when:
 *
 *   done   confirmed
 *   retry  SEND_AGAIN: after a pause, or after what Retry-After says; no answer too
 *   hold   SEND_HOLD: all waits until a setting is mended; a certificate too
 *   drop   SEND_REFUSED: this event is a dead letter, the next one goes on
 *
 * An event is gathered (fold.h) or goes out at once, no faster than `rate`; one that
 * somebody asked to be sent again is not gathered.  What is
 * gathered is confirmed when its notification was accepted, so a crash costs a
 * notification that comes twice, never one that does not come.  At the end, and when
 * so many wait that the window of the loop would fill, all leave early.
 *
 * Keys, secrets and the addresses that are in files are read for each request: they may
 * have been changed.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/backoff.h"
#include "bridge/forwarder/fold.h"
#include "bridge/forwarder/pace.h"
#include "bridge/forwarder/send.h"
#include "bridge/forwarder/vendor.h"
#include "bridge/http_client.h"
#include "bridge/secret.h"
#include "formats/memory.h"

enum {
	URL_BYTES = 8 * 1024,
	HEADER_BYTES = 64 * 1024,
	BODY_BYTES = 1024 * 1024,
	EXCERPT = 160,           /* bytes of an answer that are told */
	CROWD = 64 * 1024,       /* messages from the first that is gathered to the last */
	CONNECT_TIMEOUT = 10000, /* milliseconds */
};

static const struct vendor *const vendors[] = {
    [CONFIG_VENDOR_PAGERDUTY] = &send_pagerduty,
    [CONFIG_VENDOR_OPSGENIE] = &send_opsgenie,
    [CONFIG_VENDOR_ALERTMANAGER] = &send_alertmanager,
    [CONFIG_VENDOR_SLACK] = &send_slack,
    [CONFIG_VENDOR_NTFY] = &send_ntfy,
    [CONFIG_VENDOR_HTTP] = &send_webhook,
};

/* What is read for one request; NULL: not configured. */
struct papers {
	struct secret *url, *key, *topic, *secret;
};

struct teller {
	const struct config_destination *destination;
	const struct config_http *http;
	const struct vendor *vendor;
	const atomic_bool *stopping;
	struct http_client *client; /* NULL: made with the next request, with fresh settings */
	bool client_is_plain;       /* it speaks http:// too */
	char peer[300];
	struct fold *fold;
	struct pace pace;
	struct backoff backoff;
	int64_t not_before;   /* deadline_now() before which nothing is asked */
	bool waits;           /* send() had something, and it was too early */
	struct error refusal; /* of what is refused in the fold */
	struct vendor_request request;
};

/* ---- the connection ---- */

static void
start_text(struct text *text, size_t capacity)
{
	text_start(text, memory_allocate(capacity), capacity);
}

static bool
teller_open(void **connection, const struct config_destination *destination, const char *address,
	    const struct connect_patience *patience, struct error *error)
{
	struct teller *teller = memory_allocate(sizeof(*teller));
	struct text peer;

	(void)address, (void)error;
	teller->destination = destination;
	teller->http = destination->http;
	teller->vendor = vendors[destination->http->vendor];
	teller->stopping = patience->stopping;
	teller->fold = fold_new(destination->http->fold);
	pace_start(&teller->pace, destination->http->rate);
	backoff_start(&teller->backoff, (uint64_t)deadline_now());
	start_text(&teller->request.url, URL_BYTES);
	start_text(&teller->request.headers, HEADER_BYTES);
	start_text(&teller->request.body, BODY_BYTES);
	text_start(&peer, teller->peer, sizeof(teller->peer) - 1);
	text_append_string(&peer, teller->vendor->name);
	if (destination->http->url != NULL) {
		text_append_string(&peer, " at ");
		text_append_slice(&peer, http_client_origin(destination->http->url));
	}
	*connection = teller;
	return true;
}

static const char *
teller_peer(const void *connection)
{
	const struct teller *teller = connection;

	return teller->peer;
}

static void
teller_close(void *connection)
{
	struct teller *teller = connection;

	http_client_free(teller->client);
	fold_free(teller->fold);
	/* a key and a secret address were in them */
	memory_wipe(teller->request.url.bytes, teller->request.url.capacity);
	memory_wipe(teller->request.headers.bytes, teller->request.headers.capacity);
	memory_wipe(teller->request.body.bytes, teller->request.body.capacity);
	free(teller->request.url.bytes);
	free(teller->request.headers.bytes);
	free(teller->request.body.bytes);
	free(teller);
}

/* ---- what a request needs ---- */

static void
free_papers(struct papers *papers)
{
	secret_free(papers->url);
	secret_free(papers->key);
	secret_free(papers->topic);
	secret_free(papers->secret);
}

static bool
read_paper(struct secret **paper, const char *path, struct error *error)
{
	return path == NULL || secret_read_token(paper, path, error);
}

static bool
read_papers(struct papers *papers, const struct config_http *http, struct error *error)
{
	return read_paper(&papers->url, http->url_file, error) &&
	       read_paper(&papers->key, http->key_file, error) &&
	       read_paper(&papers->topic, http->topic_file, error) &&
	       read_paper(&papers->secret, http->secret_file, error);
}

static struct slice
bytes_of(const struct secret *secret)
{
	return secret != NULL ? secret_bytes(secret) : (struct slice){NULL, 0};
}

static void
fill_notification(const struct teller *teller, const struct papers *papers,
		  struct vendor_notification *notification)
{
	const struct config_http *http = teller->http;

	notification->destination = teller->destination;
	notification->url = papers->url != NULL ? secret_bytes(papers->url) : text_of(http->url);
	while (notification->url.length > 0 &&
	       notification->url.bytes[notification->url.length - 1] == '/')
		notification->url.length--;
	notification->key = bytes_of(papers->key);
	notification->secret = bytes_of(papers->secret);
	notification->topic =
	    papers->topic != NULL ? secret_bytes(papers->topic) : text_of(http->topic);
	notification->now = deadline_wall();
}

static bool
is_plain(struct slice url)
{
	return url.length > 7 && memcmp(url.bytes, "http://", 7) == 0;
}

static bool
ensure_client(struct teller *teller, struct slice url, struct error *error)
{
	const struct config_http *http = teller->http;
	const struct http_client_settings settings = {
	    .ca_file = http->ca_file,
	    .proxy = http->proxy,
	    .plain = is_plain(url),
	    .connect_timeout = http->timeout < CONNECT_TIMEOUT ? http->timeout : CONNECT_TIMEOUT,
	    .timeout = http->timeout,
	    .stopping = teller->stopping,
	};

	if (teller->client != NULL && teller->client_is_plain != settings.plain) {
		http_client_free(teller->client);
		teller->client = NULL;
	}
	teller->client_is_plain = settings.plain;
	return teller->client != NULL || http_client_new(&teller->client, &settings, error);
}

/* ---- one request ---- */

static enum vendor_action
judge(struct teller *teller, const struct vendor_notification *notification,
      const struct http_client_answer *answer, struct error *error)
{
	const struct vendor_reply *row = vendor_reply_find(
	    teller->vendor->replies, teller->vendor->reply_count, answer->status, answer->body);
	struct slice origin = http_client_origin(teller->request.url.bytes);
	char bytes[EXCERPT + 8];
	struct text excerpt;

	if (row->action == VENDOR_DONE)
		return VENDOR_DONE;
	if (answer->retry_after > 0)
		teller->not_before = deadline_now() + answer->retry_after;
	text_start(&excerpt, bytes, sizeof(bytes));
	if (row->action != VENDOR_RETRY)
		vendor_reply_excerpt(answer->body, EXCERPT, notification, &excerpt);
	error_set(error, "%.*s answered %d: %s%.*s", (int)origin.length, origin.bytes,
		  answer->status, row->meaning, (int)excerpt.length, excerpt.bytes);
	return row->action;
}

static enum vendor_action
perform(struct teller *teller, const struct vendor_notification *notification, struct error *error)
{
	struct vendor_request *request = &teller->request;
	const struct http_client_request asked = {.method = request->method,
						  .url = request->url.bytes,
						  .headers = text_slice(&request->headers),
						  .body = text_slice(&request->body)};
	struct http_client_answer answer;
	enum vendor_action action = VENDOR_RETRY;

	if (!ensure_client(teller, notification->url, error))
		return VENDOR_HOLD;
	pace_take(&teller->pace, deadline_now());
	switch (http_client_perform(teller->client, &asked, &answer, error)) {
	case HTTP_CLIENT_ANSWERED:
		return judge(teller, notification, &answer, error);
	case HTTP_CLIENT_UNREACHABLE:
	case HTTP_CLIENT_LOST:
		break;
	case HTTP_CLIENT_UNTRUSTED:
		action = VENDOR_HOLD;
		break;
	}
	http_client_free(teller->client);
	teller->client = NULL;
	return action;
}

/* What is written for the event; VENDOR_DONE: it may be sent. */
static enum vendor_action
write_request(struct teller *teller, const struct vendor_notification *notification,
	      struct error *error)
{
	const char *written = teller->http->content_type;
	struct vendor_request *request = &teller->request;
	bool hold = false;

	request->method = "POST";
	text_cut(&request->url, 0);
	text_cut(&request->headers, 0);
	text_cut(&request->body, 0);
	text_append_slice(&request->url, notification->url);
	text_append_format(&request->headers, "Content-Type: %s\nUser-Agent: siembridge\n",
			   written != NULL ? written : "application/json");
	if (!teller->vendor->write(notification, request, &hold, error))
		return hold ? VENDOR_HOLD : VENDOR_DROP;
	text_append_byte(&request->url, '\0');
	if (request->url.overflowed || request->headers.overflowed) {
		error_set(error, "its address or its headers are too long; see url and headers");
		return VENDOR_HOLD;
	}
	if (request->body.overflowed) {
		error_set(error, "as a notification it is longer than %d bytes", BODY_BYTES);
		return VENDOR_DROP;
	}
	return VENDOR_DONE;
}

static enum vendor_action
tell(struct teller *teller, struct vendor_notification *notification, struct error *error)
{
	struct papers papers = {0};
	enum vendor_action action = VENDOR_HOLD;

	if (read_papers(&papers, teller->http, error)) {
		fill_notification(teller, &papers, notification);
		action = write_request(teller, notification, error);
		if (action == VENDOR_DONE)
			action = perform(teller, notification, error);
	}
	free_papers(&papers);
	return action;
}

/* What the loop is to do about what was not done. */
static enum send_result
put_off(struct teller *teller, enum vendor_action action)
{
	int64_t now = deadline_now();
	int64_t pause = action == VENDOR_HOLD ? teller->destination->hold_retry
					      : backoff_next(&teller->backoff);

	teller->waits = false;
	if (teller->not_before < now + pause)
		teller->not_before = now + pause;
	return action == VENDOR_HOLD ? SEND_HOLD : SEND_AGAIN;
}

/* When the next request may be made. */
static int64_t
ready_at(const struct teller *teller)
{
	int64_t next = pace_next(&teller->pace);

	return next > teller->not_before ? next : teller->not_before;
}

/* ---- what was gathered ---- */

static int64_t
summary_due(const struct teller *teller, uint64_t written)
{
	struct fold_first first;
	int64_t due = fold_due(teller->fold);

	if (due == INT64_MAX)
		return due;
	if (atomic_load(teller->stopping) ||
	    (fold_first(teller->fold, &first) && written - first.start > CROWD))
		due = 0;
	return due > ready_at(teller) ? due : ready_at(teller);
}

static enum send_result
summarise(struct teller *teller, struct error *error)
{
	struct fold_summary summary;
	struct vendor_notification notification;
	enum vendor_action action;

	if (!fold_next(teller->fold, &summary))
		return SEND_IDLE;
	notification = (struct vendor_notification){
	    .event = summary.event, .incident = summary.incident, .count = summary.count};
	action = tell(teller, &notification, error);
	switch (action) {
	case VENDOR_DONE:
		fold_done(teller->fold, &summary, deadline_now());
		backoff_reset(&teller->backoff);
		return SEND_IDLE;
	case VENDOR_DROP:
		fold_refuse(teller->fold, &summary);
		teller->refusal = *error;
		return SEND_IDLE;
	case VENDOR_RETRY:
	case VENDOR_HOLD:
		break;
	}
	return put_off(teller, action);
}

/* ---- the kind ---- */

static enum send_result
send_now(struct teller *teller, struct batch *batch, const struct incident *incident,
	 struct error *error)
{
	const struct batch_message *message = &batch->messages[batch->next];
	const struct event *event = &batch->items[message->item].event;
	struct vendor_notification notification = {
	    .event = event,
	    .incident = incident,
	    .count = 1 + fold_covered(teller->fold, event, incident),
	    .number = message->number,
	};
	enum vendor_action action = tell(teller, &notification, error);

	switch (action) {
	case VENDOR_DONE:
		fold_sent(teller->fold, event, incident, deadline_now());
		backoff_reset(&teller->backoff);
		batch_advance(batch, message->end - batch->sent);
		return SEND_PROGRESS;
	case VENDOR_DROP:
		return SEND_REFUSED;
	case VENDOR_RETRY:
	case VENDOR_HOLD:
		break;
	}
	return put_off(teller, action);
}

static enum send_result
teller_send(void *connection, struct batch *batch, struct error *error)
{
	struct teller *teller = connection;
	const struct batch_message *message = &batch->messages[batch->next];
	const struct event *event = &batch->items[message->item].event;
	uint64_t start = batch->offset + batch->sent;
	struct incident incident;

	teller->waits = false;
	incident_of(event, &incident);
	if (!event->replayed &&
	    fold_take(teller->fold, event, &incident, start, batch->offset + message->end)) {
		batch_advance(batch, message->end - batch->sent);
		return SEND_PROGRESS;
	}
	/* One that was gathered and is due goes first: else a steady stream would keep it. */
	if (deadline_now() < ready_at(teller) || deadline_now() >= summary_due(teller, start)) {
		teller->waits = true;
		return SEND_IDLE;
	}
	return send_now(teller, batch, &incident, error);
}

static enum send_result
teller_confirm(void *connection, uint64_t written, uint64_t *confirmed, struct error *error)
{
	struct teller *teller = connection;
	enum send_result result = SEND_IDLE;
	struct fold_first first;

	if (deadline_now() >= summary_due(teller, written))
		result = summarise(teller, error);
	*confirmed = written;
	if (!fold_first(teller->fold, &first))
		return result;
	if (first.refused) {
		*confirmed = first.end;
		*error = teller->refusal;
		fold_pass(teller->fold, &first);
		return SEND_REFUSED;
	}
	*confirmed = first.start;
	return result;
}

static void
teller_watch(const void *connection, bool blocked, uint64_t written, struct send_watch *watch)
{
	const struct teller *teller = connection;
	int64_t due = summary_due(teller, written);

	watch->descriptor = -1;
	watch->at = blocked && teller->waits ? ready_at(teller) : INT64_MAX;
	if (due < watch->at)
		watch->at = due;
	watch->not_before = teller->not_before;
}

const struct send_kind send_http = {
    .name = "http",
    .open = teller_open,
    .peer = teller_peer,
    .send = teller_send,
    .confirm = teller_confirm,
    .watch = teller_watch,
    .close = teller_close,
};
