/*
 * Is it from whom it says?  Over the raw bytes of the body, before anything
 * parses them.  Every secret is always tried and every comparison takes constant
 * time, so that an answer's time tells nothing.
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
	int64_t now; /* milliseconds since 1970 */
};

/* What the signature vouches for; borrows from the request's headers. */
struct verify_outcome {
	struct slice delivery_id; /* absent where the scheme has none */
};

/* Reads the source's secrets.  Gives *verify, freed with verify_free(). */
MUST_CHECK bool verify_new(struct verify **verify, const struct config_source *source,
			   struct error *error);
void verify_free(struct verify *verify);

/* False: not to be trusted; `error` says why, for a debug log and never for the sender. */
MUST_CHECK bool verify_check(const struct verify *verify, const struct verify_request *request,
			     struct verify_outcome *outcome, struct error *error);

/*
 * Appends the headers that the signature rests on, a "name: value\n" each, as the
 * evidence kept beside the body.
 */
void verify_evidence(const struct verify *verify, const struct verify_request *request,
		     struct text *text);

/*
 * Signs as this source's sender would, with its first secret: what `siembridge
 * send` posts.  Appends "name: value\n" lines.
 */
MUST_CHECK bool verify_sign(const struct verify *verify, struct slice delivery_id, int64_t now,
			    struct slice body, struct text *headers, struct error *error);

#endif
