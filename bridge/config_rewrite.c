/*
 * libcyaml knows one type a key; people like two:
 *
 *   secrets: [one, two]         becomes   secrets: [{file: one}, {file: two}]
 *   signature: {hmac: {...}}    becomes   signature: hmac
 *                                         hmac: {...}
 *
 * and it knows all keys beforehand, which of some mappings nobody does:
 *
 *   fields: {actor.id: /a}      becomes   fields: [{field: actor.id, pointers: [/a]}]
 *
 * One walk over libyaml's events, each written again as it came, but for these.
 * The file was read once before by config_locate_refuse(), so all keys are words
 * and nothing is nested deeper than it allows.  Lines are not kept: errors get
 * theirs from the file itself (config_locate.c knows the second form).
 */
#include "bridge/config_internal.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "formats/memory.h"

enum { DEEPEST = 32, LONGEST_KEY = 64 };

/* A mapping of a source whose keys are the user's: it becomes a list of entries. */
struct free_mapping {
	const char *name;
	const char *key;   /* of an entry: what was a key */
	const char *value; /* ... and its value */
	bool is_list;      /* a single value becomes a list */
};

static const struct free_mapping free_mappings[] = {
    {"fields", "field", "pointers", true},
    {"constants", "field", "text", false},
    {"severity_words", "word", "severity", false},
};

/* A mapping or sequence that has begun and not ended. */
struct level {
	bool is_mapping;
	const struct free_mapping *free; /* NULL: its keys are known */
	bool awaits_key;                 /* of a mapping */
	char key[LONGEST_KEY + 1];       /* of the value we are at; "" in a sequence */
};

struct rewrite {
	yaml_parser_t parser;
	yaml_emitter_t emitter;
	struct level levels[DEEPEST];
	size_t depth;
	size_t unwrapping; /* depth of the mapping that is a signature's value; 0: none */
	char *bytes;       /* what is written */
	size_t length;
	int line; /* of what we are at; 1 is the first */
};

static int
on_write(void *context, unsigned char *bytes, size_t length)
{
	struct rewrite *rewrite = context;

	rewrite->bytes = memory_resize_array(rewrite->bytes, rewrite->length + length + 1, 1);
	memcpy(rewrite->bytes + rewrite->length, bytes, length);
	rewrite->length += length;
	return 1;
}

/* Takes the event, whatever comes. */
static bool
emit(struct rewrite *rewrite, yaml_event_t *event, struct error *error)
{
	return yaml_emitter_emit(&rewrite->emitter, event) == 1 ||
	       error_set(error, "cannot be read: %s",
			 rewrite->emitter.problem != NULL ? rewrite->emitter.problem : "");
}

static bool
emit_word(struct rewrite *rewrite, const char *word, struct error *error)
{
	yaml_event_t event;

	if (yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)word,
					 (int)strlen(word), 1, 1, YAML_ANY_SCALAR_STYLE) != 1)
		memory_panic("no memory for a word of YAML");
	return emit(rewrite, &event, error);
}

static bool
emit_brackets(struct rewrite *rewrite, bool opens, struct error *error)
{
	yaml_event_t event;
	int done = opens ? yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
								YAML_ANY_SEQUENCE_STYLE)
			 : yaml_sequence_end_event_initialize(&event);

	if (done != 1)
		memory_panic("no memory for a list of YAML");
	return emit(rewrite, &event, error);
}

static bool
emit_braces(struct rewrite *rewrite, bool opens, struct error *error)
{
	yaml_event_t event;
	int done = opens ? yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
							       YAML_ANY_MAPPING_STYLE)
			 : yaml_mapping_end_event_initialize(&event);

	if (done != 1)
		memory_panic("no memory for a mapping of YAML");
	return emit(rewrite, &event, error);
}

/* Are we at a value of that key of one of sources? */
static bool
at_source(const struct rewrite *rewrite, const char *key)
{
	return rewrite->depth >= 3 && strcmp(rewrite->levels[0].key, "sources") == 0 &&
	       !rewrite->levels[1].is_mapping && strcmp(rewrite->levels[2].key, key) == 0;
}

