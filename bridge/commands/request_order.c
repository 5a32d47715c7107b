#include "bridge/commands/request_order.h"

#include <stdio.h>

#include "bridge/spool/spool.h"

enum { PATIENCE = 5000 /* milliseconds */ };

bool
request_order_give(const char *directory, struct order *order, const char *what,
		   struct error *error)
{
	order_sign(order);
	if (!order_put(directory, order, error))
		return false;
	if (!spool_is_locked(directory))
		(void)printf("%s: noted; no siembridge runs on %s, the next one carries it out\n",
			     what, directory);
	else if (order_wait(directory, order, PATIENCE))
		(void)printf("%s: taken over by the bridge\n", what);
	else
		(void)printf("%s: noted; the bridge has not taken it over yet, see its log\n",
			     what);
	return true;
}
