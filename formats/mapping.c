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
};

struct candidate {
	uint16_t next; /* in the list of its node; NONE: the last */
	uint16_t rank; /* the lowest wins */
	uint8_t field;
	uint8_t families;
};

struct node {
	struct slice name; /* borrowed from the profile */
	uint16_t parent;
	uint16_t candidates; /* first of the list */
	bool has_children;
};

struct mapping {
	const struct mapping_profile *profile;
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
	struct json_value **chosen;
	uint16_t ranks[EVENT_FIELDS];
	size_t deferred_count;
	struct {
		const struct candidate *candidate;
		struct json_value *value;
	} deferred[DEFERRED]; /* each candidate at most once: names do not repeat */
};

static const struct mapping_profile *const profiles[] = {&profile_anyint};

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
	if (mapping->nodes_count == NODES)
		memory_panic("profile %s: more than %d nodes", mapping->profile->name, NODES);
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
add_candidate(struct mapping *mapping, uint16_t node, const struct mapping_rule *rule)
{
	if (rule->families != FAMILY_ANY)
		mapping->deferred_count++;
	if (mapping->candidates_count == CANDIDATES || mapping->deferred_count > DEFERRED)
		memory_panic("profile %s: too many pointers", mapping->profile->name);
	mapping->candidates[mapping->candidates_count] = (struct candidate){
	    .next = mapping->nodes[node].candidates,
	    .rank = mapping->ranks[rule->field]++,
	    .field = (uint8_t)rule->field,
	    .families = (uint8_t)rule->families,
	};
	mapping->nodes[node].candidates = mapping->candidates_count++;
}

static struct slice
behind(struct slice text, size_t bytes)
{
	return (struct slice){text.bytes + bytes, text.length - bytes};
}

static void
add_under_roots(struct mapping *mapping, const struct mapping_rule *rule, struct slice path)
{
	struct slice roots = text_of(mapping->profile->roots);

	while (roots.length > 0) {
		struct slice root = behind(take_word(&roots, ' '), 1);

		add_candidate(mapping, add_path(mapping, add_path(mapping, ROOT, root), path),
			      rule);
	}
}

static void
add_rule(struct mapping *mapping, const struct mapping_rule *rule)
{
	struct slice pointers = text_of(rule->pointers);

	while (pointers.length > 0) {
		struct slice pointer = take_word(&pointers, ' ');

		if (pointer.bytes[0] == '.') {
			add_under_roots(mapping, rule, behind(pointer, 2));
		} else if (pointer.bytes[0] == '/') {
			add_candidate(mapping, add_path(mapping, ROOT, behind(pointer, 1)), rule);
		} else {
			add_candidate(mapping, add_path(mapping, ROOT, pointer), rule);
			add_under_roots(mapping, rule, pointer);
		}
	}
}

struct mapping *
mapping_new(const struct mapping_profile *profile)
{
	struct mapping *mapping = memory_allocate(sizeof(*mapping));

	mapping->profile = profile;
	mapping->nodes_count = 1; /* ROOT; and candidate 0 stands for none */
	mapping->candidates_count = 1;
	for (size_t i = 0; i < profile->count; i++)
		add_rule(mapping, &profile->rules[i]);
	return mapping;
}

void
mapping_free(struct mapping *mapping)
{
	free(mapping);
}

static void
take(struct choice *choice, const struct candidate *candidate, struct json_value *value)
{
	struct slice string = json_read_string(value);
	uint16_t rank = candidate->rank;

	if (candidate->field == FIELD_TYPE && string.bytes == NULL)
		return;
	if (string.bytes != NULL && string.length == 0)
		rank = (uint16_t)(rank + RANK_EMPTY);
	if (rank < choice->ranks[candidate->field]) {
		choice->ranks[candidate->field] = rank;
		choice->chosen[candidate->field] = value;
	}
}

static void
offer(struct choice *choice, uint16_t node, struct json_value *value)
{
	const struct candidate *candidates = choice->mapping->candidates;
	uint16_t i = choice->mapping->nodes[node].candidates;

	for (; i != NONE; i = candidates[i].next) {
		if (candidates[i].families == FAMILY_ANY) {
			take(choice, &candidates[i], value);
			continue;
		}
		choice->deferred[choice->deferred_count].candidate = &candidates[i];
		choice->deferred[choice->deferred_count++].value = value;
	}
}

/* As deep as the longest pointer, however deep the document is. */
static void
walk(struct choice *choice, uint16_t node, const struct json_value *object)
{
	struct json_member member;

	for (bool more = json_read_first(object, &member); more; more = json_read_next(&member)) {
		size_t slot = find_slot(choice->mapping, node, member.name);
		uint16_t child = choice->mapping->slots[slot];

		if (child == NONE)
			continue;
		switch (json_read_kind(member.value)) {
		case JSON_OBJECT:
			if (choice->mapping->nodes[child].has_children)
				walk(choice, child, member.value);
			break;
		case JSON_BOOLEAN:
		case JSON_NUMBER:
		case JSON_STRING:
			offer(choice, child, member.value);
			break;
		case JSON_NULL:
		case JSON_ARRAY:
			break;
		}
	}
}

void
mapping_choose(const struct mapping *mapping, const struct json_value *document,
	       struct json_value *chosen[EVENT_FIELDS])
{
	struct choice choice;
	struct slice type = {NULL, 0};
	enum catalogue_family family;

	choice.mapping = mapping;
	choice.chosen = chosen;
	choice.deferred_count = 0;
	for (size_t i = 0; i < EVENT_FIELDS; i++) {
		choice.ranks[i] = RANK_NONE;
		chosen[i] = NULL;
	}
	walk(&choice, ROOT, document);
	if (chosen[FIELD_TYPE] != NULL)
		type = json_read_string(chosen[FIELD_TYPE]);
	family = catalogue_find(type)->family;
	for (size_t i = 0; i < choice.deferred_count; i++)
		if ((choice.deferred[i].candidate->families & family) != 0)
			take(&choice, choice.deferred[i].candidate, choice.deferred[i].value);
}
