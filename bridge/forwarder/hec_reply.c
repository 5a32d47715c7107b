/*
 * Codes 0 to 22 are in Splunk's documentation, 23 to 28 in what newer servers send
 * (standards.md 9.2).  The first row that fits counts: those with a code stand in
 * front, and hold only with the status that belongs to the code.  What has neither
 * goes by its status: a 2xx that the collector did not write confirms nothing.
 */
#include "bridge/forwarder/hec_reply.h"

#include <string.h>

#include "formats/json_read.h"

/* clang-format off */
static const struct hec_reply_row rows[] = {
	/* code, status (to), action, event offset, meaning */
	{0, 200, 200, HEC_DONE, 0, "success"},
	{1, 403, 403, HEC_HOLD, 0, "the token is disabled; enable it in Splunk"},
	{2, 401, 401, HEC_HOLD, 0, "no token arrived; does a proxy take the Authorization header away?"},
	{3, 401, 401, HEC_HOLD, 0, "the authorization is not understood; does a proxy change the Authorization header?"},
	{4, 403, 403, HEC_HOLD, 0, "the token is unknown; put the right one into token_file"},
	{5, 400, 400, HEC_SPLIT, 0, "no data"},
	{6, 400, 400, HEC_DROP, 0, "invalid data format"},
	{7, 400, 400, HEC_HOLD, 1, "the index does not exist, or the token may not write to it; see index and the token's allowed indexes"},
	{8, 500, 500, HEC_RETRY, 0, "internal error"},
	{9, 503, 503, HEC_RETRY, 0, "server is busy"},
	{10, 400, 400, HEC_HOLD, 0, "the token wants indexer acknowledgement; set acknowledge: true"},
	{11, 400, 400, HEC_HOLD, 0, "the channel is refused"},
	{12, 400, 400, HEC_DROP, 0, "event field is required"},
	{13, 400, 400, HEC_DROP, 0, "event field cannot be blank"},
	{14, 400, 400, HEC_HOLD, 0, "the token has no indexer acknowledgement; switch it on, or set acknowledge: false"},
	{15, 400, 400, HEC_DROP, 0, "error in handling indexed fields"},
	{16, 400, 400, HEC_HOLD, 0, "no token arrived in the Authorization header, and Splunk takes none from the query"},
	{17, 200, 200, HEC_DONE, 0, "healthy"},
	{18, 503, 503, HEC_RETRY, 0, "unhealthy: queues are full"},
	{19, 503, 503, HEC_RETRY, 0, "unhealthy: the acknowledgement service is not available"},
	{20, 503, 503, HEC_RETRY, 0, "unhealthy: queues are full, and the acknowledgement service is not available"},
	{21, 400, 400, HEC_HOLD, 0, "the token is invalid; put the right one into token_file"},
	{22, 400, 400, HEC_HOLD, 0, "the token is disabled; enable it in Splunk"},
	{23, 503, 503, HEC_ELSEWHERE, 0, "server is shutting down"},
	{24, 200, 200, HEC_SLOW, 0, "taken; its queue is nearly full"},
	{25, 200, 200, HEC_SLOW, 0, "taken; its acknowledgement channel is nearly full"},
	{26, 429, 429, HEC_RETRY, 0, "its queue is full"},
	{27, 429, 429, HEC_RETRY, 0, "its acknowledgement channel is full"},
	{28, 400, 400, HEC_HOLD, 0, "the token wants indexer acknowledgement; set acknowledge: true"},
	{-1, 200, 299, HEC_RETRY, 0, "the answer is not that of an HTTP Event Collector"},
	{-1, 300, 399, HEC_HOLD, 0, "redirects are not followed; put the right address into url"},
	{-1, 400, 400, HEC_SPLIT, 0, "something in the request is refused"},
	{-1, 401, 403, HEC_HOLD, 0, "access is refused; see token_file"},
	{-1, 404, 407, HEC_HOLD, 0, "there is no HTTP Event Collector at this address; see url and proxy"},
	{-1, 408, 408, HEC_RETRY, 0, "the request took too long"},
	{-1, 413, 413, HEC_SPLIT, 0, "longer than it takes"},
	{-1, 429, 429, HEC_RETRY, 0, "too many requests"},
	{-1, 400, 499, HEC_HOLD, 0, "the request is refused"},
	{-1, 0, 999, HEC_RETRY, 0, "it is not available"},
};
/* clang-format on */

