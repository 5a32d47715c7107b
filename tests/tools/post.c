/*
 * The sender of the tests, and half of their oracle.
 *
 *   post --to 127.0.0.1:8443 --path /webhooks/anyint --secret FILE --count 1000
 *        --type key.disabled,member.joined --connections 8 --journal FILE
 *   post --emit FILE ...     writes the signed requests instead of posting them
 *
 * Posts unique, signed (Standard Webhooks v1) events over TLS keep-alive, one
 * thread a connection.  The id is prefix-number and the body a pure function of
 * the id, so that whoever finds an id elsewhere knows what must stand beside it.
 * Connection c of C posts the numbers c, c + C, c + 2C ..., each only after the
 * one before was answered: within such a row, order is a promise of the bridge.
 *
 * An id goes to the journal only after its whole 202 was read: from then on the
 * bridge owes it.  After a broken connection, a time-out, 429 or 503 the same id
 * is posted again, until --retry seconds are over.  Exit 0: all were accepted.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include "bridge/deadline.h"
#include "formats/error.h"
#include "formats/memory.h"
#include "formats/text.h"

enum {
	LARGEST_BODY = 65536,
	LARGEST_HEAD = 2048,
	LARGEST_KEY = 128,
	LARGEST_TYPES = 32,
	STATUSES = 600,
	SECONDS_PER_WAIT = 10, /* for connect, handshake, write and answer */
	RETRY_PAUSE_MS = 50,
	HAPPENED_AT = 1790856000, /* 2026-10-01T12:00:00Z, of number 0; one millisecond each */
};

struct options {
	const char *to;
	const char *path;
	const char *secret;
	const char *types; /* separated by commas; they take turns */
	const char *journal;
	const char *emit;
	const char *prefix;
	uint64_t count;
	uint64_t connections;
	uint64_t rate;  /* events a second over all connections; 0: as fast as it goes */
	uint64_t retry; /* seconds, for each event; 0: one attempt */
	uint64_t size;  /* bytes of a body */
};

/* What all threads share: read-only, but for the journal's descriptor (O_APPEND). */
struct plan {
	struct options options;
	struct slice types[LARGEST_TYPES]; /* options.types, split */
	size_t types_count;
	unsigned char key[LARGEST_KEY];
	size_t key_length;
	struct addrinfo *address;
	SSL_CTX *tls;
	int journal;
	int64_t started_at; /* monotonic milliseconds */
};

struct counts {
	uint64_t sent; /* whole requests written */
	uint64_t accepted;
	uint64_t retries;
	uint64_t refused; /* connects refused: nobody was listening */
	uint64_t broken;  /* connections that failed in any other way */
	uint64_t gave_up;
	uint64_t statuses[STATUSES];
};

/* One connection, and the thread that uses it. */
struct sender {
	const struct plan *plan;
	uint64_t first; /* number, then every options.connections-th */
	pthread_t thread;
	EVP_MAC_CTX *mac;
	SSL *tls; /* NULL: not connected */
	struct counts counts;
	char body[LARGEST_BODY];
	char request[LARGEST_BODY + LARGEST_HEAD];
	char answer[LARGEST_BODY];
};

/* ---- options ---- */

struct option_row {
	const char *name;
	const char **text; /* or NULL */
	uint64_t *number;  /* or NULL */
	uint64_t maximum;
};

static bool
read_option(const struct option_row *rows, size_t count, const char *name, const char *value,
	    struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].name, name) != 0)
			continue;
		if (value == NULL)
			return error_set(error, "%s needs a value", name);
		if (rows[i].text != NULL) {
			*rows[i].text = value;
			return true;
		}
		if (!text_parse_unsigned(text_of(value), rows[i].maximum, rows[i].number))
			return error_set(error, "%s is a number, at most %llu", name,
					 (unsigned long long)rows[i].maximum);
		return true;
	}
	return error_set(error, "unknown option %s", name);
}

static bool
read_options(struct options *options, int argc, char **argv, struct error *error)
{
	const struct option_row rows[] = {
	    {"--to", &options->to, NULL, 0},
	    {"--path", &options->path, NULL, 0},
	    {"--secret", &options->secret, NULL, 0},
	    {"--type", &options->types, NULL, 0},
	    {"--journal", &options->journal, NULL, 0},
	    {"--emit", &options->emit, NULL, 0},
	    {"--prefix", &options->prefix, NULL, 0},
	    {"--count", NULL, &options->count, 99999999},
	    {"--connections", NULL, &options->connections, 1024},
	    {"--rate", NULL, &options->rate, 1000000},
	    {"--retry", NULL, &options->retry, 3600},
	    {"--size", NULL, &options->size, LARGEST_BODY - 1024},
	};

	for (int i = 1; i < argc; i += 2) {
		if (!read_option(rows, sizeof(rows) / sizeof(rows[0]), argv[i], argv[i + 1], error))
			return false;
	}
	if (options->secret == NULL)
		return error_set(error, "--secret FILE is needed");
	if (options->connections == 0)
		return error_set(error, "--connections must be at least 1");
	return true;
}