static void
push(struct rewrite *rewrite, const yaml_event_t *event)
{
	bool is_mapping = event->type == YAML_MAPPING_START_EVENT;

	if (rewrite->depth == DEEPEST)
		memory_panic("the configuration is deeper than was checked");
	rewrite->levels[rewrite->depth++] =
	    (struct level){.is_mapping = is_mapping, .awaits_key = is_mapping};
}

static void
keep_key(struct level *level, const yaml_event_t *event)
{
	size_t length = event->data.scalar.length;

	if (length > LONGEST_KEY)
		memory_panic("a key of the configuration is longer than was checked");
	memcpy(level->key, event->data.scalar.value, length);
	level->key[length] = '\0';
	level->awaits_key = false;
}

/* The one key of signature: {KEY: {...}} becomes its value and the next key beside it. */
static bool
take_scheme(struct rewrite *rewrite, const char *name, bool is_second, struct error *error)
{
	if (is_second)
		return error_set(error, "signature names more than one scheme; keep one of them");
	if (strcmp(name, "hmac") != 0 && strcmp(name, "token") != 0)
		return error_set(error, "'%s' takes no settings under signature; hmac and token do",
				 name);
	/* once as the value of `signature`, once as the key of what comes now */
	for (int i = 0; i < 2; i++)
		if (!emit_word(rewrite, name, error))
			return false;
	return true;
}

/* ---- mappings with the user's keys ---- */

/* The row of the mapping that has just been stepped into; NULL: it is none of those. */
static const struct free_mapping *
free_of(const struct rewrite *rewrite)
{
	if (rewrite->depth != 4)
		return NULL;
	for (size_t i = 0; i < sizeof(free_mappings) / sizeof(free_mappings[0]); i++)
		if (at_source(rewrite, free_mappings[i].name))
			return &free_mappings[i];
	return NULL;
}

/* Takes the event. */
static bool
take_free_key(struct rewrite *rewrite, const struct free_mapping *free, yaml_event_t *event,
	      struct error *error)
{
	return emit_braces(rewrite, true, error) && emit_word(rewrite, free->key, error) &&
	       emit(rewrite, event, error) && emit_word(rewrite, free->value, error);
}

/* A single value under such a key; takes the event. */
static bool
take_free_value(struct rewrite *rewrite, const struct free_mapping *free, yaml_event_t *event,
		struct error *error)
{
	if (!free->is_list)
		return emit(rewrite, event, error) && emit_braces(rewrite, false, error);
	return emit_brackets(rewrite, true, error) && emit(rewrite, event, error) &&
	       emit_brackets(rewrite, false, error) && emit_braces(rewrite, false, error);
}

/* ---- the walk ---- */

/* Takes the event. */
static bool
take_key(struct rewrite *rewrite, struct level *level, yaml_event_t *event, struct error *error)
{
	bool is_second = level->key[0] != '\0';

	keep_key(level, event);
	if (level->free != NULL)
		return take_free_key(rewrite, level->free, event, error);
	if (rewrite->unwrapping == 0 || rewrite->depth != rewrite->unwrapping)
		return emit(rewrite, event, error);
	yaml_event_delete(event);
	return take_scheme(rewrite, level->key, is_second, error);
}

