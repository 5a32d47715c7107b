/*
 * A name of the list is a DNS name or a URI among the subject's alternative names;
 * with a certificate that has no DNS name at all, its common name (X509_check_host()).
 * No wildcards: it is we who say who may come.
 */
#include "bridge/receiver/client_certificate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "bridge/config.h"
#include "formats/memory.h"

struct client_certificate {
	const struct config_source *source;
	X509_STORE *store;
};

/* Of a session: what it was last found good for. */
static int session_index = -1;
static pthread_once_t session_index_once = PTHREAD_ONCE_INIT;

static void
make_session_index(void)
{
	session_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (session_index < 0)
		memory_panic("OpenSSL has no room for our data in its sessions");
}

bool
client_certificate_new(struct client_certificate **out, const struct config_source *source,
		       struct error *error)
{
	struct client_certificate *required;

	*out = NULL;
	if (source->client_ca_file == NULL)
		return true;
	(void)pthread_once(&session_index_once, make_session_index);
	required = memory_allocate(sizeof(*required));
	required->source = source;
	required->store = X509_STORE_new();
	if (required->store == NULL)
		memory_panic("no memory for a store of authorities");
	ERR_clear_error();
	if (X509_STORE_load_file(required->store, source->client_ca_file) != 1) {
		ERR_clear_error();
		error_set(error, "client_ca_file: no PEM certificate can be read from %s",
			  source->client_ca_file);
		client_certificate_free(required);
		return false;
	}
	*out = required;
	return true;
}

void
client_certificate_free(struct client_certificate *required)
{
	if (required == NULL)
		return;
	X509_STORE_free(required->store);
	free(required);
}

static bool
has_uri(X509 *leaf, const char *name)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *entry = sk_GENERAL_NAME_value(names, i);
		const ASN1_IA5STRING *uri = entry->d.uniformResourceIdentifier;

		found = entry->type == GEN_URI && (size_t)ASN1_STRING_length(uri) == strlen(name) &&
			memcmp(ASN1_STRING_get0_data(uri), name, strlen(name)) == 0;
	}
	GENERAL_NAMES_free(names);
	return found;
}

static bool
has_name(const struct config_source *source, X509 *leaf)
{
	for (unsigned i = 0; i < source->client_names_count; i++) {
		const char *name = source->client_names[i];

		if (X509_check_host(leaf, name, strlen(name), X509_CHECK_FLAG_NO_WILDCARDS, NULL) ==
			1 ||
		    has_uri(leaf, name))
			return true;
	}
	return source->client_names_count == 0;
}

/* The chain, its dates and its purpose. */
static bool
is_vouched_for(const struct client_certificate *required, SSL *session, X509 *leaf,
	       struct error *error)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	bool good;

	if (context == NULL || X509_STORE_CTX_init(context, required->store, leaf,
						   SSL_get_peer_cert_chain(session)) != 1)
		memory_panic("no memory to check a certificate");
	good = X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT) == 1 &&
	       X509_verify_cert(context) == 1;
	if (!good)
		error_set(error, "the client's certificate is not good: %s",
			  X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return good;
}

bool
client_certificate_check(const struct client_certificate *required, SSL *session,
			 struct error *error)
{
	X509 *leaf;

	if (SSL_get_ex_data(session, session_index) == required)
		return true;
	leaf = SSL_get0_peer_certificate(session);
	if (leaf == NULL)
		return error_set(error, "the client has shown no certificate");
	if (!is_vouched_for(required, session, leaf, error))
		return false;
	if (!has_name(required->source, leaf))
		return error_set(error, "the client's certificate has no name of client_names");
	/* not const: OpenSSL keeps whatever it is given, and gives it back untouched */
	return SSL_set_ex_data(session, session_index, (void *)(uintptr_t)required) == 1 ||
	       error_set(error, "OpenSSL cannot remember a client");
}
