/*
 * The configuration as structs: siembridge.yaml, checked as a whole before any
 * process uses it, read-only after that.
 *
 * Members that end in _text are as written, NULL where nothing is; config_read()
 * fills the values beside them, with the default where nothing is written.  All
 * text is NUL-terminated and owned by the configuration.  Paths are absolute: a
 * relative one in the file starts at the directory of the file.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/log.h"
#include "formats/error.h"
#include "formats/format.h"
#include "formats/normalise.h"

/* listen: */
struct config_listen {
	char *address;                /* "0.0.0.0:8443", "[::]:8443" */
	char *certificate;            /* PEM file, chain behind it */
	char *private_key;            /* PEM file */
	char *ocsp_response;          /* DER file, stapled; default none */
	char *loops_text;             /* loops; default 0 */
	char *max_body_size_text;     /* max_body_size; default 256KiB */
	char *handshake_timeout_text; /* default 5s */
	char *header_timeout_text;    /* first byte of a request to its last header; default 5s */
	char *body_timeout_text;      /* default 10s */
	char *idle_timeout_text;      /* between requests of a connection; default 30s */
	char *max_connections_text;   /* default 10000; no more than the limit of open files lets */
	char *max_connections_per_address_text; /* default 1000 */
	char *handshake_rate_text;              /* handshake_rate_per_address; default 100 */
	char *request_rate_text;                /* request_rate_per_address; default 0 */
	char *refusal_rate_text;                /* refusal_rate_per_address; default 200 */
	char *max_memory_text;                  /* default 64MiB */

	uint32_t loops;            /* event loops, at most CHILD_LISTEN_SOCKETS; 0: one a core */
	uint64_t max_body_size;    /* bytes */
	int64_t handshake_timeout; /* milliseconds */
	int64_t header_timeout;    /* milliseconds */
	int64_t body_timeout;      /* milliseconds */
	int64_t idle_timeout;      /* milliseconds */
	uint32_t max_connections;  /* at once, in all */
	/* of one address (IPv6: of a /64), here and in the next three; 0: no limit */
	uint32_t max_connections_per_address;
	uint32_t handshake_rate; /* a second; what comes faster waits, up to handshake_timeout */
	uint32_t request_rate;   /* a second */
	uint32_t refusal_rate;   /* a second; of requests that were answered 4xx */
	uint64_t max_memory;     /* bytes of bodies that are not whole yet */
};

/* spool: */
struct config_spool {
	char *directory;
	char *max_size_text;  /* default 2GiB */
	char *retention_text; /* default 7d */
	char *reserve_text;   /* of the disk; default 256MiB, or 5 % of it where that is less */

	uint64_t max_size; /* bytes of spool.db */
	int64_t retention; /* milliseconds */
	uint64_t reserve;  /* bytes that stay free; 0: none */
};

/* How a source shows that an event is its own: a row each in verify_scheme.c. */
enum config_signature {
	CONFIG_SIGNATURE_STANDARD_WEBHOOKS,
	CONFIG_SIGNATURE_SVIX,
	CONFIG_SIGNATURE_STRIPE,
	CONFIG_SIGNATURE_GITHUB,
	CONFIG_SIGNATURE_SLACK,
	CONFIG_SIGNATURE_SHOPIFY,
	CONFIG_SIGNATURE_BEARER, /* a static token in Authorization */
	CONFIG_SIGNATURE_TOKEN,  /* a static token in a header of its own: token: */
	CONFIG_SIGNATURE_HMAC,   /* as hmac: says */
	CONFIG_SIGNATURE_HEC,    /* a token of Splunk's HTTP Event Collector, and its protocol */
	CONFIG_SIGNATURE_NONE,   /* accepts anything from anybody: warned of at each start */
	CONFIG_SIGNATURES
};

/* What an endpoint is asked before a sender uses it. */
enum config_challenge {
	CONFIG_CHALLENGE_NONE,
	CONFIG_CHALLENGE_SLACK, /* url_verification */
	CONFIG_CHALLENGE_OKTA,  /* x-okta-verification-challenge */
	CONFIG_CHALLENGE_ZOOM,  /* endpoint.url_validation */
	CONFIG_CHALLENGE_CRC,   /* crc_token of Twitter, now X */
};

/* One of secrets: of a source; a path alone stands for {file: PATH}. */
struct config_secret {
	char *file; /* for secret_read() */
	char *not_after_text;

	int64_t
	    not_after; /* milliseconds since 1970, the last at which it counts; INT64_MAX: ever */
};

