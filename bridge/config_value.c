#include "bridge/config_value.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

enum { LONGEST_NAME = 64, LONGEST_GLOB = 127 };

struct config_place
config_value_place(const struct config_place *place, const char *key, int index)
{
	struct config_place inner = *place;
	struct text prefix;

	text_start(&prefix, inner.prefix, sizeof(inner.prefix) - 1);
	text_append_string(&prefix, place->prefix);
	if (prefix.length > 0 && key[0] != '\0')
		text_append_byte(&prefix, '.');
	text_append_string(&prefix, key);
	if (index >= 0)
		text_append_format(&prefix, "[%d]", index);
	inner.prefix[prefix.length] = '\0';
	return inner;
}

bool
config_value_wrong(const struct config_place *place, const char *key)
{
	struct config_place value = config_value_place(place, key, -1);

	if (value.prefix[0] != '\0')
		error_prefix(place->error, "%s", value.prefix);
	return config_locate_prefix(place->error, place->file, value.prefix);
}

bool
config_value_word(const struct config_place *place, const char *key, const char *text,
		  const struct config_word *words, size_t count, int *value)
{
	char bytes[256];
	struct text known;

	text_start(&known, bytes, sizeof(bytes));
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i].name, text) == 0) {
			*value = words[i].value;
			return true;
		}
		text_append_format(&known, "%s%s", i > 0 ? ", " : "", words[i].name);
	}
	error_set(place->error, "'%.40s' is unknown; known: %.*s", text, (int)known.length,
		  known.bytes);
	return config_value_wrong(place, key);
}

/* A range is written as in the manual; the parser of the file reads it. */
static bool
parse_quantity(const struct config_quantity *row, const char *text, int64_t *number,
	       struct error *error)
{
	uint64_t bytes;

	if (row->milliseconds != NULL)
		return config_parse_duration(text, number, error);
	if (!config_parse_size(text, &bytes, error))
		return false;
	*number = (int64_t)bytes; /* which the parser keeps below INT64_MAX */
	return true;
}

static bool
read_quantity(const struct config_place *place, const struct config_quantity *row)
{
	const char *text = row->text != NULL ? row->text : row->fallback;
	int64_t number = 0, minimum = 0, maximum = 0;

	if (!parse_quantity(row, text, &number, place->error))
		return config_value_wrong(place, row->key);
	if (!parse_quantity(row, row->minimum, &minimum, place->error) ||
	    !parse_quantity(row, row->maximum, &maximum, place->error))
		memory_panic("the range of %s: %s", row->key, place->error->text);
	if (number < minimum || number > maximum) {
		error_set(place->error, "'%s' is out of range; allowed: %s to %s", text,
			  row->minimum, row->maximum);
		return config_value_wrong(place, row->key);
	}
	if (row->milliseconds != NULL)
		*row->milliseconds = number;
	else
		*row->bytes = (uint64_t)number;
	return true;
}

bool
config_value_quantities(const struct config_place *place, const struct config_quantity *rows,
			size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!read_quantity(place, &rows[i]))
			return false;
	return true;
}

bool
config_value_number(const struct config_place *place, const char *key, const char *text,
		    uint32_t fallback, uint32_t minimum, uint32_t maximum, uint32_t *number)
{
	uint64_t value = fallback;

	if (text != NULL &&
	    (!text_parse_unsigned(text_of(text), maximum, &value) || value < minimum)) {
		error_set(place->error, "'%.40s' must be a whole number from %u to %u", text,
			  minimum, maximum);
		return config_value_wrong(place, key);
	}
	*number = (uint32_t)value;
	return true;
}