static void
split_types(struct plan *plan)
{
	const char *rest = plan->options.types;

	while (plan->types_count < LARGEST_TYPES) {
		size_t length = strcspn(rest, ",");

		plan->types[plan->types_count++] = (struct slice){rest, length};
		if (rest[length] == '\0')
			return;
		rest += length + 1;
	}
}

/* whsec_ and base64: the key is what the base64 stands for. */
static bool
read_secret(struct plan *plan, struct error *error)
{
	char text[LARGEST_KEY + 8];
	FILE *file = fopen(plan->options.secret, "r");
	size_t length;
	int decoded;

	if (file == NULL)
		return error_set_errno(error, "%s", plan->options.secret);
	length = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	while (length > 0 && text[length - 1] == '\n')
		length--;
	text[length] = '\0';
	if (strncmp(text, "whsec_", 6) != 0)
		return error_set(error, "%s does not start with whsec_", plan->options.secret);
	decoded = EVP_DecodeBlock(plan->key, (unsigned char *)text + 6, (int)length - 6);
	if (decoded <= 0)
		return error_set(error, "%s is not base64 behind whsec_", plan->options.secret);
	plan->key_length = (size_t)decoded;
	while (length > 6 && text[--length] == '=') /* EVP_DecodeBlock counts the padding in */
		plan->key_length--;
	return true;
}

/* ---- requests ---- */

static void
append_id(const struct plan *plan, uint64_t number, struct text *text)
{
	text_append_string(text, plan->options.prefix);
	text_append_byte(text, '-');
	text_append_padded(text, number, 8);
}

static void
append_time(uint64_t number, struct text *text)
{
	time_t seconds = HAPPENED_AT + (time_t)(number / 1000);
	struct tm parts;
	char written[32];

	(void)gmtime_r(&seconds, &parts);
	text_append(text, written, strftime(written, sizeof(written), "%Y-%m-%dT%H:%M:%S", &parts));
	text_append_byte(text, '.');
	text_append_padded(text, number % 1000, 3);
	text_append_byte(text, 'Z');
}

/* What the number alone decides; `size` bytes, or a few more where they do not do. */
static void
append_body(const struct plan *plan, uint64_t number, struct text *text)
{
	text_append_string(text, "{\"id\":\"evt_");
	append_id(plan, number, text);
	text_append_string(text, "\",\"type\":\"");
	text_append_slice(text, plan->types[number % plan->types_count]);
	text_append_string(text, "\",\"created_at\":\"");
	append_time(number, text);
	text_append_string(text, "\",\"data\":{\"organization\":{\"id\":\"acme-prod\"},"
				 "\"actor\":{\"id\":\"usr_1\",\"email\":\"");
	append_id(plan, number, text);
	text_append_string(text, "@example.com\",\"ip\":\"203.0.113.7\"},"
				 "\"api_key\":{\"id\":\"key_01\",\"name\":\"prod\"},\"note\":\"");
	while (text->length + 3 < plan->options.size && !text->overflowed)
		text_append_byte(text, 'x');
	text_append_string(text, "\"}}");
}

/* v1: HMAC-SHA256 over id.timestamp.body, in base64. */
static void
append_signature(struct sender *sender, struct slice id, struct slice timestamp, struct slice body,
		 struct text *text)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned char encoded[EVP_MAX_MD_SIZE * 2];
	size_t length = 0;

	if (EVP_MAC_init(sender->mac, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(sender->mac, (const unsigned char *)id.bytes, id.length) != 1 ||
	    EVP_MAC_update(sender->mac, (const unsigned char *)".", 1) != 1 ||
	    EVP_MAC_update(sender->mac, (const unsigned char *)timestamp.bytes, timestamp.length) !=
		1 ||
	    EVP_MAC_update(sender->mac, (const unsigned char *)".", 1) != 1 ||
	    EVP_MAC_update(sender->mac, (const unsigned char *)body.bytes, body.length) != 1 ||
	    EVP_MAC_final(sender->mac, sum, &length, sizeof(sum)) != 1)
		memory_panic("HMAC failed");
	text_append_string(text, "v1,");
	text_append(text, (const char *)encoded,
		    (size_t)EVP_EncodeBlock(encoded, sum, (int)length));
}

