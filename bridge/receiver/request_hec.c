#include "bridge/receiver/request_hec.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/config.h"
#include "bridge/deadline.h"
#include "bridge/gzip.h"
#include "bridge/receiver/hec_input.h"
#include "bridge/receiver/http_request.h"
#include "bridge/receiver/request_internal.h"

enum { BODY = 256 /* bytes of an answer */ };

/* What stood in the target, where it is more than a channel: host, sourcetype ... */
#define QUERY_LINE "siembridge-query"

/* A request under way. */
struct taking {
	struct request_handler *handler;
	struct http_request *request;
	struct http_connection *connection;
	const struct request_source *source;
	const char *target;
	const struct verify_request *seen;
	enum hec_endpoint endpoint;
	bool has_channel;
};

static void
answer(struct request_handler *handler, struct http_connection *connection,
       const struct hec_answer *content)
{
	enum answer outcome = hec_input_outcome(content->code);
	char bytes[BODY];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	hec_input_write(content, &text);
	if (outcome == ANSWER_HEC_DONE)
		request_reply(handler, connection, outcome, text_slice(&text));
	else
		request_refuse(handler, connection, outcome, text_slice(&text));
}

static void
answer_code(const struct taking *taking, enum hec_code code)
{
	const struct hec_answer content = {code, -1, -1};

	answer(taking->handler, taking->connection, &content);
}

static struct slice
header_of(const struct taking *taking, const char *name)
{
	size_t count;

	return http_request_header(taking->request, name, &count);
}

/* ---- events ---- */

/* Never one with a token in it. */
static struct slice
write_evidence(const struct taking *taking, struct text *text)
{
	const char *query = strchr(taking->target, '?');

	if (query != NULL && strstr(query, "token=") == NULL) {
		text_append_string(text, QUERY_LINE ": ");
		text_append_string(text, query + 1);
		text_append_byte(text, '\n');
	}
	return text_slice(text);
}

static void
submit(const struct taking *taking, struct submission *submission, const struct hec_input *input)
{
	bool is_whole = input->code == HEC_SUCCESS;

	submission->speaks_hec = true;
	submission->hec_code = (int)input->code;
	submission->hec_invalid =
	    is_whole || input->code == HEC_NO_DATA ? -1 : (int64_t)input->invalid;
	submission->wants_sequence = taking->has_channel && is_whole;
	request_submit(taking->handler, taking->connection, submission);
}

/*
 * A request that ends badly: what was good in it is stored all the same, and answered
 * last; the whole is kept for a person to look at.
 */
static void
keep_rejected(const struct taking *taking, const struct hec_input *input, const struct error *error)
{
	const struct spool_rejected rejected = {.received_at = input->now,
						.source = text_of(input->config->name),
						.reason = text_of(error->text),
						.evidence = input->evidence,
						.body = input->body};
	struct submission *submission = submission_new_rejected(&rejected);

	if (input->count == 0) {
		submit(taking, submission, input);
		return;
	}
	counters_add(taking->handler->counters, COUNTER_REJECTED, 1);
	request_submit(taking->handler, NULL, submission);
}

static void
take_events(const struct taking *taking, struct slice body)
{
	struct request_handler *handler = taking->handler;
	struct text evidence;
	struct error error;
	struct hec_input input = {.config = taking->source->config,
				  .normalise = taking->source->normalise,
				  .endpoint = taking->endpoint,
				  .body = body,
				  .now = taking->seen->now};

	text_start(&evidence, handler->evidence, sizeof(handler->evidence));
	input.evidence = write_evidence(taking, &evidence);
	hec_input_read(&input, handler->arena, &error);
	counters_add(handler->counters, COUNTER_NOT_SUBSCRIBED, input.unwanted);
	if (input.code != HEC_SUCCESS)
		keep_rejected(taking, &input, &error);
	if (input.count > 0)
		submit(taking, submission_new(input.events, input.count), &input);
	else if (input.code == HEC_SUCCESS)
		answer_code(taking, HEC_SUCCESS);
}

