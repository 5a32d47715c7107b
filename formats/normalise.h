/*
 * JSON as it came -> struct event.
 *
 * A struct normalise is a profile made ready: which JSON Pointers (RFC 6901)
 * feed which field.  It is read-only after normalise_new(), so all threads may
 * share one.
 */
#ifndef NORMALISE_H
#define NORMALISE_H

#include "formats/arena.h"
#include "formats/event.h"

struct normalise;

/*
 * Gives the named profile ("anyint") made ready; freed with normalise_free().
 * False where there is no such profile: the error names those there are.
 */
MUST_CHECK bool normalise_new(struct normalise **normalise, const char *profile,
			      struct error *error);
void normalise_free(struct normalise *normalise);

/*
 * Strict read of one JSON object and nothing behind it; fills event->fields,
 * event->body and event->occurred_at, leaving source, id, received_at and sequence
 * as the caller set them.  A type (FIELD_TYPE, 1..127 bytes of [A-Za-z0-9._-]) is
 * required.  False: the text is fit for a 400 answer; event->fields are then void.
 * Fields borrow from the arena.
 */
MUST_CHECK bool normalise_read(const struct normalise *normalise, struct slice body,
			       struct arena *arena, struct event *event, struct error *error);

/*
 * After normalise_read(): masks key material in every field, and takes name,
 * severity, family, action and outcome from the catalogue and the fields.
 */
void normalise_finish(struct event *event, struct arena *arena);

/* Both of them: what the way out uses. */
MUST_CHECK bool normalise_event(const struct normalise *normalise, struct slice body,
				struct arena *arena, struct event *event, struct error *error);

#endif
