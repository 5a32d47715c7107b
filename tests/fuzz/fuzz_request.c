/*
 * Bytes on a connection, to the stored event: a real loop with TLS, commit thread
 * and spool.  A gate of our own reads the same bytes and says how many answers
 * there must be; each has to come, and none more.
 *
 * The source at /w takes what nobody signed, so that the bodies are reached; that at /s
 * reads signatures.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "bridge/config.h"
#include "bridge/deadline.h"
#include "bridge/listen.h"
#include "bridge/receiver/commit.h"
#include "bridge/receiver/http_gate.h"
#include "bridge/receiver/loop.h"
#include "bridge/receiver/verify.h"
#include "bridge/tls_server.h"
#include "formats/memory.h"
#include "formats/normalise.h"

enum { LIMIT = 4096, LONGEST = 32 * 1024, PATIENCE = 10000, SOURCES = 2 };

static struct {
	char directory[64];
	struct counters *counters;
	struct spool *spool;
	struct commit *commit;
	struct tls_server *server;
	struct config_source configured[SOURCES];
	struct request_source sources[SOURCES];
	struct loop_settings settings;
	struct loop *loop;
	SSL_CTX *client;
	struct sockaddr_in address;
	int socket;
} bench;

static void
write_certificate(const char *certificate_path, const char *key_path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	FILE *files[2] = {fopen(certificate_path, "w"), fopen(key_path, "w")};

	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	if (files[0] == NULL || files[1] == NULL || X509_set_pubkey(certificate, key) != 1 ||
	    X509_sign(certificate, key, EVP_sha256()) == 0 ||
	    PEM_write_X509(files[0], certificate) != 1 ||
	    PEM_write_PrivateKey(files[1], key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    fclose(files[0]) != 0 || fclose(files[1]) != 0)
		memory_panic("no certificate");
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void
make_source(size_t index, char *path, enum config_signature signature, struct error *error)
{
	static char name[SOURCES][8] = {"open", "signed"}, glob[] = "*", file[] = "secret";
	static char *events[] = {glob};
	static struct config_secret secret = {.file = file, .not_after = INT64_MAX};
	static const struct slice bytes = SLICE_LITERAL("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
	struct config_source *source = &bench.configured[index];
	struct verify *verify;
	struct normalise *normalise;

	*source =
	    (struct config_source){.name = name[index],
				   .path = path,
				   .events = events,
				   .events_count = 1,
				   .secrets = &secret,
				   .secrets_count = signature == CONFIG_SIGNATURE_NONE ? 0 : 1,
				   .signature = signature,
				   .takes_gzip = true,
				   .tolerance = 300000};
	if (!verify_new_with(&verify, source, &bytes, error) ||
	    !normalise_new(&normalise, "anyint", error))
		memory_panic("%s", error->text);
	bench.sources[index] = (struct request_source){source, verify, normalise, NULL, LIMIT};
}

static void
on_broken(void *context)
{
	(void)context;
	memory_panic("the spool broke");
}

static void
clean_up(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", bench.directory);
	(void)!system(command); /* NOLINT(bugprone-command-processor,cert-env33-c): ours */
}

static void
start_loop(struct error *error)
{
	bench.settings = (struct loop_settings){
	    .server = bench.server,
	    .limits = {.max_body_size = LIMIT,
		       .handshake_timeout = PATIENCE,
		       .header_timeout = PATIENCE,
		       .body_timeout = PATIENCE,
		       .idle_timeout = PATIENCE},
	    .sources = bench.sources,
	    .source_count = SOURCES,
	    .commit = bench.commit,
	    .counters = bench.counters,
	};
	if (!loop_start(&bench.loop, &bench.settings, bench.socket, error))
		memory_panic("%s", error->text);
}

/* A listening socket on a port that the kernel chooses. */
static void
open_socket(void)
{
	socklen_t length = sizeof(bench.address);

	bench.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bench.address.sin_family = AF_INET;
	bench.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bench.socket < 0 ||
	    bind(bench.socket, (struct sockaddr *)&bench.address, length) != 0 ||
	    listen(bench.socket, 16) != 0 ||
	    getsockname(bench.socket, (struct sockaddr *)&bench.address, &length) != 0)
		memory_panic("no listening socket");
}

