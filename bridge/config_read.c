/*
 * File -> structs, by libcyaml.  What it finds wrong it tells in several lines of
 * log: a message, then a backtrace from the innermost place outward.  We keep
 * both, and make one line in our own words of its return code, the last word of
 * the message and the key path of the backtrace.
 */
#include "bridge/config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/config_schema.h"
#include "bridge/config_snapshot.h"
#include "bridge/read_file.h"
#include "formats/memory.h"

enum { MOST_STEPS = 8, STEP_LENGTH = 72 };

/* One step of the backtrace: a key, or the number of a list's entry. */
struct step {
	char key[STEP_LENGTH]; /* empty: an entry, or a mapping with no key yet */
	uint64_t entry;        /* counted from 1; 0: not an entry */
};

/* What cyaml said of one document. */
struct story {
	char message[256];             /* empty: nothing */
	struct step steps[MOST_STEPS]; /* innermost first */
	size_t count;
};

bool
config_read_file(const char *file, char **bytes, size_t *length, struct error *error)
{
	char *buffer = memory_allocate(CONFIG_FILE_LIMIT);
	struct stat status;

	if (!read_file(file, buffer, CONFIG_FILE_LIMIT, length, &status, error)) {
		free(buffer);
		return error_prefix(error, "configuration");
	}
	*bytes = buffer;
	return true;
}

bool
config_read_text(const char *file, char **bytes, size_t *length, struct error *error)
{
	int snapshot = config_snapshot_of(file);
	char *buffer;
	ssize_t got;

	if (snapshot < 0)
		return config_read_file(file, bytes, length, error);
	buffer = memory_allocate(CONFIG_FILE_LIMIT);
	got = pread(snapshot, buffer, CONFIG_FILE_LIMIT, 0);
	if (got < 0) {
		error_set_errno(error, "configuration: the copy of %s", file);
		free(buffer);
		return false;
	}
	*bytes = buffer;
	*length = (size_t)got;
	return true;
}

/* What stands between the first pair of quotes. */
static struct slice
quoted(const char *line)
{
	const char *start = strchr(line, '\'');
	const char *end = start != NULL ? strchr(start + 1, '\'') : NULL;

	if (end == NULL)
		return (struct slice){NULL, 0};
	return (struct slice){start + 1, (size_t)(end - start - 1)};
}

static void
keep(char *buffer, size_t capacity, struct slice slice)
{
	struct text text;

	text_start(&text, buffer, capacity - 1);
	text_append(&text, slice.bytes, slice.length < capacity ? slice.length : capacity - 1);
	buffer[text.length] = '\0';
}

static void
keep_step(struct story *story, const char *line)
{
	struct step *step;

	if (story->count == MOST_STEPS)
		return;
	step = &story->steps[story->count++];
	if (strstr(line, "in sequence entry") == NULL)
		keep(step->key, sizeof(step->key), quoted(line));
	else if (!text_parse_unsigned(quoted(line), UINT32_MAX, &step->entry))
		step->entry = 0;
}

static void on_log(cyaml_log_t level, void *context, const char *format, va_list arguments)
    PRINTF_LIKE(3, 0);

/* cyaml's log: "Load: MESSAGE", "Load: Backtrace:", "  in mapping field 'KEY' (line: ...)" ... */
static void
on_log(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
	static const char load[] = "Load: ";
	struct story *story = context;
	char line[256];

	(void)level;
	if (vsnprintf(line, sizeof(line), format, arguments) < 0)
		return;
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "  in ", 5) == 0)
		keep_step(story, line);
	else if (story->message[0] == '\0' && strstr(line, "Backtrace") == NULL)
		keep(story->message, sizeof(story->message),
		     text_of(strncmp(line, load, strlen(load)) == 0 ? line + strlen(load) : line));
}

/* Kinds of mistake, and what is said of them behind the name of the place. */
struct mistake {
	cyaml_err_t code;
	bool is_of_parent; /* the innermost step is beside the point */
	const char *says;  /* NULL: there is more to say than that */
};

static const struct mistake mistakes[] = {
    {CYAML_ERR_INVALID_KEY, true, NULL},
    {CYAML_ERR_MAPPING_FIELD_MISSING, true, NULL},
    {CYAML_ERR_INVALID_VALUE, false, NULL},
    {CYAML_ERR_UNEXPECTED_EVENT, false, "is there twice, here and further down; keep one of them"},
    {CYAML_ERR_SEQUENCE_ENTRIES_MIN, true, "is an empty list; put something in"},
    {CYAML_ERR_SEQUENCE_ENTRIES_MAX, true, "has more than 64 entries"},
    {CYAML_ERR_STRING_LENGTH_MIN, false, "has no value; give one or leave it out"},
    {CYAML_ERR_STRING_LENGTH_MAX, false, "is longer than 4096 bytes"},
};

