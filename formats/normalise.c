#include "formats/normalise.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "formats/cloudevents.h"
#include "formats/json_scan.h"
#include "formats/mask.h"
#include "formats/memory.h"
#include "formats/timestamp.h"
#include "formats/utf8.h"

enum { TYPE_LENGTH = 127 };

struct normalise {
	const struct mapping_profile *profile;
	struct normalise_settings settings;
	struct mapping *mapping;
	struct vocabulary *vocabulary;
};

/* What people write for it.  Anything else says nothing. */
static const struct {
	const char *word;
	bool success;
} outcomes[] = {
    {"success", true},  {"succeeded", true}, {"ok", true},        {"true", true},
    {"failure", false}, {"failed", false},   {"fail", false},     {"error", false},
    {"denied", false},  {"false", false},    {"rejected", false},
};

static bool
find_profile(const struct mapping_profile **profile, const char *name, struct error *error)
{
	char names[256];
	struct text text;

	*profile = mapping_profile_find(name);
	if (*profile != NULL)
		return true;
	text_start(&text, names, sizeof(names));
	for (size_t i = 0; mapping_profile_at(i) != NULL; i++) {
		text_append_string(&text, i > 0 ? ", " : "");
		text_append_string(&text, mapping_profile_at(i)->name);
	}
	return error_set(error, "there is no profile '%s'; there is: %.*s", name, (int)text.length,
			 names);
}

bool
normalise_new_with(struct normalise **out, const struct normalise_settings *settings,
		   struct error *error)
{
	const struct mapping_profile *profile;
	struct normalise *normalise;
	struct mapping *mapping;

	if (!find_profile(&profile, settings->profile != NULL ? settings->profile : "anyint",
			  error) ||
	    !mapping_new(&mapping, profile, settings->fields, settings->field_count, error))
		return false;
	normalise = memory_allocate(sizeof(*normalise));
	normalise->profile = profile;
	normalise->settings = *settings;
	normalise->mapping = mapping;
	normalise->vocabulary = vocabulary_new(settings->aliases, settings->alias_count,
					       settings->types, settings->type_count);
	*out = normalise;
	return true;
}

bool
normalise_new(struct normalise **normalise, const char *profile, struct error *error)
{
	const struct normalise_settings settings = {.profile = profile};

	return normalise_new_with(normalise, &settings, error);
}

void
normalise_free(struct normalise *normalise)
{
	if (normalise == NULL)
		return;
	vocabulary_free(normalise->vocabulary);
	mapping_free(normalise->mapping);
	free(normalise);
}

static bool
in_type(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == '-';
}

static bool
check_type(struct slice type, struct error *error)
{
	if (type.bytes == NULL)
		return error_set(error, "no event type: expected a string in \"type\"");
	if (type.length == 0 || type.length > TYPE_LENGTH)
		return error_set(error, "the event type is not of 1 to %d bytes", TYPE_LENGTH);
	for (size_t i = 0; i < type.length; i++)
		if (!in_type(type.bytes[i]))
			return error_set(error, "the event type is not of A-Z a-z 0-9 . _ - alone");
	return true;
}

/* Where the sender names no resource, it is what the event is about. */
static struct slice
resource_of(const struct slice *fields)
{
	static const enum event_field candidates[] = {
	    FIELD_RESOURCE_ID, FIELD_KEY_ID, FIELD_TARGET_ID, FIELD_INVOICE_ID, FIELD_ALERT_ID,
	};
	struct slice absent = {NULL, 0};

	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++)
		if (fields[candidates[i]].length > 0)
			return fields[candidates[i]];
	return absent;
}

/* ---- what came beside the body ---- */

static struct slice
take_line(struct slice *lines)
{
	const char *end = memchr(lines->bytes, '\n', lines->length);
	struct slice line = *lines;
	size_t taken = lines->length;

	if (end != NULL) {
		line.length = (size_t)(end - lines->bytes);
		taken = line.length + 1;
	}
	lines->bytes += taken;
	lines->length -= taken;
	return line;
}

/* The value of the header in "name: value", absent where it is another one. */
static struct slice
value_of(struct slice line, const char *name)
{
	size_t length = strlen(name);

	if (line.length < length + 2 || strncasecmp(line.bytes, name, length) != 0 ||
	    line.bytes[length] != ':' || line.bytes[length + 1] != ' ')
		return (struct slice){NULL, 0};
	return (struct slice){line.bytes + length + 2, line.length - length - 2};
}

