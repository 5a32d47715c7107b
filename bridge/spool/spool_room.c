#include "bridge/spool/spool_room.h"

#include <sys/statvfs.h>

#include "bridge/spool/spool_internal.h"

enum { LOOK_INTERVAL = 100 /* ms */, CAP = 20 /* a twentieth */ };

/* A disk that cannot be asked is taken for empty: the next write tells. */
static uint64_t
disk_free(const struct spool *spool, uint64_t *total)
{
	struct statvfs status;

	*total = UINT64_MAX;
	if (fstatvfs(spool->lock, &status) != 0)
		return UINT64_MAX;
	*total = (uint64_t)status.f_blocks * status.f_frsize;
	return (uint64_t)status.f_bavail * status.f_frsize;
}

void
spool_room_reserve(struct spool *spool, uint64_t bytes, bool capped)
{
	uint64_t total;

	(void)disk_free(spool, &total);
	spool->reserve = capped && bytes > total / CAP ? total / CAP : bytes;
}

bool
spool_room(struct spool *spool, struct spool_room *room, struct error *error)
{
	int64_t pages, unused;
	uint64_t total;

	if (!database_query_number(spool->database, "PRAGMA page_count", &pages, error) ||
	    !database_query_number(spool->database, "PRAGMA freelist_count", &unused, error))
		return false;
	*room = (struct spool_room){
	    .used = (uint64_t)(pages - unused) * SPOOL_PAGE,
	    .max_size = spool->max_size,
	    .disk_free = disk_free(spool, &total),
	    .reserve = spool->reserve,
	};
	return true;
}

bool
spool_room_is_left(struct spool *spool)
{
	uint64_t total;

	if (spool->reserve == 0)
		return true;
	if (deadline_passed(spool->room_due)) {
		spool->room_due = deadline_after(LOOK_INTERVAL);
		spool->disk_is_low = disk_free(spool, &total) < spool->reserve;
	}
	return !spool->disk_is_low;
}