enum config_digest { CONFIG_DIGEST_SHA256, CONFIG_DIGEST_SHA512, CONFIG_DIGEST_SHA1 };
enum config_encoding { CONFIG_ENCODING_HEX, CONFIG_ENCODING_BASE64 };

/* How the key is written in its file. */
enum config_secret_form {
	CONFIG_SECRET_LITERAL,
	CONFIG_SECRET_HEX,
	CONFIG_SECRET_BASE64,
	CONFIG_SECRET_WHSEC, /* whsec_ and Base64, or whpk_ and an ed25519 public key */
};

/* What is signed, in its order; none of the words: the text itself. */
enum config_part { CONFIG_PART_TEXT, CONFIG_PART_ID, CONFIG_PART_TIMESTAMP, CONFIG_PART_BODY };

enum { CONFIG_PARTS = 8 };

/* hmac: of a source */
struct config_hmac {
	char *signature_header;
	char *prefix;         /* of a signature; default none */
	char *delimiter;      /* one character between signatures; default: there is one */
	char *encoding_text;  /* hex (default), base64 */
	char *algorithm_text; /* sha256 (default), sha512, sha1 */
	char **signed_texts;  /* signed; default ["body"] */
	unsigned signed_texts_count;
	char *id_header;           /* default none */
	char *timestamp_header;    /* default none */
	char *timestamp_prefix;    /* of an entry of the signature's list; default none */
	char *timestamp_unit_text; /* s (default), ms */
	char *secret_text;         /* literal (default), hex, base64, whsec */

	enum config_encoding encoding;
	enum config_digest digest;
	enum config_part parts[CONFIG_PARTS]; /* signed_texts_count of them */
	int64_t timestamp_unit;               /* milliseconds */
	enum config_secret_form secret_form;
};

/* token: of a source */
struct config_token {
	char *header;
	char *prefix;    /* in front of the token, in any case; default none */
	char *id_header; /* default none */
};

enum { CONFIG_SOURCE_SECRETS = 16 };

/* The source of events that the bridge tells of itself; read by the profile anyint. */
#define CONFIG_SOURCE_OWN "siembridge"

/* One of fields: of a source, {FIELD: [POINTER, ...]}; a pointer alone stands for a list of it */
struct config_field {
	char *field_text; /* event_field_name() */
	char **pointers;  /* the first that leads to something counts */
	unsigned pointers_count;
};

/* One of constants: of a source, {FIELD: TEXT} */
struct config_constant {
	char *field_text;
	char *text;
};

/* One of severity_words: of a source, {WORD: LEVEL} */
struct config_severity_word {
	char *word;
	char *severity_text;
};

/* One of types: */
struct config_type {
	char *type;                  /* a glob */
	char *name;                  /* default: the catalogue's, else the type */
	char *severity_text;         /* default: the catalogue's */
	char *severity_of_body_text; /* the sender's word counts; default: the catalogue's */
	char *category_text;         /* key, member, usage ...; default: the catalogue's */
};

/* How the `since` of an address is written. */
enum config_since { CONFIG_SINCE_RFC3339, CONFIG_SINCE_SECONDS, CONFIG_SINCE_MILLISECONDS };

/*
 * poll: of a source: its list of events is asked for what no webhook brought.  Pointers are
 * RFC 6901's, of names alone; "" is the whole.
 */
struct config_poll {
	char *url;             /* {since}, {until}, {cursor} stand for what changes */
	char *token_file;      /* for Authorization: Bearer; default: none */
	char *interval_text;   /* default 5m */
	char *lookback_text;   /* how old an event may be to be looked for; default 24h */
	char *grace_text;      /* what is younger may still come by itself; default 10m */
	char *items;           /* in an answer: the array; default "" */
	char *event;           /* in an item: the event as a webhook has it; default "" */
	char *id;              /* in an item: the delivery id; default: as of a body without one */
	char *time;            /* in an item: when it happened; default /timestamp */
	char *next;            /* in an answer: the next cursor, or address; default: none */
	char *since_form_text; /* rfc3339 (default), seconds, milliseconds */
	char *ca_file;         /* PEM; default: whom the system believes */
	char *proxy;           /* default: none */
	char *timeout_text;    /* for an answer; default 30s */

	int64_t interval; /* milliseconds */
	int64_t lookback; /* milliseconds */
	int64_t grace;    /* milliseconds */
	int64_t timeout;  /* milliseconds */
	enum config_since since_form;
};

