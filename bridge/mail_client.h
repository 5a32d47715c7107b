/*
 * Mail over SMTP (RFC 5321), one message after the other over one connection that is
 * kept, by libcurl; beside http_client.c the only file that knows it.
 *
 * Errors name the server, what it said and what we were about.  They hold no password
 * and nothing of a message.  One thread at a time.
 */
#ifndef MAIL_CLIENT_H
#define MAIL_CLIENT_H

#include <stdatomic.h>
#include <stdint.h>

#include "formats/error.h"
#include "formats/text.h"

struct mail_client;

enum mail_client_security {
	MAIL_CLIENT_STARTTLS, /* or nothing is said at all (RFC 3207) */
	MAIL_CLIENT_TLS,      /* from the first byte on (RFC 8314) */
	MAIL_CLIENT_PLAIN,
};

/* Borrowed as long as the client lives. */
struct mail_client_settings {
	const char *server; /* "host:port"; a certificate must be good for this host */
	enum mail_client_security security;
	const char *ca_file;   /* PEM; NULL: the system's */
	const char *username;  /* NULL: no login */
	struct slice password; /* copied */
	const char *helo;      /* our name for EHLO; NULL: this host's */
	int64_t timeout;       /* milliseconds, for a message in all, connecting included */
	const atomic_bool
	    *stopping; /* once true, a message has a second left; NULL: nobody stops */
};

struct mail_client_envelope {
	struct slice from; /* addresses, of mail_split_address() */
	char *const *to;
	size_t to_count;
};

enum mail_client_result {
	MAIL_CLIENT_ACCEPTED,
	MAIL_CLIENT_REFUSED, /* this message, for good: 5yz once it was told, or too large */
	MAIL_CLIENT_LATER,   /* 4yz, or no connection: the same again some time later */
	MAIL_CLIENT_WRONG,   /* a setting: login, certificate, TLS, an address of the envelope */
};

/* Gives *client, freed with mail_client_free().  Connects with the first message. */
MUST_CHECK bool mail_client_new(struct mail_client **client,
				const struct mail_client_settings *settings, struct error *error);
void mail_client_free(struct mail_client *client); /* NULL is fine */

/*
 * Sends one message, which all of the envelope get or nobody: a recipient that is
 * refused ends it.  Lines of the message end in CRLF.  The error is filled unless it
 * was accepted.
 */
MUST_CHECK enum mail_client_result mail_client_send(struct mail_client *client,
						    const struct mail_client_envelope *envelope,
						    struct slice message, struct error *error);

#endif
