/*
 * What siembridge init is to set up: by options, and by questions for what they left
 * open.  All text is borrowed from argv or from `answers`.
 */
#ifndef INIT_PLAN_H
#define INIT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/error.h"

/* How a secret is written that we make for a sender. */
enum init_secret { INIT_SECRET_WHSEC, INIT_SECRET_HEX };

/* A sender, and what has to be said of it in the configuration and to its operator. */
struct init_sender {
	const char *name;      /* of the source, and of its path */
	const char *title;     /* "GitHub" */
	const char *signature; /* of the source */
	const char *profile;   /* of the source; NULL: the default */
	const char *more;      /* further lines of the source; NULL: none */
	enum init_secret secret;
	bool chooses_secret; /* it makes the secret itself, and does not take ours */
	const char *where;   /* in the sender's own settings */
	const char *types;   /* to subscribe to there */
};

enum { INIT_ANSWERS = 16, INIT_LONGEST_ANSWER = 512 };

struct init_plan {
	const char *directory;
	const char *spool; /* NULL: a directory there */
	const char *host;
	uint64_t port;
	const char *sender_name;
	const char *secret_from; /* a file that holds the sender's secret; NULL: a fresh one */
	const char *syslog;      /* host:port, or a path; one of these three */
	const char *splunk;      /* URL */
	const char *file;
	const char *transport; /* of syslog; NULL: tcp */
	const char *ca_file;   /* of syslog and splunk; NULL: what the system believes */
	const char *token_from;
	const char *collector;   /* profile of the destination; NULL: none */
	const char *certificate; /* that there is already, with private_key; NULL: one is made */
	const char *private_key;
	const char *console; /* address; "none": no console */
	bool request;        /* a request to a certificate authority as well */
	bool yes;            /* nothing is asked */

	const struct init_sender *sender;
	char answers[INIT_ANSWERS][INIT_LONGEST_ANSWER];
	size_t answer_count;
};

/* The i-th sender, NULL behind the last. */
const struct init_sender *init_plan_sender(size_t i);

/* Asks on stdin and stdout for what is missing, or takes defaults where `yes`. */
MUST_CHECK bool init_plan_complete(struct init_plan *plan, struct error *error);

#endif
