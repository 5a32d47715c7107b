/*
 * Certificates are made here: one P-256 key and what is signed with it, or not.
 */
#include "bridge/config.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "bridge/certificate.h"
#include "formats/text.h"
#include "tests/unit/directory_fixture.h"

static const int64_t day = 86400; /* seconds */

static EVP_PKEY *key;
static uint16_t free_port;

/* What config_check() warned of, a line each. */
static char warnings_bytes[4096];
static struct text warnings;

static void
on_warning(void *context, const char *text)
{
	(void)context;
	text_append_string(&warnings, text);
	text_append_byte(&warnings, '\n');
}

static bool
warned_of(const char *words)
{
	return memmem(warnings.bytes, warnings.length, words, strlen(words)) != NULL;
}

/* The path of a file in our directory; good until the next four calls. */
static const char *
in_directory(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static void
write_file(const char *name, const char *bytes, mode_t mode)
{
	FILE *file;

	(void)unlink(in_directory(name));
	file = fopen(in_directory(name), "w");
	assert_non_null(file);
	assert_true(fputs(bytes, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(in_directory(name), mode), 0);
}

static void
write_certificate(const char *name, EVP_PKEY *of, int64_t from, int64_t to)
{
	X509 *certificate = X509_new();
	FILE *file = fopen(in_directory(name), "w");

	assert_non_null(certificate);
	assert_non_null(file);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), from));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), to));
	assert_int_equal(X509_set_pubkey(certificate, of), 1);
	assert_true(X509_sign(certificate, of, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	assert_int_equal(fclose(file), 0);
	X509_free(certificate);
}

static void
write_key(const char *name, EVP_PKEY *written, const char *passphrase)
{
	FILE *file = fopen(in_directory(name), "w");

	assert_non_null(file);
	assert_int_equal(
	    PEM_write_PrivateKey(file, written, passphrase != NULL ? EVP_aes_256_cbc() : NULL,
				 (const unsigned char *)passphrase,
				 passphrase != NULL ? (int)strlen(passphrase) : 0, NULL, NULL),
	    1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(in_directory(name), 0600), 0);
}

/* A socket on a free port of 127.0.0.1; listening, so that nobody else can. */
static int
take_port(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return listener;
}

/* All as it should be. */
static int
make_world(void **state)
{
	(void)state;
	if (key == NULL && directory_make() != 0)
		return -1;
	if (key == NULL)
		key = EVP_EC_gen("P-256");
	if (key == NULL)
		return -1;
	text_start(&warnings, warnings_bytes, sizeof(warnings_bytes));
	write_certificate("cert.pem", key, -day, 90 * day);
	write_key("key.pem", key, NULL);
	write_file("secret", "0123456789abcdef", 0600);
	(void)mkdir(in_directory("spool"), 0700);
	(void)chmod(in_directory("spool"), 0700);
	(void)unlink(in_directory("out.log"));
	return close(take_port(&free_port));
}

static int
remove_world(void **state)
{
	static const char *const names[] = {"cert.pem", "key.pem", "secret",
					    "out.log",  "c.yaml",  "link"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(in_directory(names[i]));
	(void)rmdir(in_directory("spool"));
	EVP_PKEY_free(key);
	return rmdir(directory);
}

/* The configuration of the world, with these lines for its source and destination. */
static struct config *
read_config(const char *signature, const char *destination)
{
	struct config *config = NULL;
	struct error error;
	char yaml[2048];

	(void)snprintf(yaml, sizeof(yaml),
		       "listen:\n"
		       "  address: 127.0.0.1:%u\n"
		       "  certificate: cert.pem\n"
		       "  private_key: key.pem\n"
		       "spool: {directory: spool}\n"
		       "sources:\n"
		       "  - name: anyint\n"
		       "    path: /anyint\n"
		       "    signature: %s\n"
		       "destinations:\n"
		       "  - name: out\n"
		       "    %s\n",
		       free_port, signature, destination);
	write_file("c.yaml", yaml, 0600);
	if (!config_read(&config, in_directory("c.yaml"), &error))
		fail_msg("%s", error.text);
	return config;
}

static struct config *
read_usual(void)
{
	return read_config("standard-webhooks\n    secrets: [./secret]", "file: {path: out.log}");
}

/* config_check() says, in this line of the file, something with these words. */
static void
assert_refused(const char *line, const char *words)
{
	struct config *config = read_usual();
	struct error error = {.text = ""};
	char start[160];

	assert_false(config_check(config, on_warning, NULL, &error));
	(void)snprintf(start, sizeof(start), "%s:%s", in_directory("c.yaml"), line);
	if (strncmp(error.text, start, strlen(start)) != 0 || strstr(error.text, words) == NULL)
		fail_msg("expected %s ... %s, got %s", start, words, error.text);
	config_free(config);
}

static void
assert_fine(struct config *config)
{
	struct error error = {.text = ""};

	if (!config_check(config, on_warning, NULL, &error))
		fail_msg("%s", error.text);
	config_free(config);
}

static void
a_good_world_is_fine(void **state)
{
	(void)state;
	assert_fine(read_usual());
	assert_false(warned_of("c.yaml"));
}

static void
a_certificate_that_cannot_be_served_is_refused(void **state)
{
	(void)state;
	write_certificate("cert.pem", key, -2 * day, -day);
	assert_refused("3: listen.certificate:", "expired 1 days ago");
	write_certificate("cert.pem", key, day, 2 * day);
	assert_refused("3: listen.certificate:", "not valid yet");
	write_file("cert.pem", "no certificate\n", 0644);
	assert_refused("3: listen.certificate:", "holds no certificate in PEM");
	write_file("cert.pem", "", 0644);
	assert_refused("3: listen.certificate:", "holds no certificate in PEM");
	assert_int_equal(unlink(in_directory("cert.pem")), 0);
	assert_refused("3: listen.certificate:", "No such file");
}

static void
a_broken_chain_is_refused(void **state)
{
	FILE *file = fopen(in_directory("cert.pem"), "a");

	(void)state;
	assert_non_null(file);
	assert_true(fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", file) >=
		    0);
	assert_int_equal(fclose(file), 0);
	assert_refused("3: listen.certificate:", "chain that cannot be read");
}

static void
a_certificate_that_expires_within_30_days_is_warned_of(void **state)
{
	(void)state;
	write_certificate("cert.pem", key, -day, 30 * day - 60);
	assert_fine(read_usual());
	assert_true(warned_of("c.yaml:3: listen.certificate: "));
	assert_true(warned_of("expires in 29 days"));
}

static void
a_key_of_another_certificate_is_refused(void **state)
{
	EVP_PKEY *other = EVP_EC_gen("P-256"), *weak = EVP_RSA_gen(1024);

	(void)state;
	assert_non_null(other);
	assert_non_null(weak);
	write_key("key.pem", other, NULL);
	assert_refused("4: listen.private_key:", "does not match the certificate");
	write_key("key.pem", key, "open sesame");
	assert_refused("4: listen.private_key:", "without a passphrase");
	write_key("key.pem", weak, NULL);
	write_certificate("cert.pem", weak, -day, 90 * day);
	assert_refused("4: listen.private_key:", "too weak");
	EVP_PKEY_free(other);
	EVP_PKEY_free(weak);
}

static void
an_open_key_is_warned_of(void **state)
{
	(void)state;
	assert_int_equal(chmod(in_directory("key.pem"), 0644), 0);
	assert_fine(read_usual());
	assert_true(warned_of("c.yaml:4: listen.private_key: "));
	assert_true(warned_of("open to everybody (mode 644)"));
}

static void
a_spool_that_is_not_ours_alone_is_refused(void **state)
{
	(void)state;
	assert_int_equal(chmod(in_directory("spool"), 0750), 0);
	assert_refused("5: spool.directory:", "open to others (mode 750); chmod 700");
	assert_int_equal(rmdir(in_directory("spool")), 0);
	assert_refused("5: spool.directory:", "make it with mode 700");
	write_file("spool", "", 0600);
	assert_refused("5: spool.directory:", "is not a directory");
	assert_int_equal(unlink(in_directory("spool")), 0);
}

static void
a_secret_that_is_no_good_is_refused(void **state)
{
	(void)state;
	write_file("secret", "short", 0600);
	assert_refused("10: sources[0].secrets[0]:", "holds 5 bytes");
	assert_int_equal(unlink(in_directory("secret")), 0);
	assert_refused("10: sources[0].secrets[0]:", "No such file");
}

static void
what_is_unwise_is_warned_of_at_its_line(void **state)
{
	(void)state;
	assert_fine(read_config("none", "syslog: {address: /nowhere/log, transport: unix}"));
	assert_true(warned_of("c.yaml:9: sources[0].signature: none: anyint accepts anything"));
	assert_true(
	    warned_of("c.yaml:12: destinations[0].syslog.address: /nowhere/log is not there"));
	assert_fine(read_config("none", "syslog: {address: '127.0.0.1:514', transport: udp}"));
	assert_true(warned_of("c.yaml:12: destinations[0].syslog.transport: udp confirms nothing"));
}

static void
an_output_that_is_a_link_or_nowhere_is_refused(void **state)
{
	(void)state;
	assert_int_equal(symlink("/dev/null", in_directory("out.log")), 0);
	assert_refused("13: destinations[0].file.path:", "is a symbolic link");
	assert_int_equal(unlink(in_directory("out.log")), 0);
	assert_fine(read_config("none", "file: {path: '-'}"));

	struct config *config = read_config("none", "file: {path: nowhere/out.log}");
	struct error error;

	assert_false(config_check(config, on_warning, NULL, &error));
	assert_non_null(strstr(error.text, "c.yaml:12: destinations[0].file.path: nothing can be "
					   "written to the directory"));
	config_free(config);
}

static void
a_file_that_everybody_may_change_is_refused(void **state)
{
	struct config *config = read_usual();
	struct error error;

	(void)state;
	assert_int_equal(chmod(in_directory("c.yaml"), 0602), 0);
	assert_false(config_check(config, on_warning, NULL, &error));
	assert_non_null(strstr(error.text, "chmod o-w"));
	config_free(config);
}

static void
a_port_in_use_is_told_with_its_line(void **state)
{
	int listener = take_port(&free_port);
	struct config *config = read_usual();
	struct error error = {.text = ""};

	(void)state;
	assert_false(config_check_listen(config, &error));
	assert_non_null(
	    strstr(error.text, "c.yaml:2: listen.address: cannot listen on 127.0.0.1:"));
	assert_non_null(strstr(error.text, "Address already in use"));
	assert_int_equal(close(listener), 0);
	assert_true(config_check_listen(config, &error));
	config_free(config);
}

static void
the_seconds_to_the_end_are_exact(void **state)
{
	struct certificate *certificate = NULL;
	struct error error;
	int64_t left = 0, now = (int64_t)time(NULL);

	(void)state;
	assert_true(certificate_read(&certificate, in_directory("cert.pem"), &error));
	assert_true(certificate_is_valid(certificate, now, &left, &error));
	assert_in_range(left, 90 * day - 60, 90 * day);
	assert_true(certificate_is_valid(certificate, now + left, &left, &error));
	assert_int_equal(left, 0);
	certificate_free(certificate);
	certificate_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_good_world_is_fine, make_world),
	    cmocka_unit_test_setup(a_certificate_that_cannot_be_served_is_refused, make_world),
	    cmocka_unit_test_setup(a_broken_chain_is_refused, make_world),
	    cmocka_unit_test_setup(a_certificate_that_expires_within_30_days_is_warned_of,
				   make_world),
	    cmocka_unit_test_setup(a_key_of_another_certificate_is_refused, make_world),
	    cmocka_unit_test_setup(an_open_key_is_warned_of, make_world),
	    cmocka_unit_test_setup(a_spool_that_is_not_ours_alone_is_refused, make_world),
	    cmocka_unit_test_setup(a_secret_that_is_no_good_is_refused, make_world),
	    cmocka_unit_test_setup(what_is_unwise_is_warned_of_at_its_line, make_world),
	    cmocka_unit_test_setup(an_output_that_is_a_link_or_nowhere_is_refused, make_world),
	    cmocka_unit_test_setup(a_file_that_everybody_may_change_is_refused, make_world),
	    cmocka_unit_test_setup(a_port_in_use_is_told_with_its_line, make_world),
	    cmocka_unit_test_setup(the_seconds_to_the_end_are_exact, make_world),
	};

	return cmocka_run_group_tests(tests, NULL, remove_world);
}
