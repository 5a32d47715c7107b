#include "bridge/forwarder/tls_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "bridge/fingerprint.h"
#include "tests/unit/directory_fixture.h"
#include "tests/unit/tls_fixture.h"

static char ca_file[64], other_file[64], certificate_file[64], key_file[64];
static struct identity authority, other_authority, client_identity;
static struct connect_patience patience;
static atomic_bool stopping;

static const struct identity_order good = {
    "localhost", "DNS:localhost,IP:127.0.0.1", -HOUR, DAY, &authority, false};

static int
set_up(void **state)
{
	const struct identity_order orders[] = {
	    {"Test CA", NULL, -DAY, DAY, NULL, true},
	    {"Other CA", NULL, -DAY, DAY, NULL, true},
	    {"bridge", NULL, -DAY, DAY, &authority, false},
	};

	(void)state;
	patience = (struct connect_patience){.wake = -1, .stopping = &stopping};
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || directory_make() != 0)
		return -1;
	snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", directory);
	snprintf(other_file, sizeof(other_file), "%s/other.pem", directory);
	snprintf(certificate_file, sizeof(certificate_file), "%s/cert.pem", directory);
	snprintf(key_file, sizeof(key_file), "%s/key.pem", directory);
	authority = identity_make(&orders[0]);
	other_authority = identity_make(&orders[1]);
	client_identity = identity_make(&orders[2]);
	identity_write(&authority, ca_file, NULL);
	identity_write(&other_authority, other_file, NULL);
	identity_write(&client_identity, certificate_file, key_file);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	identity_free(&authority);
	identity_free(&other_authority);
	identity_free(&client_identity);
	unlink(ca_file);
	unlink(other_file);
	unlink(certificate_file);
	unlink(key_file);
	return rmdir(directory);
}

static int
connect_to(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(fcntl(descriptor, F_SETFL, O_NONBLOCK), 0);
	return descriptor;
}

/* One handshake, and a message where it succeeds; what the server got is in `server`. */
static bool
talk(struct tls_server *server, const struct config_tls *settings, const char *host,
     struct error *error)
{
	struct tls_client *client = NULL;
	size_t taken = 0;
	int descriptor;
	bool done;

	tls_server_start(server);
	descriptor = connect_to(server->port);
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH); /* left behind by somebody else */
	done = tls_client_open(&client, descriptor, settings, host, "peer", &patience, error);
	if (done) {
		assert_true(tls_client_write(client, "5 hello", 7, &taken, error));
		assert_int_equal(taken, 7);
		tls_client_close(client);
	}
	close(descriptor);
	tls_server_stop(server);
	return done;
}

struct handshake {
	const char *case_name;
	const char *host;
	struct config_tls settings;
	struct identity_order order;
	const char *error; /* part of it; NULL: it must succeed */
};

static void
try_handshake(const struct handshake *each)
{
	static struct tls_server server;
	struct identity identity = identity_make(&each->order);
	struct error error = {.text = ""};
	bool done;

	print_message("   %s\n", each->case_name);
	memset(&server, 0, sizeof(server));
	server.itself = &identity;
	done = talk(&server, &each->settings, each->host, &error);
	if (done != (each->error == NULL))
		fail_msg("%s: %s", each->case_name, done ? "accepted" : error.text);
	if (!done && strstr(error.text, each->error) == NULL)
		fail_msg("%s: %s", each->case_name, error.text);
	/* Nothing is said to one who is not trusted. */
	assert_int_equal(server.length, done ? 7 : 0);
	identity_free(&identity);
}

