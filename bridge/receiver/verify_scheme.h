/*
 * How senders sign: one row a scheme (standards.md 11.1), everything about it.
 * verify.c is driven by the row and knows no scheme by name.
 */
#ifndef VERIFY_SCHEME_H
#define VERIFY_SCHEME_H

#include "bridge/config.h"

enum verify_method {
	VERIFY_NOTHING, /* anybody is believed */
	VERIFY_TOKEN,   /* the header holds the secret itself */
	VERIFY_HMAC,    /* ... a hash of what is signed, keyed with the secret */
};

/* One part of what is signed. */
struct verify_part {
	enum config_part kind;
	const char *text; /* CONFIG_PART_TEXT */
};

/* Headers are named in lower case; all text is borrowed. */
struct verify_scheme {
	enum verify_method method;
	const char *signature_header;
	const char *prefix;        /* of an entry that counts: "v1,"; of a token in any case */
	const char *public_prefix; /* of ed25519 signatures: "v1a,"; NULL: there are none */
	enum config_encoding encoding;
	enum config_digest digest;
	enum config_secret_form secret_form;
	char delimiter;                         /* between entries; '\0': the value is one entry */
	struct verify_part parts[CONFIG_PARTS]; /* in the order in which they are signed */
	size_t part_count;
	const char *id_header;        /* NULL: there is none */
	const char *timestamp_header; /* NULL: it is not in a header of its own */
	const char *timestamp_prefix; /* of its entry in the signature's header: "t="; NULL */
	int64_t timestamp_unit;       /* milliseconds; 0: no time is signed */
	const struct verify_scheme *otherwise; /* where the signature's header is not there */
};

/* The row of a source's scheme; those with settings are filled from them, and borrow. */
void verify_scheme_of(struct verify_scheme *scheme, const struct config_source *source);

/* Is the id one of the parts that are signed? */
bool verify_scheme_signs_id(const struct verify_scheme *scheme);

#endif
