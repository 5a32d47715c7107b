#include "formats/normalise.h"

#include <stdlib.h>
#include <strings.h>

#include "formats/catalogue.h"
#include "formats/json_read.h"
#include "formats/mapping.h"
#include "formats/mask.h"
#include "formats/memory.h"
#include "formats/timestamp.h"

enum { TYPE_LENGTH = 127 };

struct normalise {
	struct mapping *mapping;
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

bool
normalise_new(struct normalise **normalise, const char *profile, struct error *error)
{
	const struct mapping_profile *found = mapping_profile_find(profile);
	char names[256];
	struct text text;

	if (found != NULL) {
		*normalise = memory_allocate(sizeof(**normalise));
		(*normalise)->mapping = mapping_new(found);
		return true;
	}
	text_start(&text, names, sizeof(names));
	for (size_t i = 0; mapping_profile_at(i) != NULL; i++) {
		text_append_string(&text, i > 0 ? ", " : "");
		text_append_string(&text, mapping_profile_at(i)->name);
	}
	return error_set(error, "there is no profile '%s'; there is: %.*s", profile,
			 (int)text.length, names);
}

void
normalise_free(struct normalise *normalise)
{
	if (normalise == NULL)
		return;
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

bool
normalise_read(const struct normalise *normalise, struct slice body, struct arena *arena,
	       struct event *event, struct error *error)
{
	struct json_value *document, *chosen[EVENT_FIELDS];
	bool done = false;

	if (!json_read(&document, body, error))
		return false;
	mapping_choose(normalise->mapping, document, chosen);
	for (size_t i = 0; i < EVENT_FIELDS; i++) {
		event->fields[i] = (struct slice){NULL, 0};
		if (chosen[i] != NULL)
			event->fields[i] = json_read_text(chosen[i], arena);
	}
	if (!check_type(event->fields[FIELD_TYPE], error))
		goto finish;
	event->body = body;
	event->fields[FIELD_RESOURCE_ID] = resource_of(event->fields);
	if (!timestamp_read(event->fields[FIELD_TIME], &event->occurred_at))
		event->occurred_at = event->received_at;
	done = true;
finish:
	json_read_free(document);
	return done;
}

/* True where the body says how it went; false: success is then untouched. */
static bool
read_outcome(struct slice word, bool *success)
{
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		struct slice known = text_of(outcomes[i].word);

		if (known.length == word.length &&
		    strncasecmp(known.bytes, word.bytes, word.length) == 0) {
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
take_catalogue(struct event *event)
{
	const struct catalogue_entry *entry = catalogue_find(event->fields[FIELD_TYPE]);

	event->entry = entry;
	event->severity = entry->severity;
	if (entry->severity_of_body)
		(void)severity_parse(event->fields[FIELD_SEVERITY_WORD], &event->severity);
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

void
normalise_finish(struct event *event, struct arena *arena)
{
	for (enum event_field field = 0; field < EVENT_FIELDS; field++) {
		struct slice *value = &event->fields[field];

		if (field == FIELD_KEY_ID || field == FIELD_KEY_NAME)
			*value = mask_key(*value, arena);
		else
			*value = mask_text(*value, arena);
	}
	take_catalogue(event);
}

bool
normalise_event(const struct normalise *normalise, struct slice body, struct arena *arena,
		struct event *event, struct error *error)
{
	if (!normalise_read(normalise, body, arena, event, error))
		return false;
	normalise_finish(event, arena);
	return true;
}
