/*
 * A real loop with TLS on loopback over a real spool in a directory of its own:
 * what a sender sees, however it sends.  Deadlines are short, limits small.
 */
#include "bridge/receiver/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "bridge/config.h"
#include "bridge/deadline.h"
#include "bridge/receiver/commit.h"
#include "bridge/receiver/limit.h"
#include "bridge/receiver/receiver.h"
#include "bridge/listen.h"
#include "bridge/tls_server.h"
#include "bridge/receiver/verify.h"
#include "formats/memory.h"
#include "formats/normalise.h"

enum { LIMIT = 4096, PATIENCE = 10, LONGEST = 64 * 1024, WAITING = 250 };

#define EVENT "{\"type\":\"key.created\",\"data\":{}}"

struct bench {
	char directory[64];
	char certificate[96], key[96], secret[96];
	struct counters *counters;
	struct spool *spool;
	struct commit *commit;
	struct verify *verify;
	struct normalise *normalise;
	struct config_source source;
	struct request_source sources[1];
	struct tls_server *server;
	struct limit *limit; /* NULL, but for the tests of it */
	struct loop_settings settings;
	struct loop *loop;
	SSL_CTX *client;
	int socket;
	uint16_t port;
};

/* One connection, as a sender has it. */
struct sender {
	SSL *session;
	int socket;
	char bytes[LONGEST]; /* what came and was not looked at */
	size_t length;
};

static struct bench bench;

/* ---- a certificate, a source, a loop ---- */

static void
write_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	FILE *file;

	assert_non_null(key);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	file = fopen(bench.certificate, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	assert_int_equal(fclose(file), 0);
	file = fopen(bench.key, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void
write_secret(void)
{
	FILE *file = fopen(bench.secret, "w");

	assert_non_null(file);
	assert_true(fputs("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(bench.secret, 0600), 0);
}

static void
make_source(void)
{
	static char name[] = "anyint", path[] = "/w", glob[] = "key.*";
	static char *events[] = {glob};
	static struct config_secret secrets[1];
	struct error error;

	secrets[0] = (struct config_secret){.file = bench.secret, .not_after = INT64_MAX};
	bench.source = (struct config_source){.name = name,
					      .path = path,
					      .events = events,
					      .events_count = 1,
					      .secrets = secrets,
					      .secrets_count = 1,
					      .signature = CONFIG_SIGNATURE_STANDARD_WEBHOOKS,
					      .tolerance = 300000};
	if (!verify_new(&bench.verify, &bench.source, &error) ||
	    !normalise_new(&bench.normalise, "anyint", &error))
		fail_msg("%s", error.text);
	bench.sources[0] =
	    (struct request_source){&bench.source, bench.verify, bench.normalise, NULL, LIMIT};
}

static void
on_broken(void *context)
{
	(void)context;
	fail_msg("the spool broke");
}

static void
start_loop(void)
{
	struct error error;

	if (!commit_start(&bench.commit, bench.spool, -1, bench.counters, on_broken, NULL, &error))
		fail_msg("%s", error.text);
	bench.settings = (struct loop_settings){
	    .server = bench.server,
	    .limits = {.max_body_size = LIMIT,
		       .handshake_timeout = 300,
		       .header_timeout = 300,
		       .body_timeout = 300,
		       .idle_timeout = 600},
	    .sources = bench.sources,
	    .source_count = 1,
	    .limit = bench.limit,
	    .commit = bench.commit,
	    .counters = bench.counters,
	};
	if (!loop_start(&bench.loop, &bench.settings, bench.socket, &error))
		fail_msg("%s", error.text);
}

static void
stop_loop(void)
{
	loop_stop(bench.loop);
	loop_join(bench.loop);
	commit_stop(bench.commit);
	loop_free(bench.loop);
}

/* A port that was free a moment ago. */
static uint16_t
free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(descriptor, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &length), 0);
	(void)close(descriptor);
	return ntohs(address.sin_port);
}

static int
set_up(void **state)
{
	struct error alarm, error;
	char address[32];

	(void)state;
	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	(void)snprintf(bench.directory, sizeof(bench.directory), "/tmp/test_loop.XXXXXX");
	assert_non_null(mkdtemp(bench.directory));
	(void)snprintf(bench.certificate, sizeof(bench.certificate), "%s/cert", bench.directory);
	(void)snprintf(bench.key, sizeof(bench.key), "%s/key", bench.directory);
	(void)snprintf(bench.secret, sizeof(bench.secret), "%s/secret", bench.directory);
	write_certificate();
	write_secret();
	make_source();
	bench.client = SSL_CTX_new(TLS_client_method());
	assert_non_null(bench.client);
	bench.port = free_port();
	(void)snprintf(address, sizeof(address), "127.0.0.1:%d", bench.port);
	if (!counters_map(-1, &bench.counters, &error) ||
	    !spool_open(&bench.spool, bench.directory, 0, 0, &alarm, &error) ||
	    !tls_server_new(&bench.server, bench.certificate, bench.key, &error) ||
	    !listen_open(address, &bench.socket, 1, &error))
		fail_msg("%s", error.text);
	start_loop();
	return 0;
}

static int
tear_down(void **state)
{
	char command[128];

	(void)state;
	stop_loop();
	spool_close(bench.spool);
	tls_server_free(bench.server);
	verify_free(bench.verify);
	normalise_free(bench.normalise);
	SSL_CTX_free(bench.client);
	(void)close(bench.socket);
	(void)snprintf(command, sizeof(command), "rm -rf %s", bench.directory);
	return system(
	    command); /* NOLINT(bugprone-command-processor,cert-env33-c): a path of ours */
}

static uint64_t
counted(enum counter counter)
{
	return atomic_load(&bench.counters->values[counter]);
}

/* ---- a sender ---- */

static int
connect_plain(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(bench.port)};
	struct timeval patience = {PATIENCE, 0};
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(descriptor >= 0);
	assert_int_equal(
	    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof(address)), 0);
	return descriptor;
}

