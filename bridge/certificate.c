#include "bridge/certificate.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "bridge/read_file.h"
#include "formats/memory.h"

enum { FILE_LIMIT = 1024 * 1024, LEAST_SECURITY_BITS = 112, SECONDS_A_DAY = 86400 };

struct certificate {
	char *path;
	X509 *leaf;
};

/* Fills the error with the reason at the top of OpenSSL's queue, and empties that. */
static bool
openssl_error(struct error *error, const char *path, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return error_set(error, "%s %s: %s", path, what,
			 reason != NULL ? reason : "no reason given");
}

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

/* The file's bytes and a BIO over them; close_pem() wipes them. */
struct pem {
	char *bytes;
	size_t length;
	BIO *bio;
};

static bool
open_pem(struct pem *pem, const char *path, struct error *error)
{
	struct stat status;

	pem->bytes = memory_allocate(FILE_LIMIT);
	if (read_file(path, pem->bytes, FILE_LIMIT, &pem->length, &status, error)) {
		pem->bio = BIO_new_mem_buf(pem->bytes, (int)pem->length);
		if (pem->bio != NULL)
			return true;
		openssl_error(error, path, "cannot be read");
	}
	free(pem->bytes);
	return false;
}

static void
close_pem(struct pem *pem)
{
	BIO_free_all(pem->bio);
	memory_wipe(pem->bytes, pem->length);
	free(pem->bytes);
}

/* What stands behind the first one must be certificates as well, to the end. */
static bool
read_chain(BIO *bio, const char *path, struct error *error)
{
	X509 *next;

	while ((next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL)
		X509_free(next);
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return openssl_error(error, path, "holds a chain that cannot be read");
	ERR_clear_error(); /* the end of the file */
	return true;
}

bool
certificate_read(struct certificate **certificate, const char *path, struct error *error)
{
	struct pem pem;
	X509 *leaf;
	bool done = false;

	if (!open_pem(&pem, path, error))
		return false;
	ERR_clear_error();
	leaf = PEM_read_bio_X509(pem.bio, NULL, no_passphrase, NULL);
	if (leaf == NULL) {
		openssl_error(error, path, "holds no certificate in PEM");
	} else if (read_chain(pem.bio, path, error)) {
		*certificate = memory_allocate(sizeof(**certificate));
		(*certificate)->path = memory_copy_text(path, strlen(path));
		(*certificate)->leaf = leaf;
		done = true;
	} else {
		X509_free(leaf);
	}
	close_pem(&pem);
	return done;
}

void
certificate_free(struct certificate *certificate)
{
	if (certificate == NULL)
		return;
	X509_free(certificate->leaf);
	free(certificate->path);
	free(certificate);
}

/* Seconds from `now` to `time`; negative: it is past. */
static bool
seconds_until(const ASN1_TIME *time, int64_t now, int64_t *seconds)
{
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)now);
	int days = 0, rest = 0;
	bool done = from != NULL && ASN1_TIME_diff(&days, &rest, from, time) == 1;

	ASN1_TIME_free(from);
	*seconds = (int64_t)days * SECONDS_A_DAY + rest;
	return done;
}

bool
certificate_is_valid(const struct certificate *certificate, int64_t now, int64_t *left,
		     struct error *error)
{
	int64_t until_valid;

	if (!seconds_until(X509_get0_notBefore(certificate->leaf), now, &until_valid) ||
	    !seconds_until(X509_get0_notAfter(certificate->leaf), now, left))
		return openssl_error(error, certificate->path, "has dates that cannot be read");
	if (until_valid > 0)
		return error_set(error,
				 "%s is not valid yet, but in %lld s; is this host's clock right?",
				 certificate->path, (long long)until_valid);
	if (*left < 0)
		return error_set(error, "%s expired %lld days ago; put a new one in its place",
				 certificate->path, (long long)(-*left / SECONDS_A_DAY));
	return true;
}

static bool
key_fits(X509 *leaf, const EVP_PKEY *key, const char *certificate_path, const char *key_path,
	 struct error *error)
{
	if (X509_check_private_key(leaf, key) != 1) {
		ERR_clear_error();
		return error_set(error, "%s does not match the certificate %s", key_path,
				 certificate_path);
	}
	if (EVP_PKEY_get_security_bits(key) < LEAST_SECURITY_BITS)
		return error_set(error,
				 "%s is too weak: %d bits of security, %d are needed (P-256, or "
				 "RSA of 2048 bits)",
				 key_path, EVP_PKEY_get_security_bits(key), LEAST_SECURITY_BITS);
	return true;
}

bool
certificate_fits(const struct certificate *certificate, const char *key_path, struct error *error)
{
	struct pem pem;
	EVP_PKEY *key;
	bool done = false;

	if (!open_pem(&pem, key_path, error))
		return false;
	ERR_clear_error();
	key = PEM_read_bio_PrivateKey(pem.bio, NULL, no_passphrase, NULL);
	if (key == NULL)
		openssl_error(error, key_path, "holds no private key in PEM without a passphrase");
	else
		done = key_fits(certificate->leaf, key, certificate->path, key_path, error);
	EVP_PKEY_free(key);
	close_pem(&pem);
	return done;
}
