/*
 * An event and the options of its format out of a record of vectors: by the name
 * of the field, or whole from a body.
 */
#ifndef VECTOR_EVENT_H
#define VECTOR_EVENT_H

#include "formats/catalogue.h"
#include "formats/format.h"
#include "formats/normalise.h"
#include "formats/ocsf.h"
#include "formats/timestamp.h"
#include "tests/unit/vectors.h"

static inline uint32_t
vector_event_number(struct slice value)
{
	uint64_t number = 0;

	assert_true(text_parse_unsigned(value, UINT32_MAX, &number));
	return (uint32_t)number;
}

/* "COUNT LAST": of the heartbeat; there is one at a time. */
static inline const struct event_heartbeat *
vector_event_heartbeat(struct slice value)
{
	static struct event_heartbeat heartbeat;
	const char *space = memchr(value.bytes, ' ', value.length);
	size_t length;

	assert_non_null(space);
	length = (size_t)(space - value.bytes);
	heartbeat.count = vector_event_number((struct slice){value.bytes, length});
	heartbeat.last = vector_event_number((struct slice){space + 1, value.length - length - 1});
	return &heartbeat;
}

/* Acme's gateway of standards.md, and nothing known of where and when. */
static inline void
vector_event_start(struct event *event, struct format_options *options)
{
	format_default_options(options);
	options->device_vendor = text_of("Acme");
	options->device_product = text_of("Gateway");
	options->device_version = text_of("1.4");
	*event = (struct event){.occurred_at = -1, .severity = SEVERITY_LOW};
	event->entry = catalogue_find(text_of("x"));
	event->fields[FIELD_TYPE] = text_of("x");
	event->name = text_of("n");
}

static inline void
vector_event_read(struct slice body, struct arena *arena, struct event *event)
{
	struct normalise *normalise;
	struct error error;

	assert_true(normalise_new(&normalise, "anyint", &error));
	assert_true(normalise_event(normalise, body, arena, event, &error));
	normalise_free(normalise);
}

/* False where the key is none of the event or the options. */
static inline bool
vector_event_set(const char *key, struct slice value, struct arena *arena, struct event *event,
		 struct format_options *options)
{
	struct {
		const char *key;
		struct slice *place;
	} places[] = {
	    {"id", &event->id},
	    {"name", &event->name},
	    {"family", &event->family},
	    {"act", &event->action},
	    {"outcome", &event->outcome},
	    {"vendor", &options->device_vendor},
	    {"product", &options->device_product},
	    {"hostname", &options->hostname},
	    {"app-name", &options->app_name},
	    {"source", &event->source},
	    {"process id", &options->process_id},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strcmp(places[i].key, key) == 0) {
			*places[i].place = value;
			return true;
		}
	}
	for (enum event_field field = FIELD_TYPE; field < EVENT_FIELDS; field++) {
		if (field != FIELD_OUTCOME && field != FIELD_SEVERITY_WORD &&
		    strcmp(event_field_name(field), key) == 0) {
			event->fields[field] = value;
			return true;
		}
	}
	if (strcmp(key, "body") == 0)
		vector_event_read(value, arena, event);
	else if (strcmp(key, "severity") == 0)
		return severity_parse(value, &event->severity);
	else if (strcmp(key, "occurred at") == 0)
		return timestamp_read(value, &event->occurred_at);
	else if (strcmp(key, "facility") == 0)
		options->facility = (int)vector_event_number(value);
	else if (strcmp(key, "replayed") == 0)
		event->replayed = true;
	else if (strcmp(key, "heartbeat") == 0)
		event->heartbeat = vector_event_heartbeat(value);
	else if (strcmp(key, "sequence") == 0)
		options->sequence_number = vector_event_number(value);
	else if (strcmp(key, "ocsf") == 0)
		return ocsf_parse_version(value, &options->ocsf_minor);
	else if (strcmp(key, "delimiter") == 0)
		options->leef_delimiter = value.bytes[0];
	else if (strcmp(key, "cef time") == 0)
		options->cef_time_text = text_slice_is(value, "text");
	else if (strcmp(key, "cee") == 0)
		options->cee = text_slice_is(value, "true");
	else if (strcmp(key, "zone") == 0)
		options->zone = (int)vector_event_number(value);
	else if (strcmp(key, "bom") == 0)
		options->bom = text_slice_is(value, "never") ? FORMAT_BOM_NEVER : FORMAT_BOM_ALWAYS;
	else if (strcmp(key, "maximum") == 0)
		options->maximum_length = vector_event_number(value);
	else
		return false;
	return true;
}

/* The event and the options of a record, whose other keys are `expected`, NULL behind them. */
static inline void
vector_event_take(const struct vector *vector, const char *const *expected, struct arena *arena,
		  struct event *event, struct format_options *options)
{
	vector_event_start(event, options);
	for (size_t i = 0; i < vector->count; i++) {
		const char *const *key = expected;

		while (*key != NULL && strcmp(*key, vector->keys[i]) != 0)
			key++;
		if (*key == NULL &&
		    !vector_event_set(vector->keys[i], vector->values[i], arena, event, options))
			fail_msg("the key '%s' is unknown", vector->keys[i]);
	}
}

/* What is behind the name of "name=value". */
static inline struct slice
vector_event_pair(struct slice pair, char name[32])
{
	const char *equals = memchr(pair.bytes, '=', pair.length);

	assert_non_null(equals);
	(void)snprintf(name, 32, "%.*s", (int)(equals - pair.bytes), pair.bytes);
	return (struct slice){equals + 1, pair.length - (size_t)(equals + 1 - pair.bytes)};
}

typedef void vector_event_write(const struct event *event, const struct format_options *options,
				struct text *text);

/* With less room than for the whole there is an overflow, and no byte behind it. */
static inline void
vector_event_overflows(vector_event_write *write, const struct event *event,
		       const struct format_options *options, size_t whole)
{
	struct text text;

	for (size_t capacity = 0; capacity < whole; capacity++) {
		char *exact = malloc(capacity > 0 ? capacity : 1);

		assert_non_null(exact);
		text_start(&text, exact, capacity);
		write(event, options, &text);
		assert_true(text.overflowed);
		free(exact);
	}
}

#endif
