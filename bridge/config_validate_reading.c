/*
 * How bodies become events: profile, own pointers, constants and words of a source;
 * aliases and event types of all of them.
 */
#include "bridge/config_value.h"

#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"
#include "formats/utf8.h"

enum { LONGEST_TYPE = 127, LONGEST_TEXT = 1024 };

#define TYPE_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static const struct config_word categories[] = {
    {"key", FAMILY_KEY},         {"member", FAMILY_MEMBER},     {"usage", FAMILY_USAGE},
    {"billing", FAMILY_BILLING}, {"security", FAMILY_SECURITY}, {"other", FAMILY_OTHER},
};

static bool
is_made_of(const char *text, const char *letters)
{
	size_t length = strlen(text);

	return length >= 1 && length <= LONGEST_TYPE && strspn(text, letters) == length;
}

static bool
validate_severity(const struct config_place *place, const char *key, const char *text,
		  enum severity *severity)
{
	if (severity_find(text, severity))
		return true;
	error_set(place->error, "'%.40s' is no level; they are: info, low, medium, high, critical",
		  text);
	return config_value_wrong(place, key);
}

/* One printable line: it goes into every format. */
static bool
validate_line(const struct config_place *place, const char *key, const char *text)
{
	struct slice line = text_of(text);

	if (line.length <= LONGEST_TEXT && utf8_valid(line))
		return true;
	error_set(place->error, "must be at most %d bytes of UTF-8", LONGEST_TEXT);
	return config_value_wrong(place, key);
}

/* ---- of a source ---- */

static bool
find_field(const struct config_place *place, const char *name, enum event_field *field)
{
	char bytes[1024];
	struct text known;

	if (event_field_find(name, field) && *field != FIELD_ORIGINAL_TYPE)
		return true;
	text_start(&known, bytes, sizeof(bytes));
	for (enum event_field i = 0; i < EVENT_FIELDS; i++)
		if (i != FIELD_ORIGINAL_TYPE)
			text_append_format(&known, "%s%s", i > 0 ? ", " : "", event_field_name(i));
	error_set(place->error, "there is no such field of an event; there are: %.*s",
		  (int)known.length, known.bytes);
	return config_value_wrong(place, name);
}

static bool
validate_fields(const struct config_place *source_place, struct config_source *source)
{
	const struct config_place place = config_value_place(source_place, "fields", -1);

	source->own_fields =
	    memory_allocate_array(source->fields_count, sizeof(*source->own_fields));
	for (unsigned i = 0; i < source->fields_count; i++) {
		const struct config_field *field = &source->fields[i];
		struct mapping_own *own = &source->own_fields[i];

		if (!find_field(&place, field->field_text, &own->field))
			return false;
		for (unsigned j = 0; j < field->pointers_count; j++)
			if (!mapping_check_pointer(field->pointers[j], place.error))
				return config_value_wrong(&place, field->field_text);
		own->pointers = (const char *const *)field->pointers;
		own->count = field->pointers_count;
	}
	return true;
}

static bool
has_pointers(const struct config_source *source, enum event_field field)
{
	for (unsigned i = 0; i < source->fields_count; i++)
		if (source->own_fields[i].field == field)
			return true;
	return false;
}

static bool
validate_constants(const struct config_place *source_place, struct config_source *source)
{
	const struct config_place place = config_value_place(source_place, "constants", -1);

	source->own_constants =
	    memory_allocate_array(source->constants_count, sizeof(*source->own_constants));
	for (unsigned i = 0; i < source->constants_count; i++) {
		const struct config_constant *constant = &source->constants[i];
		struct normalise_constant *own = &source->own_constants[i];

		if (!find_field(&place, constant->field_text, &own->field) ||
		    !validate_line(&place, constant->field_text, constant->text))
			return false;
		if (has_pointers(source, own->field)) {
			error_set(place.error, "is set whatever the body says; take it out here or "
					       "under 'fields'");
			return config_value_wrong(&place, constant->field_text);
		}
		own->text = constant->text;
	}
	return true;
}

