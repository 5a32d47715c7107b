/*
 * In the order of the manual.  Numbers, sizes and words are read as text here and
 * made into values by config_validate.c, whose messages say what is allowed.
 */
#include "bridge/config_schema.h"

#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"

enum {
	REQUIRED = CYAML_FLAG_POINTER,
	OPTIONAL = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	LONGEST_VALUE = 4096, /* bytes: a path */
	MOST_ENTRIES = 64,    /* of a list */
};

/* One line for each key whose value is a text. */
#define TEXT(key, flags, structure, member)                                                        \
	CYAML_FIELD_STRING_PTR(key, flags, struct structure, member, 1, LONGEST_VALUE)

/* Several addresses in place of one, `key`, and how they are used. */
#define SEVERAL(key, structure)                                                                    \
	CYAML_FIELD_SEQUENCE_COUNT(key, OPTIONAL, struct structure, several.addresses,             \
				   several.count, &text_entry, 1, MOST_ENTRIES),                   \
	    TEXT("balance", OPTIONAL, structure, several.balance_text),                            \
	    TEXT("failback", OPTIONAL, structure, several.failback_text),                          \
	    TEXT("rotate", OPTIONAL, structure, several.rotate_text)

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, LONGEST_VALUE),
};

static const cyaml_schema_field_t listen_fields[] = {
    TEXT("address", REQUIRED, config_listen, address),
    TEXT("certificate", REQUIRED, config_listen, certificate),
    TEXT("private_key", REQUIRED, config_listen, private_key),
    TEXT("ocsp_response", OPTIONAL, config_listen, ocsp_response),
    TEXT("loops", OPTIONAL, config_listen, loops_text),
    TEXT("max_body_size", OPTIONAL, config_listen, max_body_size_text),
    TEXT("handshake_timeout", OPTIONAL, config_listen, handshake_timeout_text),
    TEXT("header_timeout", OPTIONAL, config_listen, header_timeout_text),
    TEXT("body_timeout", OPTIONAL, config_listen, body_timeout_text),
    TEXT("idle_timeout", OPTIONAL, config_listen, idle_timeout_text),
    TEXT("max_connections", OPTIONAL, config_listen, max_connections_text),
    TEXT("max_connections_per_address", OPTIONAL, config_listen, max_connections_per_address_text),
    TEXT("handshake_rate_per_address", OPTIONAL, config_listen, handshake_rate_text),
    TEXT("request_rate_per_address", OPTIONAL, config_listen, request_rate_text),
    TEXT("refusal_rate_per_address", OPTIONAL, config_listen, refusal_rate_text),
    TEXT("max_memory", OPTIONAL, config_listen, max_memory_text),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t spool_fields[] = {
    TEXT("directory", REQUIRED, config_spool, directory),
    TEXT("max_size", OPTIONAL, config_spool, max_size_text),
    TEXT("retention", OPTIONAL, config_spool, retention_text),
    TEXT("reserve", OPTIONAL, config_spool, reserve_text),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t secret_fields[] = {
    TEXT("file", REQUIRED, config_secret, file),
    TEXT("not_after", OPTIONAL, config_secret, not_after_text),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t secret_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_secret, secret_fields),
};

static const cyaml_schema_field_t hmac_fields[] = {
    TEXT("signature_header", REQUIRED, config_hmac, signature_header),
    TEXT("prefix", OPTIONAL, config_hmac, prefix),
    TEXT("delimiter", OPTIONAL, config_hmac, delimiter),
    TEXT("encoding", OPTIONAL, config_hmac, encoding_text),
    TEXT("algorithm", OPTIONAL, config_hmac, algorithm_text),
    CYAML_FIELD_SEQUENCE("signed", OPTIONAL, struct config_hmac, signed_texts, &text_entry, 1,
			 MOST_ENTRIES),
    TEXT("id_header", OPTIONAL, config_hmac, id_header),
    TEXT("timestamp_header", OPTIONAL, config_hmac, timestamp_header),
    TEXT("timestamp_prefix", OPTIONAL, config_hmac, timestamp_prefix),
    TEXT("timestamp_unit", OPTIONAL, config_hmac, timestamp_unit_text),
    TEXT("secret", OPTIONAL, config_hmac, secret_text),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t token_fields[] = {
    TEXT("header", REQUIRED, config_token, header),
    TEXT("prefix", OPTIONAL, config_token, prefix),
    TEXT("id_header", OPTIONAL, config_token, id_header),
    CYAML_FIELD_END,
};

/* fields:, constants: and severity_words: as config_rewrite() makes lists of them */
static const cyaml_schema_field_t field_fields[] = {
    TEXT("field", REQUIRED, config_field, field_text),
    CYAML_FIELD_SEQUENCE("pointers", REQUIRED, struct config_field, pointers, &text_entry, 1,
			 MOST_ENTRIES),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t constant_fields[] = {
    TEXT("field", REQUIRED, config_constant, field_text),
    TEXT("text", REQUIRED, config_constant, text),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t severity_word_fields[] = {
    TEXT("word", REQUIRED, config_severity_word, word),
    TEXT("severity", REQUIRED, config_severity_word, severity_text),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t field_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_field, field_fields),
};

static const cyaml_schema_value_t constant_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_constant, constant_fields),
};

static const cyaml_schema_value_t severity_word_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_severity_word, severity_word_fields),
};

