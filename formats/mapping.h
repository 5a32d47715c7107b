/*
 * Which JSON Pointers (RFC 6901) feed which field of the event.
 *
 * A profile is a table, written to be read; a mapping is that table and the pointers
 * of the user's own made ready: a tree of member names, so that a body is gone
 * through once, however many pointers there are.
 */
#ifndef MAPPING_H
#define MAPPING_H

#include "formats/event.h"
#include "formats/json_tree.h"
#include "formats/vocabulary.h"

/*
 * Pointers separated by spaces; the first that leads to a string, number or
 * boolean wins, but an empty string only where no other does.
 *   /created_at   as it stands
 *   actor/id      at the top, then under each root of the profile
 *   ./id          under each root, not at the top: the resource itself
 */
struct mapping_rule {
	enum event_field field;
	unsigned families; /* enum catalogue_family, or-ed: holds for these alone */
	const char *pointers;
};

/* A header that feeds a field, before whatever the body says. */
struct mapping_header {
	enum event_field field;
	const char *name; /* in lower case */
};

struct mapping_profile {
	const char *name;
	const struct mapping_profile *base; /* of fields that have no rule here; NULL: none */
	const char *roots;                  /* where the payload may be: "/data /payload" */
	const struct mapping_rule *rules;
	size_t count;
	const struct mapping_header *headers;
	size_t header_count;
	bool headers_are_encoded; /* as CloudEvents does it */
	bool joins_action;        /* a type out of a header has the body's /action behind it */
	bool takes_text;          /* a body that is no JSON object is a message */
};

extern const struct mapping_profile profile_anyint;
extern const struct mapping_profile profile_cloudevents;
extern const struct mapping_profile profile_generic;
extern const struct mapping_profile profile_github;
extern const struct mapping_profile profile_hec;

/* The profile of that name, or NULL; the i-th, or NULL behind the last. */
const struct mapping_profile *mapping_profile_find(const char *name);
const struct mapping_profile *mapping_profile_at(size_t i);

/*
 * Pointers of the user's own for a field, tried before those of the profile: RFC 6901
 * to the letter, ~0 and ~1 and indexes of arrays (below 64) too.
 */
struct mapping_own {
	enum event_field field;
	const char *const *pointers;
	size_t count;
};

/* False: not a pointer to be used here; the error says why. */
MUST_CHECK bool mapping_check_pointer(const char *pointer, struct error *error);

struct mapping;

/*
 * Gives it, freed with mapping_free(); borrows all texts until then.  False: more
 * pointers than there is room for.  Read-only from then on: threads may share it.
 */
MUST_CHECK bool mapping_new(struct mapping **mapping, const struct mapping_profile *profile,
			    const struct mapping_own *own, size_t own_count, struct error *error);
void mapping_free(struct mapping *mapping);

/*
 * chosen[field] is what feeds it in this document, or NULL; chosen[FIELD_TYPE] is a
 * string.  The event's type decides which rules hold: `type`, or where that is absent
 * chosen[FIELD_TYPE].
 */
void mapping_choose(const struct mapping *mapping, const struct vocabulary *vocabulary,
		    struct slice type, const struct json_item *document,
		    const struct json_item *chosen[EVENT_FIELDS]);

#endif
