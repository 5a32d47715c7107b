/*
 * How an event fared at one destination: its status, and why it is that.
 */
#ifndef COURSE_H
#define COURSE_H

#include "bridge/spool/standing.h"

struct course {
	enum standing_status status;
	bool has_letter;
	uint64_t number; /* of the dead letter */
	int64_t died_at;
	struct slice reason;
	bool was_dropped;
	struct slice dropped; /* who and why */
	int64_t dropped_at;
	int64_t after, by;                    /* delivered between; ms since 1970, 0: not known */
	struct delivery_view_trouble trouble; /* of the destination, where it is pending */
};

/*
 * Of the event, which was read last (standing_read()), at the i-th destination; the
 * slices live in the standing's arena.
 */
MUST_CHECK bool course_find(struct standing *standing, const struct spool_event *stored,
			    size_t destination, struct course *course, struct error *error);

#endif
