/*
 * A body as an attacker writes it, read by each profile.  The first byte chooses the
 * profile.  What a reader has passed must keep what event.h promises: UTF-8 without
 * NUL, a type of its own letters, a row of the catalogue.
 */
#include <string.h>

#include "formats/json_scan.h"
#include "formats/memory.h"
#include "formats/normalise.h"
#include "formats/utf8.h"
#include "tests/unit/json_same.h"

enum { PROFILES = 8 };

static struct normalise *normalisers[PROFILES];
static size_t normaliser_count;
static struct arena *arena;

static void
prepare(void)
{
	struct error error;

	for (size_t i = 0; mapping_profile_at(i) != NULL; i++, normaliser_count++)
		if (i == PROFILES ||
		    !normalise_new(&normalisers[i], mapping_profile_at(i)->name, &error))
			memory_panic("a profile cannot be made ready");
	arena = arena_new();
}

static void
check_fields(const struct event *event)
{
	for (enum event_field field = 0; field < EVENT_FIELDS; field++) {
		struct slice value = event->fields[field];

		if (value.bytes == NULL && value.length > 0)
			memory_panic("%s: absent, and of %zu bytes", event_field_name(field),
				     value.length);
		if (value.length > 0 &&
		    (!utf8_valid(value) || memchr(value.bytes, '\0', value.length) != NULL))
			memory_panic("%s: no UTF-8, or a NUL", event_field_name(field));
	}
	if (event->entry == NULL || event->name.length == 0 || event->family.length == 0 ||
	    event->fields[FIELD_TYPE].length == 0)
		memory_panic("an event without a name, family or type");
}

/* What is read is also JSON to the scan, and the other way round but for equal names. */
static void
check_readers(struct slice body)
{
	struct json_value *document;
	struct json_scan scan;
	struct error error;
	bool scanned = json_scan(body, &scan, &error);

	if (!json_read(&document, body, &error)) {
		if (scanned && scan.outermost == '{' && strstr(error.text, "twice") == NULL)
			memory_panic("json-c refuses what the scan has passed: %s", error.text);
		return;
	}
	if (!scanned)
		memory_panic("read, and not passed by the scan");
	json_read_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event event = {.id = SLICE_LITERAL("evt_01")};
	struct error error;
	struct slice body;

	if (arena == NULL)
		prepare();
	if (size == 0)
		return 0;
	body = (struct slice){(const char *)data + 1, size - 1};
	check_readers(body);
	if (!json_same(body, arena))
		memory_panic("read otherwise than json-c reads it");
	if (normalise_event(normalisers[data[0] % normaliser_count], body, arena, &event, &error))
		check_fields(&event);
	arena_clear(arena);
	return 0;
}