static bool
validate_words(const struct config_place *source_place, struct config_source *source)
{
	const struct config_place place = config_value_place(source_place, "severity_words", -1);

	source->own_words =
	    memory_allocate_array(source->severity_words_count, sizeof(*source->own_words));
	for (unsigned i = 0; i < source->severity_words_count; i++) {
		const struct config_severity_word *word = &source->severity_words[i];

		if (!validate_severity(&place, word->word, word->severity_text,
				       &source->own_words[i].severity))
			return false;
		source->own_words[i].word = word->word;
	}
	return true;
}

static bool
validate_default_type(const struct config_place *place, const struct config_source *source)
{
	if (source->default_type == NULL || is_made_of(source->default_type, TYPE_LETTERS))
		return true;
	error_set(place->error,
		  "'%.40s' is no event type; they are 1 to %d of A-Z, a-z, 0-9, '.', '_' and '-'",
		  source->default_type, LONGEST_TYPE);
	return config_value_wrong(place, "type");
}

/* An envelope of HEC says nothing of a type. */
static void
set_defaults(struct config_source *source)
{
	static const char type[] = "hec.event";
	bool is_hec = source->signature == CONFIG_SIGNATURE_HEC;
	const char *profile = is_hec ? "hec" : "anyint";

	if (source->profile == NULL)
		source->profile = memory_copy_text(profile, strlen(profile));
	if (is_hec && source->default_type == NULL)
		source->default_type = memory_copy_text(type, strlen(type));
}

bool
config_validate_reading(const struct config_place *place, const struct config *config,
			struct config_source *source)
{
	struct normalise *normalise = NULL;

	set_defaults(source);
	if (!normalise_new(&normalise, source->profile, place->error))
		return config_value_wrong(place, "profile");
	normalise_free(normalise);
	if (!validate_fields(place, source) || !validate_constants(place, source) ||
	    !validate_words(place, source) || !validate_default_type(place, source))
		return false;
	source->reading = config->reading;
	source->reading.profile = source->profile;
	source->reading.fields = source->own_fields;
	source->reading.field_count = source->fields_count;
	source->reading.constants = source->own_constants;
	source->reading.constant_count = source->constants_count;
	source->reading.severity_words = source->own_words;
	source->reading.severity_word_count = source->severity_words_count;
	source->reading.default_type = source->default_type;
	if (!normalise_new_with(&normalise, &source->reading, place->error))
		return config_value_wrong(place, "fields");
	normalise_free(normalise);
	return true;
}

/* ---- of all sources ---- */

static bool
validate_type(const struct config_place *place, const struct config_type *type,
	      struct vocabulary_type *own)
{
	int family = FAMILY_OTHER;

	if (!is_made_of(type->type, TYPE_LETTERS "*")) {
		error_set(place->error,
			  "'%.40s' matches no event type; they are 1 to %d of A-Z, a-z, 0-9, '.', "
			  "'_' and '-', and '*' stands for any run of them",
			  type->type, LONGEST_TYPE);
		return config_value_wrong(place, "type");
	}
	own->glob = type->type;
	own->name = type->name;
	own->has_severity = type->severity_text != NULL;
	own->has_family = type->category_text != NULL;
	if ((type->name != NULL && !validate_line(place, "name", type->name)) ||
	    (own->has_severity &&
	     !validate_severity(place, "severity", type->severity_text, &own->severity)) ||
	    !config_value_switch(place, "severity_of_body", type->severity_of_body_text, false,
				 &own->severity_of_body) ||
	    (own->has_family &&
	     !config_value_word(place, "category", type->category_text, categories,
				sizeof(categories) / sizeof(categories[0]), &family)))
		return false;
	own->family = (enum catalogue_family)family;
	return true;
}

/* Ends the word that starts at *line with a NUL and steps behind it; "" where there is none. */
static char *
take_word(char **line)
{
	char *word = *line + strspn(*line, " \t\r");
	size_t length = strcspn(word, " \t\r");

	*line = word + length;
	if (**line != '\0')
		*(*line)++ = '\0';
	return word;
}

