/*
 * A chunked body (RFC 9112 7.1), read strictly and in place: what is decoded
 * stands at the front of the bytes, what is not yet read behind it.
 *
 * Chunk lines are 1*8HEXDIG [";" extensions] CRLF, data ends with CRLF, trailer
 * lines have the form of header lines and are dropped.
 */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include "bridge/receiver/answer.h"

enum http_chunk_result {
	HTTP_CHUNK_MORE, /* all good so far */
	HTTP_CHUNK_DONE,
	HTTP_CHUNK_REFUSED, /* see `refusal` */
};

enum http_chunk_state {
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_DATA_END,
	HTTP_CHUNK_TRAILER,
};

struct http_chunk {
	enum http_chunk_state state;
	size_t written;  /* bytes of the body that are decoded */
	size_t left;     /* bytes of this chunk's data still to come */
	size_t overhead; /* bytes of extensions and trailers */
	size_t lines;    /* of the trailer */
	enum answer refusal;
};

void http_chunk_start(struct http_chunk *chunk);

/*
 * Reads on in the *length bytes at `bytes`, of which the first chunk->written
 * are the body.  *length shrinks by what was framing.  `limit` is the longest body.
 */
enum http_chunk_result http_chunk_read(struct http_chunk *chunk, char *bytes, size_t *length,
				       uint64_t limit);

#endif