/* One of sources: */
struct config_source {
	char *name;                    /* [A-Za-z0-9._-], unique */
	char *path;                    /* request target, starts with "/", unique */
	char *signature_text;          /* "standard-webhooks", "none"; required */
	struct config_hmac *hmac;      /* with signature hmac alone */
	struct config_token *token;    /* with signature token alone */
	struct config_secret *secrets; /* each one is accepted; at most CONFIG_SOURCE_SECRETS */
	unsigned secrets_count;
	char **events; /* globs of subscribed types; default ["*"] */
	unsigned events_count;
	char *profile;               /* how the body is read; default "anyint" */
	struct config_field *fields; /* pointers before the profile's */
	unsigned fields_count;
	struct config_constant *constants; /* whatever the body says */
	unsigned constants_count;
	struct config_severity_word *severity_words; /* before those known anyway */
	unsigned severity_words_count;
	char *default_type;        /* type: of bodies that name none; default: they are refused */
	char *tolerance_text;      /* of the signed time, both ways; default 300s */
	char *challenge_text;      /* slack, okta, zoom, crc, none; default none, slack for slack */
	char *silence_text;        /* no event for so long is one: 24h; default: it may be silent */
	char *report_invalid_text; /* bad signatures become events: yes, no; default no */
	char *rate_text;           /* default 0 */
	char *client_ca_file;      /* PEM file; default: no client certificate is wanted */
	char **client_names;       /* DNS names or URIs of which it has one; default: any */
	unsigned client_names_count;
	char **encodings_texts; /* encodings: of bodies, beside none at all: gzip; default none */
	unsigned encodings_texts_count;
	char **allowed_origins; /* globs of DNS names that OPTIONS consents to; default none */
	unsigned allowed_origins_count;
	char *allowed_rate_text; /* that it consents to, requests a minute; default any */
	char *batch; /* name of the member that holds the events of a batch; default "events",
			where the body itself is none */
	struct config_poll *poll; /* NULL: its list is not asked */

	enum config_signature signature;
	int64_t tolerance; /* milliseconds */
	enum config_challenge challenge;
	int64_t silence; /* milliseconds; 0: it may be silent */
	bool report_invalid;
	bool takes_gzip;
	uint32_t allowed_rate;                    /* 0: any */
	uint32_t rate;                            /* good requests a second; 0: no limit */
	struct mapping_own *own_fields;           /* fields_count of them */
	struct normalise_constant *own_constants; /* constants_count of them */
	struct severity_word *own_words;          /* severity_words_count of them */
	struct normalise_settings reading;        /* for normalise_new_with(); borrows from here */
};

enum config_transport {
	CONFIG_TRANSPORT_TCP,
	CONFIG_TRANSPORT_TLS, /* RFC 5425 */
	CONFIG_TRANSPORT_UDP,
	CONFIG_TRANSPORT_RELP,
	CONFIG_TRANSPORT_RELP_TLS,    /* RELP in TLS from the first byte on */
	CONFIG_TRANSPORT_UNIX,        /* datagram socket: /dev/log */
	CONFIG_TRANSPORT_UNIX_STREAM, /* stream socket */
};

/* How a server proves who it is, and we to it.  There is no way to do without. */
struct config_tls {
	char *ca_file;       /* PEM: whom to believe; default: what the system does */
	char *server_name;   /* that its certificate is for; default: the host of the address */
	char **fingerprints; /* RFC 5425 4.2.2: its certificate is one of these, and nothing else
				of it is looked at; after config_read() in upper case */
	unsigned fingerprints_count;
	char *certificate; /* PEM file, chain behind it: ours, for a server that demands one */
	char *private_key; /* PEM file */
};

enum config_framing {
	CONFIG_FRAMING_OCTET_COUNTING, /* RFC 6587 3.4.1 */
	CONFIG_FRAMING_LF,             /* RFC 6587 3.4.2 */
};

enum config_balance {
	CONFIG_BALANCE_FAILOVER,    /* the first address that accepts */
	CONFIG_BALANCE_ROUND_ROBIN, /* one after the other */
};

/* Several addresses in place of one, and how they are used. */
struct config_several {
	char **addresses;    /* the primary first; `addresses` of syslog, `urls` of splunk_hec */
	unsigned count;      /* 0: there is one alone, and it stands elsewhere */
	char *balance_text;  /* failover (default), round-robin */
	char *failback_text; /* how often the primary is tried again; default 60s */
	char *rotate_text;   /* how long a connection lasts in round-robin; default 60s */

	enum config_balance balance;
	int64_t failback; /* milliseconds */
	int64_t rotate;   /* milliseconds */
};

