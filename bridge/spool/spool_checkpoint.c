#include "bridge/fault.h"
#include "bridge/spool/spool_head.h"
#include "bridge/spool/spool_internal.h"

/*
 * A checkpoint is due when the WAL is this long: short, because a flipped bit in it
 * costs all that was committed behind it, and long enough to be rare.
 */
enum { SPOOL_CHECKPOINT_STEP = 2 * 1024 * 1024 };

bool
spool_checkpoint(struct spool *spool, bool force, struct error *error)
{
	uint64_t size = database_wal_size(spool->database);

	if (spool->checkpoint_due == 0)
		spool->checkpoint_due = SPOOL_CHECKPOINT_STEP;
	if (size == 0 || (!force && size < spool->checkpoint_due))
		return true;
	fault_point("spool-before-checkpoint");
	if (!database_checkpoint(spool->database, DATABASE_CHECKPOINT_RESTART, error))
		return false;
	fault_point("spool-after-checkpoint");
	/* hindered by a reader: let the WAL grow before commits wait for it again */
	if (database_wal_size(spool->database) == 0)
		spool->checkpoint_due = SPOOL_CHECKPOINT_STEP;
	else
		spool->checkpoint_due = size + SPOOL_CHECKPOINT_STEP;
	return spool_head_sync(spool->head, error);
}