static void
prepare(void)
{
	static char open_path[] = "/w", signed_path[] = "/s";
	char certificate[96], key[96];
	struct error alarm, error;

	(void)snprintf(bench.directory, sizeof(bench.directory), "/dev/shm/fuzz_request.XXXXXX");
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || mkdtemp(bench.directory) == NULL ||
	    atexit(clean_up) != 0)
		memory_panic("no directory");
	(void)snprintf(certificate, sizeof(certificate), "%s/cert", bench.directory);
	(void)snprintf(key, sizeof(key), "%s/key", bench.directory);
	write_certificate(certificate, key);
	make_source(0, open_path, CONFIG_SIGNATURE_NONE, &error);
	make_source(1, signed_path, CONFIG_SIGNATURE_STANDARD_WEBHOOKS, &error);
	open_socket();
	bench.client = SSL_CTX_new(TLS_client_method());
	if (bench.client == NULL || !counters_map(-1, &bench.counters, &error) ||
	    !spool_open(&bench.spool, bench.directory, 64 * 1024 * 1024, 0, &alarm, &error) ||
	    !commit_start(&bench.commit, bench.spool, -1, bench.counters, on_broken, NULL,
			  &error) ||
	    !tls_server_new(&bench.server, certificate, key, &error))
		memory_panic("%s", error.text);
	start_loop(&error);
}

/* How many answers those bytes ask for. */
static size_t
expected_answers(const char *bytes, size_t length, bool *closes)
{
	struct http_gate gate;
	size_t count = 0;

	*closes = false;
	http_gate_start(&gate, LIMIT);
	memcpy(http_gate_room(&gate, length), bytes, length);
	http_gate_added(&gate, length);
	while (!*closes && http_gate_read(&gate) >= HTTP_GATE_WHOLE) {
		*closes = http_gate_closes(&gate);
		if (gate.state == HTTP_GATE_WHOLE)
			http_gate_drop(&gate);
		count++;
	}
	http_gate_stop(&gate);
	return count;
}

/* Answers in what came; "100 Continue" is none. */
static size_t
count_answers(const char *bytes, size_t length)
{
	static const char version[] = "HTTP/1.";
	const char *at = bytes, *end = bytes + length;
	size_t count = 0;

	while ((at = memmem(at, (size_t)(end - at), version, sizeof(version) - 1)) != NULL) {
		at += sizeof(version) - 1;
		if (end - at >= 5 && at[1] == ' ' && at[2] >= '2' && at[2] <= '5' && at[3] >= '0' &&
		    at[3] <= '9')
			count++;
	}
	return count;
}

/* Reads until so many are there, and, where it closes, to the end. */
static void
read_answers(SSL *session, size_t expected, bool closes)
{
	static char bytes[1 << 20];
	size_t length = 0;
	bool ended = false;

	while (!ended && (closes || count_answers(bytes, length) < expected)) {
		int got = SSL_read(session, bytes + length, (int)(sizeof(bytes) - length));

		if (got > 0)
			length += (size_t)got;
		else if (SSL_get_error(session, got) == SSL_ERROR_ZERO_RETURN)
			ended = true;
		else
			memory_panic("after %zu of %zu answers the connection broke", /* or 10 s */
				     count_answers(bytes, length), expected);
	}
	if (count_answers(bytes, length) != expected)
		memory_panic("%zu answers instead of %zu", count_answers(bytes, length), expected);
	if (ended != closes)
		memory_panic("closed without a reason");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct timeval patience = {PATIENCE / 1000, 0};
	const struct linger reset = {1, 0};
	const int yes = 1;
	bool closes;
	size_t expected, first;
	SSL *session;
	int descriptor;

	if (size < 2 || size > LONGEST)
		return 0;
	if (bench.loop == NULL)
		prepare();
	/* in two records, broken where the first byte says */
	first = data[0] < size - 1 ? data[0] : size - 1;
	data++, size--;
	expected = expected_answers((const char *)data, size, &closes);
	descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	session = SSL_new(bench.client);
	if (descriptor < 0 || session == NULL ||
	    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
	    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) != 0 ||
	    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0 ||
	    connect(descriptor, (struct sockaddr *)&bench.address, sizeof(bench.address)) != 0 ||
	    SSL_set_fd(session, descriptor) != 1 || SSL_connect(session) != 1)
		memory_panic("no connection");
	/* one that has refused need not take the rest */
	if ((first == 0 || SSL_write(session, data, (int)first) > 0) && first < size)
		(void)SSL_write(session, data + first, (int)(size - first));
	read_answers(session, expected, closes);
	SSL_free(session);
	(void)close(descriptor);
	return 0;
}
