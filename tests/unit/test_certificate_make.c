/* What is made is read back by the code that checks what operators bring. */
#include "bridge/commands/certificate_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "bridge/certificate.h"
#include "bridge/deadline.h"

enum { DAY = 86400, DAYS = 30 };

static char bytes[3][CERTIFICATE_MAKE_LENGTH];
static struct text key, certificate, request;

static bool
make(const char *host)
{
	struct error error;

	text_start(&key, bytes[0], sizeof(bytes[0]));
	text_start(&certificate, bytes[1], sizeof(bytes[1]));
	text_start(&request, bytes[2], sizeof(bytes[2]));
	return certificate_make(host, DAYS, &key, &certificate, &request, &error);
}

static void
write_file(char path[32], const struct text *text)
{
	FILE *file;

	memccpy(path, "/tmp/test_certificate.XXXXXX", '\0', 32);
	file = fdopen(mkstemp(path), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text->bytes, 1, text->length, file), text->length);
	assert_int_equal(fclose(file), 0);
}

static void
key_and_certificate_fit_and_are_valid_for_the_days(void **state)
{
	char paths[2][32];
	struct certificate *read;
	struct error error;
	int64_t left = 0;

	(void)state;
	assert_true(make("hooks.example.com"));
	write_file(paths[0], &certificate);
	write_file(paths[1], &key);
	assert_true(certificate_read(&read, paths[0], &error));
	assert_true(certificate_fits(read, paths[1], &error));
	assert_true(certificate_is_valid(read, deadline_wall() / 1000, &left, &error));
	assert_in_range(left, (DAYS - 1) * DAY, DAYS * DAY);
	certificate_free(read);
	assert_int_equal(unlink(paths[0]) + unlink(paths[1]), 0);
}

static X509 *
read_back(void)
{
	BIO *bio = BIO_new_mem_buf(certificate.bytes, (int)certificate.length);
	X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(leaf);
	return leaf;
}

static void
it_is_for_the_name_or_the_address(void **state)
{
	char longest[64 + sizeof(".example.com")];
	X509 *leaf;

	(void)state;
	assert_true(make("hooks.example.com"));
	leaf = read_back();
	assert_int_equal(X509_check_host(leaf, "hooks.example.com", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(leaf, "other.example.com", 0, 0, NULL), 0);
	X509_free(leaf);

	assert_true(make("192.0.2.7"));
	leaf = read_back();
	assert_int_equal(X509_check_ip_asc(leaf, "192.0.2.7", 0), 1);
	X509_free(leaf);

	/* longer than a common name may be */
	memset(longest, 'a', sizeof(longest));
	longest[60] = '.';
	memccpy(longest + 64, ".example.com", '\0', sizeof(".example.com"));
	assert_true(make(longest));
	leaf = read_back();
	assert_int_equal(X509_check_host(leaf, longest, 0, 0, NULL), 1);
	X509_free(leaf);
}

static void
the_request_asks_for_the_same_name_with_the_same_key(void **state)
{
	X509 *leaf;
	X509_REQ *read;
	BIO *bio;

	(void)state;
	assert_true(make("hooks.example.com"));
	leaf = read_back();
	bio = BIO_new_mem_buf(request.bytes, (int)request.length);
	read = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	assert_non_null(read);
	assert_int_equal(X509_REQ_verify(read, X509_get0_pubkey(leaf)), 1);
	assert_int_equal(EVP_PKEY_eq(X509_REQ_get0_pubkey(read), X509_get0_pubkey(leaf)), 1);
	X509_REQ_free(read);
	BIO_free(bio);
	X509_free(leaf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_and_certificate_fit_and_are_valid_for_the_days),
	    cmocka_unit_test(it_is_for_the_name_or_the_address),
	    cmocka_unit_test(the_request_asks_for_the_same_name_with_the_same_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