enum { ROWS = sizeof(rows) / sizeof(rows[0]), HIGHEST_CODE = 1000 };

const struct hec_reply_row *
hec_reply_row(size_t i)
{
	return i < ROWS ? &rows[i] : NULL;
}

const char *
hec_reply_action_name(enum hec_action action)
{
	static const char *const names[] = {
	    [HEC_DONE] = "done",   [HEC_SLOW] = "slow down",
	    [HEC_RETRY] = "retry", [HEC_ELSEWHERE] = "retry elsewhere",
	    [HEC_HOLD] = "hold",   [HEC_DROP] = "drop event",
	    [HEC_SPLIT] = "split",
	};

	return names[action];
}

static const struct hec_reply_row *
find_row(int code, int status)
{
	for (size_t i = 0; i < ROWS - 1; i++)
		if ((rows[i].code == code || rows[i].code == -1) && status >= rows[i].status &&
		    status <= rows[i].last)
			return &rows[i];
	return &rows[ROWS - 1];
}

/* What the body says; a member of the wrong type counts as not there. */
struct said {
	uint64_t code, event, ack_id;
	bool has_code, has_event, has_ack_id;
};

static void
read_body(struct slice body, struct said *said)
{
	struct json_value *document;
	struct json_member member;
	struct error ignored;

	memset(said, 0, sizeof(*said));
	if (!json_read(&document, body, &ignored))
		return;
	for (bool more = json_read_first(document, &member); more; more = json_read_next(&member)) {
		if (text_slice_is(member.name, "code"))
			said->has_code =
			    json_read_unsigned(member.value, HIGHEST_CODE, &said->code);
		else if (text_slice_is(member.name, "invalid-event-number"))
			said->has_event = json_read_unsigned(member.value, INT32_MAX, &said->event);
		else if (text_slice_is(member.name, "ackId"))
			said->has_ack_id =
			    json_read_unsigned(member.value, INT64_MAX - 1, &said->ack_id);
	}
	json_read_free(document);
}

void
hec_reply_read(int status, struct slice body, size_t count, struct hec_reply *reply)
{
	const struct hec_reply_row *row;
	struct said said;

	read_body(body, &said);
	row = find_row(said.has_code ? (int)said.code : -1, status);
	*reply = (struct hec_reply){.action = row->action, .code = row->code};
	reply->meaning = row->meaning;
	reply->has_ack_id = said.has_ack_id;
	reply->ack_id = said.ack_id;
	if (said.has_event && said.event >= (uint64_t)row->event_offset &&
	    said.event - (uint64_t)row->event_offset < count) {
		reply->names_event = true;
		reply->event = (size_t)said.event - (size_t)row->event_offset;
	}
	/* One is bad, and it is not said which: halves, until it is alone. */
	if (reply->action == HEC_DROP && !reply->names_event)
		reply->action = HEC_SPLIT;
}

static void
read_acks(const struct json_value *acks, void (*indexed)(void *context, uint64_t ack_id),
	  void *context)
{
	struct json_member member;
	uint64_t ack_id;

	for (bool more = json_read_first(acks, &member); more; more = json_read_next(&member))
		if (json_read_is_true(member.value) &&
		    text_parse_unsigned(member.name, INT64_MAX - 1, &ack_id))
			indexed(context, ack_id);
}

bool
hec_reply_acks(int status, struct slice body, void (*indexed)(void *context, uint64_t ack_id),
	       void *context)
{
	struct json_value *document;
	struct json_member member;
	struct error ignored;
	bool found = false;

	if (status != 200 || !json_read(&document, body, &ignored))
		return false;
	for (bool more = json_read_first(document, &member); more && !found;
	     more = json_read_next(&member)) {
		if (!text_slice_is(member.name, "acks") ||
		    json_read_kind(member.value) != JSON_OBJECT)
			continue;
		read_acks(member.value, indexed, context);
		found = true;
	}
	json_read_free(document);
	return found;
}
