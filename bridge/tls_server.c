#include "bridge/tls_server.h"

#include <stdlib.h>
#include <time.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>

#include "bridge/read_file.h"
#include "formats/memory.h"

/* Mozilla's intermediate list, without DHE (its 5.8). */
#define CIPHERS                                                                                    \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                               \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                               \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

struct tls_server {
	SSL_CTX *context;
	unsigned char *staple; /* DER; NULL: none */
	int staple_length;
	time_t staple_until; /* not sent any more from then on */
};

enum { STAPLE_LIMIT = 64 * 1024 /* bytes */ };

/* The sentence, and what OpenSSL says about it. */
static bool
fail(struct error *error, const char *what, const char *path)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	return error_set(error, "%s %s: %s", what, path,
			 reason != NULL ? reason : "refused by OpenSSL");
}

/* RFC 7301 3.2: one who speaks only something else is told so. */
static int
server_on_alpn(SSL *session, const unsigned char **chosen, unsigned char *length,
	       const unsigned char *offered, unsigned offered_length, void *context)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *found;

	(void)session, (void)context;
	if (SSL_select_next_proto(&found, length, ours, sizeof(ours) - 1, offered,
				  offered_length) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*chosen = found;
	return SSL_TLSEXT_ERR_OK;
}

static bool
set_policy(SSL_CTX *context)
{
	/* not const: OpenSSL's macro casts it away */
	char groups[] = "X25519:P-256:P-384";

	SSL_CTX_set_options(context,
			    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(context, server_on_alpn, NULL);
	return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(context, CIPHERS) == 1 &&
	       SSL_CTX_set1_groups_list(context, groups) == 1 &&
	       SSL_CTX_set_num_tickets(context, 0) == 1 &&
	       SSL_CTX_set_max_early_data(context, 0) == 1;
}

static bool
load(SSL_CTX *context, const char *certificate, const char *private_key, struct error *error)
{
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		return fail(error, "no PEM certificate can be read from", certificate);
	if (SSL_CTX_use_PrivateKey_file(context, private_key, SSL_FILETYPE_PEM) != 1)
		return fail(error, "no PEM key that fits the certificate can be read from",
			    private_key);
	if (SSL_CTX_check_private_key(context) != 1)
		return fail(error, "the certificate does not belong to the key", private_key);
	return true;
}

bool
tls_server_new(struct tls_server **out, const char *certificate, const char *private_key,
	       struct error *error)
{
	struct tls_server *server;
	SSL_CTX *context;

	ERR_clear_error();
	context = SSL_CTX_new(TLS_server_method());
	if (context == NULL)
		memory_panic("no memory for a TLS context");
	if (!set_policy(context)) {
		fail(error, "OpenSSL does not take the TLS policy for", certificate);
		goto fail;
	}
	if (!load(context, certificate, private_key, error))
		goto fail;
	server = memory_allocate(sizeof(*server));
	server->context = context;
	*out = server;
	return true;
fail:
	SSL_CTX_free(context);
	return false;
}

void
tls_server_free(struct tls_server *server)
{
	if (server == NULL)
		return;
	SSL_CTX_free(server->context);
	free(server->staple);
	free(server);
}

/* ---- stapling ---- */

static int
server_on_status(SSL *session, void *context)
{
	const struct tls_server *server = context;
	unsigned char *copy;

	if (time(NULL) >= server->staple_until)
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(server->staple, (size_t)server->staple_length);
	if (copy == NULL)
		memory_panic("no memory for an OCSP response");
	/* takes the copy */
	if (SSL_set_tlsext_status_ocsp_resp(session, copy, server->staple_length) != 1)
		return SSL_TLSEXT_ERR_NOACK;
	return SSL_TLSEXT_ERR_OK;
}

/* When the first of its answers ends; false: it is none that says "good". */
static bool
read_until(OCSP_RESPONSE *response, time_t *until)
{
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	time_t now = time(NULL);
	int count = basic != NULL ? OCSP_resp_count(basic) : 0;
	bool good = count > 0 && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL;

	*until = now + INT32_MAX;
	for (int i = 0; good && i < count; i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		ASN1_GENERALIZEDTIME *next = NULL;
		int days, seconds;

		good = OCSP_single_get0_status(single, NULL, NULL, NULL, &next) ==
		       V_OCSP_CERTSTATUS_GOOD;
		if (next == NULL)
			continue;
		good = good && ASN1_TIME_diff(&days, &seconds, NULL, next) == 1;
		if (good && now + (time_t)days * 86400 + seconds < *until)
			*until = now + (time_t)days * 86400 + seconds;
	}
	OCSP_BASICRESP_free(basic);
	return good;
}

bool
tls_server_staple(struct tls_server *server, const char *path, struct error *error)
{
	const unsigned char *at;
	OCSP_RESPONSE *response;
	char *bytes = memory_allocate(STAPLE_LIMIT);
	struct stat status;
	size_t length;
	bool good;

	if (!read_file(path, bytes, STAPLE_LIMIT, &length, &status, error)) {
		free(bytes);
		return false;
	}
	at = (const unsigned char *)bytes;
	response = d2i_OCSP_RESPONSE(NULL, &at, (long)length);
	good = response != NULL && read_until(response, &server->staple_until);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	if (!good) {
		free(bytes);
		return error_set(error, "%s is no OCSP response in DER that says \"good\"", path);
	}
	server->staple = (unsigned char *)bytes;
	server->staple_length = (int)length;
	return SSL_CTX_set_tlsext_status_cb(server->context, server_on_status) == 1 &&
	       SSL_CTX_set_tlsext_status_arg(server->context, server) == 1;
}

/* ---- certificates of clients ---- */

/* Each source has authorities of its own: which it must be is known with the request. */
static int
server_on_client(X509_STORE_CTX *store, void *context)
{
	(void)store, (void)context;
	return 1;
}

bool
tls_server_ask_clients(struct tls_server *server, const char *ca_file, struct error *error)
{
	const STACK_OF(X509_NAME) *before = SSL_CTX_get0_CA_list(server->context);
	STACK_OF(X509_NAME) *names =
	    before != NULL ? SSL_dup_CA_list(before) : sk_X509_NAME_new_null();

	if (names == NULL)
		memory_panic("no memory for the names of authorities");
	ERR_clear_error();
	if (SSL_add_file_cert_subjects_to_stack(names, ca_file) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return fail(error, "no PEM certificate can be read from", ca_file);
	}
	SSL_CTX_set0_CA_list(server->context, names);
	SSL_CTX_set_verify(server->context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(server->context, server_on_client, NULL);
	return true;
}

SSL *
tls_server_session(struct tls_server *server)
{
	SSL *session = SSL_new(server->context);

	if (session == NULL)
		memory_panic("no memory for a TLS session");
	SSL_set_accept_state(session);
	return session;
}

struct bufferevent *
tls_server_bufferevent(struct tls_server *server, struct event_base *base)
{
	struct bufferevent *stream = bufferevent_openssl_socket_new(
	    base, -1, tls_server_session(server), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);

	if (stream == NULL)
		memory_panic("no memory for a TLS session");
	/* a peer that just closes has ended; what it left half is refused anyway */
	bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
	return stream;
}
