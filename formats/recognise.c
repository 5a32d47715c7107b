/*
 * JSON is parsed, because a message may contain any text at all: the id is looked for
 * where our formats put it, at the top or inside of what exporters put around it.  In
 * other text the keys of the formats are searched for.
 */
#include "formats/recognise.h"

#include <string.h>

#include "formats/json_read.h"

enum { DEPTH = 4, PATH = 3, NUMBER_MOST = UINT32_MAX };

/* ---- text ---- */

/* How a value ends. */
enum ending {
	ENDING_CEF,    /* at " key=" or the end; backslash escapes */
	ENDING_LEEF,   /* at the byte that stands before the key */
	ENDING_WORD,   /* at a space, or quoted */
	ENDING_QUOTED, /* RFC 5424 6.3.3 */
};

static const struct key {
	const char *text;
	enum ending ending;
} id_keys[] = {
    {"externalId=", ENDING_CEF}, {"devicePayloadId=", ENDING_CEF}, {"eventUid=", ENDING_LEEF},
    {"event_id=", ENDING_WORD},  {" id=", ENDING_QUOTED},
};

static const struct key number_keys[] = {
    {"cn3=", ENDING_CEF},
    {"sequence=", ENDING_LEEF},
    {"sequenceId=", ENDING_QUOTED},
};

static bool
is_word(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_' || byte == '.' || byte == '-';
}

static bool
starts_key(struct slice text, size_t at)
{
	size_t start = at;

	while (at < text.length && is_word(text.bytes[at]))
		at++;
	return at > start && at < text.length && text.bytes[at] == '=';
}

/* Copies up to the end that `ends` finds; a backslash takes the next byte with it. */
static struct slice
copy_escaped(struct slice text, size_t at, bool (*ends)(struct slice text, size_t at),
	     struct arena *arena)
{
	char *bytes = arena_allocate(arena, text.length - at + 1);
	size_t length = 0;

	while (at < text.length && !ends(text, at)) {
		if (text.bytes[at] == '\\' && at + 1 < text.length)
			at++;
		bytes[length++] = text.bytes[at++];
	}
	return (struct slice){bytes, length};
}

static bool
ends_cef(struct slice text, size_t at)
{
	return (unsigned char)text.bytes[at] < ' ' ||
	       (text.bytes[at] == ' ' && (at + 1 == text.length || starts_key(text, at + 1)));
}

static bool
ends_quoted(struct slice text, size_t at)
{
	return text.bytes[at] == '"';
}

static struct slice
until(struct slice text, size_t at, const char *stops, size_t count)
{
	size_t end = at;

	while (end < text.length && memchr(stops, text.bytes[end], count) == NULL)
		end++;
	return (struct slice){text.bytes + at, end - at};
}

/* The quotes may have been quoted once more: \" in JSON, "" in CSV. */
static struct slice
read_quoted(struct slice text, size_t at, struct arena *arena)
{
	if (at < text.length && text.bytes[at] == '"' &&
	    !(at + 1 < text.length && text.bytes[at + 1] == '"'))
		return copy_escaped(text, at + 1, ends_quoted, arena);
	if (at + 1 < text.length && (text.bytes[at] == '\\' || text.bytes[at] == '"') &&
	    text.bytes[at + 1] == '"')
		return until(text, at + 2, "\\\"", 2);
	return (struct slice){NULL, 0};
}

static struct slice
read_value(struct slice text, size_t key_at, size_t at, enum ending ending, struct arena *arena)
{
	char before = key_at > 0 ? text.bytes[key_at - 1] : '\t';

	switch (ending) {
	case ENDING_CEF:
		return copy_escaped(text, at, ends_cef, arena);
	case ENDING_LEEF:
		return until(text, at, (const char[]){before, '\n', '"'}, 3);
	case ENDING_WORD:
		if (at < text.length && (text.bytes[at] == '"' || text.bytes[at] == '\\'))
			return read_quoted(text, at, arena);
		return until(text, at, " \t\r\n\"\\", 6);
	case ENDING_QUOTED:
		return read_quoted(text, at, arena);
	}
	return (struct slice){NULL, 0};
}

