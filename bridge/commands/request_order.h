/*
 * A command's order to the daemon, given and waited for, told in words.
 */
#ifndef REQUEST_ORDER_H
#define REQUEST_ORDER_H

#include "bridge/spool/order.h"

/*
 * Signs it, puts it and waits a few seconds for it to be carried out; says on stdout
 * which of both came true.  False: it could not be given.
 */
MUST_CHECK bool request_order_give(const char *directory, struct order *order, const char *what,
				   struct error *error);

#endif