bool
config_value_name(const struct config_place *place, const char *key, const char *text)
{
	size_t length = strlen(text);

	if (length > LONGEST_NAME || strspn(text, LETTERS DIGITS "._-") != length ||
	    strspn(text, LETTERS DIGITS) == 0) {
		error_set(place->error,
			  "'%.70s' must be 1 to %d of A-Z, a-z, 0-9, '.', '_' and '-', "
			  "beginning with a letter or digit",
			  text, LONGEST_NAME);
		return config_value_wrong(place, key);
	}
	return true;
}

bool
config_value_switch(const struct config_place *place, const char *key, const char *text,
		    bool fallback, bool *value)
{
	static const struct config_word words[] = {{"true", true}, {"false", false}};
	int word = fallback;

	if (text != NULL && !config_value_word(place, key, text, words, 2, &word))
		return false;
	*value = word != 0;
	return true;
}

bool
config_value_printable(const struct config_place *place, const char *key, const char *text,
		       size_t longest)
{
	bool good = true;

	for (const char *byte = text; byte != NULL && *byte != '\0'; byte++)
		good = good && *byte > ' ' && *byte < 0x7f;
	if (!good || (text != NULL && strlen(text) > longest)) {
		error_set(place->error,
			  "must be 1 to %zu printable ASCII characters without a space", longest);
		return config_value_wrong(place, key);
	}
	return true;
}

bool
config_value_globs(const struct config_place *place, const char *key, char *const *globs,
		   unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const char *glob = globs[i];
		size_t length = strlen(glob);

		if (length <= LONGEST_GLOB && strspn(glob, LETTERS DIGITS "._-*") == length)
			continue;
		error_set(place->error,
			  "'%.40s' matches no event type; they are 1 to %d of A-Z, a-z, 0-9, "
			  "'.', '_' and '-', and '*' stands for any run of them",
			  glob, LONGEST_GLOB);
		return config_value_wrong(place, key);
	}
	return true;
}

bool
config_value_events(const struct config_place *place, char ***events, unsigned *count)
{
	if (!config_value_globs(place, "events", *events, *count))
		return false;
	if (*count == 0) {
		*events = memory_allocate_array(1, sizeof(**events));
		(*events)[0] = memory_copy_text("*", 1);
		*count = 1;
	}
	return true;
}

bool
config_value_address(const struct config_place *place, const char *key, const char *text,
		     bool host_required)
{
	char host[256], port[8];

	if (!config_parse_address(text, host, port, place->error))
		return config_value_wrong(place, key);
	if (host_required && host[0] == '\0') {
		error_set(place->error, "'%s' names no host; write host:port", text);
		return config_value_wrong(place, key);
	}
	return true;
}

static bool
make_absolute(const struct config_place *place, const char *key, char **path)
{
	char bytes[PATH_MAX];
	struct text absolute;

	if ((*path)[0] == '/')
		return true;
	text_start(&absolute, bytes, sizeof(bytes) - 1);
	text_append_string(&absolute, place->directory);
	text_append_byte(&absolute, '/');
	text_append_string(&absolute, *path);
	if (absolute.overflowed) {
		error_set(place->error, "the path is longer than %d bytes", PATH_MAX - 2);
		return config_value_wrong(place, key);
	}
	free(*path);
	*path = memory_copy_text(absolute.bytes, absolute.length);
	return true;
}

/* What a process may open follows from this list, so no key can be forgotten in it. */
static void
note_path(const struct config_place *place, const char *key, const char *path)
{
	struct config_place value = config_value_place(place, key, -1);
	struct config *config = place->config;
	struct config_named_path *named;

	if (config == NULL)
		return;
	config->named_paths =
	    memory_resize_array(config->named_paths, config->named_paths_count + 1, sizeof(*named));
	named = &config->named_paths[config->named_paths_count++];
	named->key = memory_copy_text(value.prefix, strlen(value.prefix));
	named->path = memory_copy_text(path, strlen(path));
}

bool
config_value_path(const struct config_place *place, const char *key, char **path)
{
	if (!make_absolute(place, key, path))
		return false;
	note_path(place, key, *path);
	return true;
}
