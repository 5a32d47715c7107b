#include "bridge/console/event_object.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bridge/console/course.h"
#include "formats/mask.h"
#include "formats/memory.h"
#include "formats/notice.h"
#include "formats/timestamp.h"

enum {
	SIGNATURE_SHOWN = 12, /* bytes of its beginning */
	TIME_CAPACITY = 40,   /* bytes */
	RENDERED = 64 * 1024, /* bytes of a line that are shown at most */
};

struct slice
event_object_masked(const struct standing *standing, struct slice value)
{
	if (value.bytes == NULL)
		return value;
	return mask_text(value, &standing->config->mask.settings, standing->arena);
}

struct slice
event_object_time(struct arena *arena, int64_t milliseconds)
{
	struct text text;

	if (milliseconds == 0)
		return (struct slice){NULL, 0};
	text_start(&text, arena_allocate(arena, TIME_CAPACITY), TIME_CAPACITY);
	timestamp_write_rfc3339(&text, milliseconds);
	return text_slice(&text);
}

static void
write_time(struct json_node *object, const char *name, const struct standing *standing,
	   int64_t milliseconds)
{
	json_write_text(object, name, event_object_time(standing->arena, milliseconds));
}

/* ---- a line ---- */

static struct json_node *
head_of(const struct standing *standing, const struct standing_event *read)
{
	const struct spool_event *stored = read->stored;
	struct json_node *object = json_write_object();

	json_write_number(object, "sequence", (int64_t)stored->sequence);
	write_time(object, "received_at", standing, stored->received_at);
	write_time(object, "occurred_at", standing, read->normal ? read->event.occurred_at : 0);
	json_write_text(object, "type", stored->type);
	json_write_text(object, "id", event_object_masked(standing, stored->id));
	json_write_text(object, "resource", event_object_masked(standing, stored->resource));
	json_write_text(object, "source", stored->source);
	if (read->normal)
		json_write_text(object, "severity",
				text_of(severity_row(read->event.severity)->name));
	return object;
}

struct json_node *
event_object_line(struct standing *standing, const struct standing_event *read)
{
	struct json_node *object = head_of(standing, read), *statuses = json_write_object();

	for (size_t i = 0; i < standing->count; i++)
		json_write_text(statuses, standing->destinations[i].configuration->name,
				text_of(standing_name(standing_of(standing, i, read->stored))));
	json_write_child(object, "destinations", statuses);
	return object;
}

/* ---- evidence ---- */

static bool
is_signature(struct slice name)
{
	static const char word[] = "signature";

	for (size_t i = 0; i + sizeof(word) - 1 <= name.length; i++)
		if (strncasecmp(name.bytes + i, word, sizeof(word) - 1) == 0)
			return true;
	return text_slice_is(name, "x-shopify-hmac-sha256") || text_slice_is(name, "authorization");
}

bool
event_object_header(struct slice *evidence, struct slice *name, struct slice *value, bool *cut)
{
	const char *end, *colon;

	if (evidence->length == 0)
		return false;
	end = memchr(evidence->bytes, '\n', evidence->length);
	*name = *evidence;
	if (end != NULL)
		name->length = (size_t)(end - evidence->bytes);
	evidence->bytes += name->length + (end != NULL);
	evidence->length -= name->length + (end != NULL);
	*value = (struct slice){name->bytes + name->length, 0};
	colon = memchr(name->bytes, ':', name->length);
	if (colon != NULL) {
		*value =
		    (struct slice){colon + 1, (size_t)(name->bytes + name->length - colon) - 1};
		name->length = (size_t)(colon - name->bytes);
	}
	while (value->length > 0 && value->bytes[0] == ' ') {
		value->bytes++;
		value->length--;
	}
	/* whole signatures are nobody's need; the beginning tells two of them apart */
	*cut = is_signature(*name) && value->length > SIGNATURE_SHOWN;
	if (*cut)
		value->length = SIGNATURE_SHOWN;
	return true;
}

