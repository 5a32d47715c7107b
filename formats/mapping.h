/*
 * Which JSON Pointers (RFC 6901) feed which field of the event.
 *
 * A profile is a table, written to be read; a mapping is that table made ready:
 * a tree of member names, so that a body is gone through once, however many
 * pointers there are.
 */
#ifndef MAPPING_H
#define MAPPING_H

#include "formats/catalogue.h"
#include "formats/event.h"
#include "formats/json_read.h"

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

struct mapping_profile {
	const char *name;
	const char *roots; /* where the payload may be: "/data /payload" */
	const struct mapping_rule *rules;
	size_t count;
};

extern const struct mapping_profile profile_anyint;

/* The profile of that name, or NULL; the i-th, or NULL behind the last. */
const struct mapping_profile *mapping_profile_find(const char *name);
const struct mapping_profile *mapping_profile_at(size_t i);

struct mapping;

/* Gives it, freed with mapping_free().  Read-only from then on: threads may share it. */
struct mapping *mapping_new(const struct mapping_profile *profile);
void mapping_free(struct mapping *mapping);

/*
 * chosen[field] is what feeds it in this document, or NULL; chosen[FIELD_TYPE] is
 * a string, and what it says decides which rules hold.
 */
void mapping_choose(const struct mapping *mapping, const struct json_value *document,
		    struct json_value *chosen[EVENT_FIELDS]);

#endif
