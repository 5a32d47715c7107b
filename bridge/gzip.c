#include "bridge/gzip.h"

#include <limits.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "formats/memory.h"

/* Events repeat themselves so much that a higher level saves little more. */
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
