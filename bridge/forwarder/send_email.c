/*
 * Mail to people.  A message is handed over when the server has taken it: after its 250
 * it is the server's, and so it is confirmed at once.  What each answer means is in
 * mail_client.h; here is what is done about it:
 *
 *   accepted  confirmed
 *   later     SEND_AGAIN: 4yz, greylisting, no connection
 *   wrong     SEND_HOLD: login, certificate, an address; all waits until it is mended
 *   refused   SEND_REFUSED: this message is a dead letter
 *
 * With `digest` events are gathered first and nothing of them is confirmed until their
 * message is accepted.  When that is to be is counted from the time the first of them was
 * received, so a restart does not put it off.  Where a server refuses a digest, each of
 * its events is sent alone, so that one that it dislikes takes no other with it.
 *
 * The Message-ID of an event is the same at each try.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/deadline.h"
#include "bridge/forwarder/backoff.h"
#include "bridge/forwarder/digest.h"
#include "bridge/forwarder/send.h"
#include "bridge/mail_client.h"
#include "bridge/secret.h"
#include "formats/mail.h"
#include "formats/memory.h"
#include "formats/notice.h"
#include "formats/template.h"
#include "formats/utf8.h"

enum {
	SUBJECT_BYTES = 4096,
	FOOTER_BYTES = 1024,
	TEXT_BYTES = 64 * 1024,                         /* of one event */
	BODY_BYTES = 2 * DIGEST_BYTES,                  /* subjects stand in a digest twice */
	MESSAGE_BYTES = 4 * BODY_BYTES + SUBJECT_BYTES, /* quoted-printable */
};

static const char cut_mark[] = "\n(the rest is cut off)\n";

struct courier {
	const struct config_email *email;
	const char *destination; /* its name */
	const char *host;        /* ours; NULL: unknown */
	int64_t hold_retry;      /* milliseconds */
	const atomic_bool *stopping;
	struct slice from, from_name;
	struct mail_client *client; /* NULL: made with the next message, with fresh settings */

	char subject[SUBJECT_BYTES];
	char text[TEXT_BYTES];
	struct text body;
	struct text message;

	struct digest *digest;
	uint64_t confirmed; /* offset on the connection up to which digests were accepted */
	int64_t due;        /* deadline_now() at which the digest leaves */
	int64_t not_before; /* likewise, of what failed before */
	bool alone;         /* it was refused: its events go one by one */
	size_t next;        /* of them */
	struct backoff backoff;
};

/* ---- the connection ---- */

static bool
courier_open(void **connection, const struct config_destination *destination, const char *address,
	     const struct connect_patience *patience, struct error *error)
{
	struct courier *courier = memory_allocate(sizeof(*courier));

	(void)address;
	courier->email = destination->email;
	courier->destination = destination->name;
	courier->host = destination->options.hostname.bytes;
	courier->hold_retry = destination->hold_retry;
	courier->stopping = patience->stopping;
	if (!mail_split_address(text_of(courier->email->from), &courier->from_name, &courier->from,
				error)) {
		free(courier);
		return false;
	}
	courier->digest = digest_new();
	text_start(&courier->body, memory_allocate(BODY_BYTES), BODY_BYTES);
	text_start(&courier->message, memory_allocate(MESSAGE_BYTES), MESSAGE_BYTES);
	backoff_start(&courier->backoff, (uint64_t)deadline_now());
	*connection = courier;
	return true;
}

static const char *
courier_peer(const void *connection)
{
	const struct courier *courier = connection;

	return courier->email->server;
}

static void
courier_close(void *connection)
{
	struct courier *courier = connection;

	mail_client_free(courier->client);
	digest_free(courier->digest);
	free(courier->body.bytes);
	free(courier->message.bytes);
	free(courier);
}

/* The password is read each time: it may have been changed. */
static bool
make_client(struct courier *courier, struct error *error)
{
	static const enum mail_client_security securities[] = {
	    [CONFIG_SECURITY_STARTTLS] = MAIL_CLIENT_STARTTLS,
	    [CONFIG_SECURITY_TLS] = MAIL_CLIENT_TLS,
	    [CONFIG_SECURITY_NONE] = MAIL_CLIENT_PLAIN,
	};
	const struct config_email *email = courier->email;
	struct mail_client_settings settings = {
	    .server = email->server,
	    .security = securities[email->security],
	    .ca_file = email->ca_file,
	    .username = email->username,
	    .helo = courier->host,
	    .timeout = email->timeout,
	    .stopping = courier->stopping,
	};
	struct secret *password = NULL;
	bool done;

	if (email->password_file != NULL) {
		if (!secret_read_password(&password, email->password_file, error))
			return false;
		settings.password = secret_bytes(password);
	}
	done = mail_client_new(&courier->client, &settings, error);
	secret_free(password);
	return done;
}

/* ---- a message ---- */

