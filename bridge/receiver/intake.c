/*
 * The identity of a CloudEvent is its id and source together (standards.md 13), in
 * structured mode, in a batch, and in binary mode where no delivery id is signed.
 * There, unlike in the other two, no signature of a body covers it: so the body is
 * bound to it, or a sender's one request could be sent again under any id.
 *
 * What is no event may still be several: an object is looked into for an array of
 * events only after it was read as an event in vain, so that the way of the many
 * plain ones costs nothing for it.
 */
#include "bridge/receiver/intake.h"

#include <string.h>
#include <strings.h>

#include "bridge/receiver/identify.h"
#include "bridge/receiver/submission.h"
#include "formats/cloudevents.h"
#include "formats/glob.h"
#include "formats/json_read.h"
#include "formats/json_split.h"

enum { ID_MOST = 255, MARK = 160 };

static const struct slice absent = {NULL, 0};

/* ---- what is it? ---- */

/* RFC 9110 8.3.1: parameters are nobody's business here. */
static struct slice
media_type(struct slice type)
{
	size_t length = 0;

	while (length < type.length && type.bytes[length] != ';' && type.bytes[length] != ' ' &&
	       type.bytes[length] != '\t')
		length++;
	type.length = length;
	return type;
}

static bool
is_type(struct slice type, const char *name)
{
	return text_slices_equal_any_case(type, text_of(name));
}

/* RFC 6839 3.1 */
static bool
ends_in_json(struct slice type)
{
	static const struct slice suffix = {"+json", 5};

	return type.length > suffix.length && strncasecmp(type.bytes + type.length - suffix.length,
							  suffix.bytes, suffix.length) == 0;
}

static bool
has_header(const struct verify_request *seen, const char *name)
{
	size_t count;

	(void)seen->header(seen->context, name, &count);
	return count > 0;
}

enum intake_form
intake_form(const struct normalise *normalise, const struct verify_request *seen)
{
	size_t count;
	struct slice written = seen->header(seen->context, "content-type", &count);
	struct slice type = media_type(written);
	bool is_json = count == 1 && is_type(type, "application/json");

	if (count > 1)
		return INTAKE_UNKNOWN;
	if (is_json && !normalise_reads_cloudevents(normalise))
		return INTAKE_JSON;
	if (count == 1 && cloudevents_mode(type) == CLOUDEVENTS_BATCH)
		return is_type(type, "application/cloudevents-batch+json") ? INTAKE_CLOUD_BATCH
									   : INTAKE_UNKNOWN;
	if (count == 1 && cloudevents_mode(type) == CLOUDEVENTS_STRUCTURED)
		return is_type(type, "application/cloudevents+json") ? INTAKE_STRUCTURED
								     : INTAKE_UNKNOWN;
	/* data without a media type is JSON, as in JSON it is (JSON format 3.1.1) */
	if (normalise_reads_cloudevents(normalise) && has_header(seen, "ce-specversion") &&
	    (is_json || count == 0 || ends_in_json(type)))
		return INTAKE_BINARY;
	return is_json ? INTAKE_JSON : INTAKE_UNKNOWN;
}

/* ---- evidence ---- */

/*
 * The signature covers all that came; what is kept of it is an event of a batch, or
 * what was packed.  The hash lets whoever has the whole show that this was it.
 * `events` is NULL where there is no batch.
 */
static void
mark_signed_body(struct intake *intake, const size_t *events, struct arena *arena)
{
	if (events == NULL && !intake->is_packed)
		return;
	text_append_string(intake->evidence, INTAKE_SIGNED_BODY ": ");
	text_append_slice(intake->evidence, identify_digest(intake->seen->body, arena));
	if (intake->is_packed)
		text_append_string(intake->evidence, " gzip");
	if (events != NULL)
		text_append_format(intake->evidence, " events=%zu", *events);
	text_append_byte(intake->evidence, '\n');
}

/* On one line: in valid JSON raw control characters are white space. */
static void
mark_envelope(struct text *evidence, struct slice envelope)
{
	if (envelope.length > INTAKE_ENVELOPE_MOST)
		return;
	text_append_string(evidence, INTAKE_ENVELOPE ": ");
	for (size_t i = 0; i < envelope.length; i++)
		text_append_byte(evidence,
				 (unsigned char)envelope.bytes[i] < ' ' ? ' ' : envelope.bytes[i]);
	text_append_byte(evidence, '\n');
}

static void
write_evidence(struct intake *intake)
{
	const char *name;

	verify_evidence(intake->verify, intake->seen, intake->evidence);
	if (intake->form == INTAKE_BINARY) {
		intake->headers(intake->seen->context, "ce-", intake->evidence);
		return;
	}
	/* where the attributes stand in the body, which is signed, no header says otherwise */
	if (normalise_reads_cloudevents(intake->normalise))
		return;
	for (size_t i = 0; (name = normalise_header(intake->normalise, i)) != NULL; i++)
		intake->headers(intake->seen->context, name, intake->evidence);
}