/* A line of the file: a comment, nothing, or two words. */
static bool
take_line(struct config *config, char *line, struct error *error)
{
	struct alias alias;

	line[strcspn(line, "#")] = '\0';
	alias.from = take_word(&line);
	alias.to = take_word(&line);
	if (alias.from[0] == '\0')
		return true;
	if (alias.to[0] == '\0' || take_word(&line)[0] != '\0')
		return error_set(error, "a line is two words: the sender's event type and ours");
	if (!is_made_of(alias.from, TYPE_LETTERS "*") || !is_made_of(alias.to, TYPE_LETTERS))
		return error_set(error,
				 "event types are 1 to %d of A-Z, a-z, 0-9, '.', '_' and '-'; "
				 "the sender's may hold '*'",
				 LONGEST_TYPE);
	config->aliases =
	    memory_resize_array(config->aliases, config->aliases_count + 1, sizeof(alias));
	config->aliases[config->aliases_count++] = alias;
	return true;
}

static bool
read_aliases(const struct config_place *root, struct config *config)
{
	size_t length = 0, number = 1;
	char *line, *next;

	if (!config_value_path(root, "aliases_file", &config->aliases_file))
		return false;
	if (!config_read_text(config->aliases_file, &config->aliases_text, &length, root->error))
		return config_value_wrong(root, "aliases_file");
	config->aliases_text = memory_resize_array(config->aliases_text, length + 1, 1);
	config->aliases_text[length] = '\0';
	for (line = config->aliases_text; line != NULL; line = next, number++) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (!take_line(config, line, root->error))
			return error_prefix(root->error, "%s:%zu", config->aliases_file, number);
	}
	return true;
}

/* A short one would mask ordinary words. */
static bool
validate_mask_texts(const struct config_place *place, const char *key, char *const *texts,
		    unsigned count)
{
	enum { SHORTEST = 2, LONGEST = 32 };

	for (unsigned i = 0; i < count; i++) {
		const struct config_place entry = config_value_place(place, key, (int)i);

		if (!config_value_printable(&entry, "", texts[i], LONGEST))
			return false;
		if (strlen(texts[i]) >= SHORTEST)
			continue;
		error_set(place->error, "'%s' is too short to know a key by; at least %d bytes",
			  texts[i], SHORTEST);
		return config_value_wrong(&entry, "");
	}
	return true;
}

static bool
validate_mask(const struct config_place *root, struct config_mask *mask)
{
	const struct config_place place = config_value_place(root, "mask", -1);
	bool enabled;

	if (!config_value_switch(&place, "enabled", mask->enabled_text, true, &enabled) ||
	    !validate_mask_texts(&place, "prefixes", mask->prefixes, mask->prefixes_count) ||
	    !validate_mask_texts(&place, "names", mask->names, mask->names_count))
		return false;
	mask->settings = (struct mask_settings){
	    .off = !enabled,
	    .prefixes = mask->prefixes,
	    .prefix_count = mask->prefixes_count,
	    .names = mask->names,
	    .name_count = mask->names_count,
	};
	return true;
}

bool
config_validate_reading_vocabulary(const struct config_place *root, struct config *config)
{
	if ((config->aliases_file != NULL && !read_aliases(root, config)) ||
	    !validate_mask(root, &config->mask))
		return false;
	config->own_types = memory_allocate_array(config->types_count, sizeof(*config->own_types));
	for (unsigned i = 0; i < config->types_count; i++) {
		const struct config_place place = config_value_place(root, "types", (int)i);

		if (!validate_type(&place, &config->types[i], &config->own_types[i]))
			return false;
	}
	config->reading = (struct normalise_settings){
	    .aliases = config->aliases,
	    .alias_count = config->aliases_count,
	    .types = config->own_types,
	    .type_count = config->types_count,
	    .mask = &config->mask.settings,
	};
	return true;
}
