/*
 * The bad files are a good one with some of its text replaced; what is expected
 * is the whole error, behind the name of the file.
 */
#include "bridge/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/text.h"
#include "tests/unit/directory_fixture.h"

static char path[64];

static const char good[] = "listen:\n"                             /* 1 */
			   "  address: 0.0.0.0:8443\n"             /* 2 */
			   "  certificate: tls/cert.pem\n"         /* 3 */
			   "  private_key: /etc/key.pem\n"         /* 4 */
			   "spool:\n"                              /* 5 */
			   "  directory: spool\n"                  /* 6 */
			   "sources:\n"                            /* 7 */
			   "  - name: anyint\n"                    /* 8 */
			   "    path: /webhooks/anyint\n"          /* 9 */
			   "    signature: standard-webhooks\n"    /* 10 */
			   "    secrets: [one/a, b]\n"             /* 11 */
			   "destinations:\n"                       /* 12 */
			   "  - name: siem\n"                      /* 13 */
			   "    syslog: {address: \"siem:514\"}\n" /* 14 */
			   "  - name: debug\n"                     /* 15 */
			   "    format: rfc5424\n"                 /* 16 */
			   "    file: {path: out.log}\n";          /* 17 */

static int
make_directory(void **state)
{
	(void)state;
	if (directory_make() != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/siembridge.yaml", directory);
	return 0;
}

static int
remove_directory(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(directory);
}

static void
write_config(const char *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

/* Writes the good file with the first `old` in it replaced. */
static void
write_changed(const char *old, const char *new)
{
	char bytes[4096];
	struct text text;
	const char *at = strstr(good, old);

	if (at == NULL)
		fail_msg("'%s' is not in the good file", old);
	text_start(&text, bytes, sizeof(bytes));
	text_append(&text, good, (size_t)(at - good));
	text_append_string(&text, new);
	text_append_string(&text, at + strlen(old));
	assert_false(text.overflowed);
	write_config(text.bytes, text.length);
}

static struct config *
read_good(void)
{
	struct config *config = NULL;
	struct error error;

	if (!config_read(&config, path, &error))
		fail_msg("%s", error.text);
	return config;
}

static void
assert_in_directory(const char *is, const char *name)
{
	char expected[128];

	(void)snprintf(expected, sizeof(expected), "%s/%s", directory, name);
	assert_string_equal(is, expected);
}

static void
what_is_not_written_has_its_default(void **state)
{
	struct config *config;

	(void)state;
	write_config(good, strlen(good));
	config = read_good();
	assert_string_equal(config->path, path);
	assert_int_equal(config->listen.loops, 0);
	assert_int_equal(config->listen.max_body_size, 262144);
	assert_int_equal(config->listen.handshake_timeout, 5000);
	assert_int_equal(config->listen.header_timeout, 5000);
	assert_int_equal(config->listen.body_timeout, 10000);
	assert_int_equal(config->listen.idle_timeout, 30000);
	assert_int_equal(config->spool.max_size, INT64_C(2) << 30);
	assert_int_equal(config->spool.retention, 604800000);
	assert_int_equal(config->sources_count, 1);
	assert_int_equal(config->sources[0].signature, CONFIG_SIGNATURE_STANDARD_WEBHOOKS);
	assert_int_equal(config->sources[0].tolerance, 300000);
	assert_string_equal(config->sources[0].profile, "anyint");
	assert_int_equal(config->sources[0].events_count, 1);
	assert_string_equal(config->sources[0].events[0], "*");
	assert_int_equal(config->destinations_count, 2);
	assert_string_equal(config->destinations[0].format->name, "cef");
	assert_string_equal(config->destinations[1].format->name, "rfc5424");
	assert_string_equal(config->destinations[0].events[0], "*");
	assert_int_equal(config->destinations[0].syslog->transport, CONFIG_TRANSPORT_TCP);
	assert_int_equal(config->destinations[0].syslog->framing, CONFIG_FRAMING_OCTET_COUNTING);
	assert_int_equal(config->destinations[0].syslog->settle, 1000);
	assert_int_equal(config->destinations[0].options.facility, 13);
	assert_int_equal(config->destinations[0].options.enterprise_number, 32473);
	assert_int_equal(config->destinations[0].syslog->max_message_size, 8192);
	assert_null(config->destinations[0].file);
	assert_null(config->destinations[1].syslog);
	config_free(config);
	config_free(NULL);
}

static void
a_relative_path_starts_at_the_file_and_a_credential_stays(void **state)
{
	struct config *config;

	(void)state;
	write_config(good, strlen(good));
	config = read_good();
	assert_in_directory(config->listen.certificate, "tls/cert.pem");
	assert_string_equal(config->listen.private_key, "/etc/key.pem");
	assert_in_directory(config->spool.directory, "spool");
	assert_in_directory(config->sources[0].secrets[0].file, "one/a");
	assert_string_equal(config->sources[0].secrets[1].file, "b");
	assert_in_directory(config->destinations[1].file->path, "out.log");
	config_free(config);
	write_changed("out.log", "'-'");
	config = read_good();
	assert_string_equal(config->destinations[1].file->path, "-");
	config_free(config);
}

static void
the_options_of_a_format_come_from_its_destination(void **state)
{
	const struct format_options *options;
	struct format_options defaults;
	char hostname[256] = "";
	struct config *config;

	(void)state;
	format_default_options(&defaults);
	assert_int_equal(gethostname(hostname, sizeof(hostname) - 1), 0);
	write_changed("syslog: {",
		      "device: {vendor: Ours, version: '2.0'}\n"
		      "    syslog: {transport: udp, facility: local4, hostname: bridge-1, "
		      "app_name: hooks, enterprise_number: 99999, ");
	config = read_good();
	options = &config->destinations[0].options;
	assert_true(text_slice_is(options->device_vendor, "Ours"));
	assert_true(text_slices_equal(options->device_product, defaults.device_product));
	assert_true(text_slice_is(options->device_version, "2.0"));
	assert_true(text_slice_is(options->hostname, "bridge-1"));
	assert_true(text_slice_is(options->app_name, "hooks"));
	assert_int_equal(options->facility, 20);
	assert_int_equal(options->enterprise_number, 99999);
	assert_int_equal(options->maximum_length, 1180);
	options = &config->destinations[1].options;
	assert_true(text_slices_equal(options->device_vendor, defaults.device_vendor));
	assert_true(text_slice_is(options->hostname, hostname));
	assert_string_equal(config->destinations[1].device->version, "1");
	config_free(config);
}

/* The whole of a row holds where nothing else is written. */
static void
a_profile_sets_what_its_collector_wants(void **state)
{
	const struct config_destination *destination;
	struct config *config;

	(void)state;
	write_changed("    syslog: {", "    profile: sentinel\n    syslog: {");
	config = read_good();
	destination = &config->destinations[0];
	assert_string_equal(destination->format->name, "cef");
	assert_int_equal(destination->options.header, FORMAT_HEADER_RFC3164);
	assert_int_equal(destination->options.facility, 20);
	assert_int_equal(destination->options.bom, FORMAT_BOM_NEVER);
	assert_int_equal(destination->syslog->framing, CONFIG_FRAMING_LF);
	config_free(config);
	write_changed("    syslog: {", "    profile: qradar\n    syslog: {transport: udp, ");
	config = read_good();
	destination = &config->destinations[0];
	assert_string_equal(destination->format->name, "leef");
	assert_int_equal(destination->syslog->max_message_size, 1180);
	config_free(config);
}

static void
what_is_written_counts_before_the_profile(void **state)
{
	const struct config_destination *destination;
	struct config *config;

	(void)state;
	write_changed("    syslog: {",
		      "    profile: sentinel\n    format: leef2\n    bom: always\n"
		      "    time_zone: '+02:00'\n    leef_delimiter: tab\n"
		      "    syslog: {header: rfc5424, framing: octet-counting, facility: 13, "
		      "max_message_size: 2KiB, ");
	config = read_good();
	destination = &config->destinations[0];
	assert_string_equal(destination->format->name, "leef2");
	assert_int_equal(destination->options.header, FORMAT_HEADER_RFC5424);
	assert_int_equal(destination->options.facility, 13);
	assert_int_equal(destination->options.bom, FORMAT_BOM_ALWAYS);
	assert_int_equal(destination->options.zone, 120);
	assert_int_equal(destination->options.leef_delimiter, '\t');
	assert_int_equal(destination->syslog->framing, CONFIG_FRAMING_OCTET_COUNTING);
	assert_int_equal(destination->syslog->max_message_size, 2048);
	config_free(config);
}

static void
what_is_masked_is_configuration(void **state)
{
	const struct mask_settings *settings;
	struct config *config;

	(void)state;
	write_config(good, strlen(good));
	config = read_good();
	settings = config->sources[0].reading.mask;
	assert_false(settings->off);
	assert_int_equal(settings->prefix_count + settings->name_count, 0);
	config_free(config);
	write_changed("spool:\n",
		      "mask: {enabled: false, prefixes: [acme_], names: [passwd, pin]}\n"
		      "spool:\n");
	config = read_good();
	settings = config->sources[0].reading.mask;
	assert_true(settings->off);
	assert_string_equal(settings->prefixes[0], "acme_");
	assert_string_equal(settings->names[1], "pin");
	assert_ptr_equal(config->reading.mask, settings);
	config_free(config);
}

static void
what_is_written_is_read(void **state)
{
	struct config *config;

	(void)state;
	write_changed("spool:\n", "  loops: 4\n  max_body_size: 1MiB\n  idle_timeout: 2m\n"
				  "spool:\n  max_size: 100MB\n  retention: 1d\n");
	config = read_good();
	assert_int_equal(config->listen.loops, 4);
	assert_int_equal(config->listen.max_body_size, 1048576);
	assert_int_equal(config->listen.idle_timeout, 120000);
	assert_int_equal(config->spool.max_size, 100000000);
	assert_int_equal(config->spool.retention, 86400000);
	config_free(config);
	write_changed("\"siem:514\"", "/dev/log, transport: unix, facility: 10");
	config = read_good();
	assert_int_equal(config->destinations[0].syslog->transport, CONFIG_TRANSPORT_UNIX);
	assert_int_equal(config->destinations[0].options.facility, 10);
	config_free(config);
	write_changed("standard-webhooks\n    secrets: [one/a, b]", "none");
	config = read_good();
	assert_int_equal(config->sources[0].signature, CONFIG_SIGNATURE_NONE);
	assert_int_equal(config->sources[0].secrets_count, 0);
	config_free(config);
}

static void
a_scheme_has_its_settings_beside_it_or_under_it(void **state)
{
	static const char *const forms[] = {
	    "hmac\n    hmac: {signature_header: X-Sig, signed: [timestamp, ., body],"
	    " timestamp_header: X-Time, timestamp_unit: ms, encoding: base64}",
	    "{hmac: {signature_header: X-Sig, signed: [timestamp, ., body],"
	    " timestamp_header: X-Time, timestamp_unit: ms, encoding: base64}}",
	    "\n      hmac:\n        signature_header: X-Sig\n        signed: [timestamp, ., body]\n"
	    "        timestamp_header: X-Time\n        timestamp_unit: ms\n"
	    "        encoding: base64",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct config *config;
		const struct config_hmac *hmac;

		write_changed("standard-webhooks", forms[i]);
		config = read_good();
		hmac = config->sources[0].hmac;
		assert_int_equal(config->sources[0].signature, CONFIG_SIGNATURE_HMAC);
		assert_string_equal(hmac->signature_header, "x-sig");
		assert_string_equal(hmac->timestamp_header, "x-time");
		assert_int_equal(hmac->timestamp_unit, 1);
		assert_int_equal(hmac->encoding, CONFIG_ENCODING_BASE64);
		assert_int_equal(hmac->digest, CONFIG_DIGEST_SHA256);
		assert_int_equal(hmac->secret_form, CONFIG_SECRET_LITERAL);
		assert_int_equal(hmac->signed_texts_count, 3);
		assert_int_equal(hmac->parts[0], CONFIG_PART_TIMESTAMP);
		assert_int_equal(hmac->parts[1], CONFIG_PART_TEXT);
		assert_int_equal(hmac->parts[2], CONFIG_PART_BODY);
		assert_int_equal(config->sources[0].secrets_count, 2);
		config_free(config);
	}
	write_changed("standard-webhooks", "hmac\n    hmac: {signature_header: X-Sig}");
	{
		struct config *config = read_good();

		assert_int_equal(config->sources[0].hmac->signed_texts_count, 1);
		assert_int_equal(config->sources[0].hmac->parts[0], CONFIG_PART_BODY);
		config_free(config);
	}
}

static void
a_secret_may_say_until_when_it_is_accepted(void **state)
{
	struct config *config;

	(void)state;
	write_changed("[one/a, b]", "[one/a, {file: b, not_after: 2026-10-01T12:00:00Z}]");
	config = read_good();
	assert_int_equal(config->sources[0].secrets_count, 2);
	assert_in_directory(config->sources[0].secrets[0].file, "one/a");
	assert_true(config->sources[0].secrets[0].not_after == INT64_MAX);
	assert_string_equal(config->sources[0].secrets[1].file, "b");
	assert_true(config->sources[0].secrets[1].not_after == 1790856000000);
	config_free(config);
}

static void
slack_is_challenged_unless_it_is_turned_off(void **state)
{
	static const struct {
		const char *signature;
		enum config_challenge challenge;
	} rows[] = {
	    {"slack", CONFIG_CHALLENGE_SLACK},
	    {"slack\n    challenge: none", CONFIG_CHALLENGE_NONE},
	    {"standard-webhooks", CONFIG_CHALLENGE_NONE},
	    {"bearer\n    challenge: okta", CONFIG_CHALLENGE_OKTA},
	    {"{hmac: {signature_header: a}}\n    challenge: crc", CONFIG_CHALLENGE_CRC},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *config;

		write_changed("standard-webhooks", rows[i].signature);
		config = read_good();
		assert_int_equal(config->sources[0].challenge, rows[i].challenge);
		assert_false(config->sources[0].report_invalid);
		config_free(config);
	}
}

static void
the_example_says_what_the_defaults_are(void **state)
{
	struct config *example = NULL, *config;
	struct error error;

	(void)state;
	if (!config_read(&example, "tests/integration/example.yaml", &error))
		fail_msg("%s", error.text);
	write_config(good, strlen(good));
	config = read_good();
	assert_int_equal(example->listen.loops, config->listen.loops);
	assert_memory_equal(&example->listen.max_body_size, &config->listen.max_body_size,
			    sizeof(config->listen) - offsetof(struct config_listen, max_body_size));
	assert_int_equal(example->spool.max_size, config->spool.max_size);
	assert_int_equal(example->spool.retention, config->spool.retention);
	assert_int_equal(example->sources[0].tolerance, config->sources[0].tolerance);
	assert_string_equal(example->sources[0].profile, config->sources[0].profile);
	assert_memory_equal(
	    &example->destinations[0].syslog->transport, &config->destinations[0].syslog->transport,
	    sizeof(*config->destinations[0].syslog) - offsetof(struct config_syslog, transport));
	assert_string_equal(example->destinations[0].device->product,
			    config->destinations[0].device->product);
	config_free(config);
	config_free(example);
}

static const struct {
	const char *old;
	const char *new;
	const char *error;
} mistakes[] = {
    /* what the schema says */
    {"certificate:", "certificat:",
     ":3: unknown key 'certificat' in listen; known keys: address, certificate, private_key, "
     "ocsp_response, "
     "loops, max_body_size, handshake_timeout, header_timeout, body_timeout, idle_timeout, "
     "max_connections, "
     "max_connections_per_address, handshake_rate_per_address, request_rate_per_address, "
     "refusal_rate_per_address, max_memory"},
    {"spool:", "sppool:",
     ":5: unknown key 'sppool' in the file; known keys: listen, spool, sources, user, "
     "aliases_file, types, mask, destinations, console, log"},
    {"syslog: {", "syslog: {tls: yes, ",
     ":14: unknown key 'tls' in destinations[0].syslog; known keys: address, addresses, balance, "
     "failback, rotate, transport, framing, settle, header, facility, hostname, app_name, "
     "enterprise_number, "
     "max_message_size, ca_file, server_name, fingerprints, certificate, private_key"},
    {"file: {path: out.log}", "kafka: {url: x}",
     ":17: unknown key 'kafka' in destinations[1]; known keys: name, profile, format, bom, "
     "time_zone, cef_time, leef_delimiter, ocsf_version, cee, events, "
     "heartbeat, hold_retry, except, min_severity, sources, organizations, projects, device, "
     "syslog, file, email, splunk_hec, pagerduty, opsgenie, alertmanager, slack, ntfy, http"},
    {"  certificate: tls/cert.pem\n", "", ":1: listen needs the key 'certificate'"},
    {"spool:\n  directory: spool\n", "", ": the file needs the key 'spool'"},
    {"path: /webhooks/anyint\n    ", "", ":8: sources[0] needs the key 'path'"},
    {"{path: out.log}", "{}", ":17: destinations[1].file needs the key 'path'"},
    {"[one/a, b]", "one/a", ":11: sources[0].secrets must be a list, as in [one, two]"},
    {"[one/a, b]", "[]", ":11: sources[0].secrets is an empty list; put something in"},
    {"[one/a, b]", "[one/a, [b]]",
     ":11: a secret is the name of its file, or keys, as in {file: NAME, not_after: "
     "2026-12-31T00:00:00Z}"},
    {"[one/a, b]", "[one/a, '']",
     ":11: sources[0].secrets[1].file has no value; give one or leave it out"},
    {"0.0.0.0:8443", "", ":2: listen.address has no value; give one or leave it out"},
    {"0.0.0.0:8443", "[a]", ":2: listen.address must be a single value, not a list or keys"},
    {"spool:\n  directory: spool\n", "spool: here\n",
     ":5: spool must be keys with values, not a single value or a list"},
    {"  directory: spool\n", "  directory: spool\n  directory: other\n",
     ":6: spool.directory is there twice, here and further down; keep one of them"},
    /* what YAML says */
    {"  directory", "\tdirectory",
     ":6: not valid YAML: found character that cannot start any token while scanning for the next "
     "token"},
    {"directory: spool", "directory: *spool",
     ":6: anchors and aliases are not allowed; write it out"},
    /* listen, spool */
    {"0.0.0.0:8443", "8443", ":2: listen.address: '8443' has no port; write host:port"},
    {"0.0.0.0:8443", "0.0.0.0:99999",
     ":2: listen.address: '0.0.0.0:99999': the port must be a number from 1 to 65535"},
    {"spool:\n", "  loops: 65\nspool:\n",
     ":5: listen.loops: '65' must be a whole number from 0 to 64"},
    {"spool:\n", "  loops: 4 x\nspool:\n",
     ":5: listen.loops: '4 x' must be a whole number from 0 to 64"},
    {"spool:\n", "  loops: 0x10\nspool:\n",
     ":5: listen.loops: '0x10' must be a whole number from 0 to 64"},
    {"spool:\n", "  max_body_size: 1GiB\nspool:\n",
     ":5: listen.max_body_size: '1GiB' is out of range; allowed: 1KiB to 16MiB"},
    {"spool:\n", "  body_timeout: 10\nspool:\n",
     ":5: listen.body_timeout: '10' is not a duration; write a whole number with ms, s, m, h or "
     "d, as in 300s"},
    {"spool:\n  ", "spool:\n  max_size: lots\n  ",
     ":6: spool.max_size: 'lots' is not a size; write bytes, or a whole number with KiB, MiB, "
     "GiB, TiB, KB, MB, GB or TB, as in 256KiB"},
    /* sources */
    {"name: anyint", "name: any int",
     ":8: sources[0].name: 'any int' must be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', "
     "beginning with a letter or digit"},
    {"name: anyint", "name: ../etc",
     ":8: sources[0].name: '../etc' must be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', "
     "beginning with a letter or digit"},
    {"/webhooks/anyint", "webhooks", ":9: sources[0].path: 'webhooks' must start with '/'"},
    {"/webhooks/anyint", "/webhooks?a=b",
     ":9: sources[0].path: must be at most 255 of A-Z, a-z, 0-9 and / . _ ~ -"},
    {"    signature: standard-webhooks\n",
     "    encodings: [br]\n    signature: standard-webhooks\n",
     ":10: sources[0].encodings: 'br' is unknown; known: gzip"},
    {"    signature: standard-webhooks\n",
     "    allowed_origins: [\"https://a\"]\n    signature: standard-webhooks\n",
     ":10: sources[0].allowed_origins: 'https://a' is no DNS name in lower case, in which '*' "
     "stands for anything"},
    {"    signature: standard-webhooks\n",
     "    allowed_rate: 5\n    signature: standard-webhooks\n",
     ":10: sources[0].allowed_rate: has no use without 'allowed_origins'"},
    {"    signature: standard-webhooks\n", "    batch: /events\n    signature: standard-webhooks\n",
     ":10: sources[0].batch: '/events' is no name of a member; it is 1 to 64 letters, digits and "
     "_ . - @ $"},
    {"    signature: standard-webhooks\n", "",
     ":8: sources[0]: needs the key 'signature': standard-webhooks or another scheme, or none to "
     "accept anything from anybody"},
    {"signature: standard-webhooks", "signature: 'None'",
     ":10: sources[0].signature: 'None' is unknown; known: standard-webhooks, svix, stripe, "
     "github, slack, shopify, bearer, token, hmac, hec, none"},
    {"    secrets: [one/a, b]\n", "",
     ":8: sources[0]: needs the key 'secrets' to check signatures: a list of files, each with one "
     "secret"},
    {"standard-webhooks", "none",
     ":11: sources[0].secrets: has no use with 'signature: none'; take out one of them"},
    {"standard-webhooks\n    secrets: [one/a, b]", "none\n    tolerance: 1s",
     ":11: sources[0].tolerance: has no use with 'signature: none'; take out one of them"},
    {"[one/a, b]", "[whsec_c2VjcmV0c2VjcmV0]",
     ":11: sources[0].secrets[0]: is a secret; put it in a file of mode 600 and give the file's "
     "name here"},
    {"[one/a, b]", "[one/a, b, b]",
     ":11: sources[0].secrets[2]: names the same file as secrets[1]"},
    {"[one/a, b]", "[b, {file: b}]",
     ":11: sources[0].secrets[1]: names the same file as secrets[0]"},
    {"[one/a, b]", "\n      - one/a\n      - {not_after: 2026-12-31T00:00:00Z}",
     ":13: sources[0].secrets[1] needs the key 'file'"},
    {"[one/a, b]", "\n      - file: one/a\n        not_after: 2026-12-31",
     ":13: sources[0].secrets[0].not_after: '2026-12-31' is no time of RFC 3339, as in "
     "2026-12-31T00:00:00Z"},
    {"[one/a, b]", "[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]",
     ":11: sources[0].secrets: has more than 16 entries"},
    {"name: anyint", "name: siembridge",
     ":8: sources[0].name: 'siembridge' is the name of the bridge's own events; take another"},
    /* schemes with settings */
    {"standard-webhooks", "hmac",
     ":10: sources[0].signature: 'signature: hmac' needs settings of that name, with the "
     "header's name at least"},
    {"standard-webhooks", "github\n    token: {header: a}",
     ":11: sources[0].token: has a use with 'signature: token' alone; take it out"},
    {"standard-webhooks", "{}", ":10: signature is empty; name a scheme"},
    {"standard-webhooks", "{github: {}}",
     ":10: 'github' takes no settings under signature; hmac and token do"},
    {"standard-webhooks", "{token: {header: a}, hmac: {signature_header: a}}",
     ":10: signature names more than one scheme; keep one of them"},
    {"standard-webhooks", "{hmac: x}",
     ":10: sources[0].hmac must be keys with values, not a single value or a list"},
    {"standard-webhooks", "\n      hmac:\n        header: x",
     ":12: unknown key 'header' in sources[0].hmac; known keys: signature_header, prefix, "
     "delimiter, encoding, algorithm, signed, id_header, timestamp_header, timestamp_prefix, "
     "timestamp_unit, secret"},
    {"standard-webhooks", "\n      hmac:\n        signature_header: x:y",
     ":12: sources[0].hmac.signature_header: 'x:y' is no name of a header; they are 1 to 64 "
     "letters, digits and -"},
    {"standard-webhooks", "hmac\n    hmac: {signature_header: x, algorithm: md5}",
     ":11: sources[0].hmac.algorithm: 'md5' is unknown; known: sha256, sha512, sha1"},
    {"standard-webhooks", "hmac\n    hmac: {signature_header: x, delimiter: ', '}",
     ":11: sources[0].hmac.delimiter: must be one character that no signature holds, as in "
     "\",\""},
    {"standard-webhooks", "hmac\n    hmac: {signature_header: x, prefix: 'v,', delimiter: ','}",
     ":11: sources[0].hmac.delimiter: is part of a prefix too"},
    {"standard-webhooks", "hmac\n    hmac: {signature_header: x, timestamp_prefix: t=}",
     ":11: sources[0].hmac.timestamp_prefix: names an entry of a list; say with 'delimiter' what "
     "divides them"},
    {"standard-webhooks", "hmac\n    hmac: {signature_header: x, timestamp_unit: ms}",
     ":11: sources[0].hmac.timestamp_unit: has no use without a timestamp; take it out"},
    {"standard-webhooks", "hmac\n    hmac: {signature_header: x, timestamp_header: y}",
     ":11: sources[0].hmac.signed: does not hold the timestamp, and one that is not signed is "
     "worth nothing"},
    {"standard-webhooks", "hmac\n    hmac: {signature_header: x, signed: [timestamp, body]}",
     ":11: sources[0].hmac.signed: holds timestamp; say where it stands: 'timestamp_header', or "
     "'timestamp_prefix' in the signature's list"},
    {"standard-webhooks", "hmac\n    hmac: {signature_header: x, signed: [id, ., body]}",
     ":11: sources[0].hmac.signed: holds id; say where it stands: 'id_header'"},
    {"standard-webhooks", "hmac\n    hmac: {signature_header: x, signed: ['v0:']}",
     ":11: sources[0].hmac.signed: must hold the word body, once"},
    {"standard-webhooks", "hmac\n    hmac: {signature_header: x, id_header: i, signed: [id, body]}",
     ":11: sources[0].hmac.signed: must set the id apart by a text that is not of letters, digits, "
     "_ and - alone, as in [id, \".\", body]"},
    {"standard-webhooks", "github\n    tolerance: 60s",
     ":11: sources[0].tolerance: has no use with 'signature: github', which signs no time; take it "
     "out"},
    {"standard-webhooks", "github\n    challenge: zoom",
     ":11: sources[0].challenge: 'zoom' needs 'signature: hmac' with algorithm sha256"},
    {"standard-webhooks", "github\n    report_invalid: maybe",
     ":11: sources[0].report_invalid: 'maybe' is unknown; known: true, false"},
    {"signature:", "profile: other\n    signature:",
     ":10: sources[0].profile: there is no profile 'other'; there is: anyint, "
     "cloudevents, generic, github, hec"},
    {"signature:", "events: ['key.*', 'a b']\n    signature:",
     ":10: sources[0].events: 'a b' matches no event type; they are 1 to 127 of A-Z, a-z, 0-9, "
     "'.', '_' and '-', and '*' stands for any run of them"},
    {"signature:", "tolerance: 2d\n    signature:",
     ":10: sources[0].tolerance: '2d' is out of range; allowed: 1s to 1d"},
    {"destinations:", "  - {name: anyint, path: /b, signature: none}\ndestinations:",
     ":12: sources[1].name: 'anyint' is that of sources[0] too"},
    {"destinations:", "  - {name: b, path: /webhooks/anyint, signature: none}\ndestinations:",
     ":12: sources[1].path: '/webhooks/anyint' is that of sources[0] too"},
    /* destinations */
    {"name: debug", "name: siem",
     ":15: destinations[1].name: 'siem' is that of destinations[0] too"},
    {"    syslog: {address: \"siem:514\"}\n", "",
     ":13: destinations[0]: 'siem' does not say where to; give one of them: syslog, file, email, "
     "splunk_hec, pagerduty, opsgenie, alertmanager, slack, ntfy, http"},
    {"spool:\n", "mask: {enabled: maybe}\nspool:\n",
     ":5: mask.enabled: 'maybe' is unknown; known: true, false"},
    {"spool:\n", "mask: {prefixes: [ak-, s]}\nspool:\n",
     ":5: mask.prefixes[1]: 's' is too short to know a key by; at least 2 bytes"},
    {"spool:\n", "mask: {patterns: [s]}\nspool:\n",
     ":5: unknown key 'patterns' in mask; known keys: enabled, prefixes, names"},
    {"    syslog: {", "    profile: arcsite\n    syslog: {",
     ":14: destinations[0].profile: 'arcsite' is unknown; known: rsyslog, syslog-ng, sc4s, splunk, "
     "sentinel, qradar, arcsight, elastic"},
    {"    syslog: {", "    bom: sometimes\n    syslog: {",
     ":14: destinations[0].bom: 'sometimes' is unknown; known: auto, never, always"},
    {"    syslog: {", "    cee: true\n    syslog: {",
     ":14: destinations[0].cee: has a use with 'format: json' alone; take it out"},
    {"    syslog: {", "    format: rfc5424\n    syslog: {header: rfc3164, ",
     ":15: destinations[0].syslog.header: has a use with 'format: cef, cef1, leef, leef2, ecs, "
     "ocsf, json' alone; take it out"},
    {"file: {path: out.log}", "file: {path: out.log}\n    syslog: {address: \"a:1\"}",
     ":15: destinations[1]: 'debug' goes to two places; give one of them: syslog, file, email, "
     "splunk_hec, pagerduty, opsgenie, alertmanager, slack, ntfy, http"},
    {"\"siem:514\"", "siem",
     ":14: destinations[0].syslog.address: 'siem' has no port; write host:port"},
    {"\"siem:514\"", "\":514\"",
     ":14: destinations[0].syslog.address: ':514' names no host; write host:port"},
    {"\"siem:514\"", "\"siem:514\", transport: sctp",
     ":14: destinations[0].syslog.transport: 'sctp' is unknown; known: tcp, tls, udp, relp, "
     "relp-tls, unix, unix-stream"},
    {"\"siem:514\"", "\"siem:514\", transport: tls, framing: lf",
     ":14: destinations[0].syslog.framing: has a use with 'transport: tcp, unix-stream' alone; "
     "take it out"},
    {"\"siem:514\"", "\"siem:514\", ca_file: ca.pem",
     ":14: destinations[0].syslog.ca_file: has a use with 'transport: tls, relp-tls' alone; "
     "take it out"},
    {"\"siem:514\"", "\"siem:514\", transport: tls, certificate: a.pem",
     ":14: destinations[0].syslog.certificate: has a use together with private_key alone; give "
     "both, or none"},
    {"\"siem:514\"", "\"siem:514\", transport: tls, private_key: a.pem",
     ":14: destinations[0].syslog.private_key: has a use together with certificate alone; give "
     "both, or none"},
    {"\"siem:514\"", "\"siem:514\", transport: tls, fingerprints: ['md5:AB']",
     ":14: destinations[0].syslog.fingerprints[0]: 'md5:AB' names no hash that is known here; "
     "write sha-256:AB:CD:... or sha-1:AB:CD:..."},
    {"\"siem:514\"", "\"siem:514\", transport: tls, fingerprints: ['sha-1:AB']",
     ":14: destinations[0].syslog.fingerprints[0]: 'sha-1:AB' must be 20 hex pairs with colons "
     "between them behind sha-1:"},
    {"\"siem:514\"",
     "\"siem:514\", transport: tls, ca_file: a.pem, fingerprints: "
     "['SHA-1:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33']",
     ":14: destinations[0].syslog.ca_file: has no use beside fingerprints, which stand for "
     "themselves; take one of them out"},
    {"\"siem:514\"", "\"siem:514\", transport: unix",
     ":14: destinations[0].syslog.address: 'siem:514' must be the absolute path of a socket, at "
     "most 107 bytes, as in /dev/log"},
    {"\"siem:514\"", "\"siem:514\", transport: udp, framing: lf",
     ":14: destinations[0].syslog.framing: has a use with 'transport: tcp, unix-stream' alone; "
     "take it out"},
    {"\"siem:514\"", "\"siem:514\", transport: udp, settle: 1s",
     ":14: destinations[0].syslog.settle: has a use with 'transport: tcp, tls, unix-stream' alone; "
     "take it out"},
    {"address: \"siem:514\"", "transport: tcp",
     ":14: destinations[0].syslog: does not say where to; give an address, or several under "
     "addresses"},
    {"\"siem:514\"", "\"siem:514\", addresses: [\"b:1\"]",
     ":14: destinations[0].syslog.addresses: stands beside address; put all of them here"},
    {"address: \"siem:514\"", "addresses: [\"a:1\", b]",
     ":14: destinations[0].syslog.addresses[1]: 'b' has no port; write host:port"},
    {"\"siem:514\"", "\"siem:514\", balance: failover",
     ":14: destinations[0].syslog.balance: has a use with several addresses alone; take it out"},
    {"address: \"siem:514\"", "addresses: [\"a:1\", \"b:1\"], rotate: 1m",
     ":14: destinations[0].syslog.rotate: has a use with 'balance: round-robin' alone; take it "
     "out"},
    {"address: \"siem:514\"", "addresses: [\"a:1\", \"b:1\"], balance: round-robin, failback: 1m",
     ":14: destinations[0].syslog.failback: has a use with 'balance: failover' alone; take it out"},
    {"address: \"siem:514\"", "addresses: [\"a:1\", \"b:1\"], balance: any",
     ":14: destinations[0].syslog.balance: 'any' is unknown; known: failover, round-robin"},
    {"\"siem:514\"", "\"siem:514\", transport: udp, max_message_size: 1MiB",
     ":14: destinations[0].syslog.max_message_size: '1MiB' is out of range; allowed: 480 to 65000"},
    {"\"siem:514\"", "\"siem:514\", transport: relp, max_message_size: 1MiB",
     ":14: destinations[0].syslog.max_message_size: '1MiB' is out of range; allowed: 480 to "
     "128KiB"},
    {"\"siem:514\"", "\"siem:514\", transport: relp-tls, settle: 1s",
     ":14: destinations[0].syslog.settle: has a use with 'transport: tcp, tls, unix-stream' alone; "
     "take it out"},
    {"\"siem:514\"", "\"siem:514\", app_name: 'a b'",
     ":14: destinations[0].syslog.app_name: must be 1 to 48 printable ASCII characters without a "
     "space"},
    {"\"siem:514\"", "\"siem:514\", enterprise_number: 0",
     ":14: destinations[0].syslog.enterprise_number: '0' must be a whole number from 1 to "
     "4294967295"},
};

static void
every_mistake_is_one_line_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct config *config = NULL;
		struct error error = {.text = ""};

		write_changed(mistakes[i].old, mistakes[i].new);
		if (config_read(&config, path, &error))
			fail_msg("taken: %s", mistakes[i].new);
		assert_null(config);
		assert_memory_equal(error.text, path, strlen(path));
		assert_string_equal(error.text + strlen(path), mistakes[i].error);
	}
}

