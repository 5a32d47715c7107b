/* Against a TLS server of a few lines, in a process of its own, on loopback. */
#include "bridge/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "bridge/commands/certificate_pin.h"
#include "bridge/deadline.h"

enum { BIG = 100000, TIMEOUT = 10000, SHORT_TIMEOUT = 200 };

static char certificate_path[] = "/tmp/siembridge-test-XXXXXX";
static char own_pin[CERTIFICATE_PIN_LENGTH];
static int port;
static pid_t server;

/* What a peer may say of when to come again, and what is made of it. */
static const struct {
	const char *header;
	int64_t least, most; /* milliseconds */
} pauses[] = {
    {"", 0, 0},
    {"retry-after: 7\r\n", 7000, 7000},
    {"retry-after: 0\r\n", 0, 0},
    {"retry-after: 99999999999999999999999\r\n", 0, HTTP_CLIENT_LONGEST_PAUSE},
    {"retry-after: 864000\r\n", HTTP_CLIENT_LONGEST_PAUSE, HTTP_CLIENT_LONGEST_PAUSE},
    {"retry-after: -5\r\n", 0, 0},
    {"retry-after: Fri, 01 Jan 2100 00:00:00 GMT\r\n", HTTP_CLIENT_LONGEST_PAUSE,
     HTTP_CLIENT_LONGEST_PAUSE},
    {"retry-after: Thu, 01 Oct 2015 00:00:00 GMT\r\n", 0, 0},
    {"retry-after: soon\r\n", 0, 0},
};

/* ---- the server ---- */

static X509 *
make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	X509_EXTENSION *address =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1,
				   -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	X509_add_ext(certificate, address, -1);
	X509_EXTENSION_free(address);
	X509_sign(certificate, key, EVP_sha256());
	return certificate;
}

/* Reads until the request is whole: all of ours end in "end of body". */
static bool
read_request(SSL *tls, char *bytes, size_t capacity)
{
	size_t length = 0;
	int more;

	do {
		more = SSL_read(tls, bytes + length, (int)(capacity - length - 1));
		if (more <= 0)
			return false;
		length += (size_t)more;
		bytes[length] = '\0';
	} while (strstr(bytes, "end of body") == NULL);
	return true;
}

static void
answer(SSL *tls, const char *request, int connections)
{
	static char big[BIG];
	char head[512], number[16];
	const char *body = "", *status = "202 Accepted", *more = "";
	size_t length = 0;

	if (strncmp(request, "POST /silent", 12) == 0)
		return;
	if (strncmp(request, "POST /echo", 10) == 0) {
		body = request;
		length = strlen(request);
	} else if (strncmp(request, "POST /connections", 17) == 0) {
		body = number;
		length = (size_t)snprintf(number, sizeof(number), "%d", connections);
	} else if (strncmp(request, "POST /redirect", 14) == 0) {
		status = "302 Found";
		more = "location: /echo\r\n";
	} else if (strncmp(request, "POST /later-", 12) == 0) {
		status = "429 Too Many Requests";
		more = pauses[request[12] - '0'].header;
	} else if (strncmp(request, "POST /cookie", 12) == 0) {
		more = "set-cookie: indexer=two; path=/\r\n";
	} else if (strncmp(request, "PUT ", 4) == 0) {
		status = "204 No Content";
	} else if (strncmp(request, "POST /big", 9) == 0) {
		memset(big, 'b', sizeof(big));
		body = big;
		length = sizeof(big);
	}
	SSL_write(tls, head,
		  snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%scontent-length: %zu\r\n\r\n",
			   status, more, length));
	if (length > 0)
		SSL_write(tls, body, (int)length);
}

static _Noreturn void
serve(int listening, EVP_PKEY *key, X509 *certificate)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	char request[8192];

	SSL_CTX_use_certificate(context, certificate);
	SSL_CTX_use_PrivateKey(context, key);
	for (int connections = 1;; connections++) {
		int connection = accept(listening, NULL, NULL);
		SSL *tls = SSL_new(context);

		SSL_set_fd(tls, connection);
		if (SSL_accept(tls) == 1)
			while (read_request(tls, request, sizeof(request)))
				answer(tls, request, connections);
		SSL_free(tls);
		close(connection);
	}
}