/* syslog: of a destination */
struct config_syslog {
	char *address;                 /* "host:port"; a path for unix, unix-stream; or: */
	struct config_several several; /* its keys stand beside these */
	char *transport_text; /* tcp (default), tls, udp, relp, relp-tls, unix, unix-stream */
	char *framing_text;   /* tcp: octet-counting (default), lf; unix-stream: the reverse */
	char *settle_text;    /* how long a tcp, tls connection must live on; default 1s */
	char *header_text;    /* of formats that have none: rfc5424 (default), rfc3164 */
	char *facility_text;  /* number 0..23 or name; default 13 */
	char *hostname;       /* RFC 5424 HOSTNAME; default: this host's */
	char *app_name;       /* default siembridge */
	char *enterprise_number_text; /* of our SD-IDs; default 32473 */
	char *max_message_size_text;  /* default 8KiB; 1180 for udp */
	struct config_tls tls;        /* its keys stand beside these; tls, relp-tls only */

	enum config_transport transport;
	enum config_framing framing;
	int64_t settle;            /* milliseconds */
	uint64_t max_message_size; /* bytes */
};

enum config_security {
	CONFIG_SECURITY_STARTTLS,
	CONFIG_SECURITY_TLS,  /* from the first byte on */
	CONFIG_SECURITY_NONE, /* in the clear, and without a login */
};

/* email: of a destination */
struct config_email {
	char *server;        /* "host:port" */
	char *security_text; /* starttls (default), tls, none */
	char *from;          /* "local@domain" or "Name <local@domain>" */
	char **to;           /* addresses */
	unsigned to_count;
	char *username;      /* default: no login */
	char *password_file; /* for secret_read_password(); with username */
	char *ca_file;       /* PEM: whom to believe; default: what the system does */
	char *digest_text;   /* events are gathered for so long; default: a message an event */
	char *timeout_text;  /* for a message, connecting included; default 60s */
	char *subject;       /* template (template.h); default: notice_write_subject() */
	char *text;          /* template, "\n" ends a line; default: notice_write_text() */

	enum config_security security;
	int64_t digest;  /* milliseconds; 0: a message an event */
	int64_t timeout; /* milliseconds */
};

/* splunk_hec: of a destination */
struct config_splunk_hec {
	char *url; /* "https://host:port"; without a path: /services/collector/event; or: */
	struct config_several several; /* its keys stand beside these */
	char *token_file;              /* for secret_read_token(); read again when it changes */
	char *acknowledge_text;        /* delivered is what an indexer has; default false */
	char *index;             /* these four are templates (template.h); default: the token's */
	char *sourcetype;        /* default siembridge:{family} */
	char *host;              /* default: this host's name */
	char *source;            /* default siembridge */
	char *batch_size_text;   /* of a request before it is compressed; default 1MiB */
	char *batch_events_text; /* of a request, at most; default 2000 */
	char *linger_text;       /* between two requests that are not full; default 0s */
	char *gzip_text;         /* default false */
	char *proxy;             /* "http://host:port"; default none */
	char *ca_file;           /* PEM: whom to believe; default: what the system does */
	char *pinned_key;        /* "sha256//BASE64" of its public key: exactly this one */
	char *certificate;       /* PEM file, chain behind it: ours, for a server that wants one */
	char *private_key;       /* PEM file */
	char *channel;           /* a GUID; default: one of our own, where acknowledge is true */
	char *ack_interval_text; /* how often it is asked what is indexed; default 10s */
	char *ack_timeout_text;  /* what is not indexed by then is sent again; default 5m */
	char *timeout_text;      /* for a request, connecting included; default 60s */

	bool acknowledge;
	uint64_t batch_size;   /* bytes */
	uint32_t batch_events; /* 1 to 10000 */
	int64_t linger;        /* milliseconds; 0: a request follows the other */
	bool gzip;
	int64_t ack_interval; /* milliseconds */
	int64_t ack_timeout;  /* milliseconds */
	int64_t timeout;      /* milliseconds */
};

/* Who tells people, and how: a file each in bridge/forwarder (vendor.h). */
enum config_vendor {
	CONFIG_VENDOR_PAGERDUTY,
	CONFIG_VENDOR_OPSGENIE,
	CONFIG_VENDOR_ALERTMANAGER,
	CONFIG_VENDOR_SLACK,
	CONFIG_VENDOR_NTFY,
	CONFIG_VENDOR_HTTP,
	CONFIG_VENDORS
};

