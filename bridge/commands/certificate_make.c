#include "bridge/commands/certificate_make.h"

#include <arpa/inet.h>
#include <stdio.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

enum {
	LONGEST_COMMON_NAME = 64, /* X.520: ub-common-name */
	SERIAL_BYTES = 16,
	SECONDS_A_DAY = 86400,
	BEFORE = 3600, /* seconds; clocks of senders differ */
};

static bool
openssl_error(struct error *error, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return error_set(error, "%s: %s", what, reason != NULL ? reason : "no reason given");
}

static bool
is_address(const char *host)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* subjectAltName of `host`; NULL where it is neither a name nor an address. */
static X509_EXTENSION *
make_alternative_name(const char *host)
{
	char bytes[300];
	struct text text;

	text_start(&text, bytes, sizeof(bytes));
	text_append_string(&text, is_address(host) ? "IP:" : "DNS:");
	text_append_string(&text, host);
	text_append_byte(&text, '\0');
	return text.overflowed ? NULL
			       : X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, bytes);
}

/* What is longer than a common name may be stands in the alternative name alone. */
static bool
fill_name(X509_NAME *name, const char *host)
{
	struct slice shown = text_of(host);

	if (shown.length > LONGEST_COMMON_NAME)
		shown = SLICE_LITERAL("siembridge");
	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
					  (const unsigned char *)shown.bytes, (int)shown.length, -1,
					  0) == 1;
}

static bool
append_pem(BIO *bio, struct text *text)
{
	char *bytes;
	long length = BIO_get_mem_data(bio, &bytes);

	if (length <= 0)
		return false;
	text_append(text, bytes, (size_t)length);
	return !text->overflowed;
}

static bool
set_serial(X509 *certificate)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *number = NULL;
	bool done = false;

	if (RAND_bytes(bytes, sizeof(bytes)) == 1) {
		bytes[0] &= 0x7f; /* RFC 5280 4.1.2.2: positive */
		number = BN_bin2bn(bytes, sizeof(bytes), NULL);
		done = number != NULL &&
		       BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
	}
	BN_free(number);
	return done;
}

static bool
write_certificate(const char *host, int days, EVP_PKEY *key, struct text *text)
{
	X509 *certificate = X509_new();
	X509_EXTENSION *name = make_alternative_name(host);
	BIO *bio = BIO_new(BIO_s_mem());
	bool done =
	    certificate != NULL && name != NULL && bio != NULL &&
	    X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
	    X509_gmtime_adj(X509_getm_notBefore(certificate), -BEFORE) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(certificate), (long)days * SECONDS_A_DAY) != NULL &&
	    fill_name(X509_get_subject_name(certificate), host) &&
	    X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1 &&
	    X509_set_pubkey(certificate, key) == 1 && X509_add_ext(certificate, name, -1) == 1 &&
	    X509_sign(certificate, key, EVP_sha256()) > 0 &&
	    PEM_write_bio_X509(bio, certificate) == 1 && append_pem(bio, text);

	BIO_free(bio);
	X509_EXTENSION_free(name);
	X509_free(certificate);
	return done;
}

static bool
add_name(X509_REQ *request, const char *host)
{
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	X509_EXTENSION *name = make_alternative_name(host);
	bool done = extensions != NULL && name != NULL &&
		    sk_X509_EXTENSION_push(extensions, name) > 0 &&
		    X509_REQ_add_extensions(request, extensions) == 1;

	sk_X509_EXTENSION_free(extensions);
	X509_EXTENSION_free(name);
	return done;
}

static bool
write_request(const char *host, EVP_PKEY *key, struct text *text)
{
	X509_REQ *request = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	bool done = request != NULL && bio != NULL &&
		    X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
		    fill_name(X509_REQ_get_subject_name(request), host) &&
		    X509_REQ_set_pubkey(request, key) == 1 && add_name(request, host) &&
		    X509_REQ_sign(request, key, EVP_sha256()) > 0 &&
		    PEM_write_bio_X509_REQ(bio, request) == 1 && append_pem(bio, text);

	BIO_free(bio);
	X509_REQ_free(request);
	return done;
}

static bool
write_key(EVP_PKEY *key, struct text *text)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	bool done = bio != NULL &&
		    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
		    append_pem(bio, text);

	BIO_free(bio);
	return done;
}

bool
certificate_make(const char *host, int days, struct text *key, struct text *certificate,
		 struct text *request, struct error *error)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	bool done = true;

	if (pair == NULL)
		return openssl_error(error, "no key can be made");
	if (!write_key(pair, key) || !write_certificate(host, days, pair, certificate) ||
	    !write_request(host, pair, request)) {
		openssl_error(error, "no certificate can be made for this host name");
		done = false;
	}
	EVP_PKEY_free(pair);
	return done;
}