/* Signed with the time of now: each attempt anew. */
static struct slice
write_request(struct sender *sender, uint64_t number)
{
	const struct plan *plan = sender->plan;
	char id_bytes[256];
	char timestamp_bytes[24];
	struct text id;
	struct text timestamp;
	struct text body;
	struct text request;

	text_start(&id, id_bytes, sizeof(id_bytes));
	append_id(plan, number, &id);
	text_start(&timestamp, timestamp_bytes, sizeof(timestamp_bytes));
	text_append_number(&timestamp, deadline_wall() / 1000);
	text_start(&body, sender->body, sizeof(sender->body));
	append_body(plan, number, &body);

	text_start(&request, sender->request, sizeof(sender->request));
	text_append_format(&request, "POST %s HTTP/1.1\r\nHost: localhost\r\n", plan->options.path);
	text_append_string(&request, "Content-Type: application/json\r\nwebhook-id: ");
	text_append_slice(&request, text_slice(&id));
	text_append_string(&request, "\r\nwebhook-timestamp: ");
	text_append_slice(&request, text_slice(&timestamp));
	text_append_string(&request, "\r\nwebhook-signature: ");
	append_signature(sender, text_slice(&id), text_slice(&timestamp), text_slice(&body),
			 &request);
	text_append_string(&request, "\r\nContent-Length: ");
	text_append_unsigned(&request, body.length);
	text_append_string(&request, "\r\n\r\n");
	text_append_slice(&request, text_slice(&body));
	if (id.overflowed || body.overflowed || request.overflowed)
		memory_panic("a request does not fit");
	return text_slice(&request);
}

/* ---- the connection ---- */

static void
disconnect(struct sender *sender)
{
	int descriptor;

	if (sender->tls == NULL)
		return;
	descriptor = SSL_get_fd(sender->tls);
	SSL_free(sender->tls);
	sender->tls = NULL;
	(void)close(descriptor);
	ERR_clear_error();
}

static bool
connect_once(struct sender *sender)
{
	const struct addrinfo *address = sender->plan->address;
	const struct timeval patience = {SECONDS_PER_WAIT, 0};
	const int yes = 1;
	int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (descriptor < 0)
		memory_panic("socket: %s", strerror(errno));
	if (setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
	    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
	    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0)
		memory_panic("setsockopt: %s", strerror(errno));
	if (connect(descriptor, address->ai_addr, address->ai_addrlen) != 0) {
		if (errno == ECONNREFUSED)
			sender->counts.refused++;
		else
			sender->counts.broken++;
		(void)close(descriptor);
		return false;
	}
	sender->tls = SSL_new(sender->plan->tls);
	if (sender->tls == NULL || SSL_set_fd(sender->tls, descriptor) != 1)
		memory_panic("out of memory for TLS");
	if (SSL_connect(sender->tls) != 1) {
		sender->counts.broken++;
		disconnect(sender);
		return false;
	}
	return true;
}

/* The value of Content-Length among the headers that end at `end`; 0 where there is none. */
static uint64_t
content_length(const char *head, const char *end)
{
	const char *found = strcasestr(head, "\r\nContent-Length:");
	uint64_t length = 0;

	if (found == NULL || found > end)
		return 0;
	found += strlen("\r\nContent-Length:");
	found += strspn(found, " ");
	if (!text_parse_unsigned((struct slice){found, strcspn(found, "\r")}, LARGEST_BODY,
				 &length))
		return LARGEST_BODY;
	return length;
}

/* Reads one whole answer.  False: the connection broke before its end. */
static bool
read_answer(struct sender *sender, unsigned *status, bool *closes)
{
	size_t length = 0;
	size_t whole = 0; /* bytes of the answer, once its head is there */
	uint64_t number = 0;

	while (whole == 0 || length < whole) {
		const char *end;
		const char *close_header;
		int got = SSL_read(sender->tls, sender->answer + length,
				   (int)(sizeof(sender->answer) - 1 - length));

		if (got <= 0)
			return false;
		length += (size_t)got;
		sender->answer[length] = '\0';
		end = strstr(sender->answer, "\r\n\r\n");
		if (whole != 0 || end == NULL)
			continue;
		if (strncmp(sender->answer, "HTTP/1.1 ", 9) != 0 ||
		    !text_parse_unsigned((struct slice){sender->answer + 9, 3}, STATUSES - 1,
					 &number))
			return false;
		whole = (size_t)(end - sender->answer) + 4 + content_length(sender->answer, end);
		close_header = strcasestr(sender->answer, "\r\nConnection: close");
		*closes = close_header != NULL && close_header < end;
	}
	*status = (unsigned)number;
	return length == whole;
}