static int
start_server(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(key);
	FILE *file = fdopen(mkstemp(certificate_path), "w");
	socklen_t length = sizeof(address);
	struct error error;

	(void)state;
	if (bind(listening, (struct sockaddr *)&address, length) != 0 ||
	    listen(listening, 10) != 0 ||
	    getsockname(listening, (struct sockaddr *)&address, &length) != 0 || file == NULL ||
	    PEM_write_X509(file, certificate) != 1 || fclose(file) != 0 ||
	    !certificate_pin(certificate_path, own_pin, &error))
		return -1;
	/* as the program does; and a client that refuses the key goes in mid-handshake */
	(void)signal(SIGPIPE, SIG_IGN);
	port = ntohs(address.sin_port);
	server = fork();
	if (server == 0)
		serve(listening, key, certificate);
	close(listening);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return server > 0 ? 0 : -1;
}

static int
stop_server(void **state)
{
	(void)state;
	(void)unlink(certificate_path);
	(void)kill(server, SIGKILL);
	return waitpid(server, NULL, 0) == server ? 0 : -1;
}

/* ---- the client ---- */

static struct http_client_settings
pinned(const char *pin)
{
	return (struct http_client_settings){
	    .pinned_key = pin, .connect_timeout = TIMEOUT, .timeout = TIMEOUT};
}

/* "https://localhost:PORT/path", good until the next call. */
static const char *
url_of(const char *scheme, const char *path)
{
	static char urls[8][128];
	static size_t turn;
	char *url = urls[turn++ % 8]; /* a test holds several of them */

	assert_true(snprintf(url, sizeof(urls[0]), "%s://localhost:%d%s", scheme, port, path) > 0);
	return url;
}

static bool
post(const struct http_client_settings *settings, const char *url, char *body, size_t capacity,
     struct http_client_answer *answer, struct error *error)
{
	struct http_client *client;
	bool done;

	assert_true(http_client_new(&client, settings, error));
	done = http_client_post(client, url, text_of("x-one: 1\nx-two: 2 and more\n"),
				text_of("first line\nend of body"), answer, error);
	if (done && body != NULL) {
		assert_true(answer->body.length < capacity);
		memcpy(body, answer->body.bytes, answer->body.length);
		body[answer->body.length] = '\0';
	}
	http_client_free(client);
	return done;
}

static void
headers_and_body_arrive_as_given(void **state)
{
	const struct http_client_settings settings = pinned(own_pin);
	struct http_client_answer answer;
	struct error error;
	char body[8192];

	(void)state;
	assert_true(post(&settings, url_of("https", "/echo"), body, sizeof(body), &answer, &error));
	assert_int_equal(answer.status, 202);
	assert_non_null(strstr(body, "x-one: 1\r\n"));
	assert_non_null(strstr(body, "x-two: 2 and more\r\n"));
	assert_non_null(strstr(body, "\r\n\r\nfirst line\nend of body"));
	assert_null(strstr(body, "Expect"));
}

static void
several_requests_use_one_connection(void **state)
{
	const struct http_client_settings settings = pinned(own_pin);
	struct http_client_answer answer;
	struct http_client *client;
	struct error error;
	char first[16] = "";

	(void)state;
	assert_true(http_client_new(&client, &settings, &error));
	for (int i = 0; i < 3; i++) {
		assert_true(http_client_post(client, url_of("https", "/connections"),
					     text_of("a: b\n"), text_of("end of body"), &answer,
					     &error));
		assert_in_range(answer.body.length, 1, sizeof(first) - 1);
		if (i == 0)
			memcpy(first, answer.body.bytes, answer.body.length);
		assert_true(text_slice_is(answer.body, first));
	}
	http_client_free(client);
}

