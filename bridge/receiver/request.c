#include "bridge/receiver/request.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/util.h>

#include "bridge/config.h"
#include "bridge/deadline.h"
#include "bridge/gzip.h"
#include "bridge/receiver/challenge.h"
#include "bridge/receiver/client_certificate.h"
#include "bridge/receiver/commit.h"
#include "bridge/receiver/commit_returns.h"
#include "bridge/receiver/handshake.h"
#include "bridge/receiver/hec_input.h"
#include "bridge/receiver/http_admission.h"
#include "bridge/receiver/http_connection.h"
#include "bridge/receiver/http_request.h"
#include "bridge/receiver/intake.h"
#include "bridge/receiver/limit.h"
#include "bridge/receiver/report.h"
#include "bridge/receiver/request_hec.h"
#include "bridge/receiver/request_internal.h"
#include "bridge/receiver/verify.h"
#include "formats/memory.h"

enum {
	CONSENT = HANDSHAKE_ORIGIN + 96, /* bytes: the headers of handshake.h */
};

/* What of an outcome is counted, where the answer alone tells it. */
static const enum counter counted[ANSWERS] = {
    [ANSWER_ACCEPTED] = COUNTER_ACCEPTED,
    [ANSWER_CHALLENGE] = COUNTER_CHALLENGES,
    [ANSWER_HANDSHAKE] = COUNTERS,
    [ANSWER_OPTIONS] = COUNTERS,
    [ANSWER_MALFORMED] = COUNTER_REFUSED,
    [ANSWER_NOT_AN_EVENT] = COUNTER_REJECTED,
    [ANSWER_UNAUTHORIZED] = COUNTER_SIGNATURE_INVALID,
    [ANSWER_NOT_FOUND] = COUNTER_REFUSED,
    [ANSWER_METHOD] = COUNTER_REFUSED,
    [ANSWER_TIMEOUT] = COUNTER_REFUSED,
    [ANSWER_LENGTH_REQUIRED] = COUNTER_REFUSED,
    [ANSWER_BODY_TOO_LARGE] = COUNTER_REFUSED,
    [ANSWER_TARGET_TOO_LONG] = COUNTER_REFUSED,
    [ANSWER_MEDIA_TYPE] = COUNTER_REFUSED,
    [ANSWER_TOO_MANY] = COUNTER_RATE_LIMITED,
    [ANSWER_TOO_MANY_REFUSED] = COUNTER_RATE_LIMITED,
    [ANSWER_HEADERS_TOO_LARGE] = COUNTER_REFUSED,
    [ANSWER_UNEXPECTED] = COUNTER_UNAVAILABLE,
    [ANSWER_UNAVAILABLE] = COUNTER_UNAVAILABLE,
    [ANSWER_HEC_DONE] = COUNTERS,
    [ANSWER_HEC_WRONG] = COUNTER_REFUSED,
    [ANSWER_HEC_UNAUTHORIZED] = COUNTER_SIGNATURE_INVALID,
    [ANSWER_HEC_FORBIDDEN] = COUNTER_SIGNATURE_INVALID,
    [ANSWER_HEC_BUSY] = COUNTER_UNAVAILABLE,
};

struct request_handler *
request_handler_new(const struct request_source *sources, size_t count, struct commit *commit,
		    struct commit_returns *returns, struct report *report, struct limit *limit,
		    struct counters *counters)
{
	struct request_handler *handler = memory_allocate(sizeof(*handler));

	handler->sources = sources;
	handler->source_count = count;
	handler->commit = commit;
	handler->returns = returns;
	handler->counters = counters;
	handler->report = report;
	handler->limit = limit;
	handler->notes = memory_allocate_array(count, sizeof(*handler->notes));
	handler->arena = arena_new();
	handler->outbox_end = &handler->outbox;
	return handler;
}

void
request_handler_free(struct request_handler *handler)
{
	if (handler == NULL)
		return;
	arena_free(handler->arena);
	free(handler->notes);
	free(handler);
}

size_t
request_pending(const struct request_handler *handler)
{
	return handler->pending;
}

/*
 * The Date of an answer.  Not written anew for each: gmtime_r() takes a lock that all loops
 * contend for.
 */
