/*
 * What can still be read of a damaged spool.db, brought into another one.
 */
#ifndef SPOOL_SALVAGE_H
#define SPOOL_SALVAGE_H

#include "bridge/spool/spool.h"
#include "bridge/spool/spool_parts.h"

struct spool_salvage_counts {
	uint64_t events; /* that are in the spool now: brought over, or there already */
	uint64_t first;  /* the lowest and highest of them; 0: none */
	uint64_t last;
	uint64_t unreadable; /* were there once and cannot be read */
	uint64_t changed;    /* do not fit the hash chain: left behind */
	uint64_t rejected;   /* bodies, likewise */
	bool disk_failed;    /* another time more of it may be readable, or have room */
};

enum spool_salvage_result {
	SPOOL_SALVAGE_DONE,   /* it was read to its end */
	SPOOL_SALVAGE_ENDED,  /* no more can be read of it, or stored; what was copied stays */
	SPOOL_SALVAGE_BROKEN, /* the spool cannot be written to: its handle is dead */
};

/*
 * Copies every intact event whose sequence is wanted, with that and its own hash, every
 * readable fingerprint and rejected body; what is there already stays, so that doing it
 * again changes nothing.  The writer's thread, between appends.
 *
 * `left` NULL: an event whose sequence is not above the spool's last one goes in front of
 * that, to be sent by a replay; where another event has its sequence it stays behind.
 * Else *left says which wanted events are left: those that the disk did not give or
 * had no room for, and those that can no longer have their sequence.
 */
enum spool_salvage_result spool_salvage(struct spool *spool, const char *path,
					const struct spool_parts *wanted,
					struct spool_salvage_counts *counts,
					struct spool_parts *left, struct error *error);

#endif