/*
 * pagerduty:, opsgenie:, alertmanager:, slack:, ntfy: or http: of a destination.  Which
 * keys each of them has is in config_schema.c, their defaults in config_validate_http.c.
 */
struct config_http {
	char *url;        /* http:// or https:// */
	char *url_file;   /* for secret_read_token(): where the address is the secret */
	char *key_file;   /* likewise: routing_key_file, api_key_file, token_file */
	char *topic;      /* ntfy: this one or the next */
	char *topic_file; /* likewise */
	char *method;     /* http: POST (default), PUT, PATCH */
	char **headers;   /* http: "Name: value" */
	unsigned headers_count;
	char *content_type; /* http: default application/json, which all others have */
	char *body;         /* http: template (template.h); default: the event in `format` */
	char *secret_file;  /* http: whsec_..., to sign as Standard Webhooks */
	char *ca_file;      /* PEM: whom to believe; default: what the system does */
	char *proxy;        /* "http://host:port"; default none */
	char *timeout_text; /* of a request, connecting included; default 10s */
	char *rate_text;    /* requests a minute at most; 0: no limit */
	char *fold_text;    /* the window of a flood; 0s: each event is told */
	char *replays_text; /* replayed events are told too: true, false */

	enum config_vendor vendor;
	int64_t timeout; /* milliseconds */
	uint32_t rate;
	int64_t fold; /* milliseconds */
	bool replays;
	const struct format *format; /* http: of the body where it has no template */
};

/* file: of a destination */
struct config_file {
	char *path; /* "-": standard output of the daemon */
};

/* device: of a destination, for CEF and LEEF headers */
struct config_device {
	char *vendor;  /* default AnyInt */
	char *product; /* default AI Gateway */
	char *version; /* default 1 */
};

/* One of destinations: has exactly one of the kinds. */
struct config_destination {
	char *name;           /* [A-Za-z0-9._-], unique */
	char *profile;        /* a row of config_profile.c: other defaults; default none */
	char *format_text;    /* default cef, of http json; hec, and no other, for splunk_hec */
	char *bom_text;       /* of RFC 5424: auto (default), never, always */
	char *time_zone_text; /* of RFC 3164's times: UTC (default), +02:00 */
	char *cef_time_text;  /* milliseconds (default), text */
	char *leef_delimiter_text; /* of leef2: ^ (default), tab ... */
	char *ocsf_version_text;   /* 1.1, 1.3, 1.8, 1.9 (default) */
	char *cee_text;            /* "@cee: " in front of json: true, false (default) */
	/*
	 * Globs; default ["*"].  "GLOB >= LEVEL" asks for that severity in place of
	 * min_severity; after config_read() the level stands in floors.
	 */
	char **events;
	unsigned events_count;
	char *heartbeat_text;  /* default 5m for syslog and splunk_hec, else off; "off" for none */
	char *hold_retry_text; /* how often a held destination is tried; default 30s */
	char **except;         /* globs of what it does not want all the same */
	unsigned except_count;
	char *min_severity_text; /* info (default), low, medium, high, critical */
	char **sources;          /* names; none: of every source */
	unsigned sources_count;
	char **organizations; /* ids; none: of every one, and of none */
	unsigned organizations_count;
	char **projects; /* likewise */
	unsigned projects_count;
	struct config_device *device; /* may be NULL as written, never after config_read() */
	struct config_syslog *syslog; /* kind: NULL or not */
	struct config_file *file;     /* kind: NULL or not */
	struct config_email *email;   /* kind: NULL or not */
	struct config_splunk_hec *splunk_hec;        /* kind: NULL or not */
	struct config_http *vendors[CONFIG_VENDORS]; /* kinds: each NULL or not */

	struct config_http *http; /* the one of vendors that is there; NULL: another kind */
	int64_t heartbeat;        /* milliseconds; 0: off */
	int64_t hold_retry;       /* milliseconds */
	enum severity min_severity;
	enum severity *floors; /* of each of events: min_severity, or its own */
	const struct format *format;
	struct format_options options; /* what of it comes from here; borrows from here */
};

/* A file that the configuration names, and by which key. */
struct config_named_path {
	char *key; /* "destinations[0].syslog.ca_file" */
	char *path;
};

/* console: */
struct config_console {
	char *address; /* "127.0.0.1:9464"; elsewhere than loopback only with the next three */
	char *password_file; /* for secret_read(); default: whoever reaches it may read */
	char *certificate;   /* PEM file, chain behind it; default: no TLS */
	char *private_key;   /* PEM file */
	char **hosts;        /* names it is asked for by, beside localhost and this host's */
	unsigned hosts_count;
};

