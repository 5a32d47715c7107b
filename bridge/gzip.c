#include "bridge/gzip.h"

#include <limits.h>

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
