/*
 * Syslog over RELP, plain or in TLS (standards.md 4).  Every message is a command
 * with a number of its own (TXNR), and is answered by that number.
 *
 *   confirmation  `rsp 200` of that very message
 *   refusal       `rsp 5xx` makes a dead letter of that very message, and of no other
 *   order         that of the spool
 *   duplicates    after a break, what was sent and not answered: at most RELP_WINDOW; what
 *                 of that is not at the server yet never gets there by the old connection
 *
 * Answers may come in any order, and the loop wants a stretch without a gap: a ring
 * holds the commands in their order until all before them are answered, and a
 * refusal is told when its turn has come.
 *
 * Nothing is ever written without looking for answers as well: a server whose
 * answers nobody takes stops reading (standards.md 4.2, trap 10).
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/relp.h"
#include "bridge/forwarder/send.h"
#include "bridge/forwarder/stream.h"
#include "formats/memory.h"

enum {
	RELP_WINDOW = 128, /* commands without an answer, as in librelp */
	RELP_REASON = 80,  /* bytes of a refusal that are kept; RELP allows no more */
	OUTGOING_LEAST = 65536,
	PATIENCE = 90000,     /* milliseconds without any answer, as in librelp */
	CLOSE_PATIENCE = 200, /* milliseconds for the answer to `close` */
	CODE_DONE = 200,
	CODE_REFUSED = 500, /* to 599 */
};

enum answer { ANSWER_NONE, ANSWER_DONE, ANSWER_REFUSED };

struct command {
	uint64_t end; /* offset behind its message */
	enum answer answer;
	char reason[RELP_REASON + 1]; /* of a refusal */
};

struct session {
	struct stream *stream;
	uint32_t next;        /* TXNR of the next command */
	struct text outgoing; /* frames ... */
	size_t flushed;       /* ... of which so many bytes are written */
	char incoming[RELP_INCOMING];
	size_t incoming_length;

	struct command commands[RELP_WINDOW]; /* a ring; TXNRs next - count .. next - 1 */
	size_t first;
	size_t count;
	uint64_t offset;    /* behind the last message that was taken */
	uint64_t confirmed; /* offset: no gap before it */
	int64_t heard_at;   /* when the last answer came, or there was none to wait for */

	bool is_over; /* for the reason below; what was answered still counts */
	struct error end;
};

/* ---- bytes ---- */

static bool
flush(struct session *session, struct error *error)
{
	struct text *outgoing = &session->outgoing;

	while (session->flushed < outgoing->length) {
		size_t taken = 0;

		if (!stream_write(session->stream, outgoing->bytes + session->flushed,
				  outgoing->length - session->flushed, &taken, error))
			return false;
		if (taken == 0)
			return true;
		session->flushed += taken;
	}
	session->flushed = 0;
	text_cut(outgoing, 0);
	return true;
}

/* Reads what there is room for; *more: it was not nothing. */
static bool
receive(struct session *session, bool *more, struct error *error)
{
	size_t length = 0;
	bool done =
	    stream_read(session->stream, session->incoming + session->incoming_length,
			sizeof(session->incoming) - session->incoming_length, &length, error);

	session->incoming_length += length;
	*more = length > 0;
	return done;
}

/*
 * The frame in front of what was received; its text stays until drop().  There is
 * room for a whole one, so that RELP_MORE is never for ever.
 */
static enum relp_result
look(struct session *session, struct relp_frame *frame, size_t *used, struct error *error)
{
	const struct slice input = {session->incoming, session->incoming_length};
	enum relp_result result = relp_parse(input, frame, used, error);

	if (result == RELP_BROKEN)
		error_prefix(error, "%s", stream_peer(session->stream));
	return result;
}

static void
drop(struct session *session, size_t used)
{
	session->incoming_length -= used;
	memmove(session->incoming, session->incoming + used, session->incoming_length);
}

/* ---- answers ---- */

/* What the peer wrote, made printable. */
static void
copy_reason(char reason[RELP_REASON + 1], struct slice text)
{
	size_t length = text.length < RELP_REASON ? text.length : RELP_REASON;

	memcpy(reason, text.bytes, length);
	reason[length] = '\0';
	for (size_t i = 0; i < length; i++)
		if (reason[i] < ' ' || reason[i] >= 0x7f)
			reason[i] = '?';
}

/* The command of that number that waits for an answer; NULL: there is none. */
static struct command *
find_command(struct session *session, uint32_t txnr)
{
	uint32_t index = txnr - (session->next - (uint32_t)session->count);
	struct command *command;

	if (index >= session->count)
		return NULL;
	command = &session->commands[(session->first + index) % RELP_WINDOW];
	return command->answer == ANSWER_NONE ? command : NULL;
}

