/* A delivery.db in a directory of its own. */
#ifndef DELIVERY_FIXTURE_H
#define DELIVERY_FIXTURE_H

#include "bridge/spool/delivery.h"
#include "tests/unit/directory_fixture.h"

static inline int
tear_down(void **state)
{
	static const char *const names[] = {"delivery.db", "delivery.db-wal", "delivery.db-shm",
					    NULL};

	(void)state;
	return directory_remove(names);
}

static inline struct delivery *
open_delivery(void)
{
	struct delivery *delivery;
	struct error error;

	if (!delivery_open(&delivery, directory, &error))
		fail_msg("%s", error.text);
	return delivery;
}

#endif
