#include "bridge/receiver/errand.h"

#include "bridge/log.h"
#include "bridge/spool/spool_rejected.h"

static enum spool_result
carry_out(struct spool *spool, const char *directory, const struct order *order,
	  struct error *error)
{
	uint64_t dropped = 0;
	enum spool_result result = spool_rejected_drop(spool, order, &dropped, error);

	if (result != SPOOL_DONE)
		return result;
	log_info("dead", "%s dropped %llu rejected bodies: %s", order->by,
		 (unsigned long long)dropped, order->reason);
	/* durable, then removed: done twice after a crash it finds nothing left to do */
	if (!order_done(directory, order, error))
		log_warning("request", "%s", error->text);
	return SPOOL_DONE;
}

enum spool_result
errand_run(struct spool *spool, const char *directory, struct error *error)
{
	enum spool_result result = SPOOL_DONE;
	struct order order;
	bool found;

	if (!order_next(directory, ORDER_RECEIVER, &order, &found, error)) {
		log_warning("request", "%s", error->text);
		return SPOOL_DONE;
	}
	if (found)
		result = carry_out(spool, directory, &order, error);
	if (result == SPOOL_FULL)
		log_warning("request", "%s; it is tried again", error->text);
	order_free(&order);
	return result;
}
