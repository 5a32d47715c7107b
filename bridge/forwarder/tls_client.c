/*
 * The trap of OpenSSL is its queue of errors, one for each thread and all of its
 * connections: it is emptied before each call whose result is looked at.
 */
#include "bridge/forwarder/tls_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "bridge/deadline.h"
#include "bridge/fingerprint.h"
#include "bridge/forwarder/offsets.h"
#include "bridge/forwarder/tls_explain.h"
#include "formats/memory.h"

/* How long a server that asked for our certificate has to refuse it, milliseconds. */
enum { VERDICT_WAIT = 1000 };

/* Mozilla's intermediate list; RFC 9662 wants its suite for RSA offered (DESIGN.md). */
static const char cipher_list[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

struct tls_client {
	SSL_CTX *context;
	SSL *ssl;
	int descriptor;
	const char *peer;
	const char *name; /* whom the certificate is to be for */
	const struct config_tls *settings;
	struct error distrust; /* why its certificate was not accepted; empty: it was */
	bool was_asked;        /* for a certificate of ours */
	bool is_broken;        /* nothing can be written any more */
	uint64_t taken;        /* bytes of plaintext */
	struct offsets offsets;
};

/* ---- who is there? ---- */

/* Called for each thing that is wrong, the first one of which is told. */
static int
verify_chain(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_client *client = SSL_get_app_data(ssl);

	if (good != 1 && client->distrust.text[0] == '\0')
		tls_explain_certificate(
		    X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_current_cert(store),
		    X509_STORE_CTX_get_error_depth(store), client->name, &client->distrust);
	return good;
}

/* In place of all other checks: a pinned certificate needs no issuer and no date. */
static int
verify_fingerprint(X509_STORE_CTX *store, void *context)
{
	struct tls_client *client = context;
	const X509 *certificate = X509_STORE_CTX_get0_cert(store);

	for (unsigned i = 0; certificate != NULL && i < client->settings->fingerprints_count; i++)
		if (fingerprint_matches(client->settings->fingerprints[i], certificate))
			return 1;
	if (certificate != NULL)
		tls_explain_fingerprint(certificate, &client->distrust);
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static bool
load_trust(struct tls_client *client, struct error *error)
{
	const char *file = client->settings->ca_file;

	if (client->settings->fingerprints_count > 0) {
		SSL_CTX_set_cert_verify_callback(client->context, verify_fingerprint, client);
		return true;
	}
	/* An issuer that is no root, or the server's own certificate, may be trusted as well. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(client->context), X509_V_FLAG_PARTIAL_CHAIN);
	if (file == NULL) {
		if (SSL_CTX_set_default_verify_paths(client->context) == 1)
			return true;
		file = "of the system";
	} else if (SSL_CTX_load_verify_file(client->context, file) == 1) {
		return true;
	}
	tls_explain_file(ERR_peek_error(), "ca_file", file, error);
	return false;
}

/* X509_check_host() and X509_check_ip() take a different text: RFC 5425 5.2. */
static bool
expect_name(struct tls_client *client)
{
	X509_VERIFY_PARAM *parameters = SSL_get0_param(client->ssl);

	if (X509_VERIFY_PARAM_set1_ip_asc(parameters, client->name) == 1)
		return true;
	SSL_set_hostflags(client->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(client->ssl, client->name) == 1 &&
	       /* SSL_set_tlsext_host_name() would cast the const away as it is not done here */
	       SSL_ctrl(client->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			(void *)(uintptr_t)client->name) == 1;
}

/* ---- who are we? ---- */

/* Never asks at the terminal: an encrypted key is an error. */
static int
no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static bool
load_identity(struct tls_client *client, struct error *error)
{
	const struct config_tls *settings = client->settings;

	if (settings->certificate == NULL)
		return true;
	SSL_CTX_set_default_passwd_cb(client->context, no_passphrase);
	if (SSL_CTX_use_certificate_chain_file(client->context, settings->certificate) != 1) {
		tls_explain_file(ERR_peek_error(), "certificate", settings->certificate, error);
		return false;
	}
	if (SSL_CTX_use_PrivateKey_file(client->context, settings->private_key, SSL_FILETYPE_PEM) ==
	    1)
		return true;
	tls_explain_file(ERR_peek_error(), "private_key", settings->private_key, error);
	return false;
}

static int
note_request(SSL *ssl, void *context)
{
	struct tls_client *client = context;

	(void)ssl;
	client->was_asked = true;
	return 1;
}

/* ---- setting up ---- */

static bool
set_policy(SSL_CTX *context)
{
	SSL_CTX_set_options(context,
			    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, verify_chain);
	SSL_CTX_set_security_level(context, 2); /* 112 bits: no RSA of 1024, no SHA-1 */
	return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(context, cipher_list) == 1;
}

static bool
prepare(struct tls_client *client, struct error *error)
{
	ERR_clear_error();
	client->context = SSL_CTX_new(TLS_client_method());
	if (client->context == NULL || !set_policy(client->context))
		goto fail;
	if (!load_trust(client, error) || !load_identity(client, error))
		return false;
	SSL_CTX_set_cert_cb(client->context, note_request, client);
	client->ssl = SSL_new(client->context);
	if (client->ssl == NULL || SSL_set_app_data(client->ssl, client) != 1 ||
	    SSL_set_fd(client->ssl, client->descriptor) != 1 || !expect_name(client))
		goto fail;
	return true;
fail:
	tls_explain_failure(ERR_peek_error(), client->peer, error);
	return false;
}

/* ---- talking ---- */

/*
 * After a call of OpenSSL did not succeed: true where the socket is only not ready,
 * and *events is what to wait for (poll(2)).  `code` is errno behind the call.
 */
static bool
is_not_ready(struct tls_client *client, int result, int code, short *events, struct error *error)
{
	switch (SSL_get_error(client->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*events = POLLIN;
		return true;
	case SSL_ERROR_WANT_WRITE:
		*events = POLLOUT;
		return true;
	case SSL_ERROR_ZERO_RETURN:
		return error_set(error, "%s closed the connection", client->peer);
	case SSL_ERROR_SYSCALL:
		client->is_broken = true;
		errno = code != 0 ? code : ECONNRESET;
		return error_set_errno(error, "connection to %s broken", client->peer);
	default:
		client->is_broken = true;
		if (client->distrust.text[0] != '\0')
			error_set(error, "%s is not trusted: %s", client->peer,
				  client->distrust.text);
		else
			tls_explain_failure(ERR_peek_error(), client->peer, error);
		return false;
	}
}

static bool
shake_hands(struct tls_client *client, struct deadline deadline,
	    const struct connect_patience *patience, struct error *error)
{
	for (;;) {
		short events = 0;
		int result;

		ERR_clear_error();
		errno = 0;
		result = SSL_connect(client->ssl);
		if (result == 1)
			return true;
		if (!is_not_ready(client, result, errno, &events, error))
			return false;
		if (!connect_wait(client->descriptor, events, deadline, patience, error))
			return error_prefix(error, "no TLS with %s", client->peer);
	}
}

/*
 * In TLS 1.3 our side is through before the server has seen our certificate, or that
 * there is none.  An alert is rather told here than as the end of a good connection.
 */
static bool
await_verdict(struct tls_client *client, const struct connect_patience *patience,
	      struct error *error)
{
	short events = 0;
	struct error no_news;
	char byte;
	int result;

	if (!client->was_asked || SSL_version(client->ssl) != TLS1_3_VERSION ||
	    !connect_wait(client->descriptor, POLLIN, deadline_after(VERDICT_WAIT), patience,
			  &no_news))
		return true;
	ERR_clear_error();
	errno = 0;
	result = SSL_peek(client->ssl, &byte, 1);
	return result > 0 || is_not_ready(client, result, errno, &events, error);
}

bool
tls_client_open(struct tls_client **out, int descriptor, const struct config_tls *settings,
		const char *host, const char *peer, const struct connect_patience *patience,
		struct error *error)
{
	struct tls_client *client = memory_allocate(sizeof(*client));
	struct deadline deadline =
	    deadline_after(patience->limit > 0 ? patience->limit : CONNECT_LIMIT);

	client->descriptor = descriptor;
	client->peer = peer;
	client->name = settings->server_name != NULL ? settings->server_name : host;
	client->settings = settings;
	if (prepare(client, error) && shake_hands(client, deadline, patience, error) &&
	    await_verdict(client, patience, error)) {
		client->name = NULL; /* the caller's */
		*out = client;
		return true;
	}
	client->is_broken = true;
	tls_client_close(client);
	return false;
}

bool
tls_client_write(struct tls_client *client, const char *bytes, size_t length, size_t *taken,
		 struct error *error)
{
	*taken = 0;
	while (*taken < length) {
		size_t record = 0;
		short events;
		int result;

		ERR_clear_error();
		errno = 0;
		result = SSL_write_ex(client->ssl, bytes + *taken, length - *taken, &record);
		if (result != 1)
			return is_not_ready(client, result, errno, &events, error);
		*taken += record;
		client->taken += record;
		offsets_note(&client->offsets, client->taken, tls_client_wire(client));
	}
	return true;
}

bool
tls_client_read(struct tls_client *client, char *buffer, size_t size, size_t *length,
		struct error *error)
{
	short events;
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_read_ex(client->ssl, buffer, size, length);
	if (result == 1)
		return true;
	*length = 0;
	return is_not_ready(client, result, errno, &events, error);
}

uint64_t
tls_client_wire(const struct tls_client *client)
{
	return BIO_number_written(SSL_get_wbio(client->ssl));
}

uint64_t
tls_client_plain(struct tls_client *client, uint64_t wire)
{
	return offsets_plain(&client->offsets, wire);
}

void
tls_client_close(struct tls_client *client)
{
	ERR_clear_error();
	if (!client->is_broken)
		(void)SSL_shutdown(client->ssl);
	SSL_free(client->ssl);
	SSL_CTX_free(client->context);
	ERR_clear_error();
	free(client);
}

void
tls_client_describe(const struct tls_client *client, struct text *text)
{
	X509 *certificate = SSL_get1_peer_certificate(client->ssl);

	text_append_format(text, "%s with %s", SSL_get_version(client->ssl),
			   SSL_get_cipher_name(client->ssl));
	if (certificate != NULL) {
		text_append_string(text, "; ");
		tls_explain_names(certificate, text);
	}
	X509_free(certificate);
}
