/*
 * JSON as it came -> struct event.
 *
 * A struct normalise is a profile, and what the configuration adds to it, made ready.
 * It is read-only after normalise_new(), so all threads may share one.
 */
#ifndef NORMALISE_H
#define NORMALISE_H

#include "formats/arena.h"
#include "formats/event.h"
#include "formats/mapping.h"
#include "formats/mask.h"

struct normalise;

/* A field that always has this text, whatever the body says. */
struct normalise_constant {
	enum event_field field;
	const char *text; /* UTF-8 */
};

/* How the bodies of a source are read; all is borrowed until normalise_free(). */
struct normalise_settings {
	const char *profile;              /* its name; NULL: anyint */
	const struct mapping_own *fields; /* pointers of the user's own, before the profile's */
	size_t field_count;
	const struct normalise_constant *constants;
	size_t constant_count;
	const struct severity_word *severity_words; /* before those that are known anyway */
	size_t severity_word_count;
	const struct alias *aliases; /* before the built-in ones */
	size_t alias_count;
	const struct vocabulary_type *types; /* before the catalogue's */
	size_t type_count;
	const struct mask_settings *mask; /* NULL: as it is without any */
	const char *default_type;         /* of a body that names none; NULL: it is no event */
};

/*
 * Gives it made ready, freed with normalise_free().  False where there is no such
 * profile, which the error then says, or there are too many pointers.
 */
MUST_CHECK bool normalise_new_with(struct normalise **normalise,
				   const struct normalise_settings *settings, struct error *error);

/* As that, with the profile alone. */
MUST_CHECK bool normalise_new(struct normalise **normalise, const char *profile,
			      struct error *error);
void normalise_free(struct normalise *normalise);

/*
 * Strict read of one JSON object and nothing behind it; fills event->fields,
 * event->body, event->entry and event->occurred_at, leaving source, id, received_at,
 * sequence and headers as the caller set them.  A type (FIELD_TYPE, 1..127 bytes of
 * [A-Za-z0-9._-]) is required.  With the profile cloudevents and its headers in
 * event->headers the body may be any JSON value, or empty; with the profile hec it
 * may be any text.  False: the text is fit for a 400 answer; event->fields are then
 * void.  Fields borrow from the arena.
 */
MUST_CHECK bool normalise_read(const struct normalise *normalise, struct slice body,
			       struct arena *arena, struct event *event, struct error *error);

/*
 * After normalise_read(): masks key material in every field, and takes name,
 * severity, family, action and outcome from the catalogue and the fields.
 */
void normalise_finish(const struct normalise *normalise, struct event *event, struct arena *arena);

/* A sender's event type in our words: the target of its alias, or what it was. */
struct slice normalise_type(const struct normalise *normalise, struct slice type);

/* Headers that it reads, by their names in lower case; NULL behind the last. */
const char *normalise_header(const struct normalise *normalise, size_t i);

/* Does it read the attributes of CloudEvents, in their headers too? */
bool normalise_reads_cloudevents(const struct normalise *normalise);

/* Both of them: what the way out uses. */
MUST_CHECK bool normalise_event(const struct normalise *normalise, struct slice body,
				struct arena *arena, struct event *event, struct error *error);

#endif