static void
another_key_than_the_pinned_one_is_refused(void **state)
{
	const struct http_client_settings settings =
	    pinned("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	struct http_client_answer answer;
	struct error error;

	(void)state;
	assert_false(post(&settings, url_of("https", "/echo"), NULL, 0, &answer, &error));
	assert_non_null(strstr(error.text, "pinned"));
}

static void
without_a_pin_the_issuer_must_be_known_and_the_name_fit(void **state)
{
	struct http_client_settings settings = pinned(NULL);
	struct http_client_answer answer;
	struct error error;
	char other_name[64];

	(void)state;
	assert_false(post(&settings, url_of("https", "/"), NULL, 0, &answer, &error));
	settings.ca_file = certificate_path;
	assert_true(post(&settings, url_of("https", "/"), NULL, 0, &answer, &error));
	assert_true(snprintf(other_name, sizeof(other_name), "https://127.0.0.1:%d/", port) > 0);
	assert_false(post(&settings, other_name, NULL, 0, &answer, &error));
}

static void
a_redirect_is_an_answer_and_not_an_order(void **state)
{
	const struct http_client_settings settings = pinned(own_pin);
	struct http_client_answer answer;
	struct error error;

	(void)state;
	assert_true(post(&settings, url_of("https", "/redirect"), NULL, 0, &answer, &error));
	assert_int_equal(answer.status, 302);
}

static void
a_long_answer_is_cut(void **state)
{
	const struct http_client_settings settings = pinned(own_pin);
	static char body[HTTP_CLIENT_LONGEST_ANSWER + 1];
	struct http_client_answer answer;
	struct error error;

	(void)state;
	assert_true(post(&settings, url_of("https", "/big"), body, sizeof(body), &answer, &error));
	assert_int_equal(answer.status, 202);
	assert_int_equal(answer.body.length, HTTP_CLIENT_LONGEST_ANSWER);
}

static void
a_peer_that_says_nothing_is_left_at_the_deadline(void **state)
{
	struct http_client_settings settings = pinned(own_pin);
	int64_t began = deadline_now();
	struct http_client_answer answer;
	struct error error;

	(void)state;
	settings.timeout = SHORT_TIMEOUT;
	assert_false(post(&settings, url_of("https", "/silent"), NULL, 0, &answer, &error));
	assert_in_range(deadline_now() - began, SHORT_TIMEOUT - 1, TIMEOUT - 1);
}

static void
nothing_but_https_is_spoken(void **state)
{
	static const char *const urls[] = {"file:///etc/hostname", "ftp://localhost/x"};
	const struct http_client_settings settings = pinned(own_pin);
	struct http_client_answer answer;
	struct error error;

	(void)state;
	assert_false(post(&settings, url_of("http", "/"), NULL, 0, &answer, &error));
	assert_non_null(strstr(error.text, "not supported"));
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		assert_false(post(&settings, urls[i], NULL, 0, &answer, &error));
}

static void
retry_after_is_read_in_both_forms_and_capped(void **state)
{
	const struct http_client_settings settings = pinned(own_pin);
	struct http_client_answer answer;
	struct http_client *client;
	struct error error;
	char path[] = "/later-0";

	(void)state;
	assert_true(http_client_new(&client, &settings, &error));
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		path[7] = (char)('0' + i);
		assert_true(http_client_post(client, url_of("https", path), text_of(""),
					     text_of("end of body"), &answer, &error));
		assert_int_equal(answer.status, 429);
		assert_in_range(answer.retry_after, pauses[i].least, pauses[i].most);
	}
	http_client_free(client);
}

static bool
is_echoed(struct http_client *client, const char *wanted)
{
	struct http_client_answer answer;
	struct error error;

	assert_true(http_client_post(client, url_of("https", "/echo"), text_of(""),
				     text_of("end of body"), &answer, &error));
	return memmem(answer.body.bytes, answer.body.length, wanted, strlen(wanted)) != NULL;
}

static void
a_cookie_is_sent_back_and_outlives_the_client(void **state)
{
	struct http_client_settings settings = pinned(own_pin);
	char bytes[HTTP_CLIENT_LONGEST_COOKIES];
	struct http_client_answer answer;
	struct http_client *client;
	struct error error;
	struct text cookies;

	(void)state;
	settings.cookies = true;
	assert_true(http_client_new(&client, &settings, &error));
	assert_false(is_echoed(client, "Cookie:"));
	assert_true(http_client_post(client, url_of("https", "/cookie"), text_of(""),
				     text_of("end of body"), &answer, &error));
	assert_true(is_echoed(client, "Cookie: indexer=two\r\n"));
	text_start(&cookies, bytes, sizeof(bytes));
	http_client_cookies(client, &cookies);
	assert_in_range(cookies.length, 1, sizeof(bytes));
	http_client_free(client);

	assert_true(http_client_new(&client, &settings, &error));
	http_client_set_cookies(client, text_slice(&cookies));
	assert_true(is_echoed(client, "Cookie: indexer=two\r\n"));
	http_client_free(client);
}

static void
without_a_wish_for_them_cookies_are_not_kept(void **state)
{
	const struct http_client_settings settings = pinned(own_pin);
	struct http_client_answer answer;
	struct http_client *client;
	struct error error;

	(void)state;
	assert_true(http_client_new(&client, &settings, &error));
	assert_true(http_client_post(client, url_of("https", "/cookie"), text_of(""),
				     text_of("end of body"), &answer, &error));
	assert_false(is_echoed(client, "Cookie:"));
	http_client_free(client);
}

