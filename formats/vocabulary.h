/*
 * What a sender's event type means: aliases bring it to one vocabulary, own rows of
 * the configuration and the catalogue say the rest.  Read-only once made, so that
 * threads may share it.
 */
#ifndef VOCABULARY_H
#define VOCABULARY_H

#include "formats/aliases.h"
#include "formats/catalogue.h"

/* An event type of the user's own: what it says goes over the catalogue's row. */
struct vocabulary_type {
	const char *glob; /* of types as they are after the aliases; the first that fits counts */
	const char *name; /* NULL: the catalogue's, else the type itself */
	enum severity severity;
	bool has_severity;
	bool severity_of_body; /* the sender's word counts, where the body has one */
	enum catalogue_family family;
	bool has_family;
};

struct vocabulary;

/*
 * Gives it, freed with vocabulary_free().  `aliases` come before the built-in ones,
 * and of two with the same `from` the first counts; from equal to `to` says that a
 * built-in one is not wanted.  Borrows the texts until then.
 */
struct vocabulary *vocabulary_new(const struct alias *aliases, size_t alias_count,
				  const struct vocabulary_type *types, size_t type_count);
void vocabulary_free(struct vocabulary *vocabulary);

/* The sender's type in our words: the target of its alias, or what it was. */
struct slice vocabulary_type(const struct vocabulary *vocabulary, struct slice type);

/* What such a word means; never NULL, lives as long as the vocabulary. */
const struct catalogue_entry *vocabulary_find(const struct vocabulary *vocabulary,
					      struct slice type);

#endif