/* ---- CloudEvents ---- */

/* A source is a URI-reference and has no space in it, so this is one id only. */
static struct slice
cloud_id(const struct cloudevents_attributes *attributes, struct arena *arena)
{
	size_t capacity = attributes->id.length + 1 + attributes->source.length;
	struct text text;

	text_start(&text, arena_allocate(arena, capacity), capacity);
	text_append_slice(&text, attributes->id);
	text_append_byte(&text, ' ');
	text_append_slice(&text, attributes->source);
	return text.length <= ID_MOST ? text_slice(&text)
				      : identify_digest(text_slice(&text), arena);
}

static bool
read_attribute(const struct intake *intake, const char *name, struct arena *arena,
	       struct slice *value, struct error *error)
{
	size_t count;
	struct slice header = intake->seen->header(intake->seen->context, name, &count);

	*value = absent;
	if (count > 1)
		return error_set(error, "not a CloudEvent: more than one %s", name);
	return count == 0 || cloudevents_decode(name, header, arena, value, error);
}

static bool
read_binary(struct intake *intake, struct arena *arena, struct spool_event *event,
	    struct error *error)
{
	const struct verify_outcome *outcome = intake->outcome;
	bool id_is_signed = outcome->delivery_id.length > 0 && !outcome->id_is_unsigned;
	struct cloudevents_attributes attributes = {0};
	struct slice subject, time, id;

	if (!read_attribute(intake, "ce-id", arena, &attributes.id, error) ||
	    !read_attribute(intake, "ce-source", arena, &attributes.source, error) ||
	    !read_attribute(intake, "ce-type", arena, &attributes.type, error) ||
	    !read_attribute(intake, "ce-specversion", arena, &attributes.version, error) ||
	    !read_attribute(intake, "ce-subject", arena, &subject, error) ||
	    !read_attribute(intake, "ce-time", arena, &time, error) ||
	    !cloudevents_check(&attributes, error))
		return false;
	id = id_is_signed ? outcome->delivery_id : cloud_id(&attributes, arena);
	intake->binds_body = !id_is_signed && outcome->signs_body_alone;
	return identify_event(intake->normalise, id, intake->body, arena, event, error);
}

static bool
read_structured(struct intake *intake, struct slice delivery_id, struct slice body,
		struct arena *arena, struct spool_event *event, struct error *error)
{
	struct cloudevents_attributes attributes;

	if (!cloudevents_read(body, arena, &attributes, error))
		return false;
	if (delivery_id.length == 0 || normalise_reads_cloudevents(intake->normalise))
		delivery_id = cloud_id(&attributes, arena);
	return identify_event(intake->normalise, delivery_id, body, arena, event, error);
}

/* ---- batches ---- */

/* Elements, as they stand in the body. */
struct batch {
	struct slice *elements; /* in the arena */
	size_t count;
	struct slice rest; /* behind the array */
};

/* How many elements there are, and what stands behind the array; false: no whole one. */
static bool
count_elements(struct json_split split, struct batch *batch, struct error *error)
{
	enum json_split_step step;
	struct slice element;

	batch->count = 0;
	while ((step = json_split_element(&split, &element)) == JSON_SPLIT_VALUE)
		batch->count++;
	batch->rest = split.rest;
	if (step == JSON_SPLIT_END && batch->count <= SUBMISSION_MOST)
		return true;
	if (step == JSON_SPLIT_END)
		error_set(error, "a batch of %zu events; send at most %d in one", batch->count,
			  SUBMISSION_MOST);
	else
		error_set(error, "the array of events is not JSON behind %zu of them",
			  batch->count);
	return false;
}

static bool
split_array(struct slice text, struct arena *arena, struct batch *batch, struct error *error)
{
	struct json_split split;

	if (!json_split_array(&split, text)) {
		error_set(error, "a batch is an array of events");
		return false;
	}
	if (!count_elements(split, batch, error))
		return false;
	batch->elements = arena_allocate(arena, (batch->count + 1) * sizeof(*batch->elements));
	for (size_t i = 0; i < batch->count; i++)
		(void)json_split_element(&split, &batch->elements[i]);
	return true;
}

static bool
is_white(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.bytes[i] != ' ' && text.bytes[i] != '\t' && text.bytes[i] != '\n' &&
		    text.bytes[i] != '\r')
			return false;
	return true;
}

/* The whole body is an array. */
static bool
split_body(struct slice body, bool may_be_empty, struct arena *arena, struct batch *batch,
	   struct error *error)
{
	if (!split_array(body, arena, batch, error))
		return false;
	if (!is_white(batch->rest))
		return error_set(error, "something stands behind the array of events");
	/* only CloudEvents say by their media type that none is meant */
	return batch->count > 0 || may_be_empty ||
	       error_set(error, "an empty array is no event and no batch of them");
}

/* The body with an empty array instead of the events; it must be an object on its own. */
static bool
split_envelope(struct intake *intake, struct slice array, struct arena *arena, struct batch *batch,
	       struct error *error)
{
	struct slice body = intake->body, tail;
	size_t before = (size_t)(array.bytes - body.bytes);
	struct json_value *document;
	struct text envelope;

