/*
 * Is it from whom it says?  Over the raw bytes of the body, before anything
 * parses them, as the row of the source's scheme (verify_scheme.h) wants it.
 * Every secret is always tried, for what is malformed or stale too, and every
 * comparison takes constant time, so that an answer's time tells nothing.
 */
#ifndef VERIFY_H
#define VERIFY_H

#include "bridge/config.h"
#include "formats/text.h"

struct verify;

/* A request as a verifier sees it. */
struct verify_request {
	/*
	 * The value of a header, by its lower-case name; absent where it is missing,
	 * `*count` times there.  A verifier refuses what is there twice.
	 */
	struct slice (*header)(void *context, const char *name, size_t *count);
	void *context;
	struct slice body;
	int64_t now;  /* milliseconds since 1970 */
	int64_t line; /* likewise, steady_line(); 0: there is none */
};

/* Why not, in classes: for counts and events, never for the sender. */
enum verify_reason {
	VERIFY_GOOD,
	VERIFY_MISSING,   /* a header is not there */
	VERIFY_MALFORMED, /* ... is there twice, or not what the scheme has in it */
	VERIFY_STALE,     /* its time is not of this time */
	VERIFY_MISMATCH,  /* no signature fits */
	VERIFY_EXPIRED,   /* one fits whose secret is not accepted any more */
	VERIFY_STRANGER,  /* no client certificate as the source wants it: see client_certificate.h
			   */
	VERIFY_REASONS
};

struct verify_outcome {
	enum verify_reason reason;
	struct slice delivery_id; /* borrowed from the request; absent where there is none */
	bool id_is_unsigned;      /* whoever has one body can send it under any id */
	bool signs_body_alone;    /* nothing vouches for what stands in other headers */
	bool clock_agrees;        /* a time was signed, and `now` is not far from it */
	uint32_t secrets;         /* bit i: the i-th secret of the source fitted */
};

/* Reads the source's secrets.  Gives *verify, freed with verify_free(); borrows `source`. */
MUST_CHECK bool verify_new(struct verify **verify, const struct config_source *source,
			   struct error *error);

/* As that, with the bytes of the secrets given: source->secrets_count of them. */
MUST_CHECK bool verify_new_with(struct verify **verify, const struct config_source *source,
				const struct slice *secrets, struct error *error);
void verify_free(struct verify *verify);

/* False: not to be trusted; `error` says why, for a debug log and never for the sender. */
MUST_CHECK bool verify_check(const struct verify *verify, const struct verify_request *request,
			     struct verify_outcome *outcome, struct error *error);

/* "signature_missing" and the like. */
const char *verify_reason_name(enum verify_reason reason);

/*
 * Appends the headers that the signature rests on, a "name: value\n" each, as the
 * evidence kept beside the body; never a token.
 */
void verify_evidence(const struct verify *verify, const struct verify_request *request,
		     struct text *text);

/*
 * Signs as this source's sender would, with its first secret: what `siembridge
 * send` posts.  Appends "name: value\n" lines, the id's among them.
 */
MUST_CHECK bool verify_sign(const struct verify *verify, struct slice delivery_id, int64_t now,
			    struct slice body, struct text *headers, struct error *error);

/* HMAC-SHA256 of the text by the first secret, for challenges; false: it is no HMAC key. */
MUST_CHECK bool verify_authenticate(const struct verify *verify, struct slice text,
				    unsigned char mac[32]);

#endif
