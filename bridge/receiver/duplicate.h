/*
 * Which events have been seen: 16-byte fingerprints of (source, id) over all that
 * the spool keeps, in memory, because a unique index on random text costs a commit
 * six times its price (DESIGN.md).  Not thread-safe: the caller holds a lock.
 */
#ifndef DUPLICATE_H
#define DUPLICATE_H

#include "bridge/spool/spool.h"

struct duplicate;

/* Gives an empty table; `key` keyed the fingerprints that it will be given. */
struct duplicate *duplicate_new(const unsigned char key[SPOOL_KEY_LENGTH]);
void duplicate_free(struct duplicate *duplicate);

/*
 * SipHash-2-4 (128 bits) of source, NUL, id; with a body that is not absent, of
 * source, NUL, id, NUL, body.  An absent id counts as empty, which no id is.
 */
void duplicate_fingerprint(const struct duplicate *duplicate, struct slice source, struct slice id,
			   struct slice body, unsigned char print[SPOOL_FINGERPRINT_LENGTH]);

/*
 * The start, with very many at once: duplicate_reserve() makes room for about so many,
 * duplicate_gather() takes them as they are, and duplicate_build() makes the table of
 * them.  Between the first and the last nothing else may be asked of it.
 */
void duplicate_reserve(struct duplicate *duplicate, uint64_t count);
void duplicate_gather(struct duplicate *duplicate, const unsigned char *prints, size_t count);
void duplicate_build(struct duplicate *duplicate);

/* Adds it.  True where it was not there before. */
bool duplicate_add(struct duplicate *duplicate,
		   const unsigned char print[SPOOL_FINGERPRINT_LENGTH]);

/* Takes it out, if it is there. */
void duplicate_remove(struct duplicate *duplicate,
		      const unsigned char print[SPOOL_FINGERPRINT_LENGTH]);

/* How many there are, and the bytes that they take. */
size_t duplicate_count(const struct duplicate *duplicate);
size_t duplicate_memory(const struct duplicate *duplicate);

#endif