/* What the headers say goes into `fields`; where they say nothing it stays. */
static bool
read_headers(const struct normalise *normalise, struct slice lines, struct arena *arena,
	     struct slice *fields, struct error *error)
{
	const struct mapping_profile *profile = normalise->profile;

	while (lines.length > 0) {
		struct slice line = take_line(&lines);

		for (size_t i = 0; i < profile->header_count; i++) {
			const struct mapping_header *header = &profile->headers[i];
			struct slice value = value_of(line, header->name);

			if (value.bytes == NULL)
				continue;
			if (profile->headers_are_encoded &&
			    !cloudevents_decode(header->name, value, arena, &value, error))
				return false;
			fields[header->field] = value;
		}
	}
	return true;
}

/* ---- the body ---- */

static void
read_document(const struct normalise *normalise, const struct json_item *document,
	      struct slice *fields)
{
	const struct json_item *chosen[EVENT_FIELDS];

	mapping_choose(normalise->mapping, normalise->vocabulary, fields[FIELD_TYPE], document,
		       chosen);
	for (size_t i = 0; i < EVENT_FIELDS; i++)
		if (chosen[i] != NULL && fields[i].bytes == NULL)
			fields[i] = chosen[i]->text;
}

/* UTF-8 without NUL, whatever it was. */
static struct slice
clean_text(struct slice raw, struct arena *arena)
{
	static const char replacement[] = "\xEF\xBF\xBD";
	size_t capacity = raw.length * (sizeof(replacement) - 1);
	struct text text;

	text_start(&text, arena_allocate(arena, capacity), capacity);
	for (size_t i = 0; i < raw.length;) {
		size_t length = utf8_sequence(raw.bytes + i, raw.length - i);

		if (length == 0)
			text_append_string(&text, replacement);
		else
			text_append(&text, raw.bytes[i] != '\0' ? raw.bytes + i : " ", length);
		i += length > 0 ? length : 1;
	}
	return text_slice(&text);
}

/* Data that goes with a header's type: any JSON value, or nothing at all. */
static bool
is_data(struct slice body)
{
	struct json_scan scan;
	struct error ignored;

	return body.length == 0 || (json_scan(body, &scan, &ignored) && scan.outermost != '{');
}

static bool
read_body(const struct normalise *normalise, struct slice body, struct arena *arena,
	  struct slice *fields, struct error *error)
{
	bool has_type = fields[FIELD_TYPE].bytes != NULL;
	const struct json_item *document;

	if (json_tree_read(&document, body, arena, error)) {
		read_document(normalise, document, fields);
		return true;
	}
	if (normalise->profile->takes_text) {
		fields[FIELD_MESSAGE] = clean_text(body, arena);
		return true;
	}
	return normalise->profile->headers_are_encoded && has_type && is_data(body);
}

/* "secret_scanning_alert" of the header and "created" of the body. */
static struct slice
join_action(struct slice type, struct slice action, struct arena *arena)
{
	size_t capacity = type.length + 1 + action.length;
	struct text text;

	if (action.length == 0)
		return type;
	text_start(&text, arena_allocate(arena, capacity), capacity);
	text_append_slice(&text, type);
	text_append_byte(&text, '.');
	text_append_slice(&text, action);
	return text_slice(&text);
}

/* The sender's word for it, whole. */
static struct slice
type_of(const struct normalise *normalise, struct slice from_headers, const struct slice *fields,
	struct arena *arena)
{
	const char *otherwise = normalise->settings.default_type;
	struct slice type = fields[FIELD_TYPE];
	struct error ignored;

	if (normalise->profile->joins_action && from_headers.bytes != NULL)
		type = join_action(from_headers, fields[FIELD_ACTION], arena);
	if (otherwise != NULL && !check_type(type, &ignored))
		return text_of(otherwise);
	return type;
}

static void
take_type(const struct normalise *normalise, struct slice type, struct event *event)
{
	struct slice ours = vocabulary_type(normalise->vocabulary, type);

	event->fields[FIELD_TYPE] = ours;
	event->fields[FIELD_ORIGINAL_TYPE] = (struct slice){NULL, 0};
	if (!text_slices_equal(ours, type))
		event->fields[FIELD_ORIGINAL_TYPE] = type;
	event->entry = vocabulary_find(normalise->vocabulary, ours);
}