static struct sender *
sender_new(void)
{
	struct sender *sender = memory_allocate(sizeof(*sender));

	sender->socket = connect_plain();
	sender->session = SSL_new(bench.client);
	assert_int_equal(SSL_set_fd(sender->session, sender->socket), 1);
	assert_int_equal(SSL_connect(sender->session), 1);
	return sender;
}

static void
sender_free(struct sender *sender)
{
	SSL_free(sender->session);
	(void)close(sender->socket);
	ERR_clear_error();
	free(sender);
}

static void
send_bytes(struct sender *sender, const char *bytes, size_t length)
{
	if (length > 0)
		assert_int_equal(SSL_write(sender->session, bytes, (int)length), (int)length);
}

static void
send_text(struct sender *sender, const char *text)
{
	send_bytes(sender, text, strlen(text));
}

/* Reads once; false at the end of the connection, which must be a clean one of TLS. */
static bool
receive(struct sender *sender)
{
	int length = SSL_read(sender->session, sender->bytes + sender->length,
			      (int)(sizeof(sender->bytes) - sender->length - 1));

	if (length <= 0) {
		assert_int_equal(SSL_get_error(sender->session, length), SSL_ERROR_ZERO_RETURN);
		return false;
	}
	sender->length += (size_t)length;
	sender->bytes[sender->length] = '\0';
	return true;
}

static void
forget(struct sender *sender, size_t length)
{
	memmove(sender->bytes, sender->bytes + length, sender->length - length + 1);
	sender->length -= length;
}

struct response {
	int status;
	char head[1024];
	char body[1024];
};

static size_t
number_at(const char *digits)
{
	uint64_t number;

	assert_true(text_parse_unsigned((struct slice){digits, strspn(digits, "0123456789")},
					LONGEST, &number));
	return (size_t)number;
}