	if (!split_array(array, arena, batch, error))
		return false;
	tail = (struct slice){array.bytes + array.length, body.length - before - array.length};
	text_start(&envelope, arena_allocate(arena, body.length + 2), body.length + 2);
	text_append(&envelope, body.bytes, before);
	text_append_string(&envelope, "[]");
	text_append_slice(&envelope, tail);
	if (!json_read(&document, text_slice(&envelope), error))
		return false;
	json_read_free(document);
	mark_envelope(intake->evidence, text_slice(&envelope));
	return true;
}

bool
intake_wants(const struct config_source *config, const struct normalise *normalise,
	     struct slice type)
{
	return glob_any(config->events, config->events_count, type) ||
	       glob_any(config->events, config->events_count, normalise_type(normalise, type));
}

static void
keep(struct intake *intake, const struct spool_event *event)
{
	if (intake_wants(intake->config, intake->normalise, event->type))
		intake->events[intake->count++] = *event;
	else
		intake->unwanted++;
}

static struct spool_event
blank(const struct intake *intake)
{
	return (struct spool_event){.received_at = intake->seen->now,
				    .source = text_of(intake->config->name),
				    .evidence = text_slice(intake->evidence)};
}

static bool
read_batch(struct intake *intake, const struct batch *batch, struct arena *arena,
	   struct error *error)
{
	const struct verify_outcome *outcome = intake->outcome;
	struct identify_frame frame = {.id = outcome->delivery_id};

	if (frame.id.length == 0 || outcome->id_is_unsigned)
		frame.id = identify_digest(intake->body, arena);
	mark_signed_body(intake, &batch->count, arena);
	intake->events = arena_allocate(arena, (batch->count + 1) * sizeof(*intake->events));
	for (size_t i = 0; i < batch->count; i++) {
		struct spool_event event = blank(intake);
		struct slice element = batch->elements[i];
		bool done = intake->form == INTAKE_CLOUD_BATCH
				? read_structured(intake, absent, element, arena, &event, error)
				: identify_element(intake->normalise, &frame, i, element, arena,
						   &event, error);

		if (!done)
			return error_prefix(error, "event %zu of the batch", i);
		keep(intake, &event);
	}
	return true;
}

/* ---- the whole ---- */

static bool
read_one(struct intake *intake, struct arena *arena, struct spool_event *event, struct error *error)
{
	struct slice delivery_id = intake->outcome->delivery_id;

	if (intake->form == INTAKE_BINARY)
		return read_binary(intake, arena, event, error);
	intake->binds_body = intake->outcome->id_is_unsigned;
	if (intake->form == INTAKE_STRUCTURED)
		return read_structured(intake, delivery_id, intake->body, arena, event, error);
	return identify_event(intake->normalise, delivery_id, intake->body, arena, event, error);
}

static bool
read_single(struct intake *intake, struct arena *arena, struct error *error)
{
	size_t before = intake->evidence->length;
	struct spool_event event;

	mark_signed_body(intake, NULL, arena);
	event = blank(intake);
	if (!read_one(intake, arena, &event, error)) {
		text_cut(intake->evidence, before);
		return false;
	}
	intake->events = arena_allocate(arena, sizeof(*intake->events));
	keep(intake, &event);
	return true;
}

static bool
begins_array(struct slice body)
{
	struct json_split split;

	return json_split_array(&split, body);
}

/* An array of events, or an object around one; *found false: neither of them. */
static bool
find_batch(struct intake *intake, struct arena *arena, struct batch *batch, bool *found,
	   struct error *error)
{
	bool is_cloud = intake->form == INTAKE_CLOUD_BATCH;
	const char *name = intake->config->batch != NULL ? intake->config->batch : "events";
	struct slice array;

	*found = true;
	if (is_cloud || begins_array(intake->body))
		return split_body(intake->body, is_cloud, arena, batch, error);
	array = json_split_member(intake->body, name);
	if (array.bytes != NULL && begins_array(array))
		return split_envelope(intake, array, arena, batch, error);
	*found = false;
	return true;
}

bool
intake_read(struct intake *intake, struct arena *arena, struct error *error)
{
	bool is_batch = intake->form == INTAKE_CLOUD_BATCH;
	bool comes_first, found;
	struct error in_batch;
	struct batch batch = {NULL, 0, {NULL, 0}};

	write_evidence(intake);
	if (!is_batch && intake->form != INTAKE_JSON)
		return read_single(intake, arena, error);
	comes_first = is_batch || intake->config->batch != NULL || begins_array(intake->body);
	if (!comes_first && read_single(intake, arena, error))
		return true;
	if (!find_batch(intake, arena, &batch, &found, &in_batch)) {
		*error = in_batch;
		return false;
	}
	if (found)
		return read_batch(intake, &batch, arena, error);
	/* where that was tried before, the error is set */
	return comes_first && read_single(intake, arena, error);
}
