/*
 * Splunk's HTTP Event Collector (standards.md 9).  A request holds what is there, up
 * to batch_size and batch_events; the next one follows its answer, so a lone event
 * leaves at once and under load a request gathers what came meanwhile.
 *
 *   confirmation  the answer 200; with `acknowledge` an indexer's word for each request
 *   order         that of the spool
 *   duplicates    a request without an answer is sent again; with `acknowledge`, what was
 *                 not indexed within ack_timeout, marked as possible_duplicate
 *
 * What an answer means is the table in hec_reply.c.  What is done about it:
 *
 *   done        the next one
 *   slow down   it was taken; the next one after Retry-After, or a second
 *   retry       SEND_AGAIN: the same after a pause, and not before Retry-After
 *   elsewhere   SEND_ELSEWHERE: the same at another of its urls; of one alone as retry
 *   hold        SEND_HOLD: all waits until a setting is mended, here or in Splunk
 *   drop event  SEND_REFUSED: that event is a dead letter, the others go on
 *   split       halves, until an event that is refused is alone
 *
 * Before the first request, and before another one when one has failed, the collector
 * is asked whether it is well; only its own no keeps events back.
 *
 * Of several urls one that cannot be reached, does not answer or says of itself that it
 * is not well is passed over when a connection begins; one that breaks later, or shuts
 * down, is left.  That it is busy is no reason to leave it (standards.md 9.2).
 *
 * What is acknowledged is asked for by channel: hec_channel.h.  With another url that is
 * still done: where both lead to the same indexers it is heard of there, and else it is
 * sent again after ack_timeout, as from an indexer that has died.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/acks.h"
#include "bridge/forwarder/hec_channel.h"
#include "bridge/forwarder/hec_client.h"
#include "bridge/forwarder/send.h"
#include "bridge/http_client.h"
#include "formats/memory.h"

enum {
	SLOW_DOWN = 1000,          /* milliseconds, where it does not say how long */
	EAGER_INTERVAL = 1000,     /* likewise, for acknowledgements where much is under way */
	MUCH_UNDER_WAY = 16 << 20, /* bytes */
};

struct session {
	const struct config_splunk_hec *hec;
	struct hec_client *client;
	struct acks *acks;  /* NULL: a 200 is enough */
	bool well;          /* it is to be asked before the next request, where it is not */
	size_t limit;       /* events of the next request, where fewer than batch_events */
	int64_t not_before; /* deadline_now() */

	uint64_t bad;        /* offset behind the message that was refused; 0: none */
	struct error reason; /* of that */

	struct hec_channel channel;
	bool anew;      /* a request is waited for no more, which is on the stream */
	int64_t ask_at; /* deadline_now() */
};

/* ---- a session ---- */

static void
close_session(void *connection)
{
	struct session *session = connection;

	hec_client_free(session->client);
	free(session);
}

static bool
has_others(const struct session *session)
{
	return session->hec->several.count > 1;
}

static bool
is_not_well(const struct hec_client_answer *answer)
{
	return answer->reply.code >= 0 &&
	       (answer->reply.action == HEC_RETRY || answer->reply.action == HEC_ELSEWHERE);
}

static bool
is_no(const struct hec_client_answer *answer)
{
	return is_not_well(answer) || (answer->reply.code >= 0 && answer->reply.action == HEC_HOLD);
}

/* Is there somebody to talk to?  A setting that is bad is told of later, and holds. */
static bool
greet(const struct session *session, const struct connect_patience *patience, struct error *error)
{
	struct hec_client_answer answer;

	switch (hec_client_look(session->client,
				patience->limit > 0 ? patience->limit : CONNECT_LIMIT, &answer,
				error)) {
	case HEC_CLIENT_AWAY:
	case HEC_CLIENT_LOST:
		return false;
	case HEC_CLIENT_WRONG:
		return true;
	case HEC_CLIENT_ANSWERED:
		break;
	}
	if (is_not_well(&answer))
		hec_client_explain(session->client, &answer, error);
	return !is_not_well(&answer);
}

static bool
open_session(void **connection, const struct config_destination *destination, const char *address,
	     const struct connect_patience *patience, struct error *error)
{
	struct session *session = memory_allocate(sizeof(*session));

	session->hec = destination->splunk_hec;
	session->client = hec_client_new(session->hec, address, patience->stopping);
	session->limit = session->hec->batch_events;
	hec_channel_begin(&session->channel, session->hec->channel, false);
	if (has_others(session) && !greet(session, patience, error)) {
		close_session(session);
		return false;
	}
	*connection = session;
	return true;
}

