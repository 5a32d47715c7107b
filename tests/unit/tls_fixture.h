/*
 * Certificates that are made in the test, and a TLS server in a thread of its own
 * that shakes hands and keeps what it is sent.
 */
#ifndef TLS_FIXTURE_H
#define TLS_FIXTURE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cmocka.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* ---- certificates ---- */

struct identity {
	X509 *certificate;
	EVP_PKEY *key;
};

struct identity_order {
	const char *common_name;
	const char *names;             /* "DNS:a.example.com,IP:127.0.0.1"; NULL: none */
	long starts, ends;             /* seconds from now */
	const struct identity *issuer; /* NULL: itself */
	bool is_authority;
};

static inline void
identity_extend(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static inline struct identity
identity_make(const struct identity_order *order)
{
	static int serial;
	struct identity made = {X509_new(), EVP_EC_gen("P-256")};
	const struct identity *issuer = order->issuer != NULL ? order->issuer : &made;
	X509_NAME *name = X509_get_subject_name(made.certificate);

	assert_int_equal(X509_set_version(made.certificate, 2), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(made.certificate), order->starts);
	X509_gmtime_adj(X509_getm_notAfter(made.certificate), order->ends);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
				   (const unsigned char *)order->common_name, -1, -1, 0);
	X509_set_issuer_name(made.certificate, X509_get_subject_name(issuer->certificate));
	X509_set_pubkey(made.certificate, made.key);
	identity_extend(made.certificate, NID_basic_constraints,
			order->is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (order->names != NULL)
		identity_extend(made.certificate, NID_subject_alt_name, order->names);
	assert_true(X509_sign(made.certificate, issuer->key, EVP_sha256()) > 0);
	return made;
}

static inline void
identity_free(struct identity *identity)
{
	X509_free(identity->certificate);
	EVP_PKEY_free(identity->key);
}

/* As PEM files; either may be NULL. */
static inline void
identity_write(const struct identity *identity, const char *certificate, const char *key)
{
	FILE *file = certificate != NULL ? fopen(certificate, "w") : NULL;

	if (file != NULL) {
		assert_int_equal(PEM_write_X509(file, identity->certificate), 1);
		fclose(file);
	}
	file = key != NULL ? fopen(key, "w") : NULL;
	if (file != NULL) {
		assert_int_equal(
		    PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL), 1);
		fclose(file);
	}
}

/* ---- a server ---- */

enum tls_server_manner {
	TLS_SERVER_READS,       /* to the end */
	TLS_SERVER_READS_LATER, /* to the end, but nothing as long as is_held is true */
	TLS_SERVER_ANSWERS,     /* reads one byte, says "pong" and goodbye */
	TLS_SERVER_VANISHES,    /* reads one byte and closes the socket without a word */
	TLS_SERVER_IS_PLAIN,    /* does not know TLS: says "220 ready" */
	TLS_SERVER_IS_MUTE,     /* takes the connection and does nothing until told to end */
};

struct tls_server {
	enum tls_server_manner manner;
	int version;             /* of TLS alone; 0: 1.2 or 1.3 */
	const X509 *authority;   /* of clients, who then have to show a certificate; NULL: none */
	struct identity *itself; /* NULL for those that do not get so far */

	int listener;
	uint16_t port;
	pthread_t thread;
	SSL_CTX *context;
	atomic_bool ending;
	atomic_bool is_held;
	char name[64]; /* asked for by SNI */
	char received[1 << 20];
	size_t length;
};

static inline int
tls_server_note_name(SSL *ssl, int *alert, void *context)
{
	struct tls_server *server = context;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	snprintf(server->name, sizeof(server->name), "%s", name != NULL ? name : "");
	return SSL_TLSEXT_ERR_OK;
}

static inline void
tls_server_prepare(struct tls_server *server)
{
	server->context = SSL_CTX_new(TLS_server_method());
	assert_non_null(server->context);
	SSL_CTX_set_security_level(server->context, 0);
	if (server->version != 0) {
		SSL_CTX_set_min_proto_version(server->context, server->version);
		SSL_CTX_set_max_proto_version(server->context, server->version);
	}
	if (server->itself != NULL) {
		SSL_CTX_use_certificate(server->context, server->itself->certificate);
		SSL_CTX_use_PrivateKey(server->context, server->itself->key);
	}
	if (server->authority != NULL) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(server->context),
				    (X509 *)(uintptr_t)server->authority);
		SSL_CTX_set_verify(server->context,
				   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	SSL_CTX_set_tlsext_servername_callback(server->context, tls_server_note_name);
	SSL_CTX_set_tlsext_servername_arg(server->context, server);
}

static inline void
tls_server_talk(struct tls_server *server, SSL *ssl)
{
	char *end = server->received;
	int length;

	if (SSL_accept(ssl) != 1)
		return;
	while (atomic_load(&server->is_held))
		usleep(1000);
	while ((length = SSL_read(ssl, end,
				  (int)(server->received + sizeof(server->received) - end))) > 0) {
		end += length;
		server->length += (size_t)length;
		if (server->manner == TLS_SERVER_READS || server->manner == TLS_SERVER_READS_LATER)
			continue;
		if (server->manner == TLS_SERVER_ANSWERS) {
			SSL_write(ssl, "pong", 4);
			SSL_shutdown(ssl);
		}
		break;
	}
}

static inline void
tls_server_serve(struct tls_server *server, int connection)
{
	SSL *ssl;

	if (server->manner == TLS_SERVER_IS_PLAIN) {
		send(connection, "220 ready\r\n", 11, MSG_NOSIGNAL);
		return;
	}
	while (server->manner == TLS_SERVER_IS_MUTE && !atomic_load(&server->ending))
		usleep(1000);
	if (server->manner == TLS_SERVER_IS_MUTE)
		return;
	ssl = SSL_new(server->context);
	SSL_set_fd(ssl, connection);
	tls_server_talk(server, ssl);
	SSL_free(ssl);
}

/* One connection, or none where it is told to end first. */
static inline void *
tls_server_run(void *context)
{
	struct tls_server *server = context;
	const struct timeval patience = {.tv_sec = 5};
	int connection = accept(server->listener, NULL, NULL);

	if (connection < 0)
		return NULL;
	setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	tls_server_serve(server, connection);
	shutdown(connection, SHUT_WR);
	while (server->manner != TLS_SERVER_VANISHES &&
	       recv(connection, &(char){0}, 1, 0) >
		   0) /* so that the alert is not lost in a reset */
		;
	close(connection);
	return NULL;
}

static inline void
tls_server_start(struct tls_server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);

	tls_server_prepare(server);
	atomic_store(&server->is_held, server->manner == TLS_SERVER_READS_LATER);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(server->listener, 8), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &length), 0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, tls_server_run, server), 0);
}

/* Waits for the end of its connection, and frees what it holds; its findings stay. */
static inline void
tls_server_stop(struct tls_server *server)
{
	atomic_store(&server->ending, true);
	shutdown(server->listener, SHUT_RDWR);
	assert_int_equal(pthread_join(server->thread, NULL), 0);
	close(server->listener);
	SSL_CTX_free(server->context);
}

#endif
