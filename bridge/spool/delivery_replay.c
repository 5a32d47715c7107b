#include "bridge/spool/delivery_replay.h"

#include <stdlib.h>

#include "bridge/deadline.h"
#include "bridge/spool/delivery_internal.h"
#include "formats/memory.h"

void
delivery_replay_free(struct delivery_replay *replay)
{
	if (replay == NULL)
		return;
	free(replay->ranges);
	free(replay);
}

/* Runs a statement with numbers for parameters. */
static bool
change(struct delivery *delivery, const char *sql, const int64_t *numbers, int count,
       struct error *error)
{
	struct database_statement *statement;
	bool done;

	if (!database_prepare(delivery->database, &statement, sql, error))
		return false;
	for (int i = 0; i < count; i++)
		database_bind_number(statement, i + 1, numbers[i]);
	done = database_run(statement, error) == DATABASE_END;
	database_finalize(statement);
	return done;
}

/* The number of the replay of that order; 0: it was not taken in. */
static bool
find_number(struct delivery *delivery, const struct order *order, int64_t *number,
	    struct error *error)
{
	struct database_statement *find;
	enum database_step step;

	*number = 0;
	if (!database_prepare(delivery->database, &find, "SELECT number FROM replays WHERE name=?",
			      error))
		return false;
	database_bind_text(find, 1, text_of(order->name));
	step = database_step(find, error);
	if (step == DATABASE_ROW)
		*number = database_number(find, 0);
	database_finalize(find);
	return step == DATABASE_ROW || step == DATABASE_END;
}

static bool
insert(struct delivery *delivery, const struct order *order, uint64_t epoch, struct error *error)
{
	struct database_statement *add;
	bool done;

	if (!database_prepare(delivery->database, &add,
			      "INSERT INTO replays(destination, name, epoch, rate, asked_at,"
			      " asked_by, first_seq, last_seq) VALUES(?,?,?,?,?,?,?,?)",
			      error))
		return false;
	database_bind_text(add, 1, text_of(order->destination));
	database_bind_text(add, 2, text_of(order->name));
	database_bind_number(add, 3, (int64_t)epoch);
	database_bind_number(add, 4, (int64_t)order->rate);
	database_bind_number(add, 5, order->at);
	database_bind_text(add, 6, text_of(order->by));
	database_bind_number(add, 7, (int64_t)order->ranges[0].first);
	database_bind_number(add, 8, (int64_t)order->ranges[order->range_count - 1].last);
	done = database_run(add, error) == DATABASE_END;
	database_finalize(add);
	return done;
}

/* The ranges, and the dead letters in them, which are this replay's now. */
static bool
insert_ranges(struct delivery *delivery, const struct order *order, int64_t number,
	      struct error *error)
{
	struct database_statement *add = NULL, *mark = NULL;
	bool done = database_prepare(delivery->database, &add,
				     "INSERT INTO replay_ranges VALUES(?,?,?)", error) &&
		    database_prepare(delivery->database, &mark,
				     "UPDATE dead SET replay=?1 WHERE destination=?2"
				     " AND seq BETWEEN ?3 AND ?4",
				     error);

	for (size_t i = 0; done && i < order->range_count; i++) {
		int64_t first = (int64_t)order->ranges[i].first;
		int64_t last = (int64_t)order->ranges[i].last;

		database_bind_number(add, 1, number);
		database_bind_number(add, 2, first);
		database_bind_number(add, 3, last);
		database_bind_number(mark, 1, number);
		database_bind_text(mark, 2, text_of(order->destination));
		database_bind_number(mark, 3, first);
		database_bind_number(mark, 4, last);
		done = database_run(add, error) == DATABASE_END &&
		       database_run(mark, error) == DATABASE_END;
	}
	database_finalize(add);
	database_finalize(mark);
	return done;
}

bool
delivery_replay_add(struct delivery *delivery, const struct order *order, uint64_t epoch,
		    struct error *error)
{
	int64_t number;
	bool done;

	if (!find_number(delivery, order, &number, error))
		return false;
	if (number != 0)
		return true;
	if (database_run(delivery->begin, error) != DATABASE_END)
		return false;
	done = insert(delivery, order, epoch, error) &&
	       find_number(delivery, order, &number, error) &&
	       insert_ranges(delivery, order, number, error);
	return delivery_internal_end(delivery, done, error);
}

/* ---- what is next ---- */