static void
recall(void *connection, struct acks *acks)
{
	struct session *session = connection;

	session->acks = acks;
	acks_begin(acks);
	if (acks_cookies(acks) != NULL)
		hec_client_set_cookies(session->client, text_of(acks_cookies(acks)));
	hec_channel_begin(&session->channel, session->hec->channel, true);
	session->ask_at = 0;
}

static const char *
peer(const void *connection)
{
	const struct session *session = connection;

	return hec_client_peer(session->client);
}

static void
leave_channel(struct session *session)
{
	if (session->acks != NULL && hec_channel_leave(&session->channel, session->acks))
		session->anew = true;
}

/* ---- what an answer means for all ---- */

static enum send_result
fail(struct session *session, enum hec_client_result result)
{
	session->well = false;
	if (result == HEC_CLIENT_WRONG)
		return SEND_HOLD;
	return has_others(session) ? SEND_ELSEWHERE : SEND_AGAIN;
}

/* For a retry, here or elsewhere, or for a setting. */
static enum send_result
obey(struct session *session, const struct hec_client_answer *answer, struct error *error)
{
	session->well = false;
	session->not_before = answer->retry_after > 0 ? deadline_now() + answer->retry_after : 0;
	hec_client_explain(session->client, answer, error);
	if (answer->reply.action == HEC_HOLD)
		return SEND_HOLD;
	return answer->reply.action == HEC_ELSEWHERE && has_others(session) ? SEND_ELSEWHERE
									    : SEND_AGAIN;
}

static void
ignore(void *context, uint64_t ack_id)
{
	(void)context, (void)ack_id;
}

/* A token without indexer acknowledgement is found out before it takes anything. */
static enum send_result
check_acks(struct session *session, struct error *error)
{
	const uint64_t any = 0;
	struct hec_client_answer answer;
	enum hec_client_result result = hec_client_ask(session->client, session->channel.name, &any,
						       1, ignore, NULL, &answer, error);

	if (result != HEC_CLIENT_ANSWERED)
		return fail(session, result);
	return is_no(&answer) ? obey(session, &answer, error) : SEND_PROGRESS;
}

static enum send_result
check_health(struct session *session, struct error *error)
{
	struct hec_client_answer answer;
	enum hec_client_result result;

	if (session->well)
		return SEND_PROGRESS;
	result = hec_client_look(session->client, 0, &answer, error);
	if (result != HEC_CLIENT_ANSWERED)
		return fail(session, result);
	if (is_no(&answer))
		return obey(session, &answer, error);
	if (session->acks != NULL) {
		enum send_result acks = check_acks(session, error);

		if (acks != SEND_PROGRESS)
			return acks;
	}
	session->well = true;
	return SEND_PROGRESS;
}

/* ---- a request ---- */

/* Messages of a batch that go out together. */
struct parcel {
	size_t count;
	size_t begin, end;    /* in the output */
	uint64_t first, last; /* sequences of live events; 0: they are others */
};

static uint64_t
sequence_of(const struct batch *batch, size_t message)
{
	return batch->items[batch->messages[message].item].stored->sequence;
}

/* Those that a request holds that waits already: nothing is sent for them. */
static bool
adopt(struct session *session, struct batch *batch)
{
	bool any = false;

	if (session->acks == NULL || batch->lane != BATCH_LIVE)
		return false;
	while (!batch_is_sent(batch)) {
		size_t end = batch->messages[batch->next].end;

		if (!acks_adopt(session->acks, sequence_of(batch, batch->next),
				batch->offset + batch->sent, batch->offset + end))
			break;
		batch_advance(batch, end - batch->sent);
		any = true;
	}
	return any;
}

/* As many as one request takes, up to one that was refused or waits already. */
static struct parcel
pack(const struct session *session, const struct batch *batch)
{
	struct parcel parcel = {.begin = batch->sent, .end = batch->sent};
	size_t most = session->limit < session->hec->batch_events ? session->limit
								  : session->hec->batch_events;

	for (size_t i = batch->next; i < batch->message_count && parcel.count < most; i++) {
		size_t end = batch->messages[i].end;

		if (parcel.count > 0 && end - parcel.begin > session->hec->batch_size)
			break;
		if (batch->offset + end == session->bad)
			break;
		if (parcel.count > 0 && session->acks != NULL && batch->lane == BATCH_LIVE &&
		    acks_covers(session->acks, sequence_of(batch, i)))
			break;
		parcel.end = end;
		parcel.count++;
	}
	if (batch->lane == BATCH_LIVE && parcel.count > 0) {
		parcel.first = sequence_of(batch, batch->next);
		parcel.last = sequence_of(batch, batch->next + parcel.count - 1);
	}
	return parcel;
}