static void
read_response(struct sender *sender, struct response *response)
{
	char *end, *field;
	size_t head_length, body_length = 0;

	while ((end = strstr(sender->bytes, "\r\n\r\n")) == NULL)
		assert_true(receive(sender));
	head_length = (size_t)(end - sender->bytes) + 4;
	(void)snprintf(response->head, sizeof(response->head), "%.*s", (int)head_length,
		       sender->bytes);
	field = strstr(response->head, "Content-Length: ");
	if (field != NULL)
		body_length = number_at(field + strlen("Content-Length: "));
	while (sender->length < head_length + body_length)
		assert_true(receive(sender));
	(void)snprintf(response->body, sizeof(response->body), "%.*s", (int)body_length,
		       sender->bytes + head_length);
	response->status = (int)number_at(response->head + strlen("HTTP/1.1 "));
	forget(sender, head_length + body_length);
}

static int
status_of(struct sender *sender)
{
	struct response response;

	read_response(sender, &response);
	return response.status;
}

/* To the end, which is that of TLS too: one who is idle for too long does not get that. */
static void
expect_close(struct sender *sender)
{
	while (receive(sender))
		forget(sender, sender->length);
}

/* Appends a request for /w with a good signature, as `id`. */
static void
write_signed(struct text *text, const char *id, const char *body)
{
	char lines[1024];
	struct text headers;
	struct error error;

	text_start(&headers, lines, sizeof(lines));
	assert_true(verify_sign(bench.verify, text_of(id), deadline_wall(), text_of(body), &headers,
				&error));
	text_append_string(text,
			   "POST /w HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n");
	for (size_t i = 0; i < headers.length; i++) {
		if (lines[i] == '\n')
			text_append_byte(text, '\r');
		text_append_byte(text, lines[i]);
	}
	text_append_format(text, "Content-Length: %zu\r\n\r\n", strlen(body));
	text_append_string(text, body);
	assert_false(text->overflowed);
}

static void
send_signed(struct sender *sender, const char *id, const char *body)
{
	char bytes[4096];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	write_signed(&text, id, body);
	send_bytes(sender, text.bytes, text.length);
}

/* ---- the tests ---- */

static void
a_signed_event_is_on_disk_when_its_202_is_there(void **state)
{
	struct sender *sender = sender_new();
	struct response response;
	uint64_t before = counted(COUNTER_ACCEPTED);

	(void)state;
	send_signed(sender, "first", EVENT);
	read_response(sender, &response);
	assert_int_equal(response.status, 202);
	assert_string_equal(response.body, "");
	assert_non_null(strstr(response.head, "Content-Length: 0"));
	assert_null(strstr(response.head, "Content-Type"));
	assert_true(atomic_load(&bench.counters->last_sequence) > 0);
	assert_int_equal(counted(COUNTER_ACCEPTED), before + 1);
	sender_free(sender);
}

static void
a_duplicate_is_202_and_stored_once(void **state)
{
	struct sender *sender = sender_new();
	uint64_t sequence;

	(void)state;
	send_signed(sender, "twice", EVENT);
	assert_int_equal(status_of(sender), 202);
	sequence = atomic_load(&bench.counters->last_sequence);
	send_signed(sender, "twice", EVENT);
	assert_int_equal(status_of(sender), 202);
	assert_int_equal(atomic_load(&bench.counters->last_sequence), sequence);
	sender_free(sender);
}

static void
what_is_not_subscribed_is_202_and_not_stored(void **state)
{
	struct sender *sender = sender_new();
	uint64_t sequence = atomic_load(&bench.counters->last_sequence);
	uint64_t before = counted(COUNTER_NOT_SUBSCRIBED);

	(void)state;
	send_signed(sender, "other", "{\"type\":\"invoice.paid\"}");
	assert_int_equal(status_of(sender), 202);
	assert_int_equal(atomic_load(&bench.counters->last_sequence), sequence);
	assert_int_equal(counted(COUNTER_NOT_SUBSCRIBED), before + 1);
	sender_free(sender);
}

