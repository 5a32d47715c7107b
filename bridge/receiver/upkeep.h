/*
 * What the commit thread does between commits: orders, retention, and a look at how much
 * room is left, so that an operator is warned before senders are told to come again.
 */
#ifndef UPKEEP_H
#define UPKEEP_H

#include <stddef.h>

#include "bridge/spool/spool.h"
#include "bridge/steady.h"

/* See commit_keep(); all is borrowed. */
struct upkeep_settings {
	const char *directory;
	const char *const *destinations;
	size_t count;
	int64_t retention; /* ms */
};

struct upkeep {
	struct upkeep_settings settings; /* directory NULL: there is nothing to keep up */
	struct steady steady;
	size_t level;      /* of room, that was told last */
	bool is_pruning;   /* false: the front of the file is damaged, and that was told */
	bool is_gathering; /* false: fingerprints cannot be brought together, and that was told */
};

/* Goes on with the clock as the spool has it. */
MUST_CHECK bool upkeep_start(struct upkeep *upkeep, struct spool *spool, struct error *error);

/*
 * A turn, a second after the one before or, where *more was said, at once.  `forget` as
 * in spool_prune().  False: SPOOL_BROKEN.
 */
MUST_CHECK bool upkeep_turn(struct upkeep *upkeep, struct spool *spool,
			    void (*forget)(void *context, const unsigned char *prints,
					   size_t count),
			    void *context, bool *more, struct error *error);

#endif
