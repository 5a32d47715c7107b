/*
 * Splunk's HTTP Event Collector, as its senders know it (standards.md 9): envelopes or
 * lines in, {"text":...,"code":...} out.  Pure: no HTTP, no disk.
 *
 * Envelopes before a bad one count as taken, as at Splunk: its senders go on behind the
 * bad one, which the answer names.
 */
#ifndef HEC_INPUT_H
#define HEC_INPUT_H

#include "bridge/config.h"
#include "bridge/receiver/answer.h"
#include "bridge/spool/spool.h"

enum hec_endpoint {
	HEC_NOWHERE,
	HEC_EVENT,
	HEC_RAW,
	HEC_ACK,
	HEC_HEALTH,
};

/* What stands behind the source's path in a target; its query does not matter. */
enum hec_endpoint hec_input_endpoint(const char *path, const char *target);

/* standards.md 9.2 */
enum hec_code {
	HEC_SUCCESS = 0,
	HEC_TOKEN_REQUIRED = 2,
	HEC_INVALID_AUTHORIZATION = 3,
	HEC_INVALID_TOKEN = 4,
	HEC_NO_DATA = 5,
	HEC_INVALID_DATA = 6,
	HEC_BUSY = 9,
	HEC_CHANNEL_MISSING = 10,
	HEC_CHANNEL_INVALID = 11,
	HEC_EVENT_REQUIRED = 12,
	HEC_EVENT_BLANK = 13,
	HEC_INDEXED_FIELDS = 15,
	HEC_QUERY_AUTHORIZATION = 16,
	HEC_HEALTHY = 17,
	HEC_SHUTTING_DOWN = 23,
};

/* An answer; the numbers of what is not there are negative. */
struct hec_answer {
	enum hec_code code;
	int64_t invalid_event; /* zero-based */
	int64_t ack_id;
};

/* The HTTP outcome that the code stands for, and its body, appended. */
enum answer hec_input_outcome(enum hec_code code);
void hec_input_write(const struct hec_answer *answer, struct text *text);

/* Whose answer is due to one that no token of ours vouches for? */
enum hec_code hec_input_refusal(struct slice authorization, const char *target);

/* The channel of the header (may be absent) or of the target; HEC_SUCCESS: it is one. */
enum hec_code hec_input_channel(struct slice header, const char *target);

struct hec_input {
	/* Filled by the caller, borrowed. */
	const struct config_source *config;
	const struct normalise *normalise;
	enum hec_endpoint endpoint; /* HEC_EVENT or HEC_RAW */
	struct slice body;
	struct slice evidence;
	int64_t now; /* ms since 1970 */

	/* Filled by hec_input_read(). */
	struct spool_event *events; /* in the arena and borrowed from the above */
	size_t count;               /* of those that are subscribed */
	size_t unwanted;            /* of the others */
	enum hec_code code;         /* why what follows them is not taken */
	size_t invalid; /* the number of what is the matter, where it is not HEC_SUCCESS */
};

/* Reads all up to the first that is none.  Where that is, `error` says why. */
void hec_input_read(struct hec_input *input, struct arena *arena, struct error *error);

/*
 * {"acks":[1,2]} -> {"acks":{"1":true,"2":false}}, in the arena: an id is the sequence of
 * the last event it stands for, so it is true up to `durable`.  False: not that.
 */
MUST_CHECK bool hec_input_acks(struct slice body, uint64_t durable, struct arena *arena,
			       struct slice *answer);

#endif
