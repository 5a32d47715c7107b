/*
 * What people order of the receiver (bridge/spool/order.h), carried out by the commit
 * thread: rejected bodies are dropped.
 */
#ifndef ERRAND_H
#define ERRAND_H

#include "bridge/spool/spool.h"

/*
 * Carries out at most one order of those in the spool's directory.  SPOOL_FULL, or an
 * order that cannot be read: it stays, and is told in the log.
 */
MUST_CHECK enum spool_result errand_run(struct spool *spool, const char *directory,
					struct error *error);

#endif
