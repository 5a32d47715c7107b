/*
 * The catalogue of event types: what each means, in one table with a row for
 * each (the event table of README.md).  Columns of further formats join it here.
 */
#ifndef CATALOGUE_H
#define CATALOGUE_H

#include "formats/severity.h"
#include "formats/text.h"

/* What the event is about; a bit each, so that a mapping can name several. */
enum catalogue_family {
	FAMILY_KEY = 1 << 0,
	FAMILY_MEMBER = 1 << 1,
	FAMILY_USAGE = 1 << 2,
	FAMILY_BILLING = 1 << 3,
	FAMILY_SECURITY = 1 << 4,
	FAMILY_OTHER = 1 << 5,
	FAMILY_ANY = (1 << 6) - 1,
};

struct catalogue_entry {
	const char *type;       /* "key.created", "security.*" for all that begin so, "*" */
	const char *name;       /* "API key created"; NULL: the type itself */
	enum severity severity; /* where the body says nothing, or is not asked */
	bool severity_of_body;  /* the sender's word counts */
	bool name_of_body;      /* the sender's title is the name */
	enum catalogue_family family;
	const char *action;       /* NULL: unknown */
	const char *other_action; /* counts instead where the sender says it; NULL: none */
	const char *outcome;      /* "success"; NULL where meaningless */
};

/* The row of that type; what no other row knows is in the last, "*". */
const struct catalogue_entry *catalogue_find(struct slice type);

/* The i-th row, or NULL behind the last. */
const struct catalogue_entry *catalogue_at(size_t i);

/* "key", "member", "usage", "billing", "security", "other": one family only. */
const char *catalogue_family_name(enum catalogue_family family);

#endif