static void
wait_for_indexer(struct session *session, const struct batch *batch, const struct parcel *parcel,
		 uint64_t id)
{
	char bytes[HTTP_CLIENT_LONGEST_COOKIES];
	struct delivery_ack ack = {
	    .id = id, .first = parcel->first, .last = parcel->last, .posted_at = deadline_wall()};
	struct text cookies;

	text_start(&cookies, bytes, sizeof(bytes) - 1);
	hec_client_cookies(session->client, &cookies);
	bytes[cookies.overflowed ? 0 : cookies.length] = '\0';
	if (bytes[0] != '\0')
		ack.cookies = bytes;
	memcpy(ack.channel, session->channel.name, sizeof(ack.channel));
	if (acks_oldest(session->acks) == INT64_MAX)
		session->ask_at = deadline_now() + session->hec->ack_interval;
	acks_add(session->acks, &ack, deadline_now(), batch->offset + parcel->begin,
		 batch->offset + parcel->end, hec_channel_keeps(&session->channel, id));
}

/* It was taken. */
static enum send_result
go_on(struct session *session, struct batch *batch, const struct parcel *parcel,
      const struct hec_client_answer *answer, struct error *error)
{
	bool full =
	    batch->count >= batch->events || batch->output.length > session->hec->batch_size / 2;

	if (session->acks != NULL) {
		if (!answer->reply.has_ack_id) {
			session->well = false;
			error_set(error,
				  "%s took events and promises no acknowledgement; switch on "
				  "indexer acknowledgement of the token, or set acknowledge: false",
				  hec_client_peer(session->client));
			return SEND_HOLD;
		}
		if (hec_channel_take(&session->channel, session->acks, answer->reply.ack_id))
			session->anew = true;
		wait_for_indexer(session, batch, parcel, answer->reply.ack_id);
	}
	batch_advance(batch, parcel->end - parcel->begin);
	if (session->limit < session->hec->batch_events)
		session->limit *= 2;
	session->not_before = 0;
	if (answer->reply.action == HEC_SLOW)
		session->not_before =
		    deadline_now() + (answer->retry_after > 0 ? answer->retry_after : SLOW_DOWN);
	else if (session->hec->linger > 0 && batch_is_sent(batch) && !full)
		session->not_before = deadline_now() + session->hec->linger;
	return SEND_PROGRESS;
}

/* One is refused: those before it were taken, but nobody will acknowledge them. */
static enum send_result
set_aside(struct session *session, struct batch *batch, size_t event,
	  const struct hec_client_answer *answer, struct error *error)
{
	const struct batch_message *message = &batch->messages[batch->next + event];

	hec_client_explain(session->client, answer, error);
	session->limit = session->hec->batch_events;
	if (event == 0)
		return SEND_REFUSED;
	session->reason = *error;
	session->bad = batch->offset + message->end;
	if (session->acks == NULL)
		batch_advance(batch, batch->messages[batch->next + event - 1].end - batch->sent);
	return SEND_PROGRESS;
}

/*
 * Halves.  An event alone is refused for good where the collector says so itself; what
 * somebody before it says of every request alike would make dead letters of all.
 */
static enum send_result
split(struct session *session, struct batch *batch, size_t count,
      const struct hec_client_answer *answer, struct error *error)
{
	struct hec_client_answer health;

	if (count > 1) {
		session->limit = count / 2;
		return SEND_PROGRESS;
	}
	if (answer->reply.code < 0 &&
	    (hec_client_look(session->client, 0, &health, error) != HEC_CLIENT_ANSWERED ||
	     health.reply.code < 0)) {
		session->well = false;
		hec_client_explain(session->client, answer, error);
		return SEND_HOLD;
	}
	return set_aside(session, batch, 0, answer, error);
}

/* An index that is not there: what stands before it was taken, and goes out once. */
static void
spare_good(struct session *session, struct batch *batch, const struct hec_reply *reply)
{
	if (!reply->names_event || reply->event == 0)
		return;
	if (session->acks != NULL)
		session->limit = reply->event;
	else
		batch_advance(batch,
			      batch->messages[batch->next + reply->event - 1].end - batch->sent);
}

static enum send_result
act(struct session *session, struct batch *batch, const struct parcel *parcel,
    const struct hec_client_answer *answer, struct error *error)
{
	switch (answer->reply.action) {
	case HEC_DONE:
	case HEC_SLOW:
		return go_on(session, batch, parcel, answer, error);
	case HEC_DROP:
		return set_aside(session, batch, answer->reply.event, answer, error);
	case HEC_SPLIT:
		return split(session, batch, parcel->count, answer, error);
	case HEC_RETRY:
		if (answer->reply.code < 0)
			leave_channel(session);
		break;
	case HEC_ELSEWHERE:
		break;
	case HEC_HOLD:
		spare_good(session, batch, &answer->reply);
		break;
	}
	return obey(session, answer, error);
}