static const cyaml_schema_field_t type_fields[] = {
    TEXT("type", REQUIRED, config_type, type),
    TEXT("name", OPTIONAL, config_type, name),
    TEXT("severity", OPTIONAL, config_type, severity_text),
    TEXT("severity_of_body", OPTIONAL, config_type, severity_of_body_text),
    TEXT("category", OPTIONAL, config_type, category_text),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t type_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_type, type_fields),
};

static const cyaml_schema_field_t poll_fields[] = {
    TEXT("url", REQUIRED, config_poll, url),
    TEXT("token_file", OPTIONAL, config_poll, token_file),
    TEXT("interval", OPTIONAL, config_poll, interval_text),
    TEXT("lookback", OPTIONAL, config_poll, lookback_text),
    TEXT("grace", OPTIONAL, config_poll, grace_text),
    TEXT("items", OPTIONAL, config_poll, items),
    TEXT("event", OPTIONAL, config_poll, event),
    TEXT("id", OPTIONAL, config_poll, id),
    TEXT("time", OPTIONAL, config_poll, time),
    TEXT("next", OPTIONAL, config_poll, next),
    TEXT("since_form", OPTIONAL, config_poll, since_form_text),
    TEXT("ca_file", OPTIONAL, config_poll, ca_file),
    TEXT("proxy", OPTIONAL, config_poll, proxy),
    TEXT("timeout", OPTIONAL, config_poll, timeout_text),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t source_fields[] = {
    TEXT("name", REQUIRED, config_source, name),
    TEXT("path", REQUIRED, config_source, path),
    /* required too: config_validate_source.c says what stands to choose */
    TEXT("signature", OPTIONAL, config_source, signature_text),
    CYAML_FIELD_MAPPING_PTR("hmac", OPTIONAL, struct config_source, hmac, hmac_fields),
    CYAML_FIELD_MAPPING_PTR("token", OPTIONAL, struct config_source, token, token_fields),
    CYAML_FIELD_SEQUENCE("secrets", OPTIONAL, struct config_source, secrets, &secret_entry, 1,
			 MOST_ENTRIES),
    CYAML_FIELD_SEQUENCE("events", OPTIONAL, struct config_source, events, &text_entry, 1,
			 MOST_ENTRIES),
    TEXT("profile", OPTIONAL, config_source, profile),
    CYAML_FIELD_SEQUENCE("fields", OPTIONAL, struct config_source, fields, &field_entry, 1,
			 MOST_ENTRIES),
    CYAML_FIELD_SEQUENCE("constants", OPTIONAL, struct config_source, constants, &constant_entry, 1,
			 MOST_ENTRIES),
    CYAML_FIELD_SEQUENCE("severity_words", OPTIONAL, struct config_source, severity_words,
			 &severity_word_entry, 1, MOST_ENTRIES),
    TEXT("type", OPTIONAL, config_source, default_type),
    TEXT("tolerance", OPTIONAL, config_source, tolerance_text),
    TEXT("challenge", OPTIONAL, config_source, challenge_text),
    TEXT("silence", OPTIONAL, config_source, silence_text),
    TEXT("report_invalid", OPTIONAL, config_source, report_invalid_text),
    CYAML_FIELD_SEQUENCE("encodings", OPTIONAL, struct config_source, encodings_texts, &text_entry,
			 1, MOST_ENTRIES),
    CYAML_FIELD_SEQUENCE("allowed_origins", OPTIONAL, struct config_source, allowed_origins,
			 &text_entry, 1, MOST_ENTRIES),
    TEXT("allowed_rate", OPTIONAL, config_source, allowed_rate_text),
    TEXT("batch", OPTIONAL, config_source, batch),
    TEXT("rate", OPTIONAL, config_source, rate_text),
    CYAML_FIELD_MAPPING_PTR("poll", OPTIONAL, struct config_source, poll, poll_fields),
    TEXT("client_ca_file", OPTIONAL, config_source, client_ca_file),
    CYAML_FIELD_SEQUENCE("client_names", OPTIONAL, struct config_source, client_names, &text_entry,
			 1, MOST_ENTRIES),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t syslog_fields[] = {
    /* one of these two: config_validate_several.c */
    TEXT("address", OPTIONAL, config_syslog, address),
    SEVERAL("addresses", config_syslog),
    TEXT("transport", OPTIONAL, config_syslog, transport_text),
    TEXT("framing", OPTIONAL, config_syslog, framing_text),
    TEXT("settle", OPTIONAL, config_syslog, settle_text),
    TEXT("header", OPTIONAL, config_syslog, header_text),
    TEXT("facility", OPTIONAL, config_syslog, facility_text),
    TEXT("hostname", OPTIONAL, config_syslog, hostname),
    TEXT("app_name", OPTIONAL, config_syslog, app_name),
    TEXT("enterprise_number", OPTIONAL, config_syslog, enterprise_number_text),
    TEXT("max_message_size", OPTIONAL, config_syslog, max_message_size_text),
    TEXT("ca_file", OPTIONAL, config_syslog, tls.ca_file),
    TEXT("server_name", OPTIONAL, config_syslog, tls.server_name),
    CYAML_FIELD_SEQUENCE("fingerprints", OPTIONAL, struct config_syslog, tls.fingerprints,
			 &text_entry, 1, MOST_ENTRIES),
    TEXT("certificate", OPTIONAL, config_syslog, tls.certificate),
    TEXT("private_key", OPTIONAL, config_syslog, tls.private_key),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t file_fields[] = {
    TEXT("path", REQUIRED, config_file, path),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t email_fields[] = {
    TEXT("server", REQUIRED, config_email, server),
    TEXT("security", OPTIONAL, config_email, security_text),
    TEXT("from", REQUIRED, config_email, from),
    CYAML_FIELD_SEQUENCE("to", REQUIRED, struct config_email, to, &text_entry, 1, MOST_ENTRIES),
    TEXT("username", OPTIONAL, config_email, username),
    TEXT("password_file", OPTIONAL, config_email, password_file),
    TEXT("ca_file", OPTIONAL, config_email, ca_file),
    TEXT("digest", OPTIONAL, config_email, digest_text),
    TEXT("timeout", OPTIONAL, config_email, timeout_text),
    TEXT("subject", OPTIONAL, config_email, subject),
    TEXT("text", OPTIONAL, config_email, text),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t splunk_hec_fields[] = {
    /* one of these two: config_validate_several.c */
    TEXT("url", OPTIONAL, config_splunk_hec, url),
    SEVERAL("urls", config_splunk_hec),
    TEXT("token_file", REQUIRED, config_splunk_hec, token_file),
    TEXT("acknowledge", OPTIONAL, config_splunk_hec, acknowledge_text),
    TEXT("index", OPTIONAL, config_splunk_hec, index),
    TEXT("sourcetype", OPTIONAL, config_splunk_hec, sourcetype),
    TEXT("host", OPTIONAL, config_splunk_hec, host),
    TEXT("source", OPTIONAL, config_splunk_hec, source),
    TEXT("batch_size", OPTIONAL, config_splunk_hec, batch_size_text),
    TEXT("batch_events", OPTIONAL, config_splunk_hec, batch_events_text),
    TEXT("linger", OPTIONAL, config_splunk_hec, linger_text),
    TEXT("gzip", OPTIONAL, config_splunk_hec, gzip_text),
    TEXT("proxy", OPTIONAL, config_splunk_hec, proxy),
    TEXT("ca_file", OPTIONAL, config_splunk_hec, ca_file),
    TEXT("pinned_key", OPTIONAL, config_splunk_hec, pinned_key),
    TEXT("certificate", OPTIONAL, config_splunk_hec, certificate),
    TEXT("private_key", OPTIONAL, config_splunk_hec, private_key),
    TEXT("channel", OPTIONAL, config_splunk_hec, channel),
    TEXT("ack_interval", OPTIONAL, config_splunk_hec, ack_interval_text),
    TEXT("ack_timeout", OPTIONAL, config_splunk_hec, ack_timeout_text),
    TEXT("timeout", OPTIONAL, config_splunk_hec, timeout_text),
    CYAML_FIELD_END,
};

/* What all those that tell people have. */
#define TELLING                                                                                    \
	TEXT("ca_file", OPTIONAL, config_http, ca_file),                                           \
	    TEXT("proxy", OPTIONAL, config_http, proxy),                                           \
	    TEXT("timeout", OPTIONAL, config_http, timeout_text),                                  \
	    TEXT("rate", OPTIONAL, config_http, rate_text),                                        \
	    TEXT("fold", OPTIONAL, config_http, fold_text),                                        \
	    TEXT("replays", OPTIONAL, config_http, replays_text)

static const cyaml_schema_field_t pagerduty_fields[] = {
    TEXT("routing_key_file", REQUIRED, config_http, key_file),
    TEXT("url", OPTIONAL, config_http, url),
    TELLING,
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t opsgenie_fields[] = {
    TEXT("api_key_file", REQUIRED, config_http, key_file),
    TEXT("url", OPTIONAL, config_http, url),
    TELLING,
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t alertmanager_fields[] = {
    TEXT("url", OPTIONAL, config_http, url),
    TEXT("url_file", OPTIONAL, config_http, url_file),
    TEXT("token_file", OPTIONAL, config_http, key_file),
    TELLING,
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t slack_fields[] = {
    TEXT("url_file", REQUIRED, config_http, url_file),
    TELLING,
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t ntfy_fields[] = {
    TEXT("url", OPTIONAL, config_http, url),
    TEXT("topic", OPTIONAL, config_http, topic),
    TEXT("topic_file", OPTIONAL, config_http, topic_file),
    TEXT("token_file", OPTIONAL, config_http, key_file),
    TELLING,
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t http_fields[] = {
    TEXT("url", OPTIONAL, config_http, url),
    TEXT("url_file", OPTIONAL, config_http, url_file),
    TEXT("token_file", OPTIONAL, config_http, key_file),
    TEXT("method", OPTIONAL, config_http, method),
    CYAML_FIELD_SEQUENCE("headers", OPTIONAL, struct config_http, headers, &text_entry, 1,
			 MOST_ENTRIES),
    TEXT("content_type", OPTIONAL, config_http, content_type),
    TEXT("body", OPTIONAL, config_http, body),
    TEXT("secret_file", OPTIONAL, config_http, secret_file),
    TELLING,
    CYAML_FIELD_END,
};

/* One line for each of them. */
#define VENDOR(key, vendor, fields)                                                                \
	CYAML_FIELD_MAPPING_PTR(key, OPTIONAL, struct config_destination, vendors[vendor], fields)

static const cyaml_schema_field_t device_fields[] = {
    TEXT("vendor", OPTIONAL, config_device, vendor),
    TEXT("product", OPTIONAL, config_device, product),
    TEXT("version", OPTIONAL, config_device, version),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t destination_fields[] = {
    TEXT("name", REQUIRED, config_destination, name),
    TEXT("profile", OPTIONAL, config_destination, profile),
    TEXT("format", OPTIONAL, config_destination, format_text),
    TEXT("bom", OPTIONAL, config_destination, bom_text),
    TEXT("time_zone", OPTIONAL, config_destination, time_zone_text),
    TEXT("cef_time", OPTIONAL, config_destination, cef_time_text),
    TEXT("leef_delimiter", OPTIONAL, config_destination, leef_delimiter_text),
    TEXT("ocsf_version", OPTIONAL, config_destination, ocsf_version_text),
    TEXT("cee", OPTIONAL, config_destination, cee_text),
    CYAML_FIELD_SEQUENCE("events", OPTIONAL, struct config_destination, events, &text_entry, 1,
			 MOST_ENTRIES),
    TEXT("heartbeat", OPTIONAL, config_destination, heartbeat_text),
    TEXT("hold_retry", OPTIONAL, config_destination, hold_retry_text),
    CYAML_FIELD_SEQUENCE("except", OPTIONAL, struct config_destination, except, &text_entry, 1,
			 MOST_ENTRIES),
    TEXT("min_severity", OPTIONAL, config_destination, min_severity_text),
    CYAML_FIELD_SEQUENCE("sources", OPTIONAL, struct config_destination, sources, &text_entry, 1,
			 MOST_ENTRIES),
    CYAML_FIELD_SEQUENCE("organizations", OPTIONAL, struct config_destination, organizations,
			 &text_entry, 1, MOST_ENTRIES),
    CYAML_FIELD_SEQUENCE("projects", OPTIONAL, struct config_destination, projects, &text_entry, 1,
			 MOST_ENTRIES),
    CYAML_FIELD_MAPPING_PTR("device", OPTIONAL, struct config_destination, device, device_fields),
    CYAML_FIELD_MAPPING_PTR("syslog", OPTIONAL, struct config_destination, syslog, syslog_fields),
    CYAML_FIELD_MAPPING_PTR("file", OPTIONAL, struct config_destination, file, file_fields),
    CYAML_FIELD_MAPPING_PTR("email", OPTIONAL, struct config_destination, email, email_fields),
    CYAML_FIELD_MAPPING_PTR("splunk_hec", OPTIONAL, struct config_destination, splunk_hec,
			    splunk_hec_fields),
    VENDOR("pagerduty", CONFIG_VENDOR_PAGERDUTY, pagerduty_fields),
    VENDOR("opsgenie", CONFIG_VENDOR_OPSGENIE, opsgenie_fields),
    VENDOR("alertmanager", CONFIG_VENDOR_ALERTMANAGER, alertmanager_fields),
    VENDOR("slack", CONFIG_VENDOR_SLACK, slack_fields),
    VENDOR("ntfy", CONFIG_VENDOR_NTFY, ntfy_fields),
    VENDOR("http", CONFIG_VENDOR_HTTP, http_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t console_fields[] = {
    TEXT("address", REQUIRED, config_console, address),
    TEXT("password_file", OPTIONAL, config_console, password_file),
    TEXT("certificate", OPTIONAL, config_console, certificate),
    TEXT("private_key", OPTIONAL, config_console, private_key),
    CYAML_FIELD_SEQUENCE("hosts", OPTIONAL, struct config_console, hosts, &text_entry, 1,
			 MOST_ENTRIES),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t source_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_source, source_fields),
};

static const cyaml_schema_value_t destination_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_destination, destination_fields),
};

static const cyaml_schema_field_t mask_fields[] = {
    TEXT("enabled", OPTIONAL, config_mask, enabled_text),
    CYAML_FIELD_SEQUENCE("prefixes", OPTIONAL, struct config_mask, prefixes, &text_entry, 1,
			 MOST_ENTRIES),
    CYAML_FIELD_SEQUENCE("names", OPTIONAL, struct config_mask, names, &text_entry, 1,
			 MOST_ENTRIES),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t log_fields[] = {
    TEXT("format", OPTIONAL, config_log, format_text),
    TEXT("level", OPTIONAL, config_log, level_text),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t root_fields[] = {
    CYAML_FIELD_MAPPING("listen", CYAML_FLAG_DEFAULT, struct config, listen, listen_fields),
    CYAML_FIELD_MAPPING("spool", CYAML_FLAG_DEFAULT, struct config, spool, spool_fields),
    CYAML_FIELD_SEQUENCE("sources", REQUIRED, struct config, sources, &source_entry, 1,
			 MOST_ENTRIES),
    TEXT("user", OPTIONAL, config, user),
    TEXT("aliases_file", OPTIONAL, config, aliases_file),
    CYAML_FIELD_SEQUENCE("types", OPTIONAL, struct config, types, &type_entry, 1, MOST_ENTRIES),
    CYAML_FIELD_MAPPING("mask", CYAML_FLAG_OPTIONAL, struct config, mask, mask_fields),
    CYAML_FIELD_SEQUENCE("destinations", REQUIRED, struct config, destinations, &destination_entry,
			 1, MOST_ENTRIES),
    CYAML_FIELD_MAPPING_PTR("console", OPTIONAL, struct config, console, console_fields),
    CYAML_FIELD_MAPPING("log", CYAML_FLAG_OPTIONAL, struct config, log, log_fields),
    CYAML_FIELD_END,
};

const cyaml_schema_value_t config_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, root_fields),
};

/* realloc and free in one, as cyaml wants it; what it gets can be freed with free(). */
static void *
allocate(void *context, void *pointer, size_t size)
{
	(void)context;
	if (size > 0)
		return memory_resize_array(pointer, size, 1);
	free(pointer);
	return NULL;
}

void
config_schema_settings(cyaml_config_t *settings, cyaml_log_fn_t log, void *log_context)
{
	*settings = (cyaml_config_t){
	    .log_fn = log,
	    .log_ctx = log_context,
	    .mem_fn = allocate,
	    .log_level = CYAML_LOG_ERROR,
	    .flags = CYAML_CFG_NO_ALIAS,
	};
}

void
config_schema_free(struct config *config)
{
	cyaml_config_t settings;

	config_schema_settings(&settings, NULL, NULL);
	if (cyaml_free(&settings, &config_schema, config, 0) != CYAML_OK)
		memory_panic("the configuration cannot be freed");
}

static const cyaml_schema_field_t *
find_field(const cyaml_schema_field_t *fields, const char *name)
{
	for (; fields->key != NULL; fields++)
		if (strcmp(fields->key, name) == 0)
			return fields;
	return NULL;
}

void
config_schema_keys(const char *const *names, size_t count, struct text *text)
{
	const cyaml_schema_field_t *fields = root_fields;

	for (size_t i = 0; i < count; i++) {
		const cyaml_schema_field_t *field = find_field(fields, names[i]);
		const cyaml_schema_value_t *value = field != NULL ? &field->value : NULL;

		if (value != NULL && value->type == CYAML_SEQUENCE)
			value = value->sequence.entry;
		if (value == NULL || value->type != CYAML_MAPPING)
			return;
		fields = value->mapping.fields;
	}
	for (const char *comma = ""; fields->key != NULL; fields++, comma = ", ") {
		text_append_string(text, comma);
		text_append_string(text, fields->key);
	}
}
