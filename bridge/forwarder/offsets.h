/*
 * How far a stream is, before and under the record layer of TLS: which plaintext
 * the peer has, when its kernel has acknowledged so many bytes of the socket.
 *
 * Of fixed size: where there is no room for another mark, the last one moves on, so
 * that what is told may lag behind by some records, and is never too much.
 */
#ifndef OFFSETS_H
#define OFFSETS_H

#include <stddef.h>
#include <stdint.h>

enum { OFFSETS_MARKS = 32 };

struct offsets {
	struct offsets_mark {
		uint64_t plain; /* bytes of plaintext that are in whole records ... */
		uint64_t wire;  /* ... up to this byte of the socket */
	} marks[OFFSETS_MARKS];
	size_t first;
	size_t count;
	uint64_t plain; /* of the last mark that was passed */
};

/* A record was written whole: `plain` and `wire` bytes in all by now.  Both rise. */
void offsets_note(struct offsets *offsets, uint64_t plain, uint64_t wire);

/* Bytes of plaintext within the first `wire` bytes of the socket, or fewer. */
uint64_t offsets_plain(struct offsets *offsets, uint64_t wire);

#endif
