/*
 * Where a key stands in the file: one walk over libyaml's events that keeps the
 * path of the node it is at.  libcyaml's own line is that of the last value it
 * read, which for an unknown or a missing key is another one's.
 *
 * The walk runs over the whole file before libcyaml sees it, so it is also where
 * the unwanted parts of YAML are refused.
 */
#include "bridge/config_internal.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

enum { DEEPEST = 16, LONGEST_KEY = 64 };

static const char key_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

/* A mapping or sequence that has begun and not ended. */
struct level {
	bool is_mapping;
	bool awaits_key;    /* of a mapping */
	size_t index;       /* of the next item of a sequence */
	size_t path_length; /* bytes of walk.path that name it */
};

struct walk {
	yaml_parser_t parser;
	struct slice input;
	struct level levels[DEEPEST];
	size_t depth;
	char path_bytes[CONFIG_KEY_PATH];
	struct text path;   /* of the node we are at */
	const char *wanted; /* a key path, or NULL */
	int line;           /* of what we are at, then of what was wanted; 1 is the first */
	bool found;
	unsigned documents;
};

/* The path of the next node of a sequence, or of the value behind a key. */
static void
enter_path(struct walk *walk, const char *key)
{
	struct level *level = &walk->levels[walk->depth - 1];

	text_cut(&walk->path, level->path_length);
	if (key == NULL) {
		text_append_format(&walk->path, "[%zu]", level->index++);
	} else {
		if (walk->path.length > 0)
			text_append_byte(&walk->path, '.');
		text_append_string(&walk->path, key);
	}
	walk->found = walk->wanted != NULL && !walk->path.overflowed &&
		      text_slice_is(text_slice(&walk->path), walk->wanted);
}

static bool
take_key(struct walk *walk, const yaml_event_t *event, struct error *error)
{
	const char *key = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;

	if (length == 0 || length > LONGEST_KEY || strspn(key, key_letters) != length)
		return error_set(error, "a key must be a word of 1 to %d letters, digits and _",
				 LONGEST_KEY);
	walk->levels[walk->depth - 1].awaits_key = false;
	enter_path(walk, key);
	return true;
}

static bool
scalar_is_plain(const yaml_event_t *event, struct error *error)
{
	for (size_t i = 0; i < event->data.scalar.length; i++) {
		unsigned char byte = event->data.scalar.value[i];

		if (byte < 0x20 || byte == 0x7f)
			return error_set(error, "a value must be one line without control "
						"characters");
	}
	return true;
}

/* What stands under `signature` of a source has the path of what config_rewrite() makes of it. */
static void
leave_signature(struct walk *walk, const yaml_event_t *event)
{
	static const char name[] = ".signature";
	struct slice path = text_slice(&walk->path);
	size_t length = sizeof(name) - 1;

	if (event->type == YAML_MAPPING_START_EVENT && walk->depth == 3 && path.length > length &&
	    memcmp(path.bytes + path.length - length, name, length) == 0)
		text_cut(&walk->path, path.length - length);
}

/* A scalar, or the start of a mapping or sequence. */
static bool
take_node(struct walk *walk, const yaml_event_t *event, const yaml_char_t *anchor,
	  const yaml_char_t *tag, struct error *error)
{
	struct level *level = walk->depth > 0 ? &walk->levels[walk->depth - 1] : NULL;

	if (anchor != NULL)
		return error_set(error, "anchors and aliases are not allowed; write it out");
	if (tag != NULL)
		return error_set(error, "tags are not allowed; leave out the one that starts "
					"with '!'");
	if (level != NULL && level->awaits_key) {
		if (event->type != YAML_SCALAR_EVENT)
			return error_set(error, "a key must be a word, not a list or mapping");
		return take_key(walk, event, error);
	}
	if (level != NULL && !level->is_mapping)
		enter_path(walk, NULL);
	if (level != NULL)
		level->awaits_key = level->is_mapping;
	if (event->type == YAML_SCALAR_EVENT)
		return scalar_is_plain(event, error);
	if (walk->depth == DEEPEST)
		return error_set(error, "nested more than %d deep", DEEPEST);
	leave_signature(walk, event);
	walk->levels[walk->depth++] = (struct level){
	    .is_mapping = event->type == YAML_MAPPING_START_EVENT,
	    .awaits_key = event->type == YAML_MAPPING_START_EVENT,
	    .path_length = walk->path.length,
	};
	return true;
}

