#include "bridge/commands/certificate_pin.h"

#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "bridge/base64.h"
#include "formats/text.h"

static bool
write_pin(const X509 *certificate, char pin[CERTIFICATE_PIN_LENGTH])
{
	unsigned char hash[EVP_MAX_MD_SIZE], *key = NULL;
	int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
	unsigned int hash_length = 0;
	struct text text;
	bool done = false;

	if (length > 0 &&
	    EVP_Digest(key, (size_t)length, hash, &hash_length, EVP_sha256(), NULL) == 1) {
		text_start(&text, pin, CERTIFICATE_PIN_LENGTH);
		text_append_string(&text, "sha256//");
		base64_encode(hash, hash_length, &text);
		text_append_byte(&text, '\0');
		done = !text.overflowed;
	}
	OPENSSL_free(key);
	return done;
}

bool
certificate_pin(const char *path, char pin[CERTIFICATE_PIN_LENGTH], struct error *error)
{
	FILE *file = fopen(path, "re");
	X509 *certificate;
	bool done;

	if (file == NULL)
		return error_set_errno(error, "%s cannot be read", path);
	certificate = PEM_read_X509(file, NULL, NULL, NULL);
	(void)fclose(file);
	if (certificate == NULL)
		return error_set(error, "%s holds no certificate in PEM", path);
	done = write_pin(certificate, pin);
	X509_free(certificate);
	if (!done)
		return error_set(error, "%s: its public key cannot be read", path);
	return true;
}
