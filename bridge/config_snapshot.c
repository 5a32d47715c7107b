/*
 * Compared as libyaml reads it, not as structs: every key that there will ever be is
 * in it, and comments, quotes and order of keys are not.  Entries of a list that have
 * a name are compared by that.
 */
#include "bridge/config_snapshot.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yaml.h>

#include "bridge/config_internal.h"
#include "formats/memory.h"

static const char *used_path;
static int used = -1;

/* ---- taking, using ---- */

static bool
write_all(int descriptor, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(descriptor, bytes, length);

		if (written <= 0)
			return false;
		bytes += written;
		length -= (size_t)written;
	}
	return true;
}

bool
config_snapshot_take(const char *path, int *descriptor, struct error *error)
{
	char *bytes;
	size_t length;
	int created;
	bool done;

	if (!config_read_file(path, &bytes, &length, error))
		return false;
	created = memfd_create("siembridge.yaml", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	done = created >= 0 && write_all(created, bytes, length) &&
	       fcntl(created, F_ADD_SEALS,
		     F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0;
	if (!done)
		error_set_errno(error, "memory for the configuration cannot be had");
	free(bytes);
	if (done)
		*descriptor = created;
	else if (created >= 0)
		close(created);
	return done;
}

void
config_snapshot_use(const char *path, int descriptor)
{
	used_path = path;
	used = descriptor;
}

int
config_snapshot_of(const char *path)
{
	return used >= 0 && strcmp(path, used_path) == 0 ? used : -1;
}

/* ---- comparing ---- */

struct side {
	yaml_document_t document;
	char *bytes;
	bool loaded;
};

static void
load(struct side *side, int descriptor)
{
	yaml_parser_t parser;
	struct stat status;

	if (fstat(descriptor, &status) != 0 || yaml_parser_initialize(&parser) != 1)
		return;
	side->bytes = memory_allocate((size_t)status.st_size + 1);
	if (pread(descriptor, side->bytes, (size_t)status.st_size, 0) == status.st_size) {
		yaml_parser_set_input_string(&parser, (const unsigned char *)side->bytes,
					     (size_t)status.st_size);
		side->loaded = yaml_parser_load(&parser, &side->document) == 1;
	}
	yaml_parser_delete(&parser);
}

static void
unload(struct side *side)
{
	if (side->loaded)
		yaml_document_delete(&side->document);
	free(side->bytes);
}

static struct slice
scalar(const yaml_node_t *node)
{
	if (node == NULL || node->type != YAML_SCALAR_NODE)
		return (struct slice){NULL, 0};
	return (struct slice){(const char *)node->data.scalar.value, node->data.scalar.length};
}

static bool
same_text(struct slice a, struct slice b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static size_t
pairs(const yaml_node_t *mapping)
{
	return (size_t)(mapping->data.mapping.pairs.top - mapping->data.mapping.pairs.start);
}

static size_t
items(const yaml_node_t *sequence)
{
	return (size_t)(sequence->data.sequence.items.top - sequence->data.sequence.items.start);
}

static yaml_node_t *
item(struct side *side, const yaml_node_t *sequence, size_t index)
{
	return yaml_document_get_node(&side->document, sequence->data.sequence.items.start[index]);
}

static yaml_node_t *
key_of(struct side *side, const yaml_node_t *mapping, size_t index)
{
	return yaml_document_get_node(&side->document,
				      mapping->data.mapping.pairs.start[index].key);
}

/* The value of that key; NULL where it is not there. */
static yaml_node_t *
value(struct side *side, const yaml_node_t *mapping, struct slice key)
{
	if (mapping == NULL || mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (size_t i = 0; i < pairs(mapping); i++)
		if (same_text(scalar(key_of(side, mapping, i)), key))
			return yaml_document_get_node(&side->document,
						      mapping->data.mapping.pairs.start[i].value);
	return NULL;
}

/* The reader of the configuration allows 16 levels and no aliases. */
static bool
same(struct side *before, const yaml_node_t *a, struct side *after, const yaml_node_t *b)
{
	if (a == NULL || b == NULL || a->type != b->type)
		return a == b;
	if (a->type == YAML_SCALAR_NODE)
		return same_text(scalar(a), scalar(b));
	if (a->type == YAML_SEQUENCE_NODE) {
		for (size_t i = 0; i < items(a) && items(a) == items(b); i++)
			if (!same(before, item(before, a, i), after, item(after, b, i)))
				return false;
		return items(a) == items(b);
	}
	for (size_t i = 0; i < pairs(a) && pairs(a) == pairs(b); i++) {
		struct slice key = scalar(key_of(before, a, i));

		if (!same(before, value(before, a, key), after, value(after, b, key)))
			return false;
	}
	return pairs(a) == pairs(b);
}

/* The entry of that name. */
static yaml_node_t *
named(struct side *side, const yaml_node_t *sequence, struct slice name)
{
	if (sequence == NULL || sequence->type != YAML_SEQUENCE_NODE)
		return NULL;
	for (size_t i = 0; i < items(sequence); i++) {
		yaml_node_t *entry = item(side, sequence, i);

		if (same_text(scalar(value(side, entry, text_of("name"))), name))
			return entry;
	}
	return NULL;
}

static void
tell(struct text *text, bool *first, struct slice key, const char *what, struct slice name)
{
	if (!*first)
		text_append_string(text, ",");
	else
		text_append_format(text, "%s%.*s:", text->length > 0 ? "; " : "", (int)key.length,
				   key.bytes);
	*first = false;
	text_append_format(text, " %s", what);
	if (name.length > 0)
		text_append_format(text, " %.*s", (int)name.length, name.bytes);
}

static void
compare_lists(struct side *before, const yaml_node_t *a, struct side *after, const yaml_node_t *b,
	      struct slice key, struct text *text)
{
	bool first = true;

	for (size_t i = 0; i < items(b); i++) {
		yaml_node_t *entry = item(after, b, i);
		struct slice name = scalar(value(after, entry, text_of("name")));
		yaml_node_t *old = named(before, a, name);

		if (old == NULL)
			tell(text, &first, key, "added", name);
		else if (!same(before, old, after, entry))
			tell(text, &first, key, "changed", name);
	}
	for (size_t i = 0; i < items(a); i++) {
		struct slice name = scalar(value(before, item(before, a, i), text_of("name")));

		if (named(after, b, name) == NULL)
			tell(text, &first, key, "removed", name);
	}
	if (first && !same(before, a, after, b))
		tell(text, &first, key, "in another order", (struct slice){NULL, 0});
}

static bool
is_list_of_names(struct side *side, const yaml_node_t *node)
{
	return node != NULL && node->type == YAML_SEQUENCE_NODE && items(node) > 0 &&
	       value(side, item(side, node, 0), text_of("name")) != NULL;
}

static void
compare_values(struct side *before, const yaml_node_t *a, struct side *after, const yaml_node_t *b,
	       struct slice key, struct text *text)
{
	bool first = true;

	if (is_list_of_names(before, a) && is_list_of_names(after, b))
		compare_lists(before, a, after, b, key, text);
	else if (!same(before, a, after, b))
		tell(text, &first, key,
		     a == NULL   ? "added"
		     : b == NULL ? "removed"
				 : "changed",
		     (struct slice){NULL, 0});
}

static void
compare_roots(struct side *before, struct side *after, struct text *text)
{
	const yaml_node_t *a = yaml_document_get_root_node(&before->document);
	const yaml_node_t *b = yaml_document_get_root_node(&after->document);

	if (a == NULL || b == NULL || a->type != YAML_MAPPING_NODE || b->type != YAML_MAPPING_NODE)
		return;
	for (size_t i = 0; i < pairs(b); i++) {
		struct slice key = scalar(key_of(after, b, i));

		compare_values(before, value(before, a, key), after, value(after, b, key), key,
			       text);
	}
	for (size_t i = 0; i < pairs(a); i++) {
		struct slice key = scalar(key_of(before, a, i));

		if (value(after, b, key) == NULL)
			compare_values(before, value(before, a, key), after, NULL, key, text);
	}
}

void
config_snapshot_compare(int before, int after, struct text *text)
{
	struct side sides[2] = {{.bytes = NULL}, {.bytes = NULL}};
	size_t start = text->length;

	load(&sides[0], before);
	load(&sides[1], after);
	if (sides[0].loaded && sides[1].loaded)
		compare_roots(&sides[0], &sides[1], text);
	if (text->length == start)
		text_append_string(text, "nothing");
	unload(&sides[0]);
	unload(&sides[1]);
}