static bool
take_event(struct walk *walk, const yaml_event_t *event, struct error *error)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return take_node(walk, event, event->data.scalar.anchor, event->data.scalar.tag,
				 error);
	case YAML_MAPPING_START_EVENT:
		return take_node(walk, event, event->data.mapping_start.anchor,
				 event->data.mapping_start.tag, error);
	case YAML_SEQUENCE_START_EVENT:
		return take_node(walk, event, event->data.sequence_start.anchor,
				 event->data.sequence_start.tag, error);
	case YAML_ALIAS_EVENT:
		return error_set(error, "anchors and aliases are not allowed; write it out");
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		walk->depth--;
		return true;
	case YAML_DOCUMENT_START_EVENT:
		if (++walk->documents > 1)
			return error_set(error, "one file holds one document; take out the "
						"'---' and what is behind it");
		return true;
	default:
		return true;
	}
}

/* libyaml gives a reader's problem as an offset, a parser's as a mark. */
static bool
syntax_error(struct walk *walk, struct error *error)
{
	const yaml_parser_t *parser = &walk->parser;
	const char *problem = parser->problem != NULL ? parser->problem : "it cannot be read";

	walk->line = (int)parser->problem_mark.line + 1;
	if (parser->error == YAML_READER_ERROR) {
		walk->line = 1;
		for (size_t i = 0; i < parser->problem_offset && i < walk->input.length; i++)
			if (walk->input.bytes[i] == '\n')
				walk->line++;
	}
	if (parser->context != NULL)
		return error_set(error, "not valid YAML: %s %s", problem, parser->context);
	return error_set(error, "not valid YAML: %s", problem);
}

/* Stops at what is wanted (walk->found) or at an error; walk->line is its line. */
static bool
run(struct walk *walk, struct error *error)
{
	bool good = true, at_end = false;

	if (yaml_parser_initialize(&walk->parser) == 0)
		return error_set(error, "out of memory");
	yaml_parser_set_input_string(&walk->parser, (const yaml_char_t *)walk->input.bytes,
				     walk->input.length);
	text_start(&walk->path, walk->path_bytes, sizeof(walk->path_bytes));
	while (good && !at_end && !walk->found) {
		yaml_event_t event;

		if (yaml_parser_parse(&walk->parser, &event) == 0) {
			good = syntax_error(walk, error);
			break;
		}
		walk->line = (int)event.start_mark.line + 1;
		good = take_event(walk, &event, error);
		at_end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&walk->parser);
	return good;
}

bool
config_locate_refuse(const char *file, struct slice text, struct error *error)
{
	struct walk walk = {.input = text};

	if (run(&walk, error))
		return true;
	return error_prefix(error, "%s:%d", file, walk.line);
}

int
config_locate(const char *file, const char *key_path)
{
	struct walk walk = {.wanted = key_path};
	struct error ignored; /* a file that cannot be read any more has no lines */
	char *bytes;
	size_t length;

	if (!config_read_text(file, &bytes, &length, &ignored))
		return 0;
	walk.input = (struct slice){bytes, length};
	if (!run(&walk, &ignored))
		walk.found = false;
	free(bytes);
	return walk.found ? walk.line : 0;
}

bool
config_locate_prefix(struct error *error, const char *file, const char *key_path)
{
	char bytes[CONFIG_KEY_PATH];
	struct text path;
	int line = 0;

	text_start(&path, bytes, sizeof(bytes) - 1);
	text_append_string(&path, key_path);
	while (path.length > 0) {
		bytes[path.length] = '\0';
		line = config_locate(file, bytes);
		if (line > 0)
			return error_prefix(error, "%s:%d", file, line);
		do
			path.length--;
		while (path.length > 0 && bytes[path.length] != '.' && bytes[path.length] != '[');
	}
	return error_prefix(error, "%s", file);
}