static void
a_signed_body_that_is_no_event_is_400_with_its_reason(void **state)
{
	struct sender *sender = sender_new();
	struct response response;

	(void)state;
	send_signed(sender, "broken", "{\"type\":");
	read_response(sender, &response);
	assert_int_equal(response.status, 400);
	assert_non_null(strstr(response.body, "\"code\":\"not_an_event\""));
	assert_null(strstr(response.body, "The body is not an event."));
	assert_non_null(strstr(response.head, "Content-Type: application/json"));
	/* and the connection can be used on */
	send_signed(sender, "after-broken", EVENT);
	assert_int_equal(status_of(sender), 202);
	sender_free(sender);
}

/* All of it but the time of day. */
static void
read_undated(struct sender *sender, char *bytes, size_t size)
{
	struct response response;
	char *date, *rest;

	read_response(sender, &response);
	date = strstr(response.head, "Date: ");
	assert_non_null(date);
	rest = strstr(date, "\r\n");
	assert_non_null(rest);
	(void)snprintf(bytes, size, "%.*s%s%s", (int)(date - response.head), response.head, rest,
		       response.body);
}

static void
every_401_is_the_same_bytes(void **state)
{
	static const char *const causes[] = {
	    "webhook-id: a\r\nwebhook-timestamp: 1\r\nwebhook-signature: v1,AAAA\r\n", /* stale */
	    "webhook-id: a\r\nwebhook-signature: v1,AAAA\r\n",
	    "",
	};
	struct sender *sender = sender_new();
	char first[2048], other[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		send_text(sender,
			  "POST /w HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n");
		send_text(sender, causes[i]);
		send_text(sender, "Content-Length: 2\r\n\r\n{}");
		read_undated(sender, i == 0 ? first : other, sizeof(first));
		assert_non_null(strstr(first, "HTTP/1.1 401 "));
		assert_non_null(strstr(first, "WWW-Authenticate: "));
		if (i > 0)
			assert_string_equal(first, other);
	}
	sender_free(sender);
}

#define POST(path, rest) "POST " path " HTTP/1.1\r\nHost: a\r\n" rest