static void
the_method_is_the_one_asked_for(void **state)
{
	const struct http_client_settings settings = pinned(own_pin);
	const struct http_client_request request = {.method = "PUT",
						    .url = url_of("https", "/x"),
						    .headers = text_of("a: b\n"),
						    .body = text_of("end of body")};
	struct http_client_answer answer;
	struct http_client *client;
	struct error error;

	(void)state;
	assert_true(http_client_new(&client, &settings, &error));
	assert_int_equal(http_client_perform(client, &request, &answer, &error),
			 HTTP_CLIENT_ANSWERED);
	assert_int_equal(answer.status, 204);
	http_client_free(client);
}

/* What the caller does next depends on it: see enum http_client_result. */
static void
a_failure_tells_whether_anything_was_sent_and_never_the_path(void **state)
{
	const struct {
		const char *pin, *url;
		enum http_client_result result;
	} rows[] = {
	    {own_pin, url_of("https", "/silent-secret"), HTTP_CLIENT_LOST},
	    {NULL, url_of("https", "/silent-secret"), HTTP_CLIENT_UNTRUSTED},
	    {own_pin, "https://localhost:1/silent-secret", HTTP_CLIENT_UNREACHABLE},
	    {own_pin, "https://name.invalid/silent-secret", HTTP_CLIENT_UNREACHABLE},
	    {own_pin, "http://localhost/silent-secret", HTTP_CLIENT_UNTRUSTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_client_settings settings = pinned(rows[i].pin);
		const struct http_client_request request = {.method = "POST",
							    .url = rows[i].url,
							    .headers = text_of(""),
							    .body = text_of("end of body")};
		struct http_client_answer answer;
		struct http_client *client;
		struct error error;

		settings.timeout = rows[i].result == HTTP_CLIENT_LOST ? SHORT_TIMEOUT : TIMEOUT;
		assert_true(http_client_new(&client, &settings, &error));
		assert_int_equal(http_client_perform(client, &request, &answer, &error),
				 rows[i].result);
		assert_non_null(strstr(error.text, "http"));
		assert_null(strstr(error.text, "secret"));
		http_client_free(client);
	}
}

static void
a_stop_leaves_a_request_one_second(void **state)
{
	struct http_client_settings settings = pinned(own_pin);
	const atomic_bool stopping = true;
	int64_t began = deadline_now();
	struct http_client_answer answer;
	struct error error;

	(void)state;
	settings.stopping = &stopping;
	assert_false(post(&settings, url_of("https", "/silent"), NULL, 0, &answer, &error));
	assert_in_range(deadline_now() - began, 900, TIMEOUT - 1);
}

static void
a_file_without_a_certificate_has_no_pin(void **state)
{
	char pin[CERTIFICATE_PIN_LENGTH];
	struct error error;

	(void)state;
	assert_false(certificate_pin("/dev/null", pin, &error));
	assert_string_equal(error.text, "/dev/null holds no certificate in PEM");
	assert_false(certificate_pin("/nowhere", pin, &error));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(headers_and_body_arrive_as_given),
	    cmocka_unit_test(several_requests_use_one_connection),
	    cmocka_unit_test(another_key_than_the_pinned_one_is_refused),
	    cmocka_unit_test(without_a_pin_the_issuer_must_be_known_and_the_name_fit),
	    cmocka_unit_test(a_redirect_is_an_answer_and_not_an_order),
	    cmocka_unit_test(a_long_answer_is_cut),
	    cmocka_unit_test(a_peer_that_says_nothing_is_left_at_the_deadline),
	    cmocka_unit_test(nothing_but_https_is_spoken),
	    cmocka_unit_test(retry_after_is_read_in_both_forms_and_capped),
	    cmocka_unit_test(a_cookie_is_sent_back_and_outlives_the_client),
	    cmocka_unit_test(without_a_wish_for_them_cookies_are_not_kept),
	    cmocka_unit_test(the_method_is_the_one_asked_for),
	    cmocka_unit_test(a_failure_tells_whether_anything_was_sent_and_never_the_path),
	    cmocka_unit_test(a_stop_leaves_a_request_one_second),
	    cmocka_unit_test(a_file_without_a_certificate_has_no_pin),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