static const char *
date_of(struct request_handler *handler)
{
	time_t now = (time_t)(deadline_wall() / 1000);
	struct tm parts;

	if (now != handler->date_at && gmtime_r(&now, &parts) != NULL &&
	    evutil_date_rfc1123(handler->date, sizeof(handler->date), &parts) > 0)
		handler->date_at = now;
	return handler->date;
}

static void
reply(struct request_handler *handler, struct http_connection *connection,
      struct http_response *response)
{
	response->date = date_of(handler);
	response->closes = handler->draining;
	http_connection_answer(connection, response);
}

void
request_reply(struct request_handler *handler, struct http_connection *connection,
	      enum answer answer, struct slice sentence)
{
	struct http_response response = {.answer = answer, .sentence = sentence};

	reply(handler, connection, &response);
}

static void
answer_now(struct request_handler *handler, struct http_connection *connection, enum answer answer,
	   struct slice sentence)
{
	if (counted[answer] != COUNTERS)
		counters_add(handler->counters, counted[answer], 1);
	request_reply(handler, connection, answer, sentence);
}

/* One that errs too often is told so, and to go: only after it was seen that he errs. */
void
request_refuse(struct request_handler *handler, struct http_connection *connection,
	       enum answer answer, struct slice sentence)
{
	int status = answer_row(answer)->status;

	if (status >= 400 && status < 500 && answer != ANSWER_TOO_MANY &&
	    !http_admission_may_err(connection)) {
		answer = ANSWER_TOO_MANY_REFUSED;
		sentence = (struct slice){NULL, 0};
	}
	answer_now(handler, connection, answer, sentence);
}

static void
refuse(struct request_handler *handler, struct http_connection *connection, enum answer answer)
{
	request_refuse(handler, connection, answer, (struct slice){NULL, 0});
}

/* ---- what becomes of it ---- */

/* The source of that path, whatever stands behind a "?"; NULL: there is none. */
static const struct request_source *
source_of(const struct request_handler *handler, const char *target)
{
	struct slice path = {target, strcspn(target, "?")};

	for (size_t i = 0; i < handler->source_count; i++) {
		const struct config_source *config = handler->sources[i].config;

		if (config->signature == CONFIG_SIGNATURE_HEC
			? hec_input_endpoint(config->path, target) != HEC_NOWHERE
			: text_slice_is(path, config->path))
			return &handler->sources[i];
	}
	return NULL;
}

void
request_submit(struct request_handler *handler, struct http_connection *connection,
	       struct submission *submission)
{
	submission->connection = connection;
	submission->returns = handler->returns;
	submission->next = NULL;
	*handler->outbox_end = submission;
	handler->outbox_end = &submission->next;
	handler->pending++;
}

/* ---- bad signatures ---- */

void
request_tick(struct request_handler *handler)
{
	request_report_tell(handler, false);
}

void
request_drain(struct request_handler *handler)
{
	handler->draining = true;
	request_report_tell(handler, true);
}

/* The client's certificate, where one is wanted, and the signature. */
static bool
is_trusted(const struct request_source *source, const struct http_connection *connection,
	   const struct verify_request *seen, struct verify_outcome *outcome, struct error *error)
{
	if (source->client != NULL &&
	    !client_certificate_check(source->client, http_connection_session(connection), error)) {
		outcome->reason = VERIFY_STRANGER;
		return false;
	}
	return verify_check(source->verify, seen, outcome, error);
}

bool
request_is_trusted(struct request_handler *handler, struct http_connection *connection,
		   const struct request_source *source, const struct verify_request *seen,
		   struct verify_outcome *outcome)
{
	struct error error;

	if (is_trusted(source, connection, seen, outcome, &error))
		return true;
	request_report_note(handler, source, http_connection_address(connection), outcome->reason,
			    &error);
	return false;
}

/* ---- events ---- */

/* A body that is no event, though somebody who is trusted sent it. */
static void
keep_rejected(struct request_handler *handler, struct http_connection *connection,
	      const struct intake *intake, const struct error *error)
{
	const struct spool_rejected rejected = {.received_at = intake->seen->now,
						.source = text_of(intake->config->name),
						.reason = text_of(error->text),
						.evidence = text_slice(intake->evidence),
						.body = intake->body};

	request_submit(handler, connection, submission_new_rejected(&rejected));
}

static void
take_events(struct request_handler *handler, struct http_connection *connection,
	    struct intake *intake)
{
	struct submission *submission;
	struct error error;