static enum send_result
post(struct session *session, struct batch *batch, const struct parcel *parcel, struct error *error)
{
	const struct slice envelopes = {batch->output.bytes + parcel->begin,
					parcel->end - parcel->begin};
	struct hec_client_answer answer;
	enum hec_client_result result = hec_client_post(session->client, session->channel.name,
							envelopes, parcel->count, &answer, error);

	if (result == HEC_CLIENT_ANSWERED)
		return act(session, batch, parcel, &answer, error);
	if (result == HEC_CLIENT_LOST)
		leave_channel(session);
	return fail(session, result);
}

/* ---- acknowledgements ---- */

/* Those of one channel. */
struct question {
	struct acks *acks;
	char channel[DELIVERY_CHANNEL + 1];
	uint64_t ids[HEC_CLIENT_ACKS];
	size_t count;
};

static void
on_indexed(void *context, uint64_t ack_id)
{
	struct question *question = context;

	acks_indexed(question->acks, question->channel, ack_id);
}

/* Asks for all that wait. */
static enum send_result
ask(struct session *session, struct error *error)
{
	struct question question = {.acks = session->acks};

	acks_begin_round(session->acks);
	while ((question.count = acks_next(session->acks, question.channel, question.ids,
					   HEC_CLIENT_ACKS)) > 0) {
		struct hec_client_answer answer;
		enum hec_client_result result =
		    hec_client_ask(session->client, question.channel, question.ids, question.count,
				   on_indexed, &question, &answer, error);

		if (result != HEC_CLIENT_ANSWERED)
			return fail(session, result);
		if (answer.reply.action != HEC_DONE)
			return obey(session, &answer, error);
	}
	return SEND_IDLE;
}

static enum send_result
ask_if_due(struct session *session, uint64_t under_way, struct error *error)
{
	int64_t interval = session->hec->ack_interval;

	if (acks_oldest(session->acks) == INT64_MAX || deadline_now() < session->ask_at)
		return SEND_IDLE;
	if (under_way > MUCH_UNDER_WAY && interval > EAGER_INTERVAL)
		interval = EAGER_INTERVAL;
	session->ask_at = deadline_now() + interval;
	return ask(session, error);
}

static bool
begin_anew(struct session *session)
{
	int64_t before = deadline_now() - session->hec->ack_timeout;

	if (acks_expire(session->acks, before))
		session->anew = true;
	if (!session->anew)
		return false;
	session->anew = false;
	session->bad = 0;
	acks_begin(session->acks);
	return true;
}

/* ---- the kind ---- */

static enum send_result
send_some(void *connection, struct batch *batch, struct error *error)
{
	struct session *session = connection;
	enum send_result health;
	struct parcel parcel;

	if (adopt(session, batch))
		return SEND_PROGRESS;
	if (session->anew || deadline_now() < session->not_before ||
	    (session->acks != NULL && acks_count(session->acks) >= ACKS_MOST))
		return SEND_IDLE;
	if (session->bad == batch->offset + batch->messages[batch->next].end) {
		session->bad = 0;
		*error = session->reason;
		return SEND_REFUSED;
	}
	health = check_health(session, error);
	if (health != SEND_PROGRESS)
		return health;
	parcel = pack(session, batch);
	return post(session, batch, &parcel, error);
}

static enum send_result
confirm(void *connection, uint64_t written, uint64_t *confirmed, struct error *error)
{
	struct session *session = connection;
	enum send_result result;

	*confirmed = written;
	if (session->acks == NULL)
		return SEND_IDLE;
	result = ask_if_due(session, written - acks_confirm(session->acks, written), error);
	*confirmed = acks_confirm(session->acks, written);
	if (result != SEND_IDLE || !begin_anew(session))
		return result;
	error_set(
	    error,
	    "%s: what it took was not acknowledged in time, or may have been mixed up; sent again",
	    hec_client_peer(session->client));
	return SEND_ANEW;
}

static void
watch(const void *connection, bool blocked, uint64_t written, struct send_watch *watch)
{
	const struct session *session = connection;

	(void)blocked, (void)written;
	watch->descriptor = -1;
	watch->at = INT64_MAX;
	watch->not_before = session->not_before;
	if (session->acks == NULL)
		return;
	if (session->anew)
		watch->at = 0;
	else if (acks_oldest(session->acks) != INT64_MAX)
		watch->at = session->ask_at;
}

const struct send_kind send_hec = {
    .name = "Splunk HEC",
    .open = open_session,
    .peer = peer,
    .send = send_some,
    .confirm = confirm,
    .watch = watch,
    .close = close_session,
    .recall = recall,
};
