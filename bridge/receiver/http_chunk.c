#include "bridge/receiver/http_chunk.h"

#include <string.h>

#include "bridge/receiver/http_line.h"

enum {
	SIZE_DIGITS = 8,
	SIZE_LINE = 256,        /* bytes, CRLF included */
	OVERHEAD_LIMIT = 16384, /* bytes of extensions and trailers in one body */
	TRAILER_LINES = 64,
};

void
http_chunk_start(struct http_chunk *chunk)
{
	*chunk = (struct http_chunk){.state = HTTP_CHUNK_SIZE};
}

static enum http_chunk_result
refuse(struct http_chunk *chunk, enum answer answer)
{
	chunk->refusal = answer;
	return HTTP_CHUNK_REFUSED;
}

/*
 * RFC 9112 7.1.1, and stricter: visible bytes, blanks only inside a quoted
 * string, which is closed.  "Funky chunks" live in what others let pass here.
 */
static bool
is_extension(struct slice text)
{
	bool quoted = false;

	if (text.length < 2 || text.bytes[0] != ';')
		return false;
	for (size_t i = 1; i < text.length; i++) {
		char byte = text.bytes[i];

		if (byte == '"') {
			quoted = !quoted;
		} else if (byte == '\\' && quoted && i + 1 < text.length) {
			if (text.bytes[++i] < ' ' || text.bytes[i] > '~')
				return false;
		} else if (byte > '~' || byte < (quoted ? ' ' : '!')) {
			return false;
		}
	}
	return !quoted;
}

static enum http_chunk_result
read_size(struct http_chunk *chunk, struct slice line, uint64_t limit)
{
	size_t size = 0;
	size_t digits = 0;

	while (digits < line.length && text_hex_digit(line.bytes[digits]) >= 0) {
		if (digits == SIZE_DIGITS)
			return refuse(chunk, ANSWER_MALFORMED);
		size = size * 16 + (size_t)text_hex_digit(line.bytes[digits++]);
	}
	if (digits == 0)
		return refuse(chunk, ANSWER_MALFORMED);
	line.bytes += digits;
	line.length -= digits;
	if (line.length > 0 && !is_extension(line))
		return refuse(chunk, ANSWER_MALFORMED);
	chunk->overhead += line.length;
	if (chunk->overhead > OVERHEAD_LIMIT)
		return refuse(chunk, ANSWER_MALFORMED);
	if (size > limit - chunk->written)
		return refuse(chunk, ANSWER_BODY_TOO_LARGE);
	chunk->left = size;
	chunk->state = size > 0 ? HTTP_CHUNK_DATA : HTTP_CHUNK_TRAILER;
	return HTTP_CHUNK_MORE;
}

static enum http_chunk_result
read_trailer(struct http_chunk *chunk, struct slice line)
{
	struct slice name;
	struct slice value;

	if (line.length == 0)
		return HTTP_CHUNK_DONE;
	chunk->overhead += line.length;
	if (++chunk->lines > TRAILER_LINES || chunk->overhead > OVERHEAD_LIMIT)
		return refuse(chunk, ANSWER_HEADERS_TOO_LARGE);
	if (!http_line_split(line, &name, &value))
		return refuse(chunk, ANSWER_MALFORMED);
	return HTTP_CHUNK_MORE;
}

/* A line of either kind at bytes[*at]; *waits: it has not come yet. */
static enum http_chunk_result
read_line(struct http_chunk *chunk, const char *bytes, size_t length, size_t *at, uint64_t limit,
	  bool *waits)
{
	bool is_size = chunk->state == HTTP_CHUNK_SIZE;
	size_t scanned = *at;
	struct slice line;

	switch (http_line_end(bytes, length, *at, &scanned, &line)) {
	case HTTP_LINE_BAD:
		return refuse(chunk, ANSWER_MALFORMED);
	case HTTP_LINE_MORE:
		*waits = true;
		if (is_size && length - *at > SIZE_LINE)
			return refuse(chunk, ANSWER_MALFORMED);
		if (length - *at > OVERHEAD_LIMIT)
			return refuse(chunk, ANSWER_HEADERS_TOO_LARGE);
		return HTTP_CHUNK_MORE;
	case HTTP_LINE_WHOLE:
		break;
	}
	if (is_size && scanned - *at > SIZE_LINE)
		return refuse(chunk, ANSWER_MALFORMED);
	*at = scanned;
	return is_size ? read_size(chunk, line, limit) : read_trailer(chunk, line);
}

static void
move_data(struct http_chunk *chunk, char *bytes, size_t length, size_t *at)
{
	size_t there = length - *at < chunk->left ? length - *at : chunk->left;

	memmove(bytes + chunk->written, bytes + *at, there);
	chunk->written += there;
	chunk->left -= there;
	*at += there;
	if (chunk->left == 0)
		chunk->state = HTTP_CHUNK_DATA_END;
}

static enum http_chunk_result
read_data_end(struct http_chunk *chunk, const char *bytes, size_t length, size_t *at, bool *waits)
{
	static const char end[2] = "\r\n";
	size_t there = length - *at < sizeof(end) ? length - *at : sizeof(end);

	if (memcmp(bytes + *at, end, there) != 0)
		return refuse(chunk, ANSWER_MALFORMED);
	if (there < sizeof(end)) {
		*waits = true;
		return HTTP_CHUNK_MORE;
	}
	*at += sizeof(end);
	chunk->state = HTTP_CHUNK_SIZE;
	return HTTP_CHUNK_MORE;
}

enum http_chunk_result
http_chunk_read(struct http_chunk *chunk, char *bytes, size_t *length, uint64_t limit)
{
	enum http_chunk_result result = HTTP_CHUNK_MORE;
	size_t at = chunk->written;
	bool waits = false;

	while (result == HTTP_CHUNK_MORE && !waits && at < *length) {
		switch (chunk->state) {
		case HTTP_CHUNK_SIZE:
		case HTTP_CHUNK_TRAILER:
			result = read_line(chunk, bytes, *length, &at, limit, &waits);
			break;
		case HTTP_CHUNK_DATA:
			move_data(chunk, bytes, *length, &at);
			break;
		case HTTP_CHUNK_DATA_END:
			result = read_data_end(chunk, bytes, *length, &at, &waits);
			break;
		}
	}
	if (at > chunk->written) {
		memmove(bytes + chunk->written, bytes + at, *length - at);
		*length -= at - chunk->written;
	}
	return result;
}