static void
an_unknown_word_is_answered_with_the_known_ones(void **state)
{
	struct config *config = NULL;
	struct error error;

	(void)state;
	write_changed("format: rfc5424", "format: ceff");
	assert_false(config_read(&config, path, &error));
	assert_non_null(
	    strstr(error.text, ":16: destinations[1].format: 'ceff' is unknown; known: "));
	for (size_t i = 0; format_at(i) != NULL; i++)
		assert_non_null(strstr(strstr(error.text, "known: "), format_at(i)->name));
	write_changed("\"siem:514\"", "\"siem:514\", facility: audti");
	assert_false(config_read(&config, path, &error));
	assert_non_null(
	    strstr(error.text, ":14: destinations[0].syslog.facility: 'audti' is unknown"));
	assert_non_null(strstr(error.text, "local7"));
}

/* One destination after another, to the limit and over it. */
static void
sixty_four_destinations_are_the_most(void **state)
{
	(void)state;
	for (int count = 64; count <= 65; count++) {
		struct config *config = NULL;
		struct error error = {.text = ""};
		char bytes[8192];
		struct text text;

		text_start(&text, bytes, sizeof(bytes));
		text_append(&text, good, (size_t)(strstr(good, "  - name: siem") - good));
		for (int i = 0; i < count; i++)
			text_append_format(&text, "  - {name: d%d, file: {path: '-'}}\n", i);
		assert_false(text.overflowed);
		write_config(text.bytes, text.length);
		if (count == 64) {
			config = read_good();
			assert_int_equal(config->destinations_count, 64);
			assert_string_equal(config->destinations[63].name, "d63");
			config_free(config);
			continue;
		}
		assert_false(config_read(&config, path, &error));
		assert_string_equal(error.text + strlen(path),
				    ":12: destinations has more than 64 entries");
	}
}