/* mask: what leaves as its beginning, "…" and its last four (mask.h) */
struct config_mask {
	char *enabled_text; /* default true */
	char **prefixes;    /* of keys, beside those that are known */
	unsigned prefixes_count;
	char **names; /* in front of "=" or ":", beside key, secret, token, password */
	unsigned names_count;

	struct mask_settings settings; /* borrows from here */
};

/* log: */
struct config_log {
	char *format_text; /* auto (default), text, logfmt, json */
	char *level_text;  /* info (default), error, warning, debug */

	enum log_format format;
	enum log_level level;
};

struct config {
	char *path;     /* of the file, as it was given */
	char *hostname; /* this host's; NULL where it has none */
	struct config_listen listen;
	struct config_spool spool;
	struct config_source *sources;
	unsigned sources_count;
	char *user; /* whom to go on as when started as root; default siembridge, where it is */
	char *aliases_file; /* lines of "from to" before the built-in ones; default none */
	struct config_type *types;
	unsigned types_count;
	struct config_mask mask;
	struct config_destination *destinations;
	unsigned destinations_count;
	struct config_console *console; /* NULL: none */
	struct config_log log;

	char *aliases_text; /* of the file; what the aliases point into */
	struct alias *aliases;
	size_t aliases_count;
	struct vocabulary_type *own_types; /* types_count of them */
	struct normalise_settings reading; /* of events whose source is not configured any more */
	struct config_named_path *named_paths; /* every one in it, absolute */
	size_t named_paths_count;
};

/*
 * Reads and checks what can be known from the text of the file, and of the aliases it
 * names, alone: syntax, unknown keys, types, ranges, names, references.  Gives *config, freed with
 * config_free(). Errors are one line: "FILE:LINE: what is wrong; what to do".
 */
MUST_CHECK bool config_read(struct config **config, const char *path, struct error *error);
void config_free(struct config *config);

/* "pagerduty", and what its key_file is called: "routing_key_file"; NULL: it has none. */
const char *config_vendor_name(enum config_vendor vendor);
const char *config_vendor_key(enum config_vendor vendor);

/* The several addresses it may have; NULL: its kind has one alone. */
const struct config_several *config_several_of(const struct config_destination *destination);

/* The address at that index, or the only one; NULL: its kind knows where to. */
const char *config_several_address(const struct config_destination *destination, size_t index);

/* Mail, pages, chat: what is written for people, and not for a program. */
bool config_is_for_people(const struct config_destination *destination);

/* As that, and a vendor's: what opens and ends incidents. */
bool config_is_on_call(const struct config_destination *destination);

/* False: nobody is told of what is replayed, and the error says what to do about it. */
MUST_CHECK bool config_takes_replays(const struct config_destination *destination,
				     struct error *error);

/* Has any source a list that is to be asked? */
bool config_polls(const struct config *config);

/*
 * Checks the world against it, and changes nothing: files readable, key fits
 * certificate, secrets there, directories writable.  `warn` is called with one line
 * for each thing that is allowed but unwise.
 */
MUST_CHECK bool config_check(const struct config *config,
			     void (*warn)(void *context, const char *text), void *context,
			     struct error *error);

/* True for an address, as in `console`, that nobody off this machine reaches. */
bool config_validate_console_is_loopback(const char *address);

/*
 * Is the port free?  Apart from config_check(), because it is not while this
 * configuration's own daemon runs.  Those of `listen` and of `console`.
 */
MUST_CHECK bool config_check_listen(const struct config *config, struct error *error);

/*
 * The line in the file of a key, by the path of its names and indexes:
 * "destinations[2].syslog.address"; 0 where it is not written there.
 */
int config_locate(const char *file, const char *key_path);

/*
 * "2GiB", "256KiB", "1000", "10MB" -> bytes; "300s", "5m", "7d", "250ms" ->
 * milliseconds.  False: the text says what is allowed.
 */
MUST_CHECK bool config_parse_size(const char *text, uint64_t *bytes, struct error *error);
MUST_CHECK bool config_parse_duration(const char *text, int64_t *milliseconds, struct error *error);

/*
 * "host:port", "[::1]:port", ":port" -> its parts, copied into buffers of 256 and
 * 8 bytes.  False: the text says what is wrong.
 */
MUST_CHECK bool config_parse_address(const char *text, char host[256], char port[8],
				     struct error *error);

#endif