	if (!intake_read(intake, handler->arena, &error)) {
		keep_rejected(handler, connection, intake, &error);
		return;
	}
	counters_add(handler->counters, COUNTER_NOT_SUBSCRIBED, intake->unwanted);
	if (intake->count == 0) {
		request_reply(handler, connection, ANSWER_ACCEPTED, (struct slice){NULL, 0});
		return;
	}
	submission = submission_new(intake->events, intake->count);
	submission->binds_body = intake->binds_body;
	request_submit(handler, connection, submission);
}

/* As that, of what is in a gzip body. */
static void
take_packed(struct request_handler *handler, struct http_connection *connection,
	    struct intake *intake, size_t limit)
{
	struct slice packed = intake->body;
	struct error error;
	size_t length = 0;
	char *bytes = NULL;

	switch (gzip_expand(packed, limit, &bytes, &length)) {
	case GZIP_DONE:
		intake->body = (struct slice){bytes, length};
		take_events(handler, connection, intake);
		free(bytes);
		break;
	case GZIP_TOO_LARGE:
		refuse(handler, connection, ANSWER_BODY_TOO_LARGE);
		break;
	case GZIP_BROKEN:
		error_set(&error, "the body is not whole in gzip (RFC 1952)");
		keep_rejected(handler, connection, intake, &error);
		break;
	}
}

static void
take_trusted(struct request_handler *handler, struct http_connection *connection,
	     const struct request_source *source, struct intake *intake)
{
	text_start(intake->evidence, handler->evidence, sizeof(handler->evidence));
	if (intake->is_packed)
		take_packed(handler, connection, intake, source->body_limit);
	else
		take_events(handler, connection, intake);
	arena_clear(handler->arena);
}

bool
request_is_within_rate(struct request_handler *handler, struct http_connection *connection,
		       const struct request_source *source)
{
	http_admission_prove(connection);
	return handler->limit == NULL ||
	       limit_source(handler->limit, (size_t)(source - handler->sources),
			    source->config->rate);
}

static void
take_post(struct request_handler *handler, struct http_request *request,
	  const struct request_source *source)
{
	const struct verify_request seen = {
	    .header = http_request_header,
	    .context = request,
	    .body = request->body,
	    .now = deadline_wall(),
	    .line = commit_line(handler->commit),
	};
	struct verify_outcome outcome;
	struct text answer, evidence;
	struct intake intake = {
	    .config = source->config,
	    .normalise = source->normalise,
	    .verify = source->verify,
	    .seen = &seen,
	    .outcome = &outcome,
	    .headers = http_request_headers,
	    .form = intake_form(source->normalise, &seen),
	    .is_packed = request->head->packed,
	    .body = seen.body,
	    .evidence = &evidence,
	};
	struct http_connection *connection = request->connection;
	char answer_bytes[CHALLENGE_ANSWER];

	if (intake.form == INTAKE_UNKNOWN || (intake.is_packed && !source->config->takes_gzip)) {
		refuse(handler, connection, ANSWER_MEDIA_TYPE);
		return;
	}
	if (!request_is_trusted(handler, connection, source, &seen, &outcome)) {
		refuse(handler, connection, ANSWER_UNAUTHORIZED);
		return;
	}
	if (!request_is_within_rate(handler, connection, source)) {
		refuse(handler, connection, ANSWER_TOO_MANY);
		return;
	}
	text_start(&answer, answer_bytes, sizeof(answer_bytes));
	if (challenge_post(source->config->challenge, source->verify, seen.body, &answer)) {
		answer_now(handler, connection, ANSWER_CHALLENGE, text_slice(&answer));
		return;
	}
	if (outcome.clock_agrees)
		commit_agree(handler->commit, seen.now);
	counters_use_secrets(handler->counters, (size_t)(source - handler->sources),
			     outcome.secrets, seen.now);
	take_trusted(handler, connection, source, &intake);
}

