#include "bridge/gzip.h"

#include <limits.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "formats/memory.h"

/* Events repeat themselves so much that a higher level saves little more. */
enum { FIRST_ROOM = 16 * 1024 /* bytes of what comes out */ };
enum { LEVEL = 1, WINDOW = 15 + 16 /* 16: a gzip header */, MEMORY = 8, HEADER = 18 };

size_t
gzip_bound(size_t length)
{
	return compressBound((uLong)length) + HEADER;
}

void
gzip_compress(struct slice plain, struct text *text)
{
	size_t room = text->capacity - text->length;
	z_stream stream = {.next_in = (const Bytef *)plain.bytes,
			   .avail_in = (uInt)plain.length,
			   .next_out = (Bytef *)text->bytes + text->length,
			   .avail_out = (uInt)room};

	if (plain.length > UINT_MAX || room > UINT_MAX)
		memory_panic("gzip: %zu bytes at once", plain.length);
	if (deflateInit2(&stream, LEVEL, Z_DEFLATED, WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		memory_panic("out of memory: gzip");
	if (deflate(&stream, Z_FINISH) == Z_STREAM_END)
		text->length += room - stream.avail_out;
	else
		text->overflowed = true;
	(void)deflateEnd(&stream);
}

struct gzip_file {
	gzFile handle;
};

struct gzip_file *
gzip_open(int descriptor)
{
	struct gzip_file *file = memory_allocate(sizeof(*file));

	file->handle = gzdopen(descriptor, "rb");
	if (file->handle == NULL)
		memory_panic("out of memory: reading gzip");
	return file;
}

void
gzip_close(struct gzip_file *file)
{
	if (file == NULL)
		return;
	(void)gzclose_r(file->handle);
	free(file);
}

uint64_t
gzip_offset(const struct gzip_file *file)
{
	z_off_t offset = gzoffset(file->handle);

	return offset > 0 ? (uint64_t)offset : 0;
}

bool
gzip_read(struct gzip_file *file, char *bytes, size_t capacity, size_t *length, struct error *error)
{
	unsigned want = capacity < INT_MAX ? (unsigned)capacity : INT_MAX;
	int status, got = gzread(file->handle, bytes, want);
	const char *text = gzerror(file->handle, &status);

	if (got > 0 || (got == 0 && status == Z_OK)) {
		*length = (size_t)got;
		return true;
	}
	if (status == Z_ERRNO)
		return error_set_errno(error, "it cannot be read");
	return error_set(error, "its gzip is cut or damaged: %s", text);
}

/* What has come out so far. */
struct output {
	char *bytes;
	size_t length, capacity;
};

/* One more than the limit may come out, so that what is too large is seen to be. */
static bool
make_room(struct output *output, size_t limit)
{
	size_t wanted = output->capacity > 0 ? output->capacity * 2 : FIRST_ROOM;

	if (output->length < output->capacity)
		return true;
	if (output->length > limit)
		return false;
	output->capacity = wanted < limit + 1 ? wanted : limit + 1;
	output->bytes = memory_resize_array(output->bytes, output->capacity, 1);
	return true;
}

static enum gzip_result
inflate_all(z_stream *stream, size_t limit, struct output *output)
{
	int status = Z_OK;

	do {
		size_t room;

		if (!make_room(output, limit))
			return GZIP_TOO_LARGE;
		room = output->capacity - output->length;
		stream->next_out = (Bytef *)output->bytes + output->length;
		stream->avail_out = (uInt)room;
		status = inflate(stream, Z_NO_FLUSH);
		output->length += room - stream->avail_out;
		/* RFC 1952 2.2: members simply follow one another */
		if (status == Z_STREAM_END && stream->avail_in > 0)
			status = inflateReset(stream);
	} while (status == Z_OK);
	if (status == Z_MEM_ERROR)
		memory_panic("out of memory: gzip");
	if (status != Z_STREAM_END)
		return GZIP_BROKEN;
	return output->length > limit ? GZIP_TOO_LARGE : GZIP_DONE;
}

enum gzip_result
gzip_expand(struct slice packed, size_t limit, char **bytes, size_t *length)
{
	z_stream stream = {.next_in = (const Bytef *)packed.bytes, .avail_in = (uInt)packed.length};
	struct output output = {0};
	enum gzip_result result;

	if (packed.length > UINT_MAX || limit >= UINT_MAX)
		memory_panic("gzip: %zu bytes at once", packed.length);
	if (inflateInit2(&stream, WINDOW) != Z_OK)
		memory_panic("out of memory: gzip");
	result = inflate_all(&stream, limit, &output);
	(void)inflateEnd(&stream);
	if (result != GZIP_DONE) {
		free(output.bytes);
		return result;
	}
	*bytes = output.bytes;
	*length = output.length;
	return GZIP_DONE;
}