static const struct mistake *
find_mistake(cyaml_err_t code)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		if (mistakes[i].code == code)
			return &mistakes[i];
	return NULL;
}

static void
tell_unknown_key(const struct story *story, const char *place, const char *key, struct error *error)
{
	const char *names[MOST_STEPS];
	char bytes[512];
	struct text known;
	size_t count = 0;

	for (size_t i = story->count; i-- > 1;)
		if (story->steps[i].key[0] != '\0')
			names[count++] = story->steps[i].key;
	text_start(&known, bytes, sizeof(bytes));
	config_schema_keys(names, count, &known);
	error_set(error, "unknown key '%s' in %s; known keys: %.*s", key, place, (int)known.length,
		  known.bytes);
}

/* cyaml says "Expecting MAPPING, got event: SCALAR". */
static void
tell_wrong_type(const struct story *story, const char *place, struct error *error)
{
	static const struct {
		const char *message;
		const char *ours;
	} types[] = {
	    {"Expecting MAPPING", "keys with values, not a single value or a list"},
	    {"Expecting SEQUENCE", "a list, as in [one, two]"},
	    {"Expecting STRING", "a single value, not a list or keys"},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strncmp(story->message, types[i].message, strlen(types[i].message)) == 0) {
			error_set(error, "%s must be %s", place, types[i].ours);
			return;
		}
	}
	error_set(error, "%s: %s", place, story->message);
}

/* The steps from the outermost in, as a key path with its NUL. */
static void
write_key_path(const struct story *story, size_t innermost, struct text *path)
{
	for (size_t i = story->count; i-- > innermost;) {
		const struct step *step = &story->steps[i];

		if (step->entry > 0) {
			text_append_format(path, "[%llu]", (unsigned long long)step->entry - 1);
		} else if (step->key[0] != '\0') {
			text_append_string(path, path->length > 0 ? "." : "");
			text_append_string(path, step->key);
		}
	}
	text_append_byte(path, '\0');
}

static bool
tell(const char *file, const struct story *story, cyaml_err_t code, struct error *error)
{
	const struct mistake *mistake = find_mistake(code);
	const char *space = strrchr(story->message, ' ');
	const char *word = space != NULL ? space + 1 : story->message;
	char bytes[CONFIG_KEY_PATH];
	struct text path;
	const char *place;

	text_start(&path, bytes, sizeof(bytes));
	write_key_path(story, mistake != NULL && mistake->is_of_parent ? 1 : 0, &path);
	place = path.length > 1 && !path.overflowed ? bytes : "the file";
	if (mistake == NULL)
		error_set(error, "%s: %s %s", place, cyaml_strerror(code), story->message);
	else if (mistake->says != NULL)
		error_set(error, "%s %s", place, mistake->says);
	else if (code == CYAML_ERR_INVALID_KEY)
		tell_unknown_key(story, place, word, error);
	else if (code == CYAML_ERR_MAPPING_FIELD_MISSING)
		error_set(error, "%s needs the key '%s'", place, word);
	else
		tell_wrong_type(story, place, error);
	if (code == CYAML_ERR_INVALID_KEY) { /* which has a line of its own */
		text_cut(&path, path.length - 1);
		text_append_format(&path, "%s%s", path.length > 0 ? "." : "", word);
		text_append_byte(&path, '\0');
	}
	return config_locate_prefix(error, file, path.overflowed ? "" : bytes);
}

/* The structs as cyaml fills them. */
static bool
load(struct config **config, const char *file, struct slice text, struct error *error)
{
	struct story story = {.message = ""};
	cyaml_config_t settings;
	cyaml_data_t *data = NULL;
	cyaml_err_t code;

	config_schema_settings(&settings, on_log, &story);
	code = cyaml_load_data((const uint8_t *)text.bytes, text.length, &settings, &config_schema,
			       &data, NULL);
	if (code != CYAML_OK)
		return tell(file, &story, code, error);
	if (data == NULL) {
		error_set(error, "the file is empty");
		return error_prefix(error, "%s", file);
	}
	*config = data;
	(*config)->path = memory_copy_text(file, strlen(file));
	return true;
}

bool
config_read(struct config **config, const char *path, struct error *error)
{
	struct config *loaded = NULL;
	char *bytes = NULL, *plain = NULL;
	size_t length = 0, plain_length = 0;
	bool done = false;

	if (!config_read_text(path, &bytes, &length, error))
		return false;
	if (!config_locate_refuse(path, (struct slice){bytes, length}, error) ||
	    !config_rewrite(path, (struct slice){bytes, length}, &plain, &plain_length, error) ||
	    !load(&loaded, path, (struct slice){plain, plain_length}, error) ||
	    !config_validate(loaded, error))
		goto finish;
	*config = loaded;
	done = true;
finish:
	if (!done)
		config_free(loaded);
	free(plain);
	free(bytes);
	return done;
}
