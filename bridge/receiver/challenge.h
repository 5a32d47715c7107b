/*
 * What some senders ask an endpoint before they use it: Slack, Okta, Zoom, X.  Each
 * only where the source's configuration says so; all are answered from the request
 * alone, nothing is ever fetched.
 */
#ifndef CHALLENGE_H
#define CHALLENGE_H

#include "bridge/config.h"
#include "bridge/receiver/verify.h"
#include "formats/text.h"

enum {
	CHALLENGE_LENGTH = 512,  /* bytes of what is asked; what is longer is no challenge */
	CHALLENGE_ANSWER = 1024, /* bytes that an answer takes at most */
};

/*
 * The body of a POST whose signature was good.  True where it is a challenge and no
 * event: the JSON that answers it is appended.
 */
bool challenge_post(enum config_challenge challenge, const struct verify *verify, struct slice body,
		    struct text *answer);

/* A GET with what stands behind the "?" of its target.  True as above. */
bool challenge_get(enum config_challenge challenge, const struct verify *verify,
		   const struct verify_request *request, struct slice query, struct text *answer);

#endif
