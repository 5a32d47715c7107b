/*
 * The tree is a hash table from (node, member name) to node, made once and never
 * changed.  What a sender can make it do is to look up names that are not there.
 * A node that a pointer ends at has a list of candidates: the fields it feeds,
 * each with its rank among all the pointers that feed that field.
 *
 * The type may stand behind what it decides about.  So candidates that hold for
 * some families alone wait until the whole document has been seen.
 */
#include "formats/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"

enum {
	NODES = 2048, /* at most; the tables are of this size or twice it */
	CANDIDATES = 4096,
	SLOTS = 2 * NODES,
	DEFERRED = 512,
	ROOT = 0,
	NONE = 0, /* no node's child, no list's candidate */
	RANK_EMPTY = 0x4000,
	RANK_NONE = 0x7FFF,
	INDEXES = 64, /* elements of an array that a pointer may name */
};

struct candidate {
	uint16_t next; /* in the list of its node; NONE: the last */
	uint16_t rank; /* the lowest wins */
	uint8_t field;
	uint8_t families;
};

struct node {
	struct slice name; /* borrowed from the profile, or the mapping's own */
	uint16_t parent;
	uint16_t candidates; /* first of the list */
	bool has_children;
};

struct mapping {
	struct arena *names; /* of pointers with escapes; NULL: there are none */
	bool is_full;        /* something had no room */
	struct node nodes[NODES];
	struct candidate candidates[CANDIDATES];
	uint16_t slots[SLOTS]; /* node, or NONE: free */
	uint16_t nodes_count;
	uint16_t candidates_count;
	uint16_t deferred_count;      /* candidates that hold for some families alone */
	uint16_t ranks[EVENT_FIELDS]; /* the next free one of each field */
};

/* A document being gone through. */
struct choice {
	const struct mapping *mapping;
	const struct json_item **chosen;
	uint16_t ranks[EVENT_FIELDS];
	size_t deferred_count;
	struct {
		const struct candidate *candidate;
		const struct json_item *item;
	} deferred[DEFERRED]; /* each candidate at most once: names do not repeat */
};

static const struct mapping_profile *const profiles[] = {
    &profile_anyint, &profile_cloudevents, &profile_generic, &profile_github, &profile_hec,
};

enum { PROFILES = sizeof(profiles) / sizeof(profiles[0]) };

const struct mapping_profile *
mapping_profile_at(size_t i)
{
	return i < PROFILES ? profiles[i] : NULL;
}

const struct mapping_profile *
mapping_profile_find(const char *name)
{
	for (size_t i = 0; i < PROFILES; i++)
		if (strcmp(profiles[i]->name, name) == 0)
			return profiles[i];
	return NULL;
}

/* The slot of that child, or the free one where it belongs. */
static size_t
find_slot(const struct mapping *mapping, uint16_t parent, struct slice name)
{
	uint32_t hash = 2166136261U ^ parent; /* FNV-1a */
	size_t slot;

	for (size_t i = 0; i < name.length; i++)
		hash = (hash ^ (unsigned char)name.bytes[i]) * 16777619U;
	for (slot = hash % SLOTS;; slot = (slot + 1) % SLOTS) {
		const struct node *node = &mapping->nodes[mapping->slots[slot]];

		if (mapping->slots[slot] == NONE ||
		    (node->parent == parent && text_slices_equal(node->name, name)))
			return slot;
	}
}

static uint16_t
add_node(struct mapping *mapping, uint16_t parent, struct slice name)
{
	size_t slot = find_slot(mapping, parent, name);

	if (mapping->slots[slot] != NONE)
		return mapping->slots[slot];
	if (mapping->nodes_count == NODES) {
		mapping->is_full = true;
		return parent;
	}
	mapping->nodes[parent].has_children = true;
	mapping->nodes[mapping->nodes_count] = (struct node){.name = name, .parent = parent};
	mapping->slots[slot] = mapping->nodes_count;
	return mapping->nodes_count++;
}

/* Takes what stands before the next `separator` off the front. */
static struct slice
take_word(struct slice *left, char separator)
{
	const char *end = memchr(left->bytes, separator, left->length);
	struct slice word = *left;

	if (end != NULL)
		word.length = (size_t)(end - left->bytes);
	left->bytes += word.length;
	left->length -= word.length;
	if (left->length > 0) {
		left->bytes++;
		left->length--;
	}
	return word;
}