static enum mail_client_result
transmit(struct courier *courier, const struct mail *mail, struct error *error)
{
	const struct mail_client_envelope envelope = {
	    .from = courier->from, .to = courier->email->to, .to_count = courier->email->to_count};
	enum mail_client_result result;

	if (courier->client == NULL && !make_client(courier, error))
		return MAIL_CLIENT_WRONG;
	text_cut(&courier->message, 0);
	mail_write(mail, &courier->message);
	if (courier->message.overflowed)
		memory_panic("a mail of %zu bytes does not fit", mail->text.length);
	result = mail_client_send(courier->client, &envelope, text_slice(&courier->message), error);
	if (result == MAIL_CLIENT_WRONG) {
		mail_client_free(courier->client);
		courier->client = NULL;
	}
	return result;
}

/* Leaves room for so many bytes more, and tells where something had no room. */
static void
end_text(struct text *text, size_t room)
{
	size_t most = text->capacity - room;

	if (!text->overflowed && text->length <= most)
		return;
	text_cut(text, utf8_cut((struct slice){text->bytes, text->length}, most).length);
	text_append_string(text, cut_mark);
}

/* Subject and text of the event, in the courier's bytes. */
static void
write_part(struct courier *courier, const struct event *event, struct digest_part *part)
{
	const struct config_email *email = courier->email;
	struct text subject, text;

	text_start(&subject, courier->subject, sizeof(courier->subject));
	if (email->subject != NULL)
		template_write(text_of(email->subject), event, TEMPLATE_LINE, &subject);
	else
		notice_write_subject(event, &subject);
	text_start(&text, courier->text, sizeof(courier->text));
	if (email->text != NULL)
		template_write(text_of(email->text), event, TEMPLATE_LINE, &text);
	else
		notice_write_text(event, &text);
	end_text(&text, sizeof(cut_mark));
	part->sequence = event->sequence;
	part->severity = event->severity;
	text_cut(&subject, subject.length);
	part->subject = text_slice(&subject);
	part->text = text_slice(&text);
}

static void
write_footer(const struct courier *courier, struct text *body)
{
	text_append_string(body, "\n-- \nSent by siembridge");
	if (courier->host != NULL)
		text_append_format(body, " on %s", courier->host);
	text_append_format(body, ", destination %s; nobody reads answers.\n", courier->destination);
}

/* ---- one event, one message ---- */

static struct slice
id_of(const struct courier *courier, const struct event *event, struct text *id)
{
	text_append_format(id, "%" PRIu64 ".%s.", event->sequence, courier->destination);
	text_append(id, event->id.bytes,
		    event->id.length < id->capacity - id->length ? event->id.length
								 : id->capacity - id->length);
	return text_slice(id);
}

/* An invoice that is overdue and is paid then are one thread. */
static struct slice
thread_of(const struct event *event, struct text *thread)
{
	struct slice resource = event->fields[FIELD_RESOURCE_ID];

	if (resource.length == 0 || resource.length > MAIL_ID / 2)
		return (struct slice){NULL, 0};
	text_append_string(thread, "thread.");
	text_append_slice(thread, event->family);
	text_append_byte(thread, '.');
	text_append_slice(thread, resource);
	return text_slice(thread);
}

static enum mail_client_result
send_event(struct courier *courier, const struct event *event, struct error *error)
{
	char id_bytes[MAIL_ID], thread_bytes[MAIL_ID];
	struct text id, thread;
	struct digest_part part;
	struct mail mail = {.from = courier->from,
			    .from_name = courier->from_name,
			    .to = courier->email->to,
			    .to_count = courier->email->to_count,
			    .date = deadline_wall()};

	write_part(courier, event, &part);
	text_cut(&courier->body, 0);
	text_append_slice(&courier->body, part.text);
	write_footer(courier, &courier->body);
	text_start(&id, id_bytes, sizeof(id_bytes));
	text_start(&thread, thread_bytes, sizeof(thread_bytes));
	mail.subject = part.subject;
	mail.text = text_slice(&courier->body);
	mail.id = id_of(courier, event, &id);
	mail.thread = thread_of(event, &thread);
	return transmit(courier, &mail, error);
}

/* ---- digests ---- */

/* What of the digest goes out now: all of it, or the one whose turn it is. */
static enum mail_client_result
send_digest(struct courier *courier, struct error *error)
{
	const struct digest *digest = courier->digest;
	const struct digest_part *next = &digest->parts[courier->next];
	struct text id, subject, *body = &courier->body;
	char id_bytes[MAIL_ID];
	struct mail mail = {.from = courier->from,
			    .from_name = courier->from_name,
			    .to = courier->email->to,
			    .to_count = courier->email->to_count,
			    .date = deadline_wall()};

	text_start(&subject, courier->subject, sizeof(courier->subject));
	text_start(&id, id_bytes, sizeof(id_bytes));
	text_cut(body, 0);
	if (courier->alone) {
		text_append_slice(&subject, next->subject);
		text_append_slice(body, next->text);
		text_append_format(&id, "%" PRIu64 ".%s", next->sequence, courier->destination);
	} else {
		digest_write_subject(digest, &subject);
		digest_write_text(digest, body);
		text_append_format(&id, "%" PRIu64 "-%" PRIu64 ".%s", digest->parts[0].sequence,
				   digest->parts[digest->count - 1].sequence, courier->destination);
	}
	end_text(body, FOOTER_BYTES);
	write_footer(courier, body);
	mail.subject = text_slice(&subject);
	mail.text = text_slice(body);
	mail.id = text_slice(&id);
	return transmit(courier, &mail, error);
}