static bool
take_answer(struct session *session, const struct relp_frame *frame, struct error *error)
{
	const char *peer = stream_peer(session->stream);
	struct command *command = find_command(session, frame->txnr);
	struct relp_reply reply;

	if (command == NULL)
		return error_set(error, "%s answered command %u, which does not wait for an answer",
				 peer, frame->txnr);
	if (!relp_read_reply(frame->data, &reply, error))
		return error_prefix(error, "%s", peer);
	copy_reason(command->reason, reply.text);
	if (reply.code == CODE_DONE)
		command->answer = ANSWER_DONE;
	else if (reply.code / 100 == CODE_REFUSED / 100)
		command->answer = ANSWER_REFUSED;
	else
		return error_set(error, "%s answered %u %s, which means nothing in RELP", peer,
				 reply.code, command->reason);
	session->heard_at = deadline_now();
	return true;
}

static bool
take_frame(struct session *session, const struct relp_frame *frame, struct error *error)
{
	const char *peer = stream_peer(session->stream);

	if (text_slice_is(frame->command, "serverclose"))
		return error_set(error, "%s closed the session", peer);
	if (!text_slice_is(frame->command, "rsp"))
		return error_set(error, "%s: what it sent is no RELP: a command", peer);
	return take_answer(session, frame, error);
}

/* All that is there: bounded, for each answer is one that we wait for. */
static bool
take_answers(struct session *session, struct error *error)
{
	bool more = true;

	while (more) {
		struct relp_frame frame;
		enum relp_result result;
		size_t used = 0;
		bool alive = receive(session, &more, error);

		while ((result = look(session, &frame, &used, error)) == RELP_FRAME) {
			if (!take_frame(session, &frame, error))
				return false;
			drop(session, used);
		}
		if (!alive || result == RELP_BROKEN)
			return false;
	}
	return true;
}

/* ---- the session ---- */

/* The answer to `open`, within the deadline. */
static bool
await_offers(struct session *session, struct deadline deadline,
	     const struct connect_patience *patience, struct relp_frame *frame, size_t *used,
	     struct error *error)
{
	for (;;) {
		bool more = false;
		bool alive = flush(session, error) && receive(session, &more, error);
		enum relp_result result = look(session, frame, used, error);
		bool unwritten = session->outgoing.length > 0;

		if (result == RELP_FRAME)
			return true;
		if (!alive || result == RELP_BROKEN)
			return false;
		if (!more && !connect_wait(stream_descriptor(session->stream),
					   (short)(unwritten ? POLLIN | POLLOUT : POLLIN), deadline,
					   patience, error))
			return error_prefix(error, "no RELP with %s", stream_peer(session->stream));
	}
}

static bool
check_offers(const struct session *session, const struct relp_frame *frame, struct error *error)
{
	const char *peer = stream_peer(session->stream);
	char reason[RELP_REASON + 1];
	struct relp_reply reply;

	if (frame->txnr != 1 || !text_slice_is(frame->command, "rsp"))
		return error_set(error, "%s: what it sent is no RELP: it does not answer `open`",
				 peer);
	if (!relp_read_reply(frame->data, &reply, error))
		return error_prefix(error, "%s", peer);
	copy_reason(reason, reply.text);
	if (reply.code != CODE_DONE)
		return error_set(error, "refused by %s: %u %s", peer, reply.code, reason);
	return relp_check_offers(reply.rest, error) || error_prefix(error, "no RELP with %s", peer);
}

static bool
greet(struct session *session, const struct connect_patience *patience, struct error *error)
{
	int64_t limit = patience->limit > 0 ? patience->limit : CONNECT_LIMIT;
	struct relp_frame frame;
	size_t used = 0;

	session->next = 1;
	relp_append_open(session->next++, &session->outgoing);
	if (!await_offers(session, deadline_after(limit), patience, &frame, &used, error) ||
	    !check_offers(session, &frame, error))
		return false;
	drop(session, used);
	return true;
}

/* Where that is still possible.  The answer is waited for, so that it meets an open socket. */
static void
say_goodbye(struct session *session)
{
	struct deadline deadline = deadline_after(CLOSE_PATIENCE);
	struct pollfd wait = {.fd = stream_descriptor(session->stream), .events = POLLIN};
	struct error ignored;
	struct relp_frame frame;
	size_t used;
	bool more;

	if (session->is_over || session->outgoing.length > 0)
		return;
	relp_append(session->next, "close", SLICE_LITERAL(""), &session->outgoing);
	if (!flush(session, &ignored))
		return;
	while (!deadline_passed(deadline) && receive(session, &more, &ignored)) {
		while (look(session, &frame, &used, &ignored) == RELP_FRAME) {
			if (frame.txnr == session->next || frame.txnr == 0)
				return;
			drop(session, used);
		}
		if (!more)
			(void)poll(&wait, 1, deadline_left(deadline));
	}
}

static void
session_free(struct session *session)
{
	/* What is confirmed was answered, so that a reset takes nothing of it away. */
	if (session->count > 0)
		stream_forsake(session->stream);
	else
		stream_close(session->stream);
	free(session->outgoing.bytes);
	free(session);
}