static const struct {
	const char *bytes;
	int status;
	bool closes;
	const char *header; /* what must be among them; NULL: nothing special */
} refusals[] = {
    {POST("/other", "Content-Length: 2\r\n\r\n{}"), 404, false, NULL},
    {POST("//w", "Content-Length: 2\r\n\r\n{}"), 404, false, NULL},
    {POST("//[", "Content-Length: 2\r\n\r\n{}"), 404, false, NULL},
    {POST("/w%00", "Content-Length: 2\r\n\r\n{}"), 404, false, NULL},
    {"GET /w HTTP/1.1\r\nHost: a\r\n\r\n", 405, false, "Allow: POST, OPTIONS\r\n"},
    {"PUT /w HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 405, false, NULL},
    {"BREW /w HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 405,
     false, NULL},
    {"TRACE /w HTTP/1.1\r\nHost: a\r\n\r\n", 405, false, NULL},
    {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405, true, "Connection: close\r\n"},
    {"OPTIONS /w HTTP/1.1\r\nHost: a\r\n\r\n", 204, false, "Allow: POST, OPTIONS\r\n"},
    {POST("/w", "\r\n"), 411, true, "Connection: close\r\n"},
    {POST("/w", "Content-Length: 4097\r\n\r\n"), 413, true, "Connection: close\r\n"},
    {POST("/w", "Transfer-Encoding: chunked\r\n\r\n1001\r\n"), 413, true, NULL},
    {POST("/w", "Content-Length: 2\r\n\r\n{}"), 415, false, NULL},
    {POST("/w", "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"), 415, false, NULL},
    {POST("/w", "Content-Type: application/jsonx\r\nContent-Length: 2\r\n\r\n{}"), 415, false,
     NULL},
    {POST("/w", "Content-Type: Application/JSON ; a=b\r\nContent-Length: 2\r\n\r\n{}"), 401, false,
     NULL},
    {POST("/w?x", "Content-Type: application/cloudevents+json\r\nContent-Length: 2\r\n\r\n{}"), 401,
     false, NULL},
    {POST("/w", "Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"), 415, true, NULL},
    {POST("/w", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
		"Content-Length: 2\r\n\r\n{}"),
     415, false, NULL},
    {POST("/w", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), 400, true, NULL},
    {POST("/w", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"), 400, true, NULL},
    {"GET /w HTTP/1.0\r\n\r\n", 405, true, NULL},
    {"GET /w HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405, true, NULL},
    {"nonsense\r\n", 400, true, NULL},
};

static void
every_refusal_has_its_status_and_closes_where_it_must(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct sender *sender = sender_new();
		struct response response;

		send_text(sender, refusals[i].bytes);
		read_response(sender, &response);
		if (response.status != refusals[i].status)
			fail_msg("row %zu: %s%s", i, response.head, response.body);
		if (refusals[i].header != NULL)
			assert_non_null(strstr(response.head, refusals[i].header));
		assert_null(strstr(response.head, "Server:"));
		/* RFC 9110 8.6: a 204 has neither */
		if (strstr(response.head, "Content-Length: ") != NULL)
			assert_non_null(strstr(response.body, "{\"code\":\""));
		if (refusals[i].closes) {
			expect_close(sender);
		} else {
			send_text(sender, "GET /w HTTP/1.1\r\nHost: a\r\n\r\n");
			assert_int_equal(status_of(sender), 405);
		}
		sender_free(sender);
	}
}

static void
a_head_request_is_refused_without_a_body(void **state)
{
	struct sender *sender = sender_new();
	char *end;

	(void)state;
	send_text(sender, "HEAD /w HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n");
	while ((end = strstr(sender->bytes, "\r\n\r\n")) == NULL)
		assert_true(receive(sender));
	assert_int_equal(strncmp(sender->bytes, "HTTP/1.1 405 ", 13), 0);
	forget(sender, (size_t)(end - sender->bytes) + 4);
	assert_int_equal(status_of(sender), 404);
	sender_free(sender);
}

static void
headers_without_end_are_431_and_the_answer_arrives(void **state)
{
	struct sender *sender = sender_new();
	char line[1000];

	(void)state;
	memset(line, 'a', sizeof(line));
	send_text(sender, "GET /w HTTP/1.1\r\nHost: a\r\nX: ");
	for (int i = 0; i < 200; i++)
		send_bytes(sender, line, sizeof(line));
	assert_int_equal(status_of(sender), 431);
	expect_close(sender);
	sender_free(sender);
}

static void
late_requests_are_408_and_silence_is_closed(void **state)
{
	static const char *const starts[] = {
	    "POST /w HTT",
	    POST("/w", "Content-Length: 2\r\n"),
	    POST("/w", "Content-Length: 2\r\n\r\n{"),
	    POST("/w", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
	};
	struct sender *sender;
	char byte;
	int plain;

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		sender = sender_new();
		send_text(sender, starts[i]);
		assert_int_equal(status_of(sender), 408);
		expect_close(sender);
		sender_free(sender);
	}
	/* after a handshake, after a request, and before a handshake */
	sender = sender_new();
	assert_int_equal(recv(sender->socket, &byte, 1, 0), 0);
	sender_free(sender);
	sender = sender_new();
	send_text(sender, "GET /w HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(status_of(sender), 405);
	assert_int_equal(recv(sender->socket, &byte, 1, 0), 0);
	sender_free(sender);
	plain = connect_plain();
	assert_int_equal(recv(plain, &byte, 1, 0), 0);
	(void)close(plain);
}

static void
a_trickle_does_not_prolong_the_deadline(void **state)
{
	struct sender *sender = sender_new();
	struct deadline deadline = deadline_after(1500);
	struct pollfd answered = {.fd = sender->socket, .events = POLLIN};

	(void)state;
	send_text(sender, "GET /w HTTP/1.1\r\nHost: a\r\nX: ");
	while (poll(&answered, 1, 50) == 0) {
		assert_false(deadline_passed(deadline));
		send_text(sender, "a");
	}
	assert_int_equal(status_of(sender), 408);
	sender_free(sender);
}

static void
pipelined_requests_are_answered_in_their_order(void **state)
{
	struct sender *sender = sender_new();
	char *bytes = memory_allocate(LONGEST);
	struct text text;

	(void)state;
	text_start(&text, bytes, LONGEST);
	for (int i = 0; i < 10; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "pipe-%d", i);
		write_signed(&text, id, EVENT);
		text_append_string(&text, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
		write_signed(&text, id, "{}");
	}
	send_bytes(sender, text.bytes, text.length);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(status_of(sender), 202);
		assert_int_equal(status_of(sender), 404);
		assert_int_equal(status_of(sender), 400);
	}
	sender_free(sender);
	free(bytes);
}

static void
a_request_may_come_in_any_pieces(void **state)
{
	struct sender *sender = sender_new();
	char bytes[4096];
	struct text text;

	(void)state;
	for (size_t step = 1; step < 400; step = step * 3 + 7) {
		text_start(&text, bytes, sizeof(bytes));
		write_signed(&text, "pieces", EVENT);
		for (size_t at = 0; at < text.length; at += step)
			send_bytes(sender, bytes + at,
				   text.length - at < step ? text.length - at : step);
		assert_int_equal(status_of(sender), 202);
	}
	sender_free(sender);
}

static void
who_waits_for_continue_is_told_once(void **state)
{
	static const char expected[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct sender *sender = sender_new();

	(void)state;
	/* the second time the connection has an answer behind it */
	for (int i = 0; i < 2; i++) {
		send_text(sender, POST("/w", "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
		while (sender->length < sizeof(expected) - 1)
			assert_true(receive(sender));
		assert_string_equal(sender->bytes, expected);
		forget(sender, sender->length);
		send_text(sender, "{}");
		assert_int_equal(status_of(sender), 415);
	}
	send_text(sender, POST("/w", "Expect: 100-continue\r\nContent-Length: 9999\r\n\r\n"));
	assert_int_equal(status_of(sender), 413);
	sender_free(sender);
}

static void
one_who_has_said_all_still_gets_the_answer(void **state)
{
	struct sender *sender = sender_new();

	(void)state;
	send_signed(sender, "half-closed", EVENT);
	assert_true(SSL_shutdown(sender->session) >= 0);
	assert_int_equal(shutdown(sender->socket, SHUT_WR), 0);
	assert_int_equal(status_of(sender), 202);
	sender_free(sender);
}

static void
one_who_leaves_while_his_event_is_at_the_disk_harms_nobody(void **state)
{
	uint64_t before = counted(COUNTER_ACCEPTED) + counted(COUNTER_DUPLICATES);
	struct deadline deadline = deadline_after(PATIENCE * INT64_C(1000));
	struct linger reset = {1, 0};
	struct sender *sender;

	(void)state;
	for (int i = 0; i < 50; i++) {
		char id[16];

		sender = sender_new();
		(void)snprintf(id, sizeof(id), "gone-%d", i);
		send_signed(sender, id, EVENT);
		if (i % 2 == 0)
			assert_int_equal(setsockopt(sender->socket, SOL_SOCKET, SO_LINGER, &reset,
						    sizeof(reset)),
					 0);
		sender_free(sender);
	}
	sender = sender_new();
	send_signed(sender, "stayed", EVENT);
	assert_int_equal(status_of(sender), 202);
	sender_free(sender);
	/* those that were read before they were reset are stored; the rest is gone */
	while (counted(COUNTER_ACCEPTED) + counted(COUNTER_DUPLICATES) < before + 26)
		assert_false(deadline_passed(deadline));
}

static void
what_is_under_way_is_answered_when_the_loop_stops(void **state)
{
	struct sender *sender = sender_new();
	struct response response;
	char bytes[4096];
	struct text text;

	(void)state;
	text_start(&text, bytes, sizeof(bytes));
	write_signed(&text, "last", EVENT);
	send_bytes(sender, text.bytes, text.length - 1);
	/* an answer to another shows that the loop has seen those bytes */
	{
		struct sender *other = sender_new();

		send_text(other, "GET /w HTTP/1.1\r\nHost: a\r\n\r\n");
		assert_int_equal(status_of(other), 405);
		sender_free(other);
	}
	loop_stop(bench.loop);
	send_bytes(sender, text.bytes + text.length - 1, 1);
	read_response(sender, &response);
	assert_int_equal(response.status, 202);
	assert_non_null(strstr(response.head, "Connection: close\r\n"));
	expect_close(sender);
	sender_free(sender);
	stop_loop();
	start_loop();
	/* the socket was held all the time: who came meanwhile is served */
	sender = sender_new();
	send_signed(sender, "next", EVENT);
	assert_int_equal(status_of(sender), 202);
	sender_free(sender);
}

/* All that is sent between the two goes out together, whatever records it is cut into. */
static void
cork(struct sender *sender, int corked)
{
	assert_int_equal(setsockopt(sender->socket, IPPROTO_TCP, TCP_CORK, &corked, sizeof(corked)),
			 0);
}

/* OpenSSL reads ahead: what it holds the socket does not tell of. */
static void
records_that_come_together_are_all_read(void **state)
{
	enum { REQUESTS = 12, PIECE = 7 };
	struct sender *sender = sender_new();
	char bytes[4096], id[] = "together-a";
	struct response response;
	struct text text;

	(void)state;
	/* the first request alone, so that the handshake is surely over */
	send_signed(sender, "together", EVENT);
	assert_int_equal(status_of(sender), 202);
	cork(sender, 1);
	for (int i = 0; i < REQUESTS; i++, id[sizeof(id) - 2]++)
		send_signed(sender, id, EVENT);
	cork(sender, 0);
	for (int i = 0; i < REQUESTS; i++) {
		read_response(sender, &response);
		assert_int_equal(response.status, 202);
	}
	text_start(&text, bytes, sizeof(bytes));
	write_signed(&text, "in-pieces", EVENT);
	cork(sender, 1);
	for (size_t sent = 0; sent < text.length; sent += PIECE)
		send_bytes(sender, text.bytes + sent,
			   text.length - sent < PIECE ? text.length - sent : PIECE);
	cork(sender, 0);
	read_response(sender, &response);
	assert_int_equal(response.status, 202);
	sender_free(sender);
}

/* Bytes that it has sent and that the bridge has not read (proc_pid_net(5)). */
static size_t
unread(const struct sender *sender)
{
	struct sockaddr_in own;
	socklen_t length = sizeof(own);
	unsigned local, remote, queued, waiting = 0;
	FILE *table = fopen("/proc/net/tcp", "r");
	char line[512];
	int unsent;

	assert_non_null(table);
	assert_int_equal(getsockname(sender->socket, (struct sockaddr *)&own, &length), 0);
	assert_int_equal(ioctl(sender->socket, SIOCOUTQ, &unsent), 0);
	while (fgets(line, sizeof(line), table) != NULL)
		/* NOLINTNEXTLINE(cert-err34-c): a line of another form has not four numbers */
		if (sscanf(line, " %*d: %*x:%x %*x:%x %*x %*x:%x", &local, &remote, &queued) == 3 &&
		    local == bench.port && remote == ntohs(own.sin_port))
			waiting = queued;
	assert_int_equal(fclose(table), 0);
	return (size_t)unsent + waiting;
}

/*
 * Who sends ever more requests, and does not read the answers, is not read from either.
 * When he does in the end, all of them come.
 */
static void
no_more_is_read_than_is_answered(void **state)
{
	static const char request[] = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
	enum { LENGTH = sizeof(request) - 1, COUNT = 7000, ALL = COUNT * LENGTH };
	enum { LEAST_UNREAD = ALL / 2, LOOK_MS = 50 };
	const int small = 4096, large = 1 << 20;
	struct deadline deadline = deadline_after(PATIENCE * INT64_C(1000));
	struct sender *sender;
	uint64_t before, seen = 0;
	char bytes[ALL];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = request[i % LENGTH];
	assert_int_equal(setsockopt(bench.socket, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	sender = sender_new();
	assert_int_equal(setsockopt(sender->socket, SOL_SOCKET, SO_SNDBUF, &large, sizeof(large)),
			 0);
	before = counted(COUNTER_REQUESTS);
	send_bytes(sender, bytes, sizeof(bytes));
	/* until the answers have no room any more */
	while (counted(COUNTER_REQUESTS) == before || counted(COUNTER_REQUESTS) != seen) {
		seen = counted(COUNTER_REQUESTS);
		assert_false(deadline_passed(deadline));
		(void)poll(NULL, 0, LOOK_MS);
	}
	assert_true(seen - before < COUNT / 4);
	assert_true(unread(sender) > LEAST_UNREAD);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(status_of(sender), 404);
	assert_int_equal(counted(COUNTER_REQUESTS), before + COUNT);
	sender_free(sender);
}

/* What fires while libevent takes a connection away does nothing. */
static void
connections_that_wait_for_their_turn_do_not_hold_up_the_end(void **state)
{
	const struct limit_settings settings = {.connections = 1000, .handshake_rate = 200};
	static int sockets[WAITING];

	(void)state;
	stop_loop();
	bench.limit = limit_new(&settings, 1);
	for (int i = 0; i < 5; i++) {
		start_loop();
		for (int j = 0; j < WAITING; j++)
			sockets[j] = connect_plain();
		stop_loop();
		for (int j = 0; j < WAITING; j++)
			(void)close(sockets[j]);
	}
	limit_free(bench.limit);
	bench.limit = NULL;
	start_loop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_signed_event_is_on_disk_when_its_202_is_there),
	    cmocka_unit_test(a_duplicate_is_202_and_stored_once),
	    cmocka_unit_test(what_is_not_subscribed_is_202_and_not_stored),
	    cmocka_unit_test(a_signed_body_that_is_no_event_is_400_with_its_reason),
	    cmocka_unit_test(every_401_is_the_same_bytes),
	    cmocka_unit_test(every_refusal_has_its_status_and_closes_where_it_must),
	    cmocka_unit_test(a_head_request_is_refused_without_a_body),
	    cmocka_unit_test(headers_without_end_are_431_and_the_answer_arrives),
	    cmocka_unit_test(late_requests_are_408_and_silence_is_closed),
	    cmocka_unit_test(a_trickle_does_not_prolong_the_deadline),
	    cmocka_unit_test(pipelined_requests_are_answered_in_their_order),
	    cmocka_unit_test(a_request_may_come_in_any_pieces),
	    cmocka_unit_test(who_waits_for_continue_is_told_once),
	    cmocka_unit_test(one_who_has_said_all_still_gets_the_answer),
	    cmocka_unit_test(one_who_leaves_while_his_event_is_at_the_disk_harms_nobody),
	    cmocka_unit_test(records_that_come_together_are_all_read),
	    cmocka_unit_test(what_is_under_way_is_answered_when_the_loop_stops),
	    cmocka_unit_test(connections_that_wait_for_their_turn_do_not_hold_up_the_end),
	    cmocka_unit_test(no_more_is_read_than_is_answered),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