static void
take_acks(const struct taking *taking, struct slice body)
{
	struct request_handler *handler = taking->handler;
	uint64_t durable =
	    atomic_load_explicit(&handler->counters->last_sequence, memory_order_relaxed);
	struct slice acks;

	if (hec_input_acks(body, durable, handler->arena, &acks))
		request_reply(handler, taking->connection, ANSWER_HEC_DONE, acks);
	else
		answer_code(taking, HEC_INVALID_DATA);
}

static void
take_body(const struct taking *taking, struct slice body)
{
	if (taking->endpoint == HEC_ACK)
		take_acks(taking, body);
	else
		take_events(taking, body);
	arena_clear(taking->handler->arena);
}

static void
take_packed(const struct taking *taking, struct slice packed)
{
	size_t length = 0;
	char *bytes = NULL;

	switch (gzip_expand(packed, taking->source->body_limit, &bytes, &length)) {
	case GZIP_DONE:
		take_body(taking, (struct slice){bytes, length});
		free(bytes);
		break;
	case GZIP_TOO_LARGE:
		request_refuse(taking->handler, taking->connection, ANSWER_BODY_TOO_LARGE,
			       (struct slice){NULL, 0});
		break;
	case GZIP_BROKEN:
		answer_code(taking, HEC_INVALID_DATA);
		break;
	}
}

/* ---- requests ---- */

static void
take_post(struct taking *taking)
{
	struct request_handler *handler = taking->handler;
	const struct slice absent = {NULL, 0};
	struct verify_outcome outcome;
	enum hec_code channel;

	if (!request_is_trusted(handler, taking->connection, taking->source, taking->seen,
				&outcome)) {
		answer_code(taking,
			    hec_input_refusal(header_of(taking, "authorization"), taking->target));
		return;
	}
	if (!request_is_within_rate(handler, taking->connection, taking->source)) {
		request_refuse(handler, taking->connection, ANSWER_TOO_MANY, absent);
		return;
	}
	counters_use_secrets(handler->counters, (size_t)(taking->source - handler->sources),
			     outcome.secrets, taking->seen->now);
	channel = hec_input_channel(header_of(taking, "x-splunk-request-channel"), taking->target);
	taking->has_channel = channel == HEC_SUCCESS;
	if (channel == HEC_CHANNEL_INVALID ||
	    (channel == HEC_CHANNEL_MISSING && taking->endpoint != HEC_EVENT))
		answer_code(taking, channel);
	else if (taking->request->head->packed)
		take_packed(taking, taking->seen->body);
	else
		take_body(taking, taking->seen->body);
}

void
request_hec_take(struct request_handler *handler, struct http_request *request,
		 const struct request_source *source)
{
	const struct verify_request seen = {.header = http_request_header,
					    .context = request,
					    .body = request->body,
					    .now = deadline_wall()};
	struct taking taking = {.handler = handler,
				.request = request,
				.connection = request->connection,
				.source = source,
				.target = request->target,
				.seen = &seen};
	const struct slice absent = {NULL, 0};
	bool is_post = request->head->method == HTTP_METHOD_POST;

	taking.endpoint = hec_input_endpoint(source->config->path, request->target);
	if (taking.endpoint == HEC_HEALTH && !is_post)
		answer_code(&taking, handler->draining ? HEC_SHUTTING_DOWN : HEC_HEALTHY);
	else if (taking.endpoint == HEC_HEALTH || !is_post)
		request_refuse(handler, request->connection, ANSWER_METHOD, absent);
	else if (request->head->packed && !source->config->takes_gzip)
		request_refuse(handler, request->connection, ANSWER_MEDIA_TYPE, absent);
	else
		take_post(&taking);
}

void
request_hec_finish(struct request_handler *handler, const struct submission *submission)
{
	struct hec_answer content = {HEC_BUSY, -1, -1};

	if (submission->answer != ANSWER_UNAVAILABLE) {
		content.code = (enum hec_code)submission->hec_code;
		content.invalid_event = submission->hec_invalid;
		if (submission->wants_sequence)
			content.ack_id = (int64_t)submission->sequence;
	}
	answer(handler, submission->connection, &content);
}