/* ---- the kind ---- */

static bool
open_session(void **connection, const struct config_destination *destination, const char *address,
	     const struct connect_patience *patience, struct error *error)
{
	size_t longest = (size_t)destination->syslog->max_message_size + RELP_FRAME_OVERHEAD;
	size_t capacity = longest > OUTGOING_LEAST ? longest : OUTGOING_LEAST;
	struct session *session = memory_allocate(sizeof(*session));

	if (!stream_open(&session->stream, destination->syslog, address, patience, error)) {
		free(session);
		return false;
	}
	text_start(&session->outgoing, memory_allocate(capacity), capacity);
	if (!greet(session, patience, error)) {
		session_free(session);
		return false;
	}
	session->heard_at = deadline_now();
	*connection = session;
	return true;
}

static const char *
peer(const void *connection)
{
	const struct session *session = connection;

	return stream_peer(session->stream);
}

static void
describe(const void *connection, struct text *text)
{
	const struct session *session = connection;

	stream_describe(session->stream, text);
}

/* One message becomes a command, where the window and the numbers allow another. */
static bool
take_message(struct session *session, struct batch *batch)
{
	size_t length;
	struct command *command;

	/* The highest number is left for `close`; the loop then opens a new session. */
	if (session->count == RELP_WINDOW || session->next >= RELP_TXNR_HIGHEST ||
	    batch_is_sent(batch))
		return false;
	length = batch->messages[batch->next].end - batch->sent;
	if (session->outgoing.capacity - session->outgoing.length < length + RELP_FRAME_OVERHEAD)
		return false;
	if (session->count == 0)
		session->heard_at = deadline_now();
	relp_append(session->next++, "syslog",
		    (struct slice){batch->output.bytes + batch->sent, length}, &session->outgoing);
	command = &session->commands[(session->first + session->count++) % RELP_WINDOW];
	session->offset += length;
	command->end = session->offset;
	command->answer = ANSWER_NONE;
	batch_advance(batch, length);
	return true;
}

static enum send_result
send_some(void *connection, struct batch *batch, struct error *error)
{
	struct session *session = connection;
	bool taken = false;

	(void)error;
	while (!session->is_over && take_message(session, batch))
		taken = true;
	return taken ? SEND_PROGRESS : SEND_IDLE;
}

/* Writes and reads what can be; an end is kept until all that was answered is told. */
static void
exchange(struct session *session)
{
	const char *peer_name = stream_peer(session->stream);

	if (session->is_over)
		return;
	session->is_over = true;
	if (!flush(session, &session->end) || !take_answers(session, &session->end))
		return;
	if (session->count > 0 && deadline_now() - session->heard_at >= PATIENCE)
		error_set(&session->end, "%s has answered nothing for %d s", peer_name,
			  PATIENCE / 1000);
	else if (session->count == 0 && session->next >= RELP_TXNR_HIGHEST)
		error_set(&session->end, "all numbers of the session with %s are used", peer_name);
	else
		session->is_over = false;
}

/* Takes the answered commands off the front; true: up to one that was refused. */
static bool
pass_answered(struct session *session, struct error *error)
{
	while (session->count > 0) {
		const struct command *command = &session->commands[session->first];

		if (command->answer == ANSWER_NONE)
			return false;
		session->confirmed = command->end;
		session->first = (session->first + 1) % RELP_WINDOW;
		session->count--;
		if (command->answer == ANSWER_REFUSED)
			return !error_set(error, "refused by %s: %s", stream_peer(session->stream),
					  command->reason);
	}
	return false;
}

static enum send_result
confirm(void *connection, uint64_t written, uint64_t *confirmed, struct error *error)
{
	struct session *session = connection;
	uint64_t before = session->confirmed;
	bool refused;

	(void)written;
	exchange(session);
	refused = pass_answered(session, error);
	*confirmed = session->confirmed;
	if (refused)
		return SEND_REFUSED;
	if (!session->is_over || session->confirmed > before)
		return SEND_IDLE;
	*error = session->end;
	return SEND_LATER;
}

static void
watch(const void *connection, bool blocked, uint64_t written, struct send_watch *watch)
{
	const struct session *session = connection;
	bool unwritten = session->outgoing.length > 0;

	(void)blocked; /* by the window: it is an answer that is waited for */
	(void)written;
	watch->descriptor = stream_descriptor(session->stream);
	watch->events = (short)(unwritten ? POLLIN | POLLOUT : POLLIN);
	watch->at = session->count > 0 ? session->heard_at + PATIENCE : INT64_MAX;
}

static void
close_session(void *connection)
{
	struct session *session = connection;

	say_goodbye(session);
	session_free(session);
}

const struct send_kind send_relp = {
    .name = "syslog over relp",
    .open = open_session,
    .peer = peer,
    .describe = describe,
    .send = send_some,
    .confirm = confirm,
    .watch = watch,
    .close = close_session,
};