/* One attempt.  False: no answer came. */
static bool
attempt(struct sender *sender, uint64_t number, unsigned *status)
{
	struct slice request;
	bool closes = true;

	if (sender->tls == NULL && !connect_once(sender))
		return false;
	request = write_request(sender, number);
	if (SSL_write(sender->tls, request.bytes, (int)request.length) != (int)request.length) {
		sender->counts.broken++;
		disconnect(sender);
		return false;
	}
	sender->counts.sent++;
	if (!read_answer(sender, status, &closes)) {
		sender->counts.broken++;
		disconnect(sender);
		return false;
	}
	if (closes)
		disconnect(sender);
	return true;
}

/* ---- the work ---- */

static void
note_accepted(struct sender *sender, uint64_t number)
{
	char line_bytes[300];
	struct text line;

	sender->counts.accepted++;
	if (sender->plan->journal < 0)
		return;
	text_start(&line, line_bytes, sizeof(line_bytes));
	append_id(sender->plan, number, &line);
	text_append_byte(&line, '\n');
	if (write(sender->plan->journal, line.bytes, line.length) != (ssize_t)line.length)
		memory_panic("%s: %s", sender->plan->options.journal, strerror(errno));
}

static void
pause_until(int64_t monotonic_milliseconds)
{
	struct timespec until = {.tv_sec = monotonic_milliseconds / 1000,
				 .tv_nsec = monotonic_milliseconds % 1000 * 1000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		continue;
}

/* Posts one event until it is accepted, refused for good, or out of time. */
static void
deliver(struct sender *sender, uint64_t number)
{
	struct deadline deadline = deadline_after((int64_t)sender->plan->options.retry * 1000);

	for (;;) {
		unsigned status = 0;

		if (attempt(sender, number, &status)) {
			sender->counts.statuses[status]++;
			if (status == 202) {
				note_accepted(sender, number);
				return;
			}
			if (status != 429 && status != 503)
				break;
		}
		if (deadline_passed(deadline))
			break;
		pause_until(deadline_now() + RETRY_PAUSE_MS);
		sender->counts.retries++;
	}
	sender->counts.gave_up++;
}

static void *
sender_run(void *argument)
{
	struct sender *sender = argument;
	const struct options *options = &sender->plan->options;

	for (uint64_t number = sender->first; number <= options->count;
	     number += options->connections) {
		if (options->rate > 0)
			pause_until(sender->plan->started_at +
				    (int64_t)((number - 1) * 1000 / options->rate));
		deliver(sender, number);
	}
	disconnect(sender);
	return NULL;
}

static struct sender *
sender_new(const struct plan *plan, uint64_t first)
{
	struct sender *sender = memory_allocate(sizeof(*sender));
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA256";
	const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
					 OSSL_PARAM_construct_end()};

	sender->plan = plan;
	sender->first = first;
	sender->mac = EVP_MAC_CTX_new(hmac);
	if (sender->mac == NULL ||
	    EVP_MAC_init(sender->mac, plan->key, plan->key_length, parameters) != 1)
		memory_panic("no HMAC-SHA256");
	EVP_MAC_free(hmac);
	return sender;
}

static void
sender_free(struct sender *sender)
{
	EVP_MAC_CTX_free(sender->mac);
	free(sender);
}

static bool
report(const struct plan *plan, const struct counts *counts)
{
	int64_t milliseconds = deadline_now() - plan->started_at;

	printf("count=%llu sent=%llu accepted=%llu retries=%llu refused=%llu broken=%llu "
	       "gave_up=%llu",
	       (unsigned long long)plan->options.count, (unsigned long long)counts->sent,
	       (unsigned long long)counts->accepted, (unsigned long long)counts->retries,
	       (unsigned long long)counts->refused, (unsigned long long)counts->broken,
	       (unsigned long long)counts->gave_up);
	for (size_t i = 0; i < STATUSES; i++) {
		if (counts->statuses[i] > 0)
			printf(" status_%zu=%llu", i, (unsigned long long)counts->statuses[i]);
	}
	printf(" milliseconds=%lld rate=%lld\n", (long long)milliseconds,
	       (long long)counts->accepted * 1000 / (milliseconds > 0 ? milliseconds : 1));
	return counts->accepted == plan->options.count;
}