static struct json_node *
evidence_of(const struct standing *standing, struct slice evidence)
{
	struct json_node *array = json_write_array();
	struct slice name, value;
	bool cut;

	while (event_object_header(&evidence, &name, &value, &cut)) {
		struct json_node *header = json_write_object();

		json_write_text(header, "name", event_object_masked(standing, name));
		json_write_text(header, "value", value);
		json_write_element(array, header);
	}
	return array;
}

/* ---- the whole ---- */

/*
 * As the forwarder writes it, without the number that it will have on its way; what is
 * written for people, in the words of a notice.
 */
static void
write_rendered(struct json_node *object, const struct config_destination *destination,
	       const struct event *event)
{
	struct format_options options = destination->options;
	struct text text;

	text_start(&text, memory_allocate(RENDERED), RENDERED);
	if (destination->syslog != NULL)
		options.maximum_length = (size_t)destination->syslog->max_message_size;
	if (destination->format == NULL) {
		notice_write_subject(event, &text);
		text_append_byte(&text, '\n');
		notice_write_text(event, &text);
	} else if (destination->syslog != NULL) {
		format_write_syslog(destination->format, event, &options, &text);
	} else {
		format_write(destination->format, event, &options, &text);
	}
	if (!text.overflowed)
		json_write_text(object, "rendered", text_slice(&text));
	free(text.bytes);
}

static struct json_node *
course_object(const struct standing *standing, const struct course *course,
	      const struct config_destination *destination, const struct standing_event *read)
{
	struct json_node *object = json_write_object();

	json_write_text(object, "name", text_of(destination->name));
	json_write_text(object, "status", text_of(standing_name(course->status)));
	write_time(object, "confirmed_after", standing, course->after);
	write_time(object, "confirmed_by", standing, course->by);
	if (course->has_letter) {
		json_write_number(object, "dead_letter", (int64_t)course->number);
		write_time(object, "died_at", standing, course->died_at);
		json_write_text(object, "reason", course->reason);
	}
	if (course->was_dropped) {
		write_time(object, "dropped_at", standing, course->dropped_at);
		json_write_text(object, "dropped", course->dropped);
	}
	if (course->trouble.failures > 0) {
		json_write_number(object, "failed_attempts", (int64_t)course->trouble.failures);
		json_write_text(object, "last_error", text_of(course->trouble.text));
		write_time(object, "last_error_at", standing, course->trouble.at);
	}
	json_write_text(object, "format",
			text_of(destination->format != NULL ? destination->format->name : NULL));
	if (read->normal && course->status != STANDING_NOT_ROUTED)
		write_rendered(object, destination, &read->event);
	return object;
}

static bool
add_courses(struct standing *standing, const struct standing_event *read, struct json_node *object,
	    struct error *error)
{
	struct json_node *array = json_write_array();
	bool done = true;

	for (size_t i = 0; done && i < standing->count; i++) {
		struct course course = {.status = STANDING_PENDING};

		done = course_find(standing, read->stored, i, &course, error);
		if (done)
			json_write_element(
			    array, course_object(standing, &course,
						 standing->destinations[i].configuration, read));
	}
	json_write_child(object, "destinations", array);
	return done;
}

bool
event_object_whole(struct standing *standing, const struct standing_event *read,
		   struct json_node **out, struct error *error)
{
	struct json_node *object = head_of(standing, read), *fields = json_write_object();
	bool done;

	json_write_boolean(object, "intact", read->stored->intact);
	json_write_child(object, "evidence", evidence_of(standing, read->stored->evidence));
	for (int i = 0; read->normal && i < EVENT_FIELDS; i++)
		json_write_text(fields, event_field_name((enum event_field)i),
				read->event.fields[i]);
	json_write_child(object, "fields", fields);
	if (!read->normal)
		json_write_text(object, "not_normalised", text_of(read->error.text));
	done = add_courses(standing, read, object, error);
	json_write_text(object, "body", event_object_masked(standing, read->stored->body));
	*out = object;
	return done;
}