static void
a_file_that_is_none_is_refused(void **state)
{
	static char big[1024 * 1024 + 1];
	struct config *config = NULL;
	struct error error;

	(void)state;
	write_config("", 0);
	assert_false(config_read(&config, path, &error));
	assert_non_null(strstr(error.text, "the file is empty"));
	write_config("- a\n", 4);
	assert_false(config_read(&config, path, &error));
	assert_non_null(strstr(error.text, ": the file must be keys with values"));
	memset(big, '#', sizeof(big));
	write_config(big, sizeof(big));
	assert_false(config_read(&config, path, &error));
	assert_non_null(strstr(error.text, "is too big: at most 1048576 bytes"));
	assert_false(config_read(&config, directory, &error));
	assert_non_null(strstr(error.text, "is not a regular file"));
	assert_false(config_read(&config, "/nowhere/siembridge.yaml", &error));
	assert_string_equal(error.text,
			    "configuration: cannot open /nowhere/siembridge.yaml: No such "
			    "file or directory");
}

/* Nothing of it is read beyond its end, nothing is leaked: for the sanitizers. */
static void
a_file_that_was_cut_anywhere_does_no_harm(void **state)
{
	(void)state;
	for (size_t length = 0; length < strlen(good); length++) {
		struct config *config = NULL;
		struct error error;

		write_config(good, length);
		if (config_read(&config, path, &error))
			config_free(config);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_not_written_has_its_default),
	    cmocka_unit_test(a_relative_path_starts_at_the_file_and_a_credential_stays),
	    cmocka_unit_test(the_options_of_a_format_come_from_its_destination),
	    cmocka_unit_test(a_profile_sets_what_its_collector_wants),
	    cmocka_unit_test(what_is_written_counts_before_the_profile),
	    cmocka_unit_test(what_is_masked_is_configuration),
	    cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(a_scheme_has_its_settings_beside_it_or_under_it),
	    cmocka_unit_test(a_secret_may_say_until_when_it_is_accepted),
	    cmocka_unit_test(slack_is_challenged_unless_it_is_turned_off),
	    cmocka_unit_test(the_example_says_what_the_defaults_are),
	    cmocka_unit_test(every_mistake_is_one_line_with_its_place),
	    cmocka_unit_test(an_unknown_word_is_answered_with_the_known_ones),
	    cmocka_unit_test(sixty_four_destinations_are_the_most),
	    cmocka_unit_test(a_file_that_is_none_is_refused),
	    cmocka_unit_test(a_file_that_was_cut_anywhere_does_no_harm),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
