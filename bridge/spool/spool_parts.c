#include "bridge/spool/spool_parts.h"

#include <string.h>

void
spool_parts_add(struct spool_parts *parts, uint64_t first, uint64_t last)
{
	struct spool_part *end = parts->count > 0 ? &parts->parts[parts->count - 1] : NULL;

	if (end == NULL ||
	    (first > end->last && first - end->last > 1 && parts->count < SPOOL_PARTS))
		parts->parts[parts->count++] = (struct spool_part){first, last};
	else if (last > end->last)
		end->last = last;
}

void
spool_parts_add_within(struct spool_parts *parts, uint64_t first, uint64_t last,
		       const struct spool_parts *within)
{
	for (size_t i = 0; i < within->count; i++) {
		const struct spool_part *part = &within->parts[i];
		uint64_t from = part->first > first ? part->first : first;
		uint64_t to = part->last < last ? part->last : last;

		if (from <= to)
			spool_parts_add(parts, from, to);
	}
}

bool
spool_parts_hold(const struct spool_parts *parts, uint64_t sequence)
{
	for (size_t i = 0; i < parts->count; i++)
		if (sequence >= parts->parts[i].first && sequence <= parts->parts[i].last)
			return true;
	return false;
}

void
spool_parts_write(const struct spool_parts *parts, struct text *text)
{
	for (size_t i = 0; i < parts->count; i++) {
		text_append_unsigned(text, parts->parts[i].first);
		text_append_byte(text, ' ');
		text_append_unsigned(text, parts->parts[i].last);
		text_append_byte(text, '\n');
	}
}

/* The number up to `end`, and what stands behind that. */
static bool
take_number(struct slice *text, char end, uint64_t *number)
{
	const char *at = text->length > 0 ? memchr(text->bytes, end, text->length) : NULL;
	size_t length = at != NULL ? (size_t)(at - text->bytes) : 0;

	if (at == NULL ||
	    !text_parse_unsigned((struct slice){text->bytes, length}, INT64_MAX, number))
		return false;
	*text = (struct slice){at + 1, text->length - length - 1};
	return true;
}

bool
spool_parts_read(struct spool_parts *parts, struct slice text)
{
	uint64_t first, last, before = 0;

	parts->count = 0;
	while (text.length > 0) {
		if (!take_number(&text, ' ', &first) || !take_number(&text, '\n', &last) ||
		    first <= before || last < first || parts->count == SPOOL_PARTS)
			return false;
		spool_parts_add(parts, first, last);
		before = last;
	}
	return true;
}