/* A scalar, or the start of a mapping or sequence; takes the event. */
static bool
take_node(struct rewrite *rewrite, yaml_event_t *event, struct error *error)
{
	struct level *level = rewrite->depth > 0 ? &rewrite->levels[rewrite->depth - 1] : NULL;
	bool is_scalar = event->type == YAML_SCALAR_EVENT;
	bool is_key = level != NULL && level->awaits_key;
	bool is_secret =
	    rewrite->depth == 4 && at_source(rewrite, "secrets") && !rewrite->levels[3].is_mapping;

	if (is_key)
		return take_key(rewrite, level, event, error);
	if (level != NULL && level->is_mapping)
		level->awaits_key = true;
	if (is_secret && event->type == YAML_SEQUENCE_START_EVENT) {
		yaml_event_delete(event);
		return error_set(error, "a secret is the name of its file, or keys, as in "
					"{file: NAME, not_after: 2026-12-31T00:00:00Z}");
	}
	if (is_secret && is_scalar)
		return emit_braces(rewrite, true, error) && emit_word(rewrite, "file", error) &&
		       emit(rewrite, event, error) && emit_braces(rewrite, false, error);
	if (is_scalar && level != NULL && level->free != NULL)
		return take_free_value(rewrite, level->free, event, error);
	if (!is_scalar)
		push(rewrite, event);
	if (event->type == YAML_MAPPING_START_EVENT && free_of(rewrite) != NULL) {
		rewrite->levels[rewrite->depth - 1].free = free_of(rewrite);
		yaml_event_delete(event);
		return emit_brackets(rewrite, true, error);
	}
	if (event->type == YAML_MAPPING_START_EVENT && rewrite->depth == 4 &&
	    at_source(rewrite, "signature")) {
		rewrite->unwrapping = rewrite->depth;
		yaml_event_delete(event);
		return true;
	}
	return emit(rewrite, event, error);
}

/* Takes the event. */
static bool
take_end(struct rewrite *rewrite, yaml_event_t *event, struct error *error)
{
	const struct level *ended = &rewrite->levels[--rewrite->depth];
	const struct level *around = rewrite->depth > 0 ? ended - 1 : NULL;

	if (ended->free != NULL) {
		yaml_event_delete(event);
		return emit_brackets(rewrite, false, error);
	}
	if (around != NULL && around->free != NULL)
		return emit(rewrite, event, error) && emit_braces(rewrite, false, error);
	if (rewrite->unwrapping != rewrite->depth + 1)
		return emit(rewrite, event, error);
	yaml_event_delete(event);
	rewrite->unwrapping = 0;
	return ended->key[0] != '\0' || error_set(error, "signature is empty; name a scheme");
}

static bool
take_event(struct rewrite *rewrite, yaml_event_t *event, struct error *error)
{
	rewrite->line = (int)event->start_mark.line + 1;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		return take_node(rewrite, event, error);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		return take_end(rewrite, event, error);
	default:
		return emit(rewrite, event, error);
	}
}

static bool
run(struct rewrite *rewrite, struct error *error)
{
	bool at_end = false;

	while (!at_end) {
		yaml_event_t event;

		if (yaml_parser_parse(&rewrite->parser, &event) != 1)
			return error_set(error, "not valid YAML");
		at_end = event.type == YAML_STREAM_END_EVENT;
		if (!take_event(rewrite, &event, error))
			return false;
	}
	return yaml_emitter_flush(&rewrite->emitter) == 1 || error_set(error, "cannot be read");
}

bool
config_rewrite(const char *file, struct slice text, char **bytes, size_t *length,
	       struct error *error)
{
	struct rewrite rewrite = {.bytes = memory_allocate(1)};
	bool done;

	if (yaml_parser_initialize(&rewrite.parser) != 1 ||
	    yaml_emitter_initialize(&rewrite.emitter) != 1)
		memory_panic("no memory to read the configuration");
	yaml_parser_set_input_string(&rewrite.parser, (const yaml_char_t *)text.bytes, text.length);
	yaml_emitter_set_output(&rewrite.emitter, on_write, &rewrite);
	yaml_emitter_set_encoding(&rewrite.emitter, YAML_UTF8_ENCODING);
	yaml_emitter_set_unicode(&rewrite.emitter, 1);
	yaml_emitter_set_width(&rewrite.emitter, -1);
	done = run(&rewrite, error);
	yaml_emitter_delete(&rewrite.emitter);
	yaml_parser_delete(&rewrite.parser);
	if (!done) {
		free(rewrite.bytes);
		return error_prefix(error, "%s:%d", file, rewrite.line);
	}
	*bytes = rewrite.bytes;
	*length = rewrite.length;
	return true;
}
