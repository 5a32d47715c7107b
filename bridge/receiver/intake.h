/*
 * From a request that can be trusted to the events in it: one, or those of a batch.
 * CloudEvents in binary, structured and batch mode (standards.md 13), arrays of
 * events, and objects around one.
 *
 * What is kept of an event is its own bytes as they came: of a batch the element, of
 * binary mode the data, with the ce-* headers in the evidence beside it.
 */
#ifndef INTAKE_H
#define INTAKE_H

#include "bridge/config.h"
#include "bridge/receiver/verify.h"
#include "bridge/spool/spool.h"

/* The line of the evidence that says that the signature is over other bytes than these. */
#define INTAKE_SIGNED_BODY "siembridge-signed-body"
/* ... and what stood around the events of a batch, with an empty array in their place. */
#define INTAKE_ENVELOPE "siembridge-envelope"

enum { INTAKE_ENVELOPE_MOST = 1024 /* bytes; a longer one is not kept */ };

/* What the media type and the headers say that the body is. */
enum intake_form {
	INTAKE_JSON,        /* an event; an array of them; an object around such an array */
	INTAKE_STRUCTURED,  /* one CloudEvent */
	INTAKE_CLOUD_BATCH, /* an array of CloudEvents */
	INTAKE_BINARY,      /* the data of a CloudEvent whose attributes are headers */
	INTAKE_UNKNOWN,     /* none of them: 415 */
};

struct intake {
	/* Filled by the caller, borrowed. */
	const struct config_source *config;
	const struct normalise *normalise;
	const struct verify *verify;
	const struct verify_request *seen; /* its body is the signed bytes */
	const struct verify_outcome *outcome;
	/* Appends "name: value\n", lower case, for each header whose name begins so. */
	void (*headers)(void *context, const char *prefix, struct text *text);
	bool is_packed;    /* seen->body is gzip */
	struct slice body; /* what is to be read: seen->body, or what was packed in it */
	enum intake_form form;
	struct text *evidence;

	/* Filled by intake_read(). */
	struct spool_event *events; /* in the arena and borrowed from all of the above */
	size_t count;               /* of those that are subscribed */
	size_t unwanted;            /* of the others */
	bool binds_body;            /* their ids are not signed: see commit_submit() */
};

/* Is the source subscribed to that type, by the sender's word for it or by ours? */
bool intake_wants(const struct config_source *config, const struct normalise *normalise,
		  struct slice type);

/* By Content-Type, which may be absent, and for binary mode by the headers. */
enum intake_form intake_form(const struct normalise *normalise, const struct verify_request *seen);

/*
 * Reads all of them.  False: one at least is no event; the error is fit for the sender.
 * intake->evidence is filled in either case.
 */
MUST_CHECK bool intake_read(struct intake *intake, struct arena *arena, struct error *error);

#endif
