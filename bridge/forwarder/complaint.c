#include "bridge/forwarder/complaint.h"

#include <stdlib.h>

#include "bridge/deadline.h"
#include "formats/memory.h"

void
complaint_start(struct complaint_box *box)
{
	atomic_init(&box->newest, NULL);
}

void
complaint_put(struct complaint_box *box, uint64_t failures, const struct error *error)
{
	struct complaint *complaint = memory_allocate(sizeof(*complaint));

	complaint->at = deadline_wall();
	complaint->failures = failures;
	complaint->error = *error;
	free(atomic_exchange(&box->newest, complaint));
}

struct complaint *
complaint_take(struct complaint_box *box)
{
	return atomic_exchange(&box->newest, NULL);
}