static bool
read_ranges(struct delivery *delivery, struct delivery_replay *replay, struct error *error)
{
	struct database_statement *rows;
	enum database_step step;
	size_t capacity = 0;

	if (!database_prepare(delivery->database, &rows,
			      "SELECT first, last FROM replay_ranges WHERE replay=? AND last > ?"
			      " ORDER BY first",
			      error))
		return false;
	database_bind_number(rows, 1, (int64_t)replay->number);
	database_bind_number(rows, 2, (int64_t)replay->done);
	while ((step = database_step(rows, error)) == DATABASE_ROW) {
		if (replay->range_count == capacity) {
			capacity = capacity * 2 + 16;
			replay->ranges =
			    memory_resize_array(replay->ranges, capacity, sizeof(*replay->ranges));
		}
		replay->ranges[replay->range_count++] = (struct order_range){
		    (uint64_t)database_number(rows, 0), (uint64_t)database_number(rows, 1)};
	}
	database_finalize(rows);
	return step == DATABASE_END;
}

/* The row of the first that is not finished; *number 0: there is none. */
static bool
read_first(struct delivery *delivery, const char *destination, struct delivery_replay *replay,
	   uint64_t *epoch, struct error *error)
{
	struct database_statement *find;
	enum database_step step;

	if (!database_prepare(delivery->database, &find,
			      "SELECT number, rate, done_seq, last_seq, epoch FROM replays"
			      " WHERE destination=? AND finished_at=0 ORDER BY number LIMIT 1",
			      error))
		return false;
	database_bind_text(find, 1, text_of(destination));
	step = database_step(find, error);
	if (step == DATABASE_ROW) {
		replay->number = (uint64_t)database_number(find, 0);
		replay->rate = (uint64_t)database_number(find, 1);
		replay->done = (uint64_t)database_number(find, 2);
		replay->last = (uint64_t)database_number(find, 3);
		*epoch = (uint64_t)database_number(find, 4);
	}
	database_finalize(find);
	return step == DATABASE_ROW || step == DATABASE_END;
}

static bool
finish(struct delivery *delivery, uint64_t number, struct error *error)
{
	const int64_t numbers[] = {(int64_t)number, deadline_wall()};

	return change(delivery, "UPDATE replays SET finished_at=?2 WHERE number=?1", numbers, 2,
		      error);
}

bool
delivery_replay_next(struct delivery *delivery, const char *destination, uint64_t epoch,
		     struct delivery_replay **out, uint64_t *stale, struct error *error)
{
	struct delivery_replay *replay = memory_allocate(sizeof(*replay));
	uint64_t of_epoch = epoch;
	bool done;

	*out = NULL;
	*stale = 0;
	done = read_first(delivery, destination, replay, &of_epoch, error);
	if (done && replay->number != 0 && of_epoch == epoch)
		done = read_ranges(delivery, replay, error);
	if (done && replay->range_count > 0) {
		*out = replay;
		return true;
	}
	if (done && replay->number != 0) {
		*stale = replay->number;
		done = finish(delivery, replay->number, error);
	}
	delivery_replay_free(replay);
	return done;
}

/* ---- dropping ---- */

bool
delivery_replay_drop(struct delivery *delivery, const struct order *order, uint64_t *dropped,
		     struct error *error)
{
	struct database_statement *keep = NULL, *drop = NULL;
	int64_t before = 0, after = 0;
	bool done;

	if (!database_query_number(delivery->database, "SELECT count(*) FROM dead", &before,
				   error) ||
	    database_run(delivery->begin, error) != DATABASE_END)
		return false;
	done = database_prepare(delivery->database, &keep,
				"INSERT OR REPLACE INTO dropped SELECT number, destination, seq,"
				" died_at, id, type, reason, ?3, ?4, ?5 FROM dead"
				" WHERE number BETWEEN ?1 AND ?2",
				error) &&
	       database_prepare(delivery->database, &drop,
				"DELETE FROM dead WHERE number BETWEEN ? AND ?", error);
	for (size_t i = 0; done && i < order->range_count; i++) {
		for (int which = 0; which < 2; which++) {
			struct database_statement *statement = which == 0 ? keep : drop;

			database_bind_number(statement, 1, (int64_t)order->ranges[i].first);
			database_bind_number(statement, 2, (int64_t)order->ranges[i].last);
		}
		database_bind_number(keep, 3, order->at);
		database_bind_text(keep, 4, text_of(order->by));
		database_bind_text(keep, 5, text_of(order->reason));
		done = database_run(keep, error) == DATABASE_END &&
		       database_run(drop, error) == DATABASE_END;
	}
	database_finalize(keep);
	database_finalize(drop);
	done = done && database_query_number(delivery->database, "SELECT count(*) FROM dead",
					     &after, error);
	*dropped = (uint64_t)(before - after);
	return delivery_internal_end(delivery, done, error);
}
