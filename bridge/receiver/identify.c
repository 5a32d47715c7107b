#include "bridge/receiver/identify.h"

#include <openssl/evp.h>
#include <string.h>

#include "formats/memory.h"

enum { IDENTIFY_DIGEST = 32, IDENTIFY_ID_MOST = 255 };

static struct slice
from_arena(struct arena *arena, struct slice slice)
{
	return (struct slice){arena_copy_text(arena, slice.bytes, slice.length), slice.length};
}

struct slice
identify_digest(struct slice bytes, struct arena *arena)
{
	static const char digits[] = "0123456789abcdef", prefix[] = "sha256:";
	unsigned char digest[IDENTIFY_DIGEST];
	char line[sizeof(prefix) + 2 * (size_t)IDENTIFY_DIGEST];
	struct text text;

	if (EVP_Q_digest(NULL, "SHA256", NULL, bytes.bytes, bytes.length, digest, NULL) != 1)
		memory_panic("SHA-256 failed");
	text_start(&text, line, sizeof(line));
	text_append_string(&text, prefix);
	for (size_t i = 0; i < sizeof(digest); i++) {
		text_append_byte(&text, digits[digest[i] >> 4]);
		text_append_byte(&text, digits[digest[i] & 15]);
	}
	return from_arena(arena, text_slice(&text));
}

/*
 * A body's id alone may be its resource's: key.created and key.disabled of one key
 * would be one event.  With type and time it names one.  Where it has no time, or
 * the three do not fit, only the whole body is safe.
 */
static struct slice
body_id(const struct event *event, struct slice type, struct slice body, struct arena *arena)
{
	struct slice id = event->fields[FIELD_BODY_ID], time = event->fields[FIELD_TIME];
	char line[IDENTIFY_ID_MOST];
	struct text text;

	text_start(&text, line, sizeof(line));
	text_append_slice(&text, id);
	text_append_byte(&text, '/');
	text_append_slice(&text, type);
	text_append_byte(&text, '/');
	text_append_slice(&text, time);
	if (id.length == 0 || time.length == 0 || text.overflowed)
		return identify_digest(body, arena);
	return from_arena(arena, text_slice(&text));
}

/* All but the id. */
static bool
read_body(const struct normalise *normalise, struct slice body, struct arena *arena,
	  struct event *read, struct spool_event *event, struct error *error)
{
	memset(read, 0, sizeof(*read));
	read->headers = event->evidence;
	if (!normalise_read(normalise, body, arena, read, error))
		return false;
	/* the ledger keeps the sender's own word */
	event->type = read->fields[FIELD_ORIGINAL_TYPE].bytes != NULL
			  ? read->fields[FIELD_ORIGINAL_TYPE]
			  : read->fields[FIELD_TYPE];
	event->resource = read->fields[FIELD_RESOURCE_ID];
	event->body = body;
	return true;
}

bool
identify_event(const struct normalise *normalise, struct slice delivery_id, struct slice body,
	       struct arena *arena, struct spool_event *event, struct error *error)
{
	struct event read;

	if (!read_body(normalise, body, arena, &read, event, error))
		return false;
	event->id = delivery_id.length > 0 ? delivery_id : body_id(&read, event->type, body, arena);
	return true;
}

static struct slice
place_id(struct slice frame, size_t index, struct arena *arena)
{
	char line[IDENTIFY_ID_MOST];
	struct text text;

	text_start(&text, line, sizeof(line));
	text_append_slice(&text, frame);
	text_append_byte(&text, '/');
	text_append_unsigned(&text, index);
	return text.overflowed ? place_id(identify_digest(frame, arena), index, arena)
			       : from_arena(arena, text_slice(&text));
}

bool
identify_element(const struct normalise *normalise, const struct identify_frame *frame,
		 size_t index, struct slice body, struct arena *arena, struct spool_event *event,
		 struct error *error)
{
	struct event read;
	bool has_time;

	if (!read_body(normalise, body, arena, &read, event, error))
		return false;
	has_time = read.fields[FIELD_TIME].length > 0 || frame->id_of_hour.bytes == NULL;
	if (read.fields[FIELD_BODY_ID].length == 0)
		event->id = place_id(has_time ? frame->id : frame->id_of_hour, index, arena);
	else if (frame->ids_are_weak)
		event->id = identify_digest(body, arena);
	else
		event->id = body_id(&read, event->type, body, arena);
	return true;
}
