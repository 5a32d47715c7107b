/*
 * The messages go the way of all others from normalising on: what is wrong with a
 * setting of the format shows here as well.  Each is confirmed before the next one is
 * sent, so that the one which a collector stumbles over is known.
 */
#include "bridge/forwarder/probe.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/batch.h"
#include "bridge/forwarder/render.h"
#include "bridge/forwarder/send.h"
#include "bridge/forwarder/uplink.h"
#include "formats/memory.h"

enum { SAYS_LENGTH = 512, ID_LENGTH = 64 };

struct run {
	const struct probe *probe;
	struct uplink uplink;
	struct render *render;
	struct batch *batch;
	uint64_t number;
	atomic_bool stopping; /* never: nobody can interrupt but by killing */
	bool good;
};

/* What is put between the quotes of a JSON string. */
struct message {
	const char *name;
	const char *text;
	bool fills; /* to the largest size of a message */
};

static const struct message messages[] = {
    {"a short message", "a short message", false},
    {"a message of odd characters",
     "Zo\xC3\xAB | pipe = equals ] bracket \\\" quote \\\\ backslash \\u202E reversed \xE2\x82\xAC",
     false},
    {"a message of the largest size", "as long as max_message_size allows ", true},
};

/* ---- what is known ---- */

/* What a confirmation is worth: send_*.c. */
static const char *
worth_of(const struct config_destination *destination)
{
	if (destination->syslog != NULL) {
		switch (destination->syslog->transport) {
		case CONFIG_TRANSPORT_RELP:
		case CONFIG_TRANSPORT_RELP_TLS:
			return "the collector acknowledged it";
		case CONFIG_TRANSPORT_UDP:
		case CONFIG_TRANSPORT_UNIX:
			return "handed to the kernel, which is all that can be known";
		case CONFIG_TRANSPORT_TCP:
		case CONFIG_TRANSPORT_TLS:
		case CONFIG_TRANSPORT_UNIX_STREAM:
			return "the collector's kernel has it, and the connection lived on for "
			       "`settle`";
		}
	}
	if (destination->splunk_hec != NULL)
		return destination->splunk_hec->acknowledge ? "Splunk has indexed it"
							    : "Splunk has taken it";
	if (destination->file != NULL)
		return "written";
	return "the server has taken it";
}

static bool
tells_people(const struct config_destination *destination)
{
	return destination->email != NULL || destination->http != NULL;
}

static void
tell(struct run *run, const char *name, bool good, int64_t began, const char *text)
{
	const struct probe_step step = {name, good, deadline_now() - began, text};

	run->good = run->good && good;
	run->probe->tell(run->probe->context, &step);
}

/* ---- one message ---- */

static struct slice
write_body(struct run *run, const struct message *message)
{
	const struct config_syslog *syslog = run->probe->destination->syslog;
	size_t fill = message->fills && syslog != NULL ? (size_t)syslog->max_message_size : 0;
	size_t capacity = fill + SAYS_LENGTH;
	struct text text;

	text_start(&text, arena_allocate(run->batch->arena, capacity), capacity);
	text_append_string(&text, "{\"type\":\"siembridge.probe\",\"message\":\"siembridge probe ");
	text_append_string(&text, run->probe->run);
	text_append_string(&text, ": ");
	text_append_string(&text, message->text);
	for (size_t i = 0; i < fill; i++)
		text_append_byte(&text, 'x');
	text_append_string(&text, "\"}");
	return text_slice(&text);
}

static void
fill_batch(struct run *run, const struct message *message)
{
	struct batch *batch = run->batch;
	struct spool_event *stored;
	struct text id;

	batch_clear(batch);
	stored = arena_allocate(batch->arena, sizeof(*stored));
	memset(stored, 0, sizeof(*stored));
	text_start(&id, arena_allocate(batch->arena, ID_LENGTH), ID_LENGTH);
	text_append_format(&id, "probe-%s-%llu", run->probe->run,
			   (unsigned long long)run->number + 1);
	stored->source = text_of(CONFIG_SOURCE_OWN);
	stored->id = text_slice(&id);
	stored->type = SLICE_LITERAL("siembridge.probe");
	stored->received_at = deadline_wall();
	stored->body = write_body(run, message);
	stored->intact = true;
	batch->lane = BATCH_LIVE;
	batch->items[0] = (struct batch_item){.stored = stored, .fate = BATCH_WANTED};
	batch->count = 1;
	batch_normalise(batch, run->probe->profiles);
	run->number = render_batch(run->render, batch, run->number);
}

