#include "bridge/spool/spool_rejected.h"

#include "bridge/spool/spool_internal.h"

/* Of one range: kept as dropped, then deleted. */
static enum database_step
drop_range(struct database_statement *keep, struct database_statement *drop,
	   const struct order *order, const struct order_range *range, struct error *error)
{
	enum database_step step;

	database_bind_number(keep, 1, (int64_t)range->first);
	database_bind_number(keep, 2, (int64_t)range->last);
	database_bind_number(keep, 3, order->at);
	database_bind_text(keep, 4, text_of(order->by));
	database_bind_text(keep, 5, text_of(order->reason));
	step = database_run(keep, error);
	if (step != DATABASE_END)
		return step;
	database_bind_number(drop, 1, (int64_t)range->first);
	database_bind_number(drop, 2, (int64_t)range->last);
	return database_run(drop, error);
}

/* Between BEGIN and COMMIT. */
static enum database_step
drop_all(struct spool *spool, const struct order *order, struct error *error)
{
	struct database_statement *keep = NULL, *drop = NULL;
	enum database_step step = DATABASE_FAILED;

	if (database_prepare(spool->database, &keep,
			     "INSERT OR REPLACE INTO dropped SELECT number, received_at, source,"
			     " reason, ?3, ?4, ?5 FROM rejected WHERE number BETWEEN ?1 AND ?2",
			     error) &&
	    database_prepare(spool->database, &drop,
			     "DELETE FROM rejected WHERE number BETWEEN ? AND ?", error))
		step = DATABASE_END;
	for (size_t i = 0; step == DATABASE_END && i < order->range_count; i++)
		step = drop_range(keep, drop, order, &order->ranges[i], error);
	database_finalize(keep);
	database_finalize(drop);
	return step;
}

static enum spool_result
abandon(struct spool *spool, struct error *error)
{
	if (spool_internal_abandon(spool, DATABASE_FULL, error) == SPOOL_BROKEN)
		return SPOOL_BROKEN;
	error_set(error, "spool: no room left to note what is dropped");
	return SPOOL_FULL;
}

enum spool_result
spool_rejected_drop(struct spool *spool, const struct order *order, uint64_t *dropped,
		    struct error *error)
{
	static const char count[] = "SELECT count(*) FROM rejected";
	int64_t before = 0, after = 0;
	enum database_step step;

	if (!database_query_number(spool->database, count, &before, error))
		return SPOOL_BROKEN;
	step = database_run(spool->begin, error);
	if (step == DATABASE_END)
		step = drop_all(spool, order, error);
	if (step == DATABASE_END)
		step = database_run(spool->commit, error);
	if (step == DATABASE_FULL)
		return abandon(spool, error);
	if (step != DATABASE_END || !database_query_number(spool->database, count, &after, error))
		return SPOOL_BROKEN;
	*dropped = (uint64_t)(before - after);
	return SPOOL_DONE;
}
