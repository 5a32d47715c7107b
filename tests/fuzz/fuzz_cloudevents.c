/*
 * CloudEvents: the first line is a Content-Type, then come ce-* headers, a line each,
 * up to an empty one, and the body.  Each header is decoded; the body is read as a
 * structured event and, with the headers, by the profile.
 */
#include <string.h>

#include "formats/cloudevents.h"
#include "formats/memory.h"
#include "formats/normalise.h"
#include "formats/utf8.h"

static struct normalise *normalise;
static struct arena *arena;

static struct slice
take_line(struct slice *rest)
{
	const char *end = rest->length > 0 ? memchr(rest->bytes, '\n', rest->length) : NULL;
	struct slice line = *rest;
	size_t taken = rest->length;

	if (end != NULL) {
		line.length = (size_t)(end - rest->bytes);
		taken = line.length + 1;
	}
	rest->bytes += taken;
	rest->length -= taken;
	return line;
}

static void
check_text(struct slice value, const char *what)
{
	if (value.length == 0)
		return;
	if (!utf8_valid(value))
		memory_panic("%s is no UTF-8", what);
	for (size_t i = 0; i < value.length; i++)
		if ((unsigned char)value.bytes[i] < 0x20 || value.bytes[i] == 0x7F)
			memory_panic("%s holds a control character", what);
}

static void
check_header(struct slice line)
{
	struct slice value;
	struct error error;

	if (cloudevents_decode("ce-x", line, arena, &value, &error))
		check_text(value, "a decoded header");
}

static void
check_structured(struct slice body)
{
	struct cloudevents_attributes attributes;
	struct error error;

	if (!cloudevents_read(body, arena, &attributes, &error))
		return;
	check_text(attributes.id, "id");
	check_text(attributes.source, "source");
	check_text(attributes.type, "type");
	if (attributes.id.length == 0 || attributes.source.length == 0 ||
	    attributes.type.length == 0)
		memory_panic("an event without an attribute that each has");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {(const char *)data, size}, line;
	struct event event = {.id = SLICE_LITERAL("evt_01")};
	struct error error;

	if (arena == NULL) {
		arena = arena_new();
		if (!normalise_new(&normalise, "cloudevents", &error))
			memory_panic("%s", error.text);
	}
	(void)cloudevents_mode(take_line(&rest));
	event.headers.bytes = rest.bytes;
	while ((line = take_line(&rest)).length > 0) {
		event.headers.length += line.length + 1;
		check_header(line);
	}
	if (event.headers.length > (size_t)(rest.bytes - event.headers.bytes))
		event.headers.length = (size_t)(rest.bytes - event.headers.bytes);
	check_structured(rest);
	if (normalise_event(normalise, rest, arena, &event, &error) &&
	    !utf8_valid(event.fields[FIELD_TYPE]))
		memory_panic("a type that is no UTF-8");
	arena_clear(arena);
	return 0;
}
