/*
 * The only place where an event becomes durable.  Durable, then answered: the
 * caller answers a 2xx for what spool_append() gave back as SPOOL_DONE, and the
 * COMMIT in here is the fsync of it.
 */
#include <stdlib.h>
#include <string.h>

#include "bridge/fault.h"
#include "bridge/spool/spool_chain.h"
#include "bridge/spool/spool_head.h"
#include "bridge/spool/spool_internal.h"
#include "bridge/spool/spool_room.h"
#include "formats/memory.h"

static struct slice
bytes_of(const unsigned char *bytes, size_t length)
{
	return (struct slice){(const char *)bytes, length};
}

static enum database_step
insert_event(struct spool *spool, const struct spool_event *event, struct error *error)
{
	struct database_statement *insert = spool->insert_event;

	if (!spool_chain_extend(spool->chain, event, spool->hash, error))
		return DATABASE_FAILED;
	database_bind_number(insert, 1, (int64_t)event->sequence);
	database_bind_number(insert, 2, event->received_at);
	database_bind_text(insert, 3, event->source);
	database_bind_text(insert, 4, event->id);
	database_bind_text(insert, 5, event->type);
	database_bind_text(insert, 6, event->resource);
	database_bind_text(insert, 7, event->evidence);
	database_bind_bytes(insert, 8, event->body);
	database_bind_bytes(insert, 9, bytes_of(spool->hash, SPOOL_HASH_LENGTH));
	database_bind_number(insert, 10, event->flags);
	return database_run(insert, error);
}

static enum database_step
insert_prints(struct spool *spool, const struct spool_event *events, size_t count,
	      struct error *error)
{
	unsigned char *prints =
	    memory_allocate_array(count * SPOOL_FINGERPRINTS, SPOOL_FINGERPRINT_LENGTH);
	size_t length = 0;
	enum database_step step;

	for (size_t i = 0; i < count; i++) {
		size_t size = events[i].fingerprint_count * SPOOL_FINGERPRINT_LENGTH;

		memcpy(prints + length, events[i].fingerprints, size);
		length += size;
	}
	database_bind_number(spool->insert_prints, 1, (int64_t)events[0].sequence);
	database_bind_bytes(spool->insert_prints, 2, bytes_of(prints, length));
	database_bind_number(spool->insert_prints, 3, (int64_t)events[count - 1].sequence);
	step = database_run(spool->insert_prints, error);
	spool->loose_bytes += length;
	free(prints);
	return step;
}

static enum database_step
insert_rejected(struct spool *spool, const struct spool_rejected *rejected, struct error *error)
{
	struct database_statement *insert = spool->insert_rejected;

	database_bind_number(insert, 1, rejected->received_at);
	database_bind_text(insert, 2, rejected->source);
	database_bind_text(insert, 3, rejected->reason);
	database_bind_text(insert, 4, rejected->evidence);
	database_bind_bytes(insert, 5, rejected->body);
	database_bind_bytes(insert, 6, bytes_of(rejected->print, SPOOL_FINGERPRINT_LENGTH));
	return database_run(insert, error);
}

/* Everything between BEGIN and COMMIT. */
static enum database_step
insert_all(struct spool *spool, struct spool_event *events, size_t count,
	   const struct spool_rejected *rejected, size_t rejected_count, struct error *error)
{
	enum database_step step = DATABASE_END;

	for (size_t i = 0; i < count && step == DATABASE_END; i++) {
		events[i].sequence = spool->next + i;
		step = insert_event(spool, &events[i], error);
	}
	if (count > 0 && step == DATABASE_END)
		step = insert_prints(spool, events, count, error);
	for (size_t i = 0; i < rejected_count && step == DATABASE_END; i++)
		step = insert_rejected(spool, &rejected[i], error);
	return step;
}

static enum spool_result
abandon(struct spool *spool, const unsigned char *hash_before, struct error *error)
{
	memcpy(spool->hash, hash_before, SPOOL_HASH_LENGTH);
	if (spool_internal_abandon(spool, DATABASE_FULL, error) == SPOOL_BROKEN)
		return SPOOL_BROKEN;
	error_set(error, "spool: no room left on disk or below max_size; nothing was stored");
	return SPOOL_FULL;
}

/* After the commit, so that the head may lag but never lead. */
static bool
advance(struct spool *spool, size_t count, struct error *error)
{
	struct spool_head_mark mark = {.epoch = spool->epoch};

	if (count == 0)
		return true;
	spool->last = spool->next + count - 1;
	spool->next = spool->last + 1;
	mark.sequence = spool->last;
	memcpy(mark.hash, spool->hash, SPOOL_HASH_LENGTH);
	return spool_head_write(spool->head, &mark, error);
}

enum spool_result
spool_append(struct spool *spool, struct spool_event *events, size_t count,
	     struct spool_rejected *rejected, size_t rejected_count, struct error *error)
{
	unsigned char hash_before[SPOOL_HASH_LENGTH];
	enum database_step step;

	if (!spool_room_is_left(spool)) {
		error_set(error, "spool: the disk is down to spool.reserve; nothing was stored");
		return SPOOL_FULL;
	}
	memcpy(hash_before, spool->hash, sizeof(hash_before));
	step = database_run(spool->begin, error);
	if (step == DATABASE_END)
		step = insert_all(spool, events, count, rejected, rejected_count, error);
	if (step == DATABASE_END) {
		fault_point("spool-before-commit");
		step = database_run(spool->commit, error);
	}
	if (step == DATABASE_FULL)
		return abandon(spool, hash_before, error);
	if (step == DATABASE_DAMAGED)
		spool_internal_suspect(spool);
	if (step != DATABASE_END)
		return SPOOL_BROKEN;
	fault_point("spool-after-commit");
	return advance(spool, count, error) ? SPOOL_DONE : SPOOL_BROKEN;
}
