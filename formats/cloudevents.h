/*
 * CloudEvents 1.0 over HTTP: which form a request has, what its headers say, and
 * whether it is an event at all (standards.md 13).
 */
#ifndef CLOUDEVENTS_H
#define CLOUDEVENTS_H

#include "formats/arena.h"
#include "formats/text.h"

enum cloudevents_mode {
	CLOUDEVENTS_PLAIN,      /* none of the two types: binary where its headers are there */
	CLOUDEVENTS_STRUCTURED, /* one JSON object */
	CLOUDEVENTS_BATCH,      /* an array of them */
};

/* HTTP binding 3: by the beginning of Content-Type, in any case. */
enum cloudevents_mode cloudevents_mode(struct slice content_type);

/* What every event has; all are UTF-8 without control characters, 1 byte or more. */
struct cloudevents_attributes {
	struct slice id;
	struct slice source;
	struct slice type;
	struct slice version; /* "1.0" */
};

/*
 * The value of a ce-* header (HTTP binding 3.1.3.2): double quotes with backslashes,
 * then one round of percent-decoding.  Gives *value in the arena.  False: not UTF-8,
 * or a control character; `name` is for the error.
 */
MUST_CHECK bool cloudevents_decode(const char *name, struct slice header, struct arena *arena,
				   struct slice *value, struct error *error);

/* Is each there, and the version known?  The error is fit for the sender. */
MUST_CHECK bool cloudevents_check(const struct cloudevents_attributes *attributes,
				  struct error *error);

/*
 * Reads and checks an event in JSON: its attributes are strings and not `data` and
 * `data_base64` are both there.  *attributes live in the arena.
 */
MUST_CHECK bool cloudevents_read(struct slice event, struct arena *arena,
				 struct cloudevents_attributes *attributes, struct error *error);

#endif