/* " id=" counts in the element event@NUMBER alone. */
static bool
is_in_event_element(struct slice text, size_t at)
{
	static const char element[] = "[event@";

	while (at > 0 && text.bytes[at - 1] >= '0' && text.bytes[at - 1] <= '9')
		at--;
	return at >= sizeof(element) - 1 &&
	       memcmp(text.bytes + at - (sizeof(element) - 1), element, sizeof(element) - 1) == 0;
}

static bool
is_key_at(struct slice text, size_t at, const struct key *key)
{
	size_t length = strlen(key->text);

	if (length > text.length - at || memcmp(text.bytes + at, key->text, length) != 0)
		return false;
	if (key->text[0] == ' ')
		return is_in_event_element(text, at);
	/* a value may hold anything, but not LEEF's delimiter */
	return at == 0 || (!is_word(text.bytes[at - 1]) &&
			   (key->ending != ENDING_LEEF || key == &number_keys[1] ||
			    text.bytes[at - 1] != ' '));
}

/* Calls `each` for every value of one of the keys. */
static void
search(struct slice text, const struct key *keys, size_t count, struct arena *arena,
       void (*each)(void *context, struct slice value), void *context)
{
	for (size_t at = 0; at < text.length; at++) {
		if (text.bytes[at] != ' ' && !is_word(text.bytes[at]))
			continue;
		for (size_t i = 0; i < count; i++) {
			struct slice value;

			if (text.bytes[at] != keys[i].text[0] || !is_key_at(text, at, &keys[i]))
				continue;
			value =
			    read_value(text, at, at + strlen(keys[i].text), keys[i].ending, arena);
			if (value.length > 0)
				each(context, value);
		}
	}
}

struct finding {
	const struct recognise_calls *calls;
	size_t ids;
};

static void
tell_id(void *context, struct slice value)
{
	struct finding *finding = context;

	finding->ids++;
	finding->calls->id(finding->calls->context, value);
}

static void
tell_number(void *context, struct slice value)
{
	struct finding *finding = context;
	uint64_t number;
	size_t digits = 0;

	/* behind a number that a cut left at the end stands another line */
	while (digits < value.length && value.bytes[digits] >= '0' && value.bytes[digits] <= '9')
		digits++;
	value.length = digits;
	if (text_parse_unsigned(value, NUMBER_MOST, &number) && number > 0)
		finding->calls->number(finding->calls->context, number);
}

static void
search_text(struct slice text, struct arena *arena, struct finding *finding)
{
	search(text, id_keys, sizeof(id_keys) / sizeof(id_keys[0]), arena, tell_id, finding);
	search(text, number_keys, sizeof(number_keys) / sizeof(number_keys[0]), arena, tell_number,
	       finding);
}

/* ---- JSON ---- */

static const char *const id_paths[][PATH] = {
    {"fields", "event_id"},
    {"event", "event", "id"},
    {"event", "id"},
    {"metadata", "original_event_uid"},
    {"event.id"},
    {"metadata.original_event_uid"},
    {"id"},
    {"event_id"},
};

static const char *const number_paths[][PATH] = {
    {"fields", "sequence"}, {"event", "event", "sequence"},
    {"event", "sequence"},  {"metadata", "sequence"},
    {"event.sequence"},     {"metadata.sequence"},
    {"sequence"},
};

/* What exporters put our text or object into; the latter may hold any text, and come last. */
static const char *const wrappers[] = {"_source", "result", "_raw", "raw", "original"};
static const char *const late_wrappers[] = {"event", "message", "msg", "log"};

static void recognise(struct slice line, struct arena *arena, struct finding *finding, int depth);

static struct json_value *
member_of(const struct json_value *object, const char *name)
{
	struct json_member member;

	if (json_read_kind(object) != JSON_OBJECT || !json_read_first(object, &member))
		return NULL;
	do {
		if (text_slice_is(member.name, name))
			return member.value;
	} while (json_read_next(&member));
	return NULL;
}

