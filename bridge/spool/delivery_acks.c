#include "bridge/spool/delivery_acks.h"

#include <string.h>

#include "bridge/spool/delivery_internal.h"
#include "formats/memory.h"

static const char *const sqls[] = {
    [DELIVERY_ACK_GIVEN] = "INSERT OR REPLACE INTO acks(destination, endpoint, channel, ack_id,"
			   " epoch, first_seq, last_seq, posted_at, indexed, cookies)"
			   " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
    [DELIVERY_ACK_INDEXED] = "UPDATE acks SET indexed=1 WHERE destination=?1 AND endpoint=?2"
			     " AND channel=?3 AND ack_id=?4",
    [DELIVERY_ACK_FORGOTTEN] = "DELETE FROM acks WHERE destination=?1 AND endpoint=?2"
			       " AND channel=?3 AND ack_id=?4",
};

static bool
apply(struct delivery *delivery, const struct delivery_ack_owner *owner, uint64_t epoch,
      const struct delivery_ack_change *change, struct error *error)
{
	const struct delivery_ack *ack = &change->ack;
	struct database_statement *statement;
	bool done;

	if (!database_prepare(delivery->database, &statement, sqls[change->event], error))
		return false;
	database_bind_text(statement, 1, text_of(owner->destination));
	database_bind_text(statement, 2, text_of(owner->endpoint));
	database_bind_text(statement, 3, text_of(ack->channel));
	database_bind_number(statement, 4, (int64_t)ack->id);
	if (change->event == DELIVERY_ACK_GIVEN) {
		database_bind_number(statement, 5, (int64_t)epoch);
		database_bind_number(statement, 6, (int64_t)ack->first);
		database_bind_number(statement, 7, (int64_t)ack->last);
		database_bind_number(statement, 8, ack->posted_at);
		database_bind_number(statement, 9, ack->indexed);
		database_bind_text(statement, 10, text_of(ack->cookies));
	}
	done = database_run(statement, error) == DATABASE_END;
	database_finalize(statement);
	return done;
}

static bool
prune(struct delivery *delivery, const struct delivery_ack_owner *owner, uint64_t epoch,
      struct error *error)
{
	struct database_statement *statement;
	bool done;

	if (!database_prepare(delivery->database, &statement,
			      "DELETE FROM acks WHERE destination=?1 AND (epoch<>?2 OR last_seq <="
			      " (SELECT seq FROM cursors WHERE destination=?1))",
			      error))
		return false;
	database_bind_text(statement, 1, text_of(owner->destination));
	database_bind_number(statement, 2, (int64_t)epoch);
	done = database_run(statement, error) == DATABASE_END;
	database_finalize(statement);
	return done;
}

bool
delivery_acks_save(struct delivery *delivery, const struct delivery_ack_owner *owner,
		   uint64_t epoch, const struct delivery_ack_change *changes, size_t count,
		   struct error *error)
{
	bool done = true;

	if (database_run(delivery->begin, error) != DATABASE_END)
		return false;
	for (size_t i = 0; done && i < count; i++)
		done = apply(delivery, owner, epoch, &changes[i], error);
	done = done && prune(delivery, owner, epoch, error);
	return delivery_internal_end(delivery, done, error);
}

/* False where the row is none of ours. */
static bool
read_row(struct database_statement *load, struct delivery_ack *ack)
{
	struct slice channel = database_bytes(load, 0), cookies = database_bytes(load, 6);

	memset(ack, 0, sizeof(*ack));
	if (channel.length > DELIVERY_CHANNEL)
		return false;
	memcpy(ack->channel, channel.bytes, channel.length);
	ack->id = (uint64_t)database_number(load, 1);
	ack->first = (uint64_t)database_number(load, 2);
	ack->last = (uint64_t)database_number(load, 3);
	ack->posted_at = database_number(load, 4);
	ack->indexed = database_number(load, 5) != 0;
	if (cookies.length > 0)
		ack->cookies = memory_copy_text(cookies.bytes, cookies.length);
	return true;
}

bool
delivery_acks_load(struct delivery *delivery, const struct delivery_ack_owner *owner,
		   uint64_t epoch, void (*found)(void *context, struct delivery_ack *ack),
		   void *context, struct error *error)
{
	struct database_statement *load;
	struct delivery_ack ack;
	enum database_step step;

	if (!database_prepare(
		delivery->database, &load,
		"SELECT channel, ack_id, first_seq, last_seq, posted_at, indexed, cookies"
		" FROM acks WHERE destination=?1 AND endpoint=?2 AND epoch=?3 AND"
		" last_seq > coalesce((SELECT seq FROM cursors WHERE destination=?1), 0)"
		" ORDER BY first_seq",
		error))
		return false;
	database_bind_text(load, 1, text_of(owner->destination));
	database_bind_text(load, 2, text_of(owner->endpoint));
	database_bind_number(load, 3, (int64_t)epoch);
	while ((step = database_step(load, error)) == DATABASE_ROW)
		if (read_row(load, &ack))
			found(context, &ack);
	database_finalize(load);
	return step == DATABASE_END;
}