/* From `node` along the member names between the slashes. */
static uint16_t
add_path(struct mapping *mapping, uint16_t node, struct slice path)
{
	while (path.length > 0)
		node = add_node(mapping, node, take_word(&path, '/'));
	return node;
}

static void
add_candidate(struct mapping *mapping, uint16_t node, enum event_field field, unsigned families)
{
	if (mapping->candidates_count == CANDIDATES || mapping->deferred_count == DEFERRED) {
		mapping->is_full = true;
		return;
	}
	if (families != FAMILY_ANY)
		mapping->deferred_count++;
	mapping->candidates[mapping->candidates_count] = (struct candidate){
	    .next = mapping->nodes[node].candidates,
	    .rank = mapping->ranks[field]++,
	    .field = (uint8_t)field,
	    .families = (uint8_t)families,
	};
	mapping->nodes[node].candidates = mapping->candidates_count++;
}

static struct slice
behind(struct slice text, size_t bytes)
{
	return (struct slice){text.bytes + bytes, text.length - bytes};
}

static void
add_under_roots(struct mapping *mapping, const char *roots, const struct mapping_rule *rule,
		struct slice path)
{
	struct slice left = text_of(roots);

	while (left.length > 0) {
		struct slice root = behind(take_word(&left, ' '), 1);

		add_candidate(mapping, add_path(mapping, add_path(mapping, ROOT, root), path),
			      rule->field, rule->families);
	}
}

static void
add_rule(struct mapping *mapping, const char *roots, const struct mapping_rule *rule)
{
	struct slice pointers = text_of(rule->pointers);

	while (pointers.length > 0) {
		struct slice pointer = take_word(&pointers, ' ');

		if (pointer.bytes[0] == '.') {
			add_under_roots(mapping, roots, rule, behind(pointer, 2));
		} else if (pointer.bytes[0] == '/') {
			add_candidate(mapping, add_path(mapping, ROOT, behind(pointer, 1)),
				      rule->field, rule->families);
		} else {
			add_candidate(mapping, add_path(mapping, ROOT, pointer), rule->field,
				      rule->families);
			add_under_roots(mapping, roots, rule, pointer);
		}
	}
}

static bool
has_rule(const struct mapping_profile *profile, enum event_field field)
{
	for (size_t i = 0; i < profile->count; i++)
		if (profile->rules[i].field == field)
			return true;
	return false;
}

static void
add_profile(struct mapping *mapping, const struct mapping_profile *profile)
{
	const struct mapping_profile *base = profile->base;

	for (size_t i = 0; i < profile->count; i++)
		add_rule(mapping, profile->roots, &profile->rules[i]);
	for (size_t i = 0; base != NULL && i < base->count; i++)
		if (!has_rule(profile, base->rules[i].field))
			add_rule(mapping, profile->roots, &base->rules[i]);
}

/* RFC 6901 section 4: first ~1, then ~0, which going from left to right does as well. */
static struct slice
unescape(struct mapping *mapping, struct slice word)
{
	struct text text;

	if (memchr(word.bytes, '~', word.length) == NULL)
		return word;
	if (mapping->names == NULL)
		mapping->names = arena_new();
	text_start(&text, arena_allocate(mapping->names, word.length), word.length);
	for (size_t i = 0; i < word.length; i++) {
		if (word.bytes[i] == '~')
			text_append_byte(&text, word.bytes[++i] == '1' ? '/' : '~');
		else
			text_append_byte(&text, word.bytes[i]);
	}
	return text_slice(&text);
}

static void
add_own(struct mapping *mapping, const struct mapping_own *own)
{
	for (size_t i = 0; i < own->count; i++) {
		struct slice path = behind(text_of(own->pointers[i]), 1);
		uint16_t node = ROOT;

		while (path.length > 0)
			node = add_node(mapping, node, unescape(mapping, take_word(&path, '/')));
		add_candidate(mapping, node, own->field, FAMILY_ANY);
	}
}

bool
mapping_check_pointer(const char *pointer, struct error *error)
{
	size_t length = strlen(pointer);

	if (pointer[0] != '/' || length < 2 || pointer[length - 1] == '/')
		return error_set(error,
				 "'%.80s' is not a JSON Pointer to a member; write it as in "
				 "/data/user/id",
				 pointer);
	for (size_t i = 0; i < length; i++)
		if (pointer[i] == '~' && pointer[i + 1] != '0' && pointer[i + 1] != '1')
			return error_set(
			    error, "'%.80s': behind a ~ stands 0 or 1 (~0 is ~, ~1 is /)", pointer);
	return true;
}

