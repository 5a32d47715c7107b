#include "bridge/forwarder/digest.h"

#include <stdlib.h>
#include <string.h>

#include "formats/memory.h"

struct digest *
digest_new(void)
{
	struct digest *digest = memory_allocate(sizeof(*digest));

	text_start(&digest->bytes, memory_allocate(DIGEST_BYTES), DIGEST_BYTES);
	return digest;
}

void
digest_free(struct digest *digest)
{
	if (digest == NULL)
		return;
	free(digest->bytes.bytes);
	free(digest);
}

void
digest_clear(struct digest *digest)
{
	digest->count = 0;
	text_cut(&digest->bytes, 0);
}

static struct slice
keep(struct digest *digest, struct slice slice)
{
	size_t start = digest->bytes.length;

	text_append_slice(&digest->bytes, slice);
	return (struct slice){digest->bytes.bytes + start, slice.length};
}

bool
digest_add(struct digest *digest, const struct digest_part *part)
{
	struct digest_part *kept = &digest->parts[digest->count];
	size_t left = digest->bytes.capacity - digest->bytes.length;

	if (digest->count == DIGEST_EVENTS || part->subject.length > left ||
	    part->text.length > left - part->subject.length)
		return false;
	*kept = *part;
	kept->subject = keep(digest, part->subject);
	kept->text = keep(digest, part->text);
	digest->count++;
	return true;
}

void
digest_write_subject(const struct digest *digest, struct text *text)
{
	const struct digest_part *most = &digest->parts[0];

	for (size_t i = 1; i < digest->count; i++)
		if (digest->parts[i].severity > most->severity)
			most = &digest->parts[i];
	if (digest->count == 1) {
		text_append_slice(text, most->subject);
		return;
	}
	text_append_format(text, "%zu events: ", digest->count);
	text_append_slice(text, most->subject);
	text_append_format(text, ", and %zu more", digest->count - 1);
}

static void
write_rule(size_t length, struct text *text)
{
	for (size_t i = 0; i < length && i < 72; i++)
		text_append_byte(text, '-');
	text_append_byte(text, '\n');
}

void
digest_write_text(const struct digest *digest, struct text *text)
{
	if (digest->count == 1) {
		text_append_slice(text, digest->parts[0].text);
		return;
	}
	for (size_t i = 0; i < digest->count; i++) {
		text_append_format(text, "%zu. ", i + 1);
		text_append_slice(text, digest->parts[i].subject);
		text_append_byte(text, '\n');
	}
	for (size_t i = 0; i < digest->count; i++) {
		text_append_format(text, "\n\n%zu. ", i + 1);
		text_append_slice(text, digest->parts[i].subject);
		text_append_byte(text, '\n');
		write_rule(digest->parts[i].subject.length + 4, text);
		text_append_slice(text, digest->parts[i].text);
	}
}