static void
a_server_is_known_by_its_name_and_its_authority(void **state)
{
	const struct config_tls ours = {.ca_file = ca_file};
	const struct config_tls named = {.ca_file = ca_file, .server_name = (char[]){"siem"}};
	const struct handshake cases[] = {
	    {"by name", "localhost", ours, good, NULL},
	    {"by address", "127.0.0.1", ours, good, NULL},
	    {"by the name that is configured",
	     "10.0.0.5",
	     named,
	     {"siem", "DNS:siem", -HOUR, DAY, &authority, false},
	     NULL},
	    {"by its common name, where it has no other",
	     "localhost",
	     ours,
	     {"localhost", NULL, -HOUR, DAY, &authority, false},
	     NULL},
	    {"the case of a name does not matter", "LocalHost", ours, good, NULL},
	    {"not by its common name, where it has another",
	     "localhost",
	     ours,
	     {"localhost", "DNS:other", -HOUR, DAY, &authority, false},
	     "its certificate is for other, not for localhost"},
	    {"an address is no name",
	     "127.0.0.1",
	     ours,
	     {"127.0.0.1", "DNS:127.0.0.1", -HOUR, DAY, &authority, false},
	     "is for 127.0.0.1, not for 127.0.0.1"},
	    {"expired",
	     "localhost",
	     ours,
	     {"localhost", "DNS:localhost", -9 * DAY, -3 * DAY - HOUR, &authority, false},
	     "peer is not trusted: its certificate expired 3 days ago"},
	    {"expired just now",
	     "localhost",
	     ours,
	     {"localhost", "DNS:localhost", -DAY, -2 * MINUTE - 5, &authority, false},
	     "its certificate expired 2 minutes ago"},
	    {"not yet valid",
	     "localhost",
	     ours,
	     {"localhost", "DNS:localhost", HOUR + MINUTE, DAY, &authority, false},
	     "is not valid before 1 hour from now; compare the clocks"},
	    {"wrong name", "siem.example.com", ours, good,
	     "is for localhost, 127.0.0.1, not for siem.example.com; if that is the one, put it "
	     "into server_name"},
	    {"wrong address", "127.0.0.2", ours, good, "127.0.0.1, not for 127.0.0.2"},
	    {"unknown authority",
	     "localhost",
	     ours,
	     {"localhost", "DNS:localhost", -HOUR, DAY, &other_authority, false},
	     "was issued by Other CA, whom nobody here knows; put the certificate of that "
	     "authority "
	     "into ca_file"},
	    {"the system's authorities do not know ours",
	     "localhost",
	     {.ca_file = NULL},
	     good,
	     "was issued by Test CA, whom nobody here knows"},
	    {"signed by itself",
	     "localhost",
	     ours,
	     {"localhost", "DNS:localhost", -HOUR, DAY, NULL, false},
	     "is signed by itself; if it is the right one, put it into ca_file, or this into "
	     "fingerprints: sha-256:"},
	    {"a name that was made to deceive",
	     "localhost",
	     ours,
	     {"a\nb\x1b[2J", NULL, -HOUR, DAY, &authority, false},
	     "is for a?b?[2J, not for"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		try_handshake(&cases[i]);
}

/* RFC 5425 5.2, RFC 6125 6.4.3; F7 of standards.md 3.4. */
static void
a_wildcard_stands_for_one_whole_label(void **state)
{
	const struct config_tls ours = {.ca_file = ca_file};
	static const struct {
		const char *names, *host;
		bool accepted;
	} cases[] = {
	    {"DNS:*.example.com", "a.example.com", true},
	    {"DNS:*.example.com", "example.com", false},
	    {"DNS:*.example.com", "a.b.example.com", false},
	    {"DNS:w*.example.com", "www.example.com", false},
	    {"DNS:*w.example.com", "www.example.com", false},
	    {"DNS:a.*.com", "a.example.com", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct handshake each = {cases[i].names,
					       cases[i].host,
					       ours,
					       {"x", cases[i].names, -HOUR, DAY, &authority, false},
					       cases[i].accepted ? NULL : "not for"};

		try_handshake(&each);
	}
}

static void
fingerprint_of(const X509 *certificate, const EVP_MD *hash, const char *prefix, char *text,
	       size_t size)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	int used = snprintf(text, size, "%s", prefix);

	assert_int_equal(X509_digest(certificate, hash, digest, &length), 1);
	for (unsigned i = 0; i < length; i++)
		used += snprintf(text + used, size - (size_t)used, "%s%02x", i > 0 ? ":" : "",
				 digest[i]);
}

/* F8: lower case is taken; what is printed is upper case. */
static void
a_server_is_known_by_its_fingerprint_alone(void **state)
{
	static const struct {
		const char *prefix;
		const EVP_MD *(*hash)(void);
		struct identity_order order;
	} cases[] = {
	    {"sha-256:", EVP_sha256, {"x", NULL, -HOUR, DAY, NULL, false}},
	    {"SHA-1:", EVP_sha1, {"x", NULL, -HOUR, DAY, NULL, false}},
	    {"Sha-256:", EVP_sha256, {"expired", NULL, -2 * DAY, -DAY, NULL, false}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct tls_server server;
		struct identity identity = identity_make(&cases[i].order);
		char wrong[] = "sha-1:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";
		char text[FINGERPRINT_LONGEST + 1];
		char *list[] = {wrong, text};
		const struct config_tls pinned = {.fingerprints = list, .fingerprints_count = 2};
		const struct config_tls other = {.fingerprints = list, .fingerprints_count = 1};
		struct error error = {.text = ""};

		fingerprint_of(identity.certificate, cases[i].hash(), cases[i].prefix, text,
			       sizeof(text));
		assert_true(fingerprint_fold(text, &error));
		memset(&server, 0, sizeof(server));
		server.itself = &identity;
		if (!talk(&server, &pinned, "anybody.example.com", &error))
			fail_msg("%s", error.text);
		memset(&server, 0, sizeof(server));
		server.itself = &identity;
		assert_false(talk(&server, &other, "anybody.example.com", &error));
		fingerprint_of(identity.certificate, EVP_sha256(), "sha-256:", text, sizeof(text));
		assert_true(fingerprint_fold(text, &(struct error){.text = ""}));
		assert_non_null(strstr(error.text, "is not among those that are configured, but "));
		assert_non_null(strstr(error.text, text));
		identity_free(&identity);
	}
}

static void
what_may_be_trusted_need_not_be_a_root(void **state)
{
	const struct identity_order order = {"localhost", "DNS:localhost", -HOUR, DAY, NULL, false};
	struct identity itself = identity_make(&order);
	static struct tls_server server;
	const struct config_tls settings = {.ca_file = other_file};
	struct error error = {.text = ""};

	(void)state;
	identity_write(&itself, other_file, NULL);
	memset(&server, 0, sizeof(server));
	server.itself = &itself;
	if (!talk(&server, &settings, "localhost", &error))
		fail_msg("%s", error.text);
	identity_write(&other_authority, other_file, NULL);
	identity_free(&itself);
}

/* A server that wants to know who we are, in both versions of TLS. */
static void
a_server_that_demands_a_certificate_is_shown_one(void **state)
{
	const struct config_tls nobody = {.ca_file = ca_file};
	const struct config_tls bridge = {
	    .ca_file = ca_file, .certificate = certificate_file, .private_key = key_file};
	const struct {
		int version;
		const struct config_tls *settings;
		const X509 *authority;
		const char *error;
	} cases[] = {
	    {TLS1_3_VERSION, &bridge, authority.certificate, NULL},
	    {TLS1_2_VERSION, &bridge, authority.certificate, NULL},
	    {TLS1_3_VERSION, &nobody, authority.certificate,
	     "refused by peer: it demands a certificate of ours; set certificate, private_key"},
	    {TLS1_2_VERSION, &nobody, authority.certificate, "set certificate, private_key"},
	    {TLS1_3_VERSION, &bridge, other_authority.certificate,
	     "refused by peer: it does not know who issued our certificate"},
	    {TLS1_2_VERSION, &bridge, other_authority.certificate,
	     "refused by peer: it does not know who issued our certificate"},
	};
	struct identity identity = identity_make(&good);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct tls_server server;
		struct error error = {.text = ""};
		bool done;

		memset(&server, 0, sizeof(server));
		server.itself = &identity;
		server.version = cases[i].version;
		server.authority = cases[i].authority;
		done = talk(&server, cases[i].settings, "localhost", &error);
		if (done != (cases[i].error == NULL) ||
		    (!done && strstr(error.text, cases[i].error) == NULL))
			fail_msg("case %zu: %s", i, done ? "accepted" : error.text);
	}
	identity_free(&identity);
}

static void
what_is_not_tls_1_2_or_1_3_is_told(void **state)
{
	static const struct {
		enum tls_server_manner manner;
		int version;
		const char *error;
	} cases[] = {
	    {TLS_SERVER_READS, TLS1_1_VERSION, "peer: it speaks neither TLS 1.2 nor TLS 1.3"},
	    {TLS_SERVER_IS_PLAIN, 0, "no TLS with peer: what answers there is not TLS"},
	    {TLS_SERVER_IS_MUTE, 0, "no TLS with peer: no answer in time"},
	};
	const struct config_tls ours = {.ca_file = ca_file};
	struct identity identity = identity_make(&good);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct tls_server server;
		struct error error = {.text = ""};

		memset(&server, 0, sizeof(server));
		server.itself = &identity;
		server.version = cases[i].version;
		server.manner = cases[i].manner;
		patience.limit = cases[i].manner == TLS_SERVER_IS_MUTE ? 50 : 0;
		assert_false(talk(&server, &ours, "localhost", &error));
		if (strstr(error.text, cases[i].error) == NULL)
			fail_msg("case %zu: %s", i, error.text);
	}
	patience.limit = 0;
	identity_free(&identity);
}

static void
a_handshake_ends_when_it_is_time_to_stop(void **state)
{
	static struct tls_server server;
	const struct config_tls ours = {.ca_file = ca_file};
	struct error error = {.text = ""};

	(void)state;
	memset(&server, 0, sizeof(server));
	server.manner = TLS_SERVER_IS_MUTE;
	atomic_store(&stopping, true);
	assert_false(talk(&server, &ours, "localhost", &error));
	assert_non_null(strstr(error.text, "told to stop"));
	atomic_store(&stopping, false);
}

static void
a_file_that_cannot_be_used_is_named(void **state)
{
	const struct {
		struct config_tls settings;
		const char *error;
	} cases[] = {
	    {{.ca_file = (char[]){"/nowhere/ca.pem"}},
	     "ca_file /nowhere/ca.pem cannot be used: No such file or directory"},
	    {{.ca_file = (char[]){"/dev/null"}}, "ca_file /dev/null cannot be used: "},
	    {{.certificate = (char[]){"/nowhere/cert.pem"}, .private_key = key_file},
	     "certificate /nowhere/cert.pem cannot be used: No such file or directory"},
	    {{.certificate = ca_file, .private_key = key_file},
	     "cannot be used: key values mismatch"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct tls_server server;
		struct error error = {.text = ""};

		memset(&server, 0, sizeof(server));
		assert_false(talk(&server, &cases[i].settings, "localhost", &error));
		if (strstr(error.text, cases[i].error) == NULL)
			fail_msg("case %zu: %s", i, error.text);
	}
}

static void
the_server_is_asked_for_by_name_and_never_by_address(void **state)
{
	static struct tls_server server;
	const struct config_tls ours = {.ca_file = ca_file};
	struct identity identity = identity_make(&good);
	struct error error = {.text = ""};

	(void)state;
	memset(&server, 0, sizeof(server));
	server.itself = &identity;
	assert_true(talk(&server, &ours, "localhost", &error));
	assert_string_equal(server.name, "localhost");
	memset(&server, 0, sizeof(server));
	server.itself = &identity;
	assert_true(talk(&server, &ours, "127.0.0.1", &error));
	assert_string_equal(server.name, "");
	identity_free(&identity);
}

/* ---- after the handshake ---- */

struct session {
	struct tls_server server;
	struct identity identity;
	struct tls_client *client;
	int descriptor;
};

static struct session *
session_open(enum tls_server_manner manner, int version)
{
	static struct session session;
	const struct config_tls ours = {.ca_file = ca_file};
	struct error error = {.text = ""};

	memset(&session, 0, sizeof(session));
	session.identity = identity_make(&good);
	session.server.itself = &session.identity;
	session.server.manner = manner;
	session.server.version = version;
	tls_server_start(&session.server);
	session.descriptor = connect_to(session.server.port);
	if (!tls_client_open(&session.client, session.descriptor, &ours, "localhost", "peer",
			     &patience, &error))
		fail_msg("%s", error.text);
	return &session;
}

static void
session_close(struct session *session)
{
	tls_client_close(session->client);
	close(session->descriptor);
	tls_server_stop(&session->server);
	identity_free(&session->identity);
}

/* Reads until there is something or an end. */
static bool
read_some(struct session *session, char *buffer, size_t size, size_t *length, struct error *error)
{
	struct pollfd wait = {.fd = session->descriptor, .events = POLLIN};

	*length = 0;
	while (*length == 0) {
		if (!tls_client_read(session->client, buffer, size, length, error))
			return false;
		if (*length == 0)
			assert_int_equal(poll(&wait, 1, 5000), 1);
	}
	return true;
}

static void
a_goodbye_is_an_end_and_its_absence_a_break(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct error error = {.text = ""};
	char buffer[16];
	size_t length;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct session *session = session_open(TLS_SERVER_ANSWERS, versions[i]);

		assert_true(tls_client_write(session->client, "x", 1, &length, &error));
		assert_true(read_some(session, buffer, sizeof(buffer), &length, &error));
		assert_int_equal(length, 4);
		assert_memory_equal(buffer, "pong", 4);
		assert_false(read_some(session, buffer, sizeof(buffer), &length, &error));
		assert_string_equal(error.text, "peer closed the connection");
		session_close(session);

		session = session_open(TLS_SERVER_VANISHES, versions[i]);
		assert_true(tls_client_write(session->client, "x", 1, &length, &error));
		assert_false(read_some(session, buffer, sizeof(buffer), &length, &error));
		assert_string_equal(error.text, "no TLS with peer: it broke the connection off");
		session_close(session);
	}
}

/* The server reads nothing before we had to wait. */
static void
what_is_not_taken_begins_the_next_write(void **state)
{
	static char sent[sizeof(((struct tls_server *)NULL)->received)];
	struct session *session = session_open(TLS_SERVER_READS_LATER, 0);
	const int small = 4096;
	struct error error = {.text = ""};
	size_t done = 0;
	int pauses = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 7 / 5);
	assert_int_equal(
	    setsockopt(session->descriptor, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	while (done < sizeof(sent)) {
		struct pollfd wait = {.fd = session->descriptor, .events = POLLOUT};
		char *moved = malloc(sizeof(sent) - done); /* another place each time */
		size_t taken = 0;

		assert_non_null(moved);
		memcpy(moved, sent + done, sizeof(sent) - done);
		assert_true(
		    tls_client_write(session->client, moved, sizeof(sent) - done, &taken, &error));
		free(moved);
		done += taken;
		if (done < sizeof(sent)) {
			pauses++;
			atomic_store(&session->server.is_held, false);
			assert_int_equal(poll(&wait, 1, 5000), 1);
		}
	}
	assert_true(pauses > 0);
	/* The last byte of the socket, and no byte before that, has the last one of ours. */
	assert_true(tls_client_plain(session->client, tls_client_wire(session->client) - 1) <
		    sizeof(sent));
	assert_int_equal(tls_client_plain(session->client, tls_client_wire(session->client)),
			 sizeof(sent));
	session_close(session);
	assert_int_equal(session->server.length, sizeof(sent));
	assert_memory_equal(session->server.received, sent, sizeof(sent));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_server_is_known_by_its_name_and_its_authority),
	    cmocka_unit_test(a_wildcard_stands_for_one_whole_label),
	    cmocka_unit_test(a_server_is_known_by_its_fingerprint_alone),
	    cmocka_unit_test(what_may_be_trusted_need_not_be_a_root),
	    cmocka_unit_test(a_server_that_demands_a_certificate_is_shown_one),
	    cmocka_unit_test(what_is_not_tls_1_2_or_1_3_is_told),
	    cmocka_unit_test(a_handshake_ends_when_it_is_time_to_stop),
	    cmocka_unit_test(a_file_that_cannot_be_used_is_named),
	    cmocka_unit_test(the_server_is_asked_for_by_name_and_never_by_address),
	    cmocka_unit_test(a_goodbye_is_an_end_and_its_absence_a_break),
	    cmocka_unit_test(what_is_not_taken_begins_the_next_write),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