/* Whether events are wanted here, asked before any is sent. */
static void
take_options(struct request_handler *handler, struct http_request *request,
	     const struct request_source *source)
{
	const struct verify_request seen = {.header = http_request_header, .context = request};
	struct http_response response = {.answer = ANSWER_HANDSHAKE};
	struct handshake consent;
	char fields[CONSENT];
	struct text text;

	if (!handshake_answer(source->config, &seen, &consent)) {
		refuse(handler, request->connection, ANSWER_OPTIONS);
		return;
	}
	text_start(&text, fields, sizeof(fields));
	if (consent.origin[0] != '\0')
		text_append_format(&text, "WebHook-Allowed-Origin: %s\r\n", consent.origin);
	if (consent.rate[0] != '\0')
		text_append_format(&text, "WebHook-Allowed-Rate: %s\r\n", consent.rate);
	response.fields = text_slice(&text);
	reply(handler, request->connection, &response);
}

/* What is asked with a GET, where the source's sender does so. */
static void
take_get(struct request_handler *handler, struct http_request *request,
	 const struct request_source *source)
{
	const struct verify_request seen = {.header = http_request_header, .context = request};
	const char *query = strchr(request->target, '?');
	char answer_bytes[CHALLENGE_ANSWER];
	struct text answer;

	text_start(&answer, answer_bytes, sizeof(answer_bytes));
	if (challenge_get(source->config->challenge, source->verify, &seen,
			  text_of(query != NULL ? query + 1 : ""), &answer))
		answer_now(handler, request->connection, ANSWER_CHALLENGE, text_slice(&answer));
	else
		refuse(handler, request->connection, ANSWER_METHOD);
}

void
request_handle_refusal(struct http_connection *connection, enum answer why, void *context)
{
	struct request_handler *handler = context;

	counters_add(handler->counters, COUNTER_REQUESTS, 1);
	refuse(handler, connection, why);
}

void
request_handle(struct http_request *request, void *context)
{
	struct request_handler *handler = context;
	struct http_connection *connection = request->connection;
	enum http_method method = request->head->method;
	const struct request_source *source;

	counters_add(handler->counters, COUNTER_REQUESTS, 1);
	if (!http_admission_may_ask(connection)) {
		answer_now(handler, connection, ANSWER_TOO_MANY_REFUSED, (struct slice){NULL, 0});
		return;
	}
	source = source_of(handler, request->target);
	if (source == NULL)
		refuse(handler, connection, ANSWER_NOT_FOUND);
	else if (method == HTTP_METHOD_OPTIONS)
		take_options(handler, request, source);
	else if (method != HTTP_METHOD_GET && method != HTTP_METHOD_POST)
		refuse(handler, connection, ANSWER_METHOD);
	else if (source->config->signature == CONFIG_SIGNATURE_HEC)
		request_hec_take(handler, request, source);
	else if (method == HTTP_METHOD_GET)
		take_get(handler, request, source);
	else
		take_post(handler, request, source);
}

void
request_flush(struct request_handler *handler)
{
	struct submission *next;

	for (struct submission *s = handler->outbox; s != NULL; s = next) {
		next = s->next;
		if (commit_submit(handler->commit, s))
			continue;
		handler->pending--;
		s->answer = ANSWER_UNAVAILABLE;
		if (s->connection != NULL && s->speaks_hec)
			request_hec_finish(handler, s);
		else if (s->connection != NULL)
			refuse(handler, s->connection, ANSWER_UNAVAILABLE);
		free(s);
	}
	handler->outbox = NULL;
	handler->outbox_end = &handler->outbox;
}

/* What became of a request's events: those of a batch are counted one by one. */
static void
count_events(struct request_handler *handler, const struct submission *submission)
{
	if (submission->answer != ANSWER_ACCEPTED) {
		counters_add(handler->counters, counted[submission->answer], 1);
		return;
	}
	counters_add(handler->counters, COUNTER_ACCEPTED,
		     submission->event_count - submission->duplicates);
	if (submission->duplicates > 0)
		counters_add(handler->counters, COUNTER_DUPLICATES, submission->duplicates);
}

void
request_finish(struct request_handler *handler)
{
	struct submission *next;

	for (struct submission *s = commit_returns_take(handler->returns); s != NULL; s = next) {
		struct slice sentence = {NULL, 0};

		next = s->next;
		handler->pending--;
		if (s->connection == NULL) { /* an event of our own, which nobody waits for */
			free(s);
			continue;
		}
		if (s->answer == ANSWER_NOT_AN_EVENT)
			sentence = s->rejected.reason;
		count_events(handler, s);
		if (s->speaks_hec)
			request_hec_finish(handler, s);
		else
			request_reply(handler, s->connection, s->answer, sentence);
		free(s);
	}
}
