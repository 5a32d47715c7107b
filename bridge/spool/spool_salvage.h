/*
 * What can still be read of a damaged spool.db, brought into another one.
 */
#ifndef SPOOL_SALVAGE_H
#define SPOOL_SALVAGE_H

#include "bridge/spool/spool.h"

struct spool_salvage_counts {
	uint64_t events; /* brought over */
	uint64_t first;  /* the lowest and highest of them; 0: none */
	uint64_t last;
	uint64_t unreadable; /* were there once and cannot be read */
	uint64_t changed;    /* do not fit the hash chain: left behind */
	uint64_t rejected;   /* bodies brought over */
};

/*
 * Copies every intact event behind `after` under its own sequence and with its own hash,
 * every readable fingerprint and rejected body; what is there already stays.  The writer's
 * thread, between appends.  False: nothing more can be read of it; what was copied stays.
 */
MUST_CHECK bool spool_salvage(struct spool *spool, const char *path, uint64_t after,
			      struct spool_salvage_counts *counts, struct error *error);

#endif
