/*
 * Outcome -> HTTP answer: one table of status, headers and body, and the only
 * place where a status is chosen.  Refusals carry a JSON body of a code and a
 * sentence; an accepted event gets an empty 202.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "formats/text.h"

enum answer {
	ANSWER_ACCEPTED,          /* 202: durable, known before, or not subscribed */
	ANSWER_CHALLENGE,         /* 200 and what the sender wants to hear (challenge.h) */
	ANSWER_HANDSHAKE,         /* 200 + Allow: with the headers of handshake.h or without */
	ANSWER_OPTIONS,           /* 204 + Allow: what may be asked here */
	ANSWER_MALFORMED,         /* 400: not one unambiguous HTTP request */
	ANSWER_NOT_AN_EVENT,      /* 400: good signature, but no event in it */
	ANSWER_UNAUTHORIZED,      /* 401: the same bytes for every cause */
	ANSWER_NOT_FOUND,         /* 404 */
	ANSWER_METHOD,            /* 405 */
	ANSWER_TIMEOUT,           /* 408 */
	ANSWER_LENGTH_REQUIRED,   /* 411 */
	ANSWER_BODY_TOO_LARGE,    /* 413 */
	ANSWER_TARGET_TOO_LONG,   /* 414 */
	ANSWER_MEDIA_TYPE,        /* 415 */
	ANSWER_TOO_MANY,          /* 429 + Retry-After: of a source that proved itself */
	ANSWER_TOO_MANY_REFUSED,  /* 429 + Retry-After: of an address */
	ANSWER_HEADERS_TOO_LARGE, /* 431 */
	ANSWER_UNEXPECTED,        /* 500 */
	ANSWER_UNAVAILABLE,       /* 503 + Retry-After */
	/* to senders of HEC, whose body is hec_input_write()'s */
	ANSWER_HEC_DONE,         /* 200 */
	ANSWER_HEC_WRONG,        /* 400 */
	ANSWER_HEC_UNAUTHORIZED, /* 401 */
	ANSWER_HEC_FORBIDDEN,    /* 403 */
	ANSWER_HEC_BUSY,         /* 503 + Retry-After */
	ANSWERS
};

struct answer_row {
	int status;
	const char *reason;   /* RFC 9110 reason phrase */
	const char *code;     /* "signature_invalid"; NULL: no body */
	const char *sentence; /* for a person at the sender's side */
	const char *header;   /* one more header, NULL: none */
	const char *value;
	bool closes; /* the connection is not to be used again */
};

const struct answer_row *answer_row(enum answer answer);

/* Is `sentence` the whole body, as it is?  For ANSWER_CHALLENGE and those to HEC. */
bool answer_is_verbatim(enum answer answer);

/*
 * Appends the body: where answer_is_verbatim() `sentence` alone; else
 * {"code":"...","message":"..."}, with the row's sentence, or with `sentence` where it
 * is not absent.  Nothing for any other row without a code.
 */
void answer_write(enum answer answer, struct slice sentence, struct text *text);

#endif