static struct slice
at_path(const struct json_value *object, const char *const path[PATH], struct arena *arena)
{
	struct json_value *value = NULL;

	for (size_t i = 0; i < PATH && path[i] != NULL; i++) {
		value = member_of(object, path[i]);
		if (value == NULL)
			return (struct slice){NULL, 0};
		object = value;
	}
	if (value == NULL ||
	    (json_read_kind(value) != JSON_STRING && json_read_kind(value) != JSON_NUMBER))
		return (struct slice){NULL, 0};
	return json_read_text(value, arena);
}

static void search_object(const struct json_value *object, struct arena *arena,
			  struct finding *finding, int depth);

static void
unwrap(const struct json_value *object, const char *const *names, size_t count, struct arena *arena,
       struct finding *finding, int depth)
{
	size_t before = finding->ids;

	for (size_t i = 0; i < count && finding->ids == before; i++) {
		const struct json_value *value = member_of(object, names[i]);

		if (value == NULL)
			continue;
		if (json_read_kind(value) == JSON_OBJECT)
			search_object(value, arena, finding, depth - 1);
		else if (json_read_kind(value) == JSON_STRING)
			recognise(json_read_string(value), arena, finding, depth - 1);
	}
}

static void
search_object(const struct json_value *object, struct arena *arena, struct finding *finding,
	      int depth)
{
	size_t before = finding->ids;

	if (depth == 0)
		return;
	unwrap(object, wrappers, sizeof(wrappers) / sizeof(wrappers[0]), arena, finding, depth);
	for (size_t i = 0; i < sizeof(id_paths) / sizeof(id_paths[0]) && finding->ids == before;
	     i++) {
		struct slice id = at_path(object, id_paths[i], arena);

		if (id.length == 0)
			continue;
		tell_id(finding, id);
		for (size_t j = 0; j < sizeof(number_paths) / sizeof(number_paths[0]); j++) {
			struct slice number = at_path(object, number_paths[j], arena);

			if (number.length > 0) {
				tell_number(finding, number);
				break;
			}
		}
	}
	if (finding->ids == before)
		unwrap(object, late_wrappers, sizeof(late_wrappers) / sizeof(late_wrappers[0]),
		       arena, finding, depth);
}

/* ---- either ---- */

static bool
holds_key(struct slice text)
{
	for (size_t at = 0; at < text.length; at++)
		for (size_t i = 0; i < sizeof(id_keys) / sizeof(id_keys[0]); i++)
			if (is_key_at(text, at, &id_keys[i]))
				return true;
	return false;
}

static void
recognise(struct slice line, struct arena *arena, struct finding *finding, int depth)
{
	struct json_value *document;
	struct error ignored;
	const char *brace;
	size_t before = finding->ids;

	if (depth == 0)
		return;
	while (line.length > 0 && (unsigned char)line.bytes[0] <= ' ') {
		line.bytes++;
		line.length--;
	}
	if (line.length > 0 && line.bytes[0] == '{' && json_read(&document, line, &ignored)) {
		search_object(document, arena, finding, depth);
		json_read_free(document);
		return;
	}
	/* a JSON format behind a syslog header, unless it is a value of one of the others */
	brace = line.length > 1 ? memchr(line.bytes + 1, '{', line.length - 1) : NULL;
	if (brace != NULL) {
		struct slice head = {line.bytes, (size_t)(brace - line.bytes)};
		struct slice rest = {brace, line.length - head.length};
		bool is_value = holds_key(head);

		if (!is_value)
			recognise(rest, arena, finding, depth - 1);
		if (finding->ids > before)
			return;
	}
	search_text(line, arena, finding);
}

size_t
recognise_line(struct slice line, struct arena *arena, const struct recognise_calls *calls)
{
	struct finding finding = {.calls = calls};

	recognise(line, arena, &finding, DEPTH);
	return finding.ids;
}

bool
recognise_is_heartbeat(struct slice id)
{
	static const char prefix[] = "heartbeat-";

	return id.length > sizeof(prefix) - 1 && memcmp(id.bytes, prefix, sizeof(prefix) - 1) == 0;
}