/* `parts` more of the digest are done with. */
static void
advance_digest(struct courier *courier, size_t parts)
{
	courier->next += parts;
	courier->confirmed = courier->digest->parts[courier->next - 1].end;
	backoff_reset(&courier->backoff);
	if (courier->next < courier->digest->count)
		return;
	digest_clear(courier->digest);
	courier->alone = false;
	courier->next = 0;
}

static enum send_result
deliver(struct courier *courier, struct error *error)
{
	const struct digest *digest = courier->digest;

	switch (send_digest(courier, error)) {
	case MAIL_CLIENT_ACCEPTED:
		advance_digest(courier, courier->alone ? 1 : digest->count);
		return SEND_IDLE;
	case MAIL_CLIENT_REFUSED:
		if (!courier->alone && digest->count > 1) {
			courier->alone = true;
			return SEND_IDLE;
		}
		advance_digest(courier, 1);
		return SEND_REFUSED;
	case MAIL_CLIENT_LATER:
		courier->not_before = deadline_now() + backoff_next(&courier->backoff);
		return SEND_AGAIN;
	case MAIL_CLIENT_WRONG:
		break;
	}
	courier->not_before = deadline_now() + courier->hold_retry;
	return SEND_HOLD;
}

static int64_t
next_delivery(const struct courier *courier)
{
	if (courier->digest->count == 0)
		return INT64_MAX;
	return courier->due > courier->not_before ? courier->due : courier->not_before;
}

/* When the interval is over that began when the event was received. */
static int64_t
due_of(const struct courier *courier, const struct event *event)
{
	int64_t waited = deadline_wall() - event->received_at;

	if (waited < 0) /* the clock was set back */
		waited = 0;
	if (waited > courier->email->digest)
		waited = courier->email->digest;
	return deadline_now() + courier->email->digest - waited;
}

static enum send_result
gather(struct courier *courier, struct batch *batch)
{
	const struct batch_message *message = &batch->messages[batch->next];
	const struct event *event = &batch->items[message->item].event;
	struct digest_part part = {.end = batch->offset + message->end};

	if (courier->alone)
		return SEND_IDLE; /* first those that are gathered */
	write_part(courier, event, &part);
	if (!digest_add(courier->digest, &part)) {
		courier->due = 0; /* as soon as it can */
		return SEND_IDLE;
	}
	if (courier->digest->count == 1)
		courier->due = due_of(courier, event);
	batch_advance(batch, message->end - batch->sent);
	return SEND_PROGRESS;
}

/* ---- the kind ---- */

static enum send_result
courier_send(void *connection, struct batch *batch, struct error *error)
{
	struct courier *courier = connection;
	const struct batch_message *message = &batch->messages[batch->next];

	if (courier->email->digest > 0)
		return gather(courier, batch);
	switch (send_event(courier, &batch->items[message->item].event, error)) {
	case MAIL_CLIENT_ACCEPTED:
		break;
	case MAIL_CLIENT_REFUSED:
		return SEND_REFUSED;
	case MAIL_CLIENT_LATER:
		return SEND_AGAIN;
	case MAIL_CLIENT_WRONG:
		return SEND_HOLD;
	}
	batch_advance(batch, message->end - batch->sent);
	return SEND_PROGRESS;
}

static enum send_result
courier_confirm(void *connection, uint64_t written, uint64_t *confirmed, struct error *error)
{
	struct courier *courier = connection;
	enum send_result result = SEND_IDLE;

	if (courier->email->digest == 0) {
		*confirmed = written;
		return SEND_IDLE;
	}
	if (deadline_now() >= next_delivery(courier))
		result = deliver(courier, error);
	*confirmed = courier->confirmed;
	return result;
}

static void
courier_watch(const void *connection, bool blocked, uint64_t written, struct send_watch *watch)
{
	const struct courier *courier = connection;

	(void)blocked, (void)written;
	watch->descriptor = -1;
	watch->at = next_delivery(courier);
}

const struct send_kind send_email = {
    .name = "email",
    .open = courier_open,
    .peer = courier_peer,
    .send = courier_send,
    .confirm = courier_confirm,
    .watch = courier_watch,
    .close = courier_close,
};