static void
add_counts(struct counts *sum, const struct counts *counts)
{
	sum->sent += counts->sent;
	sum->accepted += counts->accepted;
	sum->retries += counts->retries;
	sum->refused += counts->refused;
	sum->broken += counts->broken;
	sum->gave_up += counts->gave_up;
	for (size_t i = 0; i < STATUSES; i++)
		sum->statuses[i] += counts->statuses[i];
}

static bool
post_all(struct plan *plan)
{
	struct sender **senders =
	    memory_allocate_array(plan->options.connections, sizeof(struct sender *));
	struct counts sum = {0};

	for (uint64_t i = 0; i < plan->options.connections; i++) {
		senders[i] = sender_new(plan, i + 1);
		if (pthread_create(&senders[i]->thread, NULL, sender_run, senders[i]) != 0)
			memory_panic("cannot start thread %llu", (unsigned long long)i);
	}
	for (uint64_t i = 0; i < plan->options.connections; i++) {
		if (pthread_join(senders[i]->thread, NULL) != 0)
			memory_panic("cannot join thread %llu", (unsigned long long)i);
		add_counts(&sum, &senders[i]->counts);
		sender_free(senders[i]);
	}
	free(senders);
	return report(plan, &sum);
}

/* All requests, one behind the other and all of one size, which is printed. */
static bool
emit_all(const struct plan *plan, struct error *error)
{
	FILE *file = fopen(plan->options.emit, "w");
	struct sender *sender = sender_new(plan, 1);
	size_t size = 0;
	bool good = file != NULL || error_set_errno(error, "%s", plan->options.emit);

	for (uint64_t number = 1; good && number <= plan->options.count; number++) {
		struct slice request = write_request(sender, number);

		if (size != 0 && request.length != size)
			good = error_set(error, "--size is too small for --type: sizes differ");
		else if (fwrite(request.bytes, request.length, 1, file) != 1)
			good = error_set_errno(error, "%s", plan->options.emit);
		size = request.length;
	}
	if (file != NULL && fclose(file) != 0 && good)
		good = error_set_errno(error, "%s", plan->options.emit);
	sender_free(sender);
	if (good)
		printf("count=%llu size=%zu\n", (unsigned long long)plan->options.count, size);
	return good;
}

/* ---- set-up ---- */

static bool
resolve(struct plan *plan, struct error *error)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				       .ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(plan->options.to, ':');
	char *host;
	int failed;

	if (colon == NULL)
		return error_set(error, "--to is ADDRESS:PORT");
	host = memory_copy_text(plan->options.to, (size_t)(colon - plan->options.to));
	failed = getaddrinfo(host, colon + 1, &hints, &plan->address);
	free(host);
	if (failed != 0)
		return error_set(error, "%s: %s", plan->options.to, gai_strerror(failed));
	return true;
}

static bool
prepare_to_post(struct plan *plan, struct error *error)
{
	if (!resolve(plan, error))
		return false;
	plan->tls = SSL_CTX_new(TLS_client_method());
	if (plan->tls == NULL)
		return error_set(error, "OpenSSL gives no client context");
	(void)SSL_CTX_set_mode(plan->tls, SSL_MODE_AUTO_RETRY);
	if (plan->options.journal != NULL) {
		plan->journal =
		    open(plan->options.journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (plan->journal < 0)
			return error_set_errno(error, "%s", plan->options.journal);
	}
	return true;
}

static void
release(struct plan *plan)
{
	SSL_CTX_free(plan->tls);
	if (plan->address != NULL)
		freeaddrinfo(plan->address);
	if (plan->journal >= 0)
		(void)close(plan->journal);
}

int
main(int argc, char **argv)
{
	struct plan plan = {.journal = -1,
			    .options = {.to = "127.0.0.1:8443",
					.path = "/webhooks/anyint",
					.types = "key.disabled",
					.prefix = "post",
					.count = 1,
					.connections = 1,
					.size = 450}};
	struct error error;
	bool all = false;

	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return 2;
	if (!read_options(&plan.options, argc, argv, &error) || !read_secret(&plan, &error))
		goto failed;
	split_types(&plan);
	if (plan.options.emit != NULL) {
		if (!emit_all(&plan, &error))
			goto failed;
		return 0;
	}
	if (!prepare_to_post(&plan, &error))
		goto failed;
	plan.started_at = deadline_now();
	all = post_all(&plan);
	release(&plan);
	return all ? 0 : 1;

failed:
	(void)fprintf(stderr, "post: %s\n", error.text);
	release(&plan);
	return 2;
}
