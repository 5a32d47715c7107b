/*
 * Aliases without a star are a hash table, made once: each event looks one type up
 * and mostly finds nothing.  Globs, of which there are few, are tried in turn.
 */
#include "formats/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "formats/glob.h"
#include "formats/memory.h"

struct name {
	struct slice from;
	struct slice to;
};

struct vocabulary {
	const struct alias **globs; /* those with a star */
	size_t glob_count;
	struct name *slots; /* from absent: free; never more than half are taken */
	size_t slot_mask;
	const struct vocabulary_type *types; /* borrowed */
	size_t type_count;
	struct catalogue_entry *entries; /* of each of them, for each row of the catalogue */
	size_t row_count;
};

static size_t
find_slot(const struct vocabulary *vocabulary, struct slice from)
{
	uint32_t hash = 2166136261U; /* FNV-1a */
	size_t slot;

	for (size_t i = 0; i < from.length; i++)
		hash = (hash ^ (unsigned char)from.bytes[i]) * 16777619U;
	for (slot = hash & vocabulary->slot_mask;; slot = (slot + 1) & vocabulary->slot_mask) {
		const struct name *name = &vocabulary->slots[slot];

		if (name->from.bytes == NULL || text_slices_equal(name->from, from))
			return slot;
	}
}

static void
add_alias(struct vocabulary *vocabulary, const struct alias *alias)
{
	struct slice from = text_of(alias->from);
	size_t slot;

	if (strchr(alias->from, '*') != NULL) {
		vocabulary->globs[vocabulary->glob_count++] = alias;
		return;
	}
	slot = find_slot(vocabulary, from);
	if (vocabulary->slots[slot].from.bytes == NULL)
		vocabulary->slots[slot] = (struct name){from, text_of(alias->to)};
}

static void
add_aliases(struct vocabulary *vocabulary, const struct alias *aliases, size_t count)
{
	size_t built_in = 0, slots = 1;

	while (aliases_at(built_in) != NULL)
		built_in++;
	while (slots < 2 * (count + built_in))
		slots *= 2;
	vocabulary->slots = memory_allocate_array(slots, sizeof(*vocabulary->slots));
	vocabulary->slot_mask = slots - 1;
	vocabulary->globs = memory_allocate_array(count + built_in, sizeof(struct alias *));
	for (size_t i = 0; i < count; i++)
		add_alias(vocabulary, &aliases[i]);
	for (size_t i = 0; i < built_in; i++)
		add_alias(vocabulary, aliases_at(i));
}

/* The catalogue's row, with what the user says instead. */
static struct catalogue_entry
entry_of(const struct catalogue_entry *row, const struct vocabulary_type *type)
{
	struct catalogue_entry entry = *row;

	if (type->name != NULL) {
		entry.name = type->name;
		entry.name_of_body = false;
	}
	if (type->has_severity) {
		entry.severity = type->severity;
		entry.severity_of_body = false;
	}
	if (type->severity_of_body)
		entry.severity_of_body = true;
	if (type->has_family)
		entry.family = type->family;
	return entry;
}

static void
add_types(struct vocabulary *vocabulary, const struct vocabulary_type *types, size_t count)
{
	struct catalogue_entry *entry;

	while (catalogue_at(vocabulary->row_count) != NULL)
		vocabulary->row_count++;
	vocabulary->types = types;
	vocabulary->type_count = count;
	vocabulary->entries =
	    memory_allocate_array(count * vocabulary->row_count, sizeof(*vocabulary->entries));
	entry = vocabulary->entries;
	for (size_t i = 0; i < count; i++)
		for (size_t row = 0; row < vocabulary->row_count; row++)
			*entry++ = entry_of(catalogue_at(row), &types[i]);
}

struct vocabulary *
vocabulary_new(const struct alias *aliases, size_t alias_count, const struct vocabulary_type *types,
	       size_t type_count)
{
	struct vocabulary *vocabulary = memory_allocate(sizeof(*vocabulary));

	add_aliases(vocabulary, aliases, alias_count);
	add_types(vocabulary, types, type_count);
	return vocabulary;
}

void
vocabulary_free(struct vocabulary *vocabulary)
{
	if (vocabulary == NULL)
		return;
	free(vocabulary->entries);
	free(vocabulary->globs);
	free(vocabulary->slots);
	free(vocabulary);
}

struct slice
vocabulary_type(const struct vocabulary *vocabulary, struct slice type)
{
	const struct name *name = &vocabulary->slots[find_slot(vocabulary, type)];

	if (name->from.bytes != NULL)
		return name->to;
	for (size_t i = 0; i < vocabulary->glob_count; i++)
		if (glob_matches(vocabulary->globs[i]->from, type))
			return text_of(vocabulary->globs[i]->to);
	return type;
}

const struct catalogue_entry *
vocabulary_find(const struct vocabulary *vocabulary, struct slice type)
{
	const struct catalogue_entry *row = catalogue_find(type);

	for (size_t i = 0; i < vocabulary->type_count; i++)
		if (glob_matches(vocabulary->types[i].glob, type))
			return &vocabulary->entries[i * vocabulary->row_count +
						    (size_t)(row - catalogue_at(0))];
	return row;
}
