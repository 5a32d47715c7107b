/*
 * What writer and readers of index.db share.
 *
 *   meta      name, value: epoch of the spool
 *   segments  first, last, oldest_at, newest_at
 *   postings  kind, bucket, first -> entries: for each event of the segment whose hash
 *             falls into the bucket its hash (4 bytes) and its sequence less `first` (2),
 *             big-endian, sorted
 *   types     every type that was indexed
 */
#ifndef SPOOL_INDEX_INTERNAL_H
#define SPOOL_INDEX_INTERNAL_H

#include "bridge/spool/spool_index.h"

enum {
	SPOOL_INDEX_VERSION = 1,
	SPOOL_INDEX_KINDS = 3,
	SPOOL_INDEX_BUCKET_SHIFT = 26, /* a hash's first 6 bits are its bucket */
	SPOOL_INDEX_BUCKETS = 1 << (32 - SPOOL_INDEX_BUCKET_SHIFT),
	SPOOL_INDEX_ENTRY = 6,    /* bytes */
	SPOOL_INDEX_SPAN = 65535, /* highest sequence of a segment less its first */
};

#endif