bool
normalise_read(const struct normalise *normalise, struct slice body, struct arena *arena,
	       struct event *event, struct error *error)
{
	const struct normalise_settings *settings = &normalise->settings;
	struct slice *fields = event->fields, from_headers, type;

	for (size_t i = 0; i < EVENT_FIELDS; i++)
		fields[i] = (struct slice){NULL, 0};
	if (normalise->profile->header_count > 0 &&
	    !read_headers(normalise, event->headers, arena, fields, error))
		return false;
	from_headers = fields[FIELD_TYPE];
	if (!read_body(normalise, body, arena, fields, error))
		return false;
	for (size_t i = 0; i < settings->constant_count; i++)
		fields[settings->constants[i].field] = text_of(settings->constants[i].text);
	type = type_of(normalise, from_headers, fields, arena);
	if (!check_type(type, error))
		return false;
	take_type(normalise, type, event);
	event->body = body;
	fields[FIELD_RESOURCE_ID] = resource_of(fields);
	if (!timestamp_read(fields[FIELD_TIME], &event->occurred_at))
		event->occurred_at = event->received_at;
	return true;
}

/* True where the body says how it went; false: success is then untouched. */
static bool
read_outcome(struct slice word, bool *success)
{
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		if (text_slices_equal_any_case(text_of(outcomes[i].word), word)) {
			*success = outcomes[i].success;
			return true;
		}
	}
	return false;
}

static void
take_outcome(struct event *event)
{
	bool success;

	event->outcome = text_of(event->entry->outcome);
	if (event->fields[FIELD_OUTCOME].length == 0 ||
	    !read_outcome(event->fields[FIELD_OUTCOME], &success))
		return;
	event->outcome = text_of(success ? "success" : "failure");
	/* a key or a membership that somebody failed to change is worth a look */
	if (!success && (event->entry->family & (FAMILY_KEY | FAMILY_MEMBER)) != 0)
		event->severity = severity_raise(event->severity);
}

static void
take_catalogue(const struct normalise *normalise, struct event *event)
{
	const struct normalise_settings *settings = &normalise->settings;
	const struct catalogue_entry *entry = event->entry;

	event->severity = entry->severity;
	if (entry->severity_of_body)
		(void)severity_parse_with(settings->severity_words, settings->severity_word_count,
					  event->fields[FIELD_SEVERITY_WORD], &event->severity);
	event->family = text_of(catalogue_family_name(entry->family));
	event->name = entry->name != NULL ? text_of(entry->name) : event->fields[FIELD_TYPE];
	if (entry->name_of_body && event->fields[FIELD_TITLE].length > 0)
		event->name = event->fields[FIELD_TITLE];
	event->action = text_of(entry->action);
	if (entry->other_action != NULL &&
	    text_slice_is(event->fields[FIELD_ACTION], entry->other_action))
		event->action = text_of(entry->other_action);
	take_outcome(event);
}

static void
mask_fields(struct slice *fields, const struct mask_settings *settings, struct arena *arena)
{
	if (settings != NULL && settings->off)
		return;
	for (enum event_field field = 0; field < EVENT_FIELDS; field++) {
		struct slice *value = &fields[field];

		if (field == FIELD_KEY_ID || field == FIELD_KEY_NAME)
			*value = mask_key(*value, settings, arena);
		else
			*value = mask_text(*value, settings, arena);
	}
}

void
normalise_finish(const struct normalise *normalise, struct event *event, struct arena *arena)
{
	mask_fields(event->fields, normalise->settings.mask, arena);
	take_catalogue(normalise, event);
}

struct slice
normalise_type(const struct normalise *normalise, struct slice type)
{
	return vocabulary_type(normalise->vocabulary, type);
}

const char *
normalise_header(const struct normalise *normalise, size_t i)
{
	const struct mapping_profile *profile = normalise->profile;

	return i < profile->header_count ? profile->headers[i].name : NULL;
}

bool
normalise_reads_cloudevents(const struct normalise *normalise)
{
	return normalise->profile->headers_are_encoded;
}

bool
normalise_event(const struct normalise *normalise, struct slice body, struct arena *arena,
		struct event *event, struct error *error)
{
	if (!normalise_read(normalise, body, arena, event, error))
		return false;
	normalise_finish(normalise, event, arena);
	return true;
}