/* Until the peer or the clock has something to say. */
static void
wait_for_peer(const struct run *run, uint64_t written, int64_t until)
{
	struct send_watch watch = {.descriptor = -1, .at = INT64_MAX};
	struct pollfd wait;
	int64_t left;

	run->uplink.kind->watch(run->uplink.connection, !batch_is_sent(run->batch), written,
				&watch);
	left = (watch.at < until ? watch.at : until) - deadline_now();
	wait = (struct pollfd){.fd = watch.descriptor, .events = watch.events};
	/* an interrupted wait is a short one */
	(void)poll(&wait, 1, left > 0 ? (int)left : 0);
}

static bool
fail(const struct batch *batch, enum send_result result, struct error *error)
{
	switch (result) {
	case SEND_REFUSED:
		return error_prefix(error, "refused for good: ");
	case SEND_HOLD:
		return error_prefix(error, "a setting is bad: ");
	case SEND_AGAIN:
	case SEND_ELSEWHERE:
		return error_prefix(error, "not now: ");
	case SEND_LATER:
	case SEND_ANEW:
	case SEND_PROGRESS:
	case SEND_IDLE:
		break;
	}
	return error_prefix(
	    error,
	    "%s: ", batch_is_sent(batch) ? "broken after it was sent" : "broken while sending");
}

/* Sends the batch and waits until its last byte is confirmed. */
static bool
deliver(struct run *run, struct error *error)
{
	const struct send_kind *kind = run->uplink.kind;
	struct batch *batch = run->batch;
	int64_t until = deadline_now() + run->probe->patience;
	uint64_t end = batch->offset + batch->output.length, confirmed = 0;
	enum send_result result = SEND_PROGRESS;

	while (deadline_now() < until) {
		if (!batch_is_sent(batch)) {
			result = kind->send(run->uplink.connection, batch, error);
			if (result != SEND_PROGRESS && result != SEND_IDLE)
				return fail(batch, result, error);
		}
		result = kind->confirm(run->uplink.connection, batch->offset + batch->sent,
				       &confirmed, error);
		if (result != SEND_PROGRESS && result != SEND_IDLE)
			return fail(batch, result, error);
		if (confirmed >= end)
			return true;
		wait_for_peer(run, batch->offset + batch->sent, until);
	}
	return error_set(error, "%s, and not confirmed within %lld s",
			 batch_is_sent(batch) ? "sent" : "not taken",
			 (long long)run->probe->patience / 1000);
}

static bool
try_message(struct run *run, const struct message *message)
{
	int64_t began = deadline_now();
	struct error error = {.text = ""};
	char says[SAYS_LENGTH];
	struct text text;

	fill_batch(run, message);
	if (run->batch->items[0].fate == BATCH_DEAD) {
		error_set(&error, "%.*s", (int)run->batch->items[0].reason.length,
			  run->batch->items[0].reason.bytes);
	} else if (deliver(run, &error)) {
		text_start(&text, says, sizeof(says) - 1);
		text_append_format(&text, "%zu bytes: %s", run->batch->output.length,
				   worth_of(run->probe->destination));
		says[text.length] = '\0';
		tell(run, message->name, true, began, says);
		return true;
	}
	tell(run, message->name, false, began, error.text);
	return false;
}

/* ---- all of it ---- */

static bool
try_connection(struct run *run)
{
	const struct connect_patience patience = {
	    .wake = -1, .stopping = &run->stopping, .limit = run->probe->patience};
	const struct send_kind *kind = run->uplink.kind;
	int64_t began = deadline_now();
	struct error error;
	char says[SAYS_LENGTH];
	struct text text;

	if (!uplink_open(&run->uplink, &patience, &error)) {
		tell(run, "connect", false, began, error.text);
		return false;
	}
	text_start(&text, says, sizeof(says) - 1);
	text_append_string(&text, kind->peer(run->uplink.connection));
	text_append_string(&text, "; ");
	if (kind->describe != NULL)
		kind->describe(run->uplink.connection, &text);
	if (text.length > 2 && memcmp(text.bytes + text.length - 2, "; ", 2) == 0)
		text_cut(&text, text.length - 2);
	says[text.length] = '\0';
	tell(run, "connect", true, began, says);
	return true;
}

bool
probe_run(const struct probe *probe)
{
	size_t count =
	    tells_people(probe->destination) ? 1 : sizeof(messages) / sizeof(messages[0]);
	struct run run = {.probe = probe, .good = true};

	run.render = render_new(probe->destination);
	run.batch = batch_new(render_capacity(run.render));
	uplink_start(&run.uplink, probe->destination);
	for (size_t i = 0; i < count; i++) {
		/* after a break the next message still has something to tell */
		if (run.uplink.connection == NULL) {
			if (!try_connection(&run))
				break;
			batch_clear(run.batch);
			run.batch->offset = 0;
		}
		if (messages[i].fills && probe->destination->syslog == NULL)
			continue;
		if (!try_message(&run, &messages[i]))
			uplink_close(&run.uplink);
	}
	uplink_close(&run.uplink);
	batch_free(run.batch);
	render_free(run.render);
	return run.good;
}
