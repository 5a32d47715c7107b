/*
 * How much room there is: below max_size, and on the disk above its reserve.
 *
 * The reserve is for others and for ourselves: at its edge events get a 503, and cursors
 * and removals still find room to be written.
 */
#ifndef SPOOL_ROOM_H
#define SPOOL_ROOM_H

#include "bridge/spool/spool.h"

struct spool_room {
	uint64_t used;      /* bytes of spool.db that hold something */
	uint64_t max_size;  /* 0: no limit */
	uint64_t disk_free; /* bytes that this user may still write there */
	uint64_t reserve;   /* bytes that stay free; 0: none */
};

/* Keeps so much of the disk free; `capped`: no more than 5 % of the file system. */
void spool_room_reserve(struct spool *spool, uint64_t bytes, bool capped);

MUST_CHECK bool spool_room(struct spool *spool, struct spool_room *room, struct error *error);

/* False: the disk is down to its reserve.  The disk is asked a few times a second. */
bool spool_room_is_left(struct spool *spool);

#endif