bool
mapping_new(struct mapping **out, const struct mapping_profile *profile,
	    const struct mapping_own *own, size_t own_count, struct error *error)
{
	struct mapping *mapping = memory_allocate(sizeof(*mapping));

	mapping->nodes_count = 1; /* ROOT; and candidate 0 stands for none */
	mapping->candidates_count = 1;
	for (size_t i = 0; i < own_count; i++)
		add_own(mapping, &own[i]);
	add_profile(mapping, profile);
	if (mapping->is_full) {
		mapping_free(mapping);
		return error_set(error, "too many JSON Pointers; leave some of them out");
	}
	*out = mapping;
	return true;
}

void
mapping_free(struct mapping *mapping)
{
	if (mapping == NULL)
		return;
	arena_free(mapping->names);
	free(mapping);
}

static void
take(struct choice *choice, const struct candidate *candidate, const struct json_item *item)
{
	uint16_t rank = candidate->rank;

	if (candidate->field == FIELD_TYPE && item->kind != JSON_STRING)
		return;
	if (item->kind == JSON_STRING && item->text.length == 0)
		rank = (uint16_t)(rank + RANK_EMPTY);
	if (rank < choice->ranks[candidate->field]) {
		choice->ranks[candidate->field] = rank;
		choice->chosen[candidate->field] = item;
	}
}

static void
offer(struct choice *choice, uint16_t node, const struct json_item *item)
{
	const struct candidate *candidates = choice->mapping->candidates;
	uint16_t i = choice->mapping->nodes[node].candidates;

	for (; i != NONE; i = candidates[i].next) {
		if (candidates[i].families == FAMILY_ANY) {
			take(choice, &candidates[i], item);
			continue;
		}
		choice->deferred[choice->deferred_count].candidate = &candidates[i];
		choice->deferred[choice->deferred_count++].item = item;
	}
}

static void walk(struct choice *choice, uint16_t node, const struct json_item *around);

static void
visit(struct choice *choice, uint16_t node, struct slice name, const struct json_item *item)
{
	uint16_t child = choice->mapping->slots[find_slot(choice->mapping, node, name)];

	if (child == NONE)
		return;
	switch (item->kind) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		if (choice->mapping->nodes[child].has_children)
			walk(choice, child, item);
		break;
	case JSON_BOOLEAN:
	case JSON_NUMBER:
	case JSON_STRING:
		offer(choice, child, item);
		break;
	case JSON_NULL:
		break;
	}
}

static void
walk_array(struct choice *choice, uint16_t node, const struct json_item *array)
{
	const struct json_item *item = array->first;

	for (size_t i = 0; item != NULL && i < INDEXES; i++, item = item->next) {
		char digits[4];
		struct text name;

		text_start(&name, digits, sizeof(digits));
		text_append_unsigned(&name, i);
		visit(choice, node, text_slice(&name), item);
	}
}

/* As deep as the longest pointer, however deep the document is. */
static void
walk(struct choice *choice, uint16_t node, const struct json_item *around)
{
	if (around->kind == JSON_ARRAY) {
		walk_array(choice, node, around);
		return;
	}
	for (const struct json_item *item = around->first; item != NULL; item = item->next)
		visit(choice, node, item->name, item);
}

void
mapping_choose(const struct mapping *mapping, const struct vocabulary *vocabulary,
	       struct slice type, const struct json_item *document,
	       const struct json_item *chosen[EVENT_FIELDS])
{
	struct choice choice;
	enum catalogue_family family;

	choice.mapping = mapping;
	choice.chosen = chosen;
	choice.deferred_count = 0;
	for (size_t i = 0; i < EVENT_FIELDS; i++) {
		choice.ranks[i] = RANK_NONE;
		chosen[i] = NULL;
	}
	walk(&choice, ROOT, document);
	if (choice.deferred_count == 0)
		return;
	if (type.bytes == NULL && chosen[FIELD_TYPE] != NULL)
		type = chosen[FIELD_TYPE]->text;
	family = vocabulary_find(vocabulary, vocabulary_type(vocabulary, type))->family;
	for (size_t i = 0; i < choice.deferred_count; i++)
		if ((choice.deferred[i].candidate->families & family) != 0)
			take(&choice, choice.deferred[i].candidate, choice.deferred[i].item);
}
